//! What a start finds in a log's folder.
//!
//! Every segment's headers are walked once: that gives the index, the next offset and the state of idempotent
//! producers, so nothing but the batches themselves has to survive a kill. Only the last segment can end in the middle
//! of a batch (the ones before were synced when the log went on to the next), so only its checksums are verified, and
//! only its tail may be cut. Damage elsewhere is an error: cutting there would drop acknowledged records.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use super::{
    batch::{self, BatchHeader, HEADER_BYTES},
    files::OpenFiles,
    segment::Segment,
};
use crate::broker::producers::ProducerStates;

/// Large enough that small batches cost no system call each.
const READ_AHEAD_BYTES: usize = 256 * 1024;

/// A log's segments in order of offset, and what its producers sent last.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) segments: Vec<Segment>,
    pub(crate) producers: ProducerStates,
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read log `{path}`", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A segment before the last one has bytes that are no batch.
    #[error("segment `{path}` is damaged at byte {position}", path = path.display())]
    Damaged {
        /// The segment file.
        path: PathBuf,
        /// Where the last whole batch ends.
        position: u64,
    },
}

/// Reads the log in `directory`; a missing folder is an empty log. A torn tail is cut off the last file.
pub(crate) fn recover(files: &OpenFiles, directory: &Path) -> Result<Recovered, RecoveryError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| RecoveryError::Io { path, source }
    };
    let mut recovered = Recovered::default();
    let mut base_offsets = base_offsets(directory).map_err(failed(directory))?;
    base_offsets.sort_unstable();
    let Some((last, sealed)) = base_offsets.split_last() else {
        return Ok(recovered);
    };
    for base_offset in sealed {
        let mut segment = Segment::empty(files, directory, *base_offset);
        let walked = walk(&mut segment, &mut recovered.producers, Checksums::Trusted);
        let file_bytes = walked.map_err(failed(segment.path()))?;
        if segment.bytes < file_bytes {
            return Err(RecoveryError::Damaged { path: segment.path().to_owned(), position: segment.bytes });
        }
        recovered.segments.push(segment);
    }
    let mut segment = Segment::empty(files, directory, *last);
    let walked = walk(&mut segment, &mut recovered.producers, Checksums::Verified);
    let file_bytes = walked.map_err(failed(segment.path()))?;
    if segment.bytes < file_bytes {
        let cut_bytes = file_bytes - segment.bytes;
        tracing::warn!(segment = %segment.path().display(), cut_bytes, "torn tail cut");
        let cut = File::options().write(true).open(segment.path()).and_then(|file| file.set_len(segment.bytes));
        cut.map_err(failed(segment.path()))?;
    }
    recovered.segments.push(segment);
    Ok(recovered)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checksums {
    Trusted,
    Verified,
}

fn base_offsets(directory: &Path) -> io::Result<Vec<i64>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(entries) => {
            entries.filter_map(|entry| entry.map(|entry| Segment::base_offset_of(&entry.path())).transpose()).collect()
        }
    }
}

/// Notes every whole batch of the file in `segment` and `producers`, up to the first that is not; returns the file's
/// length.
fn walk(segment: &mut Segment, producers: &mut ProducerStates, checksums: Checksums) -> io::Result<u64> {
    let file = File::open(segment.path())?;
    let file_bytes = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(READ_AHEAD_BYTES, file);
    let mut whole = Vec::new();
    while file_bytes - segment.bytes >= HEADER_BYTES as u64 {
        let mut bytes = [0; HEADER_BYTES];
        reader.read_exact(&mut bytes)?;
        let Ok(header) = BatchHeader::parse(&bytes) else {
            break;
        };
        if header.base_offset < segment.next_offset || u64::from(header.total_bytes) > file_bytes - segment.bytes {
            break;
        }
        let records_bytes = u64::from(header.total_bytes) - HEADER_BYTES as u64;
        if checksums == Checksums::Verified {
            whole.clear();
            whole.extend_from_slice(&bytes);
            reader.by_ref().take(records_bytes).read_to_end(&mut whole)?;
            if batch::verify(&header, &whole).is_err() {
                break;
            }
        } else {
            reader.seek_relative(i64::try_from(records_bytes).map_err(io::Error::other)?)?;
        }
        producers.note(&header);
        segment.note(&header);
    }
    Ok(file_bytes)
}
