//! Rejected rows as columns: the shape of a commit's error file.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::loaded::RejectedRow;

/// Schema of an error file: `topic`, `source_partition`, `offset`, `index`, `reason`, `column`, `raw`, `key`,
/// `timestamp_ms`, `job_version`, `rejected_at_ms`.
pub fn schema() -> SchemaRef {
    todo!()
}

/// Rejected rows of one batch as columns of [`schema`], in order.
pub fn to_columns(_topic: &str, _rows: &[RejectedRow], _job_version: u32, _rejected_at_ms: i64) -> RecordBatch {
    todo!()
}
