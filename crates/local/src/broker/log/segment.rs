//! One file of a log, and the sparse index over it.
//!
//! The file is batches one after the other, nothing between, named by the first offset it may hold. The index has one
//! entry for every [`INDEX_INTERVAL_BYTES`] of file and lives in memory only: it is rebuilt by the walk that every
//! start makes anyway, and costs about 400 bytes of memory a MiB of log.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    batch::{BatchHeader, HEADER_BYTES},
    files::{FileId, OpenFiles},
};

/// How much file one index entry covers. Lowering it costs memory, raising it costs reading before each answer.
const INDEX_INTERVAL_BYTES: u64 = 64 * 1024;

const EXTENSION: &str = "log";

/// A segment file's known content. Offsets below `base_offset` and from `next_offset` on are in other files.
#[derive(Debug)]
pub(crate) struct Segment {
    id: FileId,
    path: PathBuf,
    pub(crate) base_offset: i64,
    pub(crate) next_offset: i64,
    pub(crate) bytes: u64,
    pub(crate) max_timestamp_ms: i64,
    index: Vec<IndexEntry>,
}

#[derive(Debug, Clone, Copy)]
struct IndexEntry {
    position: u64,
    base_offset: i64,
    /// Largest timestamp of all batches before `position`.
    max_timestamp_before_ms: i64,
}

/// A file with the length up to which its content is whole: reading needs no lock.
#[derive(Debug, Clone)]
pub(crate) struct SegmentReader {
    file: Arc<File>,
    /// Where to start looking; a batch starts here.
    pub(crate) position: u64,
    /// End of the content (exclusive).
    pub(crate) end: u64,
}

impl Segment {
    /// A segment without content, whose file exists or is about to.
    pub(crate) fn empty(files: &OpenFiles, directory: &Path, base_offset: i64) -> Self {
        Self {
            id: files.new_id(),
            path: directory.join(format!("{base_offset:020}.{EXTENSION}")),
            base_offset,
            next_offset: base_offset,
            bytes: 0,
            max_timestamp_ms: -1,
            index: Vec::new(),
        }
    }

    /// The first offset that a file's name promises, or `None` if the file is no segment.
    pub(crate) fn base_offset_of(path: &Path) -> Option<i64> {
        if path.extension()? != EXTENSION {
            return None;
        }
        path.file_stem()?.to_str()?.parse().ok().filter(|offset| *offset >= 0)
    }

    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes that a batch lies at the end of what is known.
    pub(crate) fn note(&mut self, header: &BatchHeader) {
        let due = self.index.last().is_none_or(|entry| self.bytes - entry.position >= INDEX_INTERVAL_BYTES);
        if due {
            self.index.push(IndexEntry {
                position: self.bytes,
                base_offset: header.base_offset,
                max_timestamp_before_ms: self.max_timestamp_ms,
            });
        }
        self.bytes += u64::from(header.total_bytes);
        self.next_offset = header.next_offset();
        self.max_timestamp_ms = self.max_timestamp_ms.max(header.max_timestamp_ms);
    }

    /// Writes one batch (already stamped) at the end. What a failed write left behind is cut off again.
    pub(crate) fn append(&mut self, files: &OpenFiles, header: &BatchHeader, batch: &[u8]) -> io::Result<()> {
        let file = files.get(self.id, &self.path)?;
        if let Err(error) = file.write_all_at(batch, self.bytes) {
            file.set_len(self.bytes)?;
            return Err(error);
        }
        self.note(header);
        Ok(())
    }

    /// Creates the (empty) file, unless it exists.
    pub(crate) fn create(&self) -> io::Result<()> {
        File::options().create(true).append(true).open(&self.path).map(drop)
    }

    /// Waits until the disk has all that was written.
    pub(crate) fn sync(&self, files: &OpenFiles) -> io::Result<()> {
        files.get(self.id, &self.path)?.sync_data()
    }

    pub(crate) fn delete(&self, files: &OpenFiles) -> io::Result<()> {
        files.forget(self.id);
        fs::remove_file(&self.path)
    }

    /// A reader from a batch at or before the one that holds `offset`.
    pub(crate) fn reader_at_offset(&self, files: &OpenFiles, offset: i64) -> io::Result<SegmentReader> {
        let after = self.index.partition_point(|entry| entry.base_offset <= offset);
        self.reader_before(files, after)
    }

    /// A reader from a batch at or before the first that has a timestamp of at least `timestamp_ms`.
    pub(crate) fn reader_at_timestamp(&self, files: &OpenFiles, timestamp_ms: i64) -> io::Result<SegmentReader> {
        let after = self.index.partition_point(|entry| entry.max_timestamp_before_ms < timestamp_ms);
        self.reader_before(files, after)
    }

    fn reader_before(&self, files: &OpenFiles, entry: usize) -> io::Result<SegmentReader> {
        let entry = entry.checked_sub(1).and_then(|entry| self.index.get(entry));
        Ok(SegmentReader {
            file: files.get(self.id, &self.path)?,
            position: entry.map_or(0, |entry| entry.position),
            end: self.bytes,
        })
    }
}

impl SegmentReader {
    /// The header of the batch at `position`, or `None` at the end.
    ///
    /// # Errors
    /// The file's, and `InvalidData` if no batch starts there.
    pub(crate) fn header(&self) -> io::Result<Option<BatchHeader>> {
        if self.position >= self.end {
            return Ok(None);
        }
        let mut header = [0; HEADER_BYTES];
        self.file.read_exact_at(&mut header, self.position)?;
        let header = BatchHeader::parse(&header).map_err(io::Error::other)?;
        if u64::from(header.total_bytes) > self.end - self.position {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        Ok(Some(header))
    }

    /// Goes on to the next batch.
    pub(crate) fn skip(&mut self, header: &BatchHeader) {
        self.position += u64::from(header.total_bytes);
    }

    /// Reads at most `max_bytes` from `position` on, which may cut the last batch.
    pub(crate) fn read(&self, max_bytes: u64) -> io::Result<Vec<u8>> {
        let bytes = max_bytes.min(self.end.saturating_sub(self.position));
        let mut read = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut read, self.position)?;
        Ok(read)
    }
}
