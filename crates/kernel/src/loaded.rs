//! What loading a batch gives.

use std::ops::AddAssign;

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

mod rejected_rows;

pub use rejected_rows::RejectedRows;
pub(crate) use rejected_rows::{KeptRecord, KeptRow, Reason};

/// Names the part of a table that a file belongs to. Tables without PARTITION BY have one, the whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TablePartition {
    /// The whole table.
    Whole,
    /// The range or list partition of that id.
    Named(u32),
    /// The automatic partition of these values, one an expression of PARTITION BY, `None` for NULL; in the spelling of
    /// [`PartitionValue::text`](crate::partitioning::PartitionValue::text).
    Values(Vec<Option<String>>),
    /// Several automatic partitions, which share a file since a batch had rows of too many.
    Shared,
}

/// The result of [`Plan::load`](crate::plan::Plan::load).
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Rows to be written, each table partition's in the order of the batch; no entry without rows. Ascending by table
    /// partition; a batch of very much text has several such runs.
    pub tables: Vec<(TablePartition, RecordBatch)>,
    /// Rows that do not fit, and records that cannot be parsed, in the order of the batch.
    pub rejected: RejectedRows,
    /// Counts over the whole batch.
    pub statistics: LoadStatistics,
    /// Counts per source partition, ascending by source partition; every record of the batch is in one.
    pub ranges: Vec<RangeOutcome>,
}

/// A row that was not loaded because it does not fit, or a record that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// Source partition of the record.
    pub source_partition: i32,
    /// Offset of the record.
    pub offset: i64,
    /// Place of the row in its record, from 0; `None` if the whole record was rejected.
    pub index: Option<u32>,
    /// The destination column that the reason is about, if it is about one.
    pub column: Option<String>,
    /// Why, for a person.
    pub reason: String,
    /// The record's value, byte for byte; of a value that holds several rows, the row's own part. So what is kept of a
    /// record stays in proportion to it.
    pub raw: Vec<u8>,
    /// Whether `raw` is the record's value as it came; else it is the row's own part.
    pub whole: bool,
    /// The record's key; a long one stands with the record's first rejected row only.
    pub key: Option<Vec<u8>>,
    /// The record's timestamp, milliseconds.
    pub timestamp_ms: Option<i64>,
}

impl RejectedRow {
    /// Whether StarRocks would fail its whole task for it: the record is not what its format or the job's shape demands.
    /// [`pause_on_fatal_parse_error`](crate::property::JobProperties::pause_on_fatal_parse_error) is about these.
    pub fn is_fatal_parse_error(&self) -> bool {
        self.index.is_none() && self.reason.starts_with("parse error. ")
    }
}

/// Row counts; `total = loaded + rejected + unselected` always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadStatistics {
    /// Kafka records read, those without a row included.
    pub records: u64,
    /// Rows seen.
    pub total: u64,
    /// Rows loaded.
    pub loaded: u64,
    /// Rows rejected; a record that cannot be parsed counts as one.
    pub rejected: u64,
    /// Rows that WHERE left out.
    pub unselected: u64,
    /// Sum of the values' lengths in bytes.
    pub received_bytes: u64,
}

/// A count that would not fit stays at the largest.
impl AddAssign for LoadStatistics {
    fn add_assign(&mut self, other: Self) {
        for (sum, more) in [
            (&mut self.records, other.records),
            (&mut self.total, other.total),
            (&mut self.loaded, other.loaded),
            (&mut self.rejected, other.rejected),
            (&mut self.unselected, other.unselected),
            (&mut self.received_bytes, other.received_bytes),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// What became of the records of one source partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeOutcome {
    /// The source partition.
    pub source_partition: i32,
    /// First offset that the batch held.
    pub first_offset: i64,
    /// Last offset that the batch held, inclusive.
    pub last_offset: i64,
    /// Largest record timestamp among them, milliseconds.
    pub max_timestamp_ms: Option<i64>,
    /// Timestamp of the record at `last_offset`, milliseconds.
    pub last_timestamp_ms: Option<i64>,
    /// Counts.
    pub statistics: LoadStatistics,
}
