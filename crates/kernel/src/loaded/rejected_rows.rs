//! All rejected rows of a batch, in a form whose size stays in proportion to the batch.
//!
//! A value of a few megabytes can hold a row every two bytes, and each of them may be rejected. So a record's value is
//! held once, a row is a range of it (20 bytes a row), and a reason that many rows share is held once too. Rows are made
//! one at a time, when they are asked for.

use std::sync::Arc;

use super::RejectedRow;
use crate::rejected::REPEATED_KEY_BYTES;

/// Rejected rows, in the order of their batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectedRows {
    records: Vec<KeptRecord>,
    rows: Vec<KeptRow>,
    reasons: Vec<Arc<Reason>>,
}

/// A record that has rejected rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptRecord {
    pub(crate) source_partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) key: Option<Box<[u8]>>,
    pub(crate) value: Box<[u8]>,
    /// Whether `value` is itself what was kept of a row of a record.
    pub(crate) is_part: bool,
}

/// A rejected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeptRow {
    /// Place of its record.
    pub(crate) record: u32,
    /// Its place in the record; [`KeptRow::WHOLE`] for the record as a whole.
    pub(crate) index: u32,
    /// Its bytes within the record's value: where they start, and how many there are.
    pub(crate) start: u32,
    pub(crate) length: u32,
    /// Place of its reason.
    pub(crate) reason: u32,
}

impl KeptRow {
    /// No row has this place in its record: a row is two bytes at least.
    pub(crate) const WHOLE: u32 = u32::MAX;
}

/// Why rows are rejected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reason {
    pub(crate) column: Option<String>,
    pub(crate) text: String,
}

impl RejectedRows {
    /// `rows` are in order, and name their records and reasons by place.
    pub(crate) fn new(records: Vec<KeptRecord>, rows: Vec<KeptRow>, reasons: Vec<Arc<Reason>>) -> Self {
        Self { records, rows, reasons }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, in the order of the batch.
    pub fn iter(&self) -> impl Iterator<Item = RejectedRow> + '_ {
        let mut previous = None;
        self.rows.iter().filter_map(move |row| {
            let repeated = previous.replace(row.record) == Some(row.record);
            self.row(row, repeated)
        })
    }

    /// How many rows of each record there are, with the record's source partition, in the order of the batch.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.rows.chunk_by(|one, next| one.record == next.record).filter_map(|rows| {
            let record = self.records.get(rows.first()?.record as usize)?;
            Some((record.source_partition, rows.len() as u64)) // usize has at most 64 bits
        })
    }

    /// Bytes that they take in memory, give or take what the allocator adds.
    pub fn memory_bytes(&self) -> usize {
        let records =
            self.records.iter().map(|record| record.value.len() + record.key.as_ref().map_or(0, |key| key.len()));
        let reasons = self
            .reasons
            .iter()
            .map(|reason| size_of::<Reason>() + reason.text.len() + reason.column.as_ref().map_or(0, String::len));
        records.sum::<usize>()
            + reasons.sum::<usize>()
            + self.records.capacity() * size_of::<KeptRecord>()
            + self.rows.capacity() * size_of::<KeptRow>()
            + self.reasons.capacity() * size_of::<Arc<Reason>>()
    }

    fn row(&self, row: &KeptRow, repeated: bool) -> Option<RejectedRow> {
        // A usize has 32 bits at least.
        let record = self.records.get(row.record as usize)?;
        let reason = self.reasons.get(row.reason as usize)?;
        let (start, length) = (row.start as usize, row.length as usize);
        let key = record.key.as_ref().filter(|key| !repeated || key.len() <= REPEATED_KEY_BYTES);
        Some(RejectedRow {
            source_partition: record.source_partition,
            offset: record.offset,
            index: (row.index != KeptRow::WHOLE).then_some(row.index),
            column: reason.column.clone(),
            reason: reason.text.clone(),
            raw: record.value.get(start..start.saturating_add(length)).unwrap_or_default().to_vec(),
            whole: !record.is_part && (row.index == KeptRow::WHOLE || length == record.value.len()),
            key: key.map(|key| key.to_vec()),
            timestamp_ms: record.timestamp_ms,
        })
    }
}
