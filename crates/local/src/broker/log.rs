//! The log of one source partition: appending, reading, searching, forgetting.
//!
//! A batch is stored as received, in segment files; what is in memory is a sparse index and the last sequences of
//! idempotent producers. An append is done when the system has the bytes: killing the process loses nothing that was
//! answered, and a power cut can lose what was not yet synced, which happens when a segment is full and at shutdown.
//! Nothing expires; only [`PartitionLog::delete_before`] forgets records. There are no replicas, so the high watermark
//! is the next offset, and the leader epoch is always [`LEADER_EPOCH`].

pub(crate) mod batch;
pub(crate) mod files;
mod records;
pub(crate) mod recovery;
mod segment;
#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use self::{
    batch::BatchHeader,
    files::OpenFiles,
    recovery::RecoveryError,
    segment::{Segment, SegmentReader},
};
pub(crate) use self::{
    batch::{BatchError, Codec},
    records::RecordTime,
};
use super::{
    durable,
    producers::{ProducerStates, SequenceError, Sequenced},
};

/// The one leader epoch: there is one node, and it never loses its logs to another.
pub(crate) const LEADER_EPOCH: i32 = 0;

/// Holds the log's start offset, once records were deleted.
const START_FILE: &str = "start-offset";

/// One source partition's records.
#[derive(Debug)]
pub(crate) struct PartitionLog {
    directory: PathBuf,
    segment_bytes: u64,
    files: Arc<OpenFiles>,
    state: Mutex<State>,
    high_watermark: watch::Sender<i64>,
}

#[derive(Debug)]
struct State {
    segments: Vec<Segment>,
    producers: ProducerStates,
    start_offset: i64,
    next_offset: i64,
    unsynced: bool,
    deleted: bool,
}

/// The offsets that a log holds: from `start_offset` (inclusive) to `high_watermark` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) start_offset: i64,
    pub(crate) high_watermark: i64,
}

/// Where a batch is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub(crate) base_offset: i64,
    pub(crate) start_offset: i64,
}

/// Why a log did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    #[error("expected an offset from {start} to {end}, found {asked}", start = bounds.start_offset, end = bounds.high_watermark)]
    OutOfRange { asked: i64, bounds: Bounds },
    #[error("the topic was deleted")]
    Deleted,
    #[error("log file")]
    Io(#[from] io::Error),
}

/// Whether a read may exceed its limit to return one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oversized {
    Allowed,
    Refused,
}

impl PartitionLog {
    /// Opens the log in `directory`, which need not exist, and cuts a torn tail.
    pub(crate) fn open(directory: PathBuf, segment_bytes: u64, files: Arc<OpenFiles>) -> Result<Self, RecoveryError> {
        let recovered = recovery::recover(&files, &directory)?;
        let start_file = directory.join(START_FILE);
        let start_offset =
            durable::read_number(&start_file).map_err(|source| RecoveryError::Io { path: start_file, source })?;
        let first = recovered.segments.first().map_or(0, |segment| segment.base_offset);
        let next_offset = recovered.segments.last().map_or(0, |segment| segment.next_offset);
        let state = State {
            segments: recovered.segments,
            producers: recovered.producers,
            start_offset: start_offset.unwrap_or(0).clamp(first, next_offset.max(first)),
            next_offset,
            unsynced: false,
            deleted: false,
        };
        let (high_watermark, _) = watch::channel(next_offset);
        Ok(Self { directory, segment_bytes, files, state: Mutex::new(state), high_watermark })
    }

    /// The offsets that can be read now.
    pub(crate) fn bounds(&self) -> Bounds {
        self.lock().bounds()
    }

    /// Tells of every append and of the deletion; the value is the high watermark.
    pub(crate) fn watch(&self) -> watch::Receiver<i64> {
        self.high_watermark.subscribe()
    }

    /// Bytes in files.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.lock().segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Stores one verified batch at the end, unless it is there already.
    ///
    /// `header` is `batch`'s. The base offset and leader epoch in `batch` are replaced.
    pub(crate) fn append(&self, header: &BatchHeader, batch: &[u8]) -> Result<Appended, LogError> {
        let mut state = self.lock();
        if state.deleted {
            return Err(LogError::Deleted);
        }
        let start_offset = state.start_offset;
        if let Sequenced::Duplicate { base_offset } = state.producers.check(header)? {
            return Ok(Appended { base_offset, start_offset });
        }
        let base_offset = state.next_offset;
        let header = BatchHeader { base_offset, ..*header };
        let mut stamped = batch.to_vec();
        batch::stamp(&mut stamped, base_offset, LEADER_EPOCH);
        let roll = state.segments.last().is_none_or(|last| {
            last.bytes > 0 && last.bytes.saturating_add(u64::from(header.total_bytes)) > self.segment_bytes
        });
        if roll {
            self.roll(&mut state)?;
        }
        let Some(segment) = state.segments.last_mut() else {
            return Err(LogError::Io(io::Error::from(io::ErrorKind::NotFound)));
        };
        segment.append(&self.files, &header, &stamped)?;
        state.producers.note(&header);
        state.next_offset = header.next_offset();
        state.unsynced = true;
        self.high_watermark.send_replace(state.next_offset);
        Ok(Appended { base_offset, start_offset })
    }

    /// Reads whole batches from the one that holds `from_offset` on, at most `max_bytes`; empty at the end.
    pub(crate) fn read(&self, from_offset: i64, max_bytes: u64, oversized: Oversized) -> Result<Vec<u8>, LogError> {
        let Some((reader, first)) = self.find(from_offset)? else {
            return Ok(Vec::new());
        };
        let first_bytes = u64::from(first.total_bytes);
        if first_bytes > max_bytes {
            return match oversized {
                Oversized::Allowed => Ok(reader.read(first_bytes)?),
                Oversized::Refused => Ok(Vec::new()),
            };
        }
        let mut bytes = reader.read(max_bytes)?;
        let mut whole = 0;
        while let Some(header) = bytes.get(whole..).and_then(|rest| BatchHeader::parse(rest).ok()) {
            let end = whole + header.total_bytes as usize;
            if end > bytes.len() {
                break;
            }
            whole = end;
        }
        bytes.truncate(whole);
        Ok(bytes)
    }

    /// The first record whose timestamp is not before `timestamp_ms`, in order of offset.
    pub(crate) fn first_since(&self, timestamp_ms: i64) -> Result<Option<RecordTime>, LogError> {
        let mut from_offset = self.bounds().start_offset;
        while let Some((mut reader, next_offset)) = self.reader_since(from_offset, timestamp_ms)? {
            while let Some(header) = reader.header()? {
                if header.max_timestamp_ms >= timestamp_ms && header.last_offset() >= from_offset {
                    let batch = reader.read(u64::from(header.total_bytes))?;
                    if let Some(found) = records::first_at_or_after(&header, &batch, timestamp_ms, from_offset)? {
                        return Ok(Some(found));
                    }
                }
                reader.skip(&header);
            }
            from_offset = next_offset;
        }
        Ok(None)
    }

    /// The first of the records with the largest timestamp.
    pub(crate) fn latest_time(&self) -> Result<Option<RecordTime>, LogError> {
        let largest = {
            let state = self.lock();
            let live = state.segments.iter().filter(|segment| segment.next_offset > state.start_offset);
            live.map(|segment| segment.max_timestamp_ms).max()
        };
        largest
            .filter(|timestamp_ms| *timestamp_ms >= 0)
            .map_or(Ok(None), |timestamp_ms| self.first_since(timestamp_ms))
    }

    /// Forgets all records before `offset`, and the files that hold no others; returns the log's start.
    ///
    /// An offset before the start changes nothing.
    ///
    /// # Errors
    /// [`LogError::OutOfRange`] if `offset` is after the high watermark.
    pub(crate) fn delete_before(&self, offset: i64) -> Result<i64, LogError> {
        let mut state = self.lock();
        if state.deleted {
            return Err(LogError::Deleted);
        }
        let bounds = state.bounds();
        if offset > bounds.high_watermark || offset < 0 {
            return Err(LogError::OutOfRange { asked: offset, bounds });
        }
        if offset <= bounds.start_offset {
            return Ok(bounds.start_offset);
        }
        durable::replace(&self.directory.join(START_FILE), offset.to_string().as_bytes())?;
        state.start_offset = offset;
        if offset == bounds.high_watermark {
            self.roll(&mut state)?;
        }
        while let Some((first, rest)) = state.segments.split_first() {
            if rest.is_empty() || first.next_offset > offset {
                break;
            }
            first.delete(&self.files)?;
            state.segments.remove(0);
        }
        Ok(offset)
    }

    /// Waits until the disk has all that was appended.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let mut state = self.lock();
        if !state.unsynced || state.deleted {
            return Ok(());
        }
        if let Some(segment) = state.segments.last() {
            segment.sync(&self.files)?;
        }
        state.unsynced = false;
        Ok(())
    }

    /// Makes every later call fail and wakes those who wait; the files are the caller's to delete.
    pub(crate) fn mark_deleted(&self) {
        let mut state = self.lock();
        state.deleted = true;
        for segment in &state.segments {
            self.files.forget(segment.id());
        }
        self.high_watermark.send_modify(|_| ());
    }

    /// The batch that holds `offset`, or `None` if `offset` is the high watermark.
    fn find(&self, offset: i64) -> Result<Option<(SegmentReader, BatchHeader)>, LogError> {
        let mut reader = {
            let state = self.lock();
            if state.deleted {
                return Err(LogError::Deleted);
            }
            let bounds = state.bounds();
            if offset < bounds.start_offset || offset > bounds.high_watermark {
                return Err(LogError::OutOfRange { asked: offset, bounds });
            }
            let after = state.segments.partition_point(|segment| segment.base_offset <= offset);
            match after.checked_sub(1).and_then(|segment| state.segments.get(segment)) {
                Some(segment) if offset < bounds.high_watermark => segment.reader_at_offset(&self.files, offset)?,
                _ => return Ok(None),
            }
        };
        while let Some(header) = reader.header()? {
            if header.last_offset() >= offset {
                return Ok(Some((reader, header)));
            }
            reader.skip(&header);
        }
        Ok(None)
    }

    /// The first segment with offsets from `from_offset` on and a timestamp not before `timestamp_ms`, and its end.
    fn reader_since(&self, from_offset: i64, timestamp_ms: i64) -> Result<Option<(SegmentReader, i64)>, LogError> {
        let state = self.lock();
        if state.deleted {
            return Err(LogError::Deleted);
        }
        let wanted = |segment: &&Segment| segment.next_offset > from_offset && segment.max_timestamp_ms >= timestamp_ms;
        let Some(segment) = state.segments.iter().find(wanted) else {
            return Ok(None);
        };
        Ok(Some((segment.reader_at_timestamp(&self.files, timestamp_ms)?, segment.next_offset)))
    }

    /// Goes on to a new segment, unless the last one is empty.
    fn roll(&self, state: &mut State) -> io::Result<()> {
        match state.segments.last() {
            Some(last) if last.bytes == 0 => return Ok(()),
            Some(last) => last.sync(&self.files)?,
            None => fs::create_dir_all(&self.directory)?,
        }
        let segment = Segment::empty(&self.files, &self.directory, state.next_offset);
        segment.create()?;
        state.segments.push(segment);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn bounds(&self) -> Bounds {
        Bounds { start_offset: self.start_offset, high_watermark: self.next_offset }
    }
}
