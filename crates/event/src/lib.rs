//! A delivered batch, whatever source it came from: records whose bytes lie in one buffer.
//!
//! One file a source turns that source's envelope into an [`Event`].

use std::num::NonZeroU32;
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
    key: Option<Span>,
    value: Option<Span>,
    /// As [`Headers::over`] takes them.
    headers: Option<Span>,
}

/// A part of the arena, which has less than 4 GiB: an event of small records is little else than these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    /// One more than where it ends, so that it is never 0, and an absent span takes no more room.
    end: NonZeroU32,
}

/// Bytes that an event may have.
const MAX_EVENT_BYTES: usize = u32::MAX as usize - 1;

impl Span {
    /// From a byte of the arena up to another. No arena is longer than its event, which is not too long.
    #[inline]
    fn new(start: usize, end: usize) -> Self {
        let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX - 1);
        Self { start: small(start), end: NonZeroU32::MIN.saturating_add(small(end)) }
    }

    #[inline]
    fn range(self) -> Range<usize> {
        // A usize has 32 bits at least.
        self.start as usize..self.end.get() as usize - 1
    }
}

impl Event {
    /// Entries in any order; of entries with one source partition and offset, the first stays.
    fn new(topic: String, arena: Vec<u8>, mut entries: Vec<Entry>, headers: HeaderWish) -> Self {
        let place = |entry: &Entry| (entry.source_partition, entry.offset);
        // As the platform has them.
        if !entries.is_sorted_by(|one, next| place(one) < place(next)) {
            entries.sort_by_key(place);
            entries.dedup_by_key(|entry| place(entry));
        }
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
            key: self.bytes(entry.key),
            value: self.bytes(entry.value),
            headers: Headers::over(self.bytes(entry.headers).unwrap_or_default()),
        })
    }

    #[inline]
    fn bytes(&self, span: Option<Span>) -> Option<&[u8]> {
        // Entries are only made with spans of this arena, which never shrinks.
        self.arena.get(span?.range())
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
