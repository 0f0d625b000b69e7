//! Rejected rows as columns: the shape of a commit's error file.
//!
//! Bytes stay bytes: what was rejected is often rejected because it is no text.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::loaded::{RejectedRow, RejectedRows};

/// Rows that are held as columns at once.
const CHUNK_ROWS: usize = 16_384;

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
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(fields()))
}

/// Rejected rows of one batch as columns of [`schema`], in order.
pub fn to_columns(topic: &str, rows: &[RejectedRow], job_version: u32, rejected_at_ms: i64) -> RecordBatch {
    let mut reasons = StringBuilder::new();
    let mut columns = StringBuilder::new();
    let mut raws = BinaryBuilder::new();
    let mut keys = BinaryBuilder::new();
    for row in rows {
        reasons.append_value(&row.reason);
        columns.append_option(row.column.as_deref());
        raws.append_value(&row.raw);
        keys.append_option(row.key.as_deref());
    }
    let columns: [ArrayRef; 11] = [
        Arc::new(StringArray::from_iter_values(rows.iter().map(|_| topic))),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.source_partition))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.offset))),
        Arc::new(rows.iter().map(|row| row.index.map(i64::from)).collect::<Int64Array>()),
        Arc::new(reasons.finish()),
        Arc::new(columns.finish()),
        Arc::new(raws.finish()),
        Arc::new(keys.finish()),
        Arc::new(rows.iter().map(|row| row.timestamp_ms).collect::<Int64Array>()),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|_| i64::from(job_version)))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|_| rejected_at_ms))),
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

fn fields() -> [FieldRef; 11] {
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
    ]
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;

    use super::*;
    use crate::encode::{WriterOptions, encode};

    fn row(offset: i64, index: Option<u32>, raw: &[u8]) -> RejectedRow {
        RejectedRow {
            source_partition: 3,
            offset,
            index,
            column: index.map(|_| "uid".to_owned()),
            reason: "too large".to_owned(),
            raw: raw.to_vec(),
            key: None,
            timestamp_ms: Some(17),
        }
    }

    #[test]
    fn no_rows_have_the_same_schema() {
        let columns = to_columns("t", &[], 1, 0);
        assert_eq!(columns.num_rows(), 0);
        assert_eq!(columns.schema(), schema());
    }

    #[test]
    fn rows_keep_their_bytes_and_their_order() {
        let rows = [row(7, Some(1), b"\xff{}"), row(8, None, b"")];
        let columns = to_columns("test2", &rows, 2, 99);
        assert_eq!(columns.schema(), schema());
        let raw = columns["raw"].as_binary::<i32>();
        assert_eq!(raw.iter().collect::<Vec<_>>(), [Some(b"\xff{}".as_slice()), Some(b"")]);
        let index = columns["index"].as_primitive::<Int64Type>();
        assert_eq!(index.iter().collect::<Vec<_>>(), [Some(1), None]);
        assert!(columns["key"].is_null(0));
        assert_eq!(columns["rejected_at_ms"].as_primitive::<Int64Type>().value(0), 99);
        assert_eq!(columns["topic"].as_string::<i32>().value(1), "test2");
    }

    #[test]
    fn rejected_rows_can_be_encoded() {
        let columns = to_columns("t", &[row(1, None, b"\x00\xff")], 1, 0);
        assert_eq!(encode(&columns, &WriterOptions::default()).unwrap().rows, 1);
    }
}
