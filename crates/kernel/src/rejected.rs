//! Rejected rows as columns: the shape of a commit's error file, there and back.
//!
//! Bytes stay bytes: what was rejected is often rejected because it is no text.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StructArray};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::loaded::{RejectedRow, RejectedRows};

/// Rows that are held as columns at once.
pub const CHUNK_ROWS: usize = 16_384;

mod decode;
#[cfg(test)]
mod tests;

pub use decode::{DecodeError, Entries, decode};

/// Bytes of a key that every rejected row of a record repeats; a longer key stands with the first one only, so that
/// what is kept of a record stays in proportion to it.
pub const REPEATED_KEY_BYTES: usize = 256;

/// A rejected row as an error file keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The topic of its record.
    pub topic: String,
    /// The row, with its key as the file has it: a long one stands with the first row of its record only.
    pub row: RejectedRow,
    /// Version of the job that rejected it.
    pub job_version: u32,
    /// Milliseconds since the epoch.
    pub rejected_at_ms: i64,
}

/// Schema of an error file.
///
/// | column | type | |
/// | --- | --- | --- |
/// | `topic` | text | |
/// | `source_partition` | 32 bits | |
/// | `offset` | 64 bits | |
/// | `index` | 64 bits | place of the row in its record, from 0; NULL: the whole record was rejected |
/// | `reason` | text | |
/// | `column` | text | destination column that the reason is about; NULL: none |
/// | `raw` | bytes | as [`RejectedRow::raw`] |
/// | `key` | bytes | as [`RejectedRow::key`] |
/// | `timestamp_ms` | 64 bits | of the record; NULL: it has none |
/// | `job_version` | 64 bits | |
/// | `rejected_at_ms` | 64 bits | milliseconds since the epoch |
/// | `whole` | boolean | as [`RejectedRow::whole`]; files of older versions lack it |
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(fields()))
}

/// Rejected rows of one batch as columns of [`schema`], in order.
pub fn to_columns(topic: &str, rows: &[RejectedRow], job_version: u32, rejected_at_ms: i64) -> RecordBatch {
    let rows: Vec<Line<'_>> = rows.iter().map(|row| Line { topic, row, job_version, rejected_at_ms }).collect();
    columns(&rows)
}

/// Entries as columns of [`schema`], in order. Those of one record are to stand together.
pub fn of_entries(entries: &[Entry]) -> RecordBatch {
    let lines: Vec<Line<'_>> = entries.iter().map(Line::of).collect();
    columns(&lines)
}

struct Line<'a> {
    topic: &'a str,
    row: &'a RejectedRow,
    job_version: u32,
    rejected_at_ms: i64,
}

impl<'a> Line<'a> {
    fn of(entry: &'a Entry) -> Self {
        let Entry { topic, row, job_version, rejected_at_ms } = entry;
        Self { topic, row, job_version: *job_version, rejected_at_ms: *rejected_at_ms }
    }

    fn is_of_record(&self, other: &Self) -> bool {
        (self.topic, self.row.source_partition, self.row.offset)
            == (other.topic, other.row.source_partition, other.row.offset)
    }
}

fn columns(lines: &[Line<'_>]) -> RecordBatch {
    let mut topics = StringBuilder::new();
    let mut reasons = StringBuilder::new();
    let mut columns = StringBuilder::new();
    let mut raws = BinaryBuilder::new();
    let mut keys = BinaryBuilder::new();
    let mut previous: Option<&Line<'_>> = None;
    for line in lines {
        topics.append_value(line.topic);
        reasons.append_value(&line.row.reason);
        columns.append_option(line.row.column.as_deref());
        raws.append_value(&line.row.raw);
        let repeats = previous.replace(line).is_some_and(|previous| previous.is_of_record(line));
        keys.append_option(line.row.key.as_deref().filter(|key| !repeats || key.len() <= REPEATED_KEY_BYTES));
    }
    let rows = || lines.iter().map(|line| line.row);
    let columns: [ArrayRef; COLUMNS] = [
        Arc::new(topics.finish()),
        Arc::new(Int32Array::from_iter_values(rows().map(|row| row.source_partition))),
        Arc::new(Int64Array::from_iter_values(rows().map(|row| row.offset))),
        Arc::new(rows().map(|row| row.index.map(i64::from)).collect::<Int64Array>()),
        Arc::new(reasons.finish()),
        Arc::new(columns.finish()),
        Arc::new(raws.finish()),
        Arc::new(keys.finish()),
        Arc::new(rows().map(|row| row.timestamp_ms).collect::<Int64Array>()),
        Arc::new(Int64Array::from_iter_values(lines.iter().map(|line| i64::from(line.job_version)))),
        Arc::new(Int64Array::from_iter_values(lines.iter().map(|line| line.rejected_at_ms))),
        Arc::new(rows().map(|row| Some(row.whole)).collect::<BooleanArray>()),
    ];
    // Every column was made of the same rows and in the types of `fields`, which is all that this asks for.
    RecordBatch::from(StructArray::from(fields().into_iter().zip(columns).collect::<Vec<_>>()))
}

/// Rejected rows of one batch as columns of [`schema`], in order, so many at a time that their size does not matter.
pub fn chunks<'r>(
    topic: &'r str,
    rows: &'r RejectedRows,
    job_version: u32,
    rejected_at_ms: i64,
) -> impl Iterator<Item = RecordBatch> + 'r {
    let mut rows = rows.iter();
    std::iter::from_fn(move || {
        let chunk: Vec<RejectedRow> = rows.by_ref().take(CHUNK_ROWS).collect();
        (!chunk.is_empty()).then(|| to_columns(topic, &chunk, job_version, rejected_at_ms))
    })
}

const COLUMNS: usize = 12;

fn fields() -> [FieldRef; COLUMNS] {
    let mut id = 0_u32;
    let mut field = |name: &str, data_type, nullable| {
        id += 1;
        let id = ("PARQUET:field_id".to_owned(), id.to_string());
        Arc::new(Field::new(name, data_type, nullable).with_metadata([id].into()))
    };
    [
        field("topic", DataType::Utf8, false),
        field("source_partition", DataType::Int32, false),
        field("offset", DataType::Int64, false),
        field("index", DataType::Int64, true),
        field("reason", DataType::Utf8, false),
        field("column", DataType::Utf8, true),
        field("raw", DataType::Binary, false),
        field("key", DataType::Binary, true),
        field("timestamp_ms", DataType::Int64, true),
        field("job_version", DataType::Int64, false),
        field("rejected_at_ms", DataType::Int64, false),
        field("whole", DataType::Boolean, true),
    ]
}
