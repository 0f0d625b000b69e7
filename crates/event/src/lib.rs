//! A delivered batch, whatever source it came from: records whose bytes lie in one buffer.
//!
//! One file a source turns that source's envelope into an [`Event`].

use std::ops::Range;

use penstock_kernel::batch::{Headers, Record};

pub mod kafka;

/// The records of one invocation, ordered by source partition, then offset, no offset twice.
#[derive(Debug, Clone, Default)]
pub struct Event {
    topic: String,
    arena: Vec<u8>,
    entries: Vec<Entry>,
    headers: HeaderWish,
}

/// Whether the records of an event have their headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeaderWish {
    /// They were passed over, as nearly no job reads them.
    #[default]
    Skip,
    /// They were read.
    Read,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    source_partition: i32,
    offset: i64,
    timestamp_ms: Option<i64>,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    /// As [`Headers::over`] takes them.
    headers: Range<usize>,
}

impl Event {
    /// Entries in any order; of entries with one source partition and offset, the first stays.
    fn new(topic: String, arena: Vec<u8>, mut entries: Vec<Entry>, headers: HeaderWish) -> Self {
        entries.sort_by_key(|entry| (entry.source_partition, entry.offset));
        entries.dedup_by_key(|entry| (entry.source_partition, entry.offset));
        Self { topic, arena, entries, headers }
    }

    /// The one topic; empty if there is no record.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Whether the records have their headers.
    pub fn headers(&self) -> HeaderWish {
        self.headers
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The records, ascending by source partition, then offset.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.entries.iter().map(|entry| Record {
            source_partition: entry.source_partition,
            offset: entry.offset,
            timestamp_ms: entry.timestamp_ms,
            key: self.bytes(entry.key.as_ref()),
            value: self.bytes(entry.value.as_ref()),
            headers: Headers::over(self.bytes(Some(&entry.headers)).unwrap_or_default()),
        })
    }

    fn bytes(&self, range: Option<&Range<usize>>) -> Option<&[u8]> {
        // Entries are only made with ranges of this arena, which never shrinks.
        range.and_then(|range| self.arena.get(range.clone()))
    }
}

/// The envelope is not what the platform promises: nobody but the sender can mend it, and it is never acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed Kafka event at {place} (line {line}, column {column}): {message}")]
pub struct EventError {
    /// Path in the envelope, such as `records["clicks-0"][3].offset`.
    pub place: String,
    /// Line of the JSON text, from 1.
    pub line: usize,
    /// Column of the JSON text, in bytes, from 1.
    pub column: usize,
    /// Expected and found; never bytes of a record.
    pub message: String,
}
