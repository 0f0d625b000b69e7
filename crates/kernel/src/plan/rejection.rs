//! A row on its way to becoming a rejected one.

use std::fmt;

use super::rows::Feed;
use crate::batch::Record;
use crate::format::value::Value;
use crate::loaded::RejectedRow;

/// Bytes of a key that every rejected row of a record repeats; a longer key stands with the first one only, so that
/// what is kept of a record stays in proportion to it.
const REPEATED_KEY_BYTES: usize = 256;

/// Where a row comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowSource<'a> {
    /// Place of its record in the batch.
    pub(super) record: usize,
    /// Its place in the record; `None` for the record as a whole.
    pub(super) index: Option<u32>,
    /// The bytes that are kept of it: the record's value, or its own part of a value that holds several rows.
    pub(super) raw: &'a [u8],
}

/// A row that is not loaded, and why.
#[derive(Debug)]
pub(super) struct Rejection<'a> {
    pub(super) source: RowSource<'a>,
    /// The destination column that the reason is about.
    pub(super) column: Option<String>,
    pub(super) reason: String,
}

/// The rejected rows of a batch, in its order.
pub(super) fn in_order(mut rejections: Vec<Rejection<'_>>, records: &[Record<'_>]) -> Vec<RejectedRow> {
    rejections.sort_by_key(|rejection| (rejection.source.record, rejection.source.index));
    let mut rows = Vec::with_capacity(rejections.len());
    let mut previous = None;
    for Rejection { source, column, reason } in rejections {
        let Some(record) = records.get(source.record) else {
            continue;
        };
        let repeated = previous.replace(source.record) == Some(source.record);
        let key = record.key.filter(|key| !repeated || key.len() <= REPEATED_KEY_BYTES);
        rows.push(RejectedRow {
            source_partition: record.source_partition,
            offset: record.offset,
            index: source.index,
            column,
            reason,
            raw: source.raw.to_vec(),
            key: key.map(<[u8]>::to_vec),
            timestamp_ms: record.timestamp_ms,
        });
    }
    rows
}

/// Says that a column's type does not accept a value.
pub(super) struct OutOfRange<'f, 'a> {
    pub(super) feed: &'f Feed,
    pub(super) value: Value<'a>,
}

impl fmt::Display for OutOfRange<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column_type = self.feed.column_type.to_string().to_uppercase();
        write!(f, "Value '{}' is out of range. The type of '{}' is {column_type}", self.value, self.feed.name)
    }
}
