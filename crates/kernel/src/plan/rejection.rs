//! A row on its way to becoming a rejected one.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::mapping::Slot;
use super::rows::Feed;
use crate::batch::Record;
use crate::format::value::Value;
use crate::loaded::{KeptRecord, KeptRow, Reason, RejectedRows};

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

/// The rejected rows of a batch so far, each of them small: values of a few bytes can be rows.
#[derive(Debug)]
pub(super) struct Rejections<'a> {
    records: &'a [Record<'a>],
    /// Which records are themselves a part of one; empty if none is.
    parts: &'a [Option<u32>],
    /// With the places of records in the batch.
    rows: Vec<KeptRow>,
    reasons: Vec<Arc<Reason>>,
    places: HashMap<Arc<Reason>, u32>,
    /// Place of the reason that a feed is NULL, by the feed's number.
    nulls: Vec<Option<u32>>,
}

impl<'a> Rejections<'a> {
    /// None yet.
    pub(super) fn new(records: &'a [Record<'a>], parts: &'a [Option<u32>]) -> Self {
        Self { records, parts, rows: Vec::new(), reasons: Vec::new(), places: HashMap::new(), nulls: Vec::new() }
    }

    /// Adds a row; in any order.
    pub(super) fn push(&mut self, Rejection { source, column, reason }: Rejection<'_>) {
        let row = self.because_of(source, Reason { column, text: reason });
        self.rows.push(row);
    }

    /// Adds a row that [`null`](Self::null) gave.
    pub(super) fn push_kept(&mut self, row: KeptRow) {
        self.rows.push(row);
    }

    /// The row that is rejected because the feed of that number would be NULL, unless WHERE leaves it out.
    pub(super) fn null(&mut self, source: RowSource<'_>, number: usize, feed: &Feed, value: Value<'_>) -> KeptRow {
        let known = self.nulls.get(number).copied().flatten();
        match (value, known) {
            (Value::Missing | Value::Null, Some(reason)) => self.kept(source, reason),
            (Value::Missing | Value::Null, None) => {
                let row = self.because_of(source, null_reason(feed, value));
                if self.nulls.len() <= number {
                    self.nulls.resize(number + 1, None);
                }
                self.nulls.get_mut(number).into_iter().for_each(|known| *known = Some(row.reason));
                row
            }
            _ => self.because_of(source, null_reason(feed, value)),
        }
    }

    /// The rows in the order of the batch.
    pub(super) fn finish(mut self) -> RejectedRows {
        self.rows.sort_by_key(|row| (row.record, row.index));
        let mut records: Vec<KeptRecord> = Vec::new();
        let mut previous = None;
        for row in &mut self.rows {
            // A usize has 32 bits at least.
            if previous.replace(row.record) != Some(row.record)
                && let Some(record) = self.records.get(row.record as usize)
            {
                let is_part = self.parts.get(row.record as usize).is_some_and(Option::is_some);
                records.push(KeptRecord {
                    is_part,
                    source_partition: record.source_partition,
                    offset: record.offset,
                    timestamp_ms: record.timestamp_ms,
                    key: record.key.map(Box::from),
                    value: record.value.unwrap_or_default().into(),
                });
            }
            row.record = small(records.len().saturating_sub(1));
        }
        self.rows.shrink_to_fit();
        RejectedRows::new(records, self.rows, self.reasons)
    }

    fn because_of(&mut self, source: RowSource<'_>, reason: Reason) -> KeptRow {
        let place = match self.places.get(&reason) {
            Some(place) => *place,
            None => {
                let place = small(self.reasons.len());
                let reason = Arc::new(reason);
                self.reasons.push(Arc::clone(&reason));
                self.places.insert(reason, place);
                place
            }
        };
        self.kept(source, place)
    }

    fn kept(&self, source: RowSource<'_>, reason: u32) -> KeptRow {
        let value = self.records.get(source.record).and_then(|record| record.value).unwrap_or_default();
        // What is kept of a row is a part of its record's value.
        let start = source.raw.as_ptr().addr().saturating_sub(value.as_ptr().addr());
        KeptRow {
            record: small(source.record),
            index: source.index.unwrap_or(KeptRow::WHOLE),
            start: small(start),
            length: small(source.raw.len()),
            reason,
        }
    }
}

/// Kafka's lengths have 32 bits, and so has whatever is counted in a batch.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn null_reason(feed: &Feed, value: Value<'_>) -> Reason {
    let mut text = format!("NULL value in non-nullable column '{}'", feed.name);
    if !matches!(value, Value::Missing | Value::Null) {
        text = format!("{text}. {}", OutOfRange { feed, value });
    }
    Reason { column: Some(feed.name.clone()), text }
}

/// Says that a column's type does not accept a value.
pub(super) struct OutOfRange<'f, 'a> {
    pub(super) feed: &'f Feed,
    pub(super) value: Value<'a>,
}

impl fmt::Display for OutOfRange<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column_type = self.feed.column_type.to_string().to_uppercase();
        if let (Value::Field(_) | Value::EscapedField(..), Slot::Field(place)) = (self.value, self.feed.slot) {
            return write!(
                f,
                "The field (name = {}, pos = {place}) is out of range. Type: {column_type}, Value length: {}, Value: {}",
                self.feed.name,
                self.value.field_bytes(),
                self.value
            );
        }
        write!(f, "Value '{}' is out of range. The type of '{}' is {column_type}", self.value, self.feed.name)
    }
}
