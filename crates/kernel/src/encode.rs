//! Columns into the bytes of one Parquet file, with the statistics that readers prune by.

use arrow_array::RecordBatch;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterOptions {
    /// zstd level, 1 to 22; a higher one costs time and saves little.
    pub zstd_level: i32,
    /// Rows a row group holds at most.
    pub max_row_group_rows: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { zstd_level: 1, max_row_group_rows: 1 << 20 }
    }
}

/// A Parquet file in memory.
#[derive(Debug, Clone)]
pub struct EncodedFile {
    /// The file, byte for byte; equal input gives equal bytes.
    pub bytes: Bytes,
    /// Rows in it.
    pub rows: u64,
    /// One entry a column, in the order of the schema.
    pub columns: Vec<ColumnStatistics>,
}

/// What is known of one column of one file without reading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnStatistics {
    /// The column's id ([`Column::id`](crate::table::Column::id)).
    pub column_id: u32,
    /// Rows that are NULL.
    pub nulls: u64,
    /// Smallest value, `None` if unknown (all NULL, NaN among them, or a type without order).
    pub min: Option<StatisticValue>,
    /// Largest value, `None` if unknown.
    pub max: Option<StatisticValue>,
}

/// A bound of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatisticValue {
    /// BOOLEAN.
    Boolean(bool),
    /// Integers up to 64 bits; DATE as days and DATETIME as microseconds since the epoch.
    Integer(i64),
    /// LARGEINT and DECIMAL: the unscaled value, decimal digits.
    Unscaled(String),
    /// FLOAT and DOUBLE; always finite.
    Float(f64),
    /// CHAR, VARCHAR and STRING, exact.
    Text(String),
    /// Text cut short: a bound (below for min, above for max), but not a value of the column.
    TextBound(String),
}

/// Encodes `rows` as one Parquet file.
///
/// # Errors
/// [`EncodeError`] if Arrow or Parquet refuse; that is a bug or memory, never data.
pub fn encode(_rows: &RecordBatch, _options: &WriterOptions) -> Result<EncodedFile, EncodeError> {
    todo!()
}

/// The encoder failed: report a bug.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode {rows} rows as Parquet")]
pub struct EncodeError {
    /// Rows that were to be written.
    pub rows: usize,
    /// What Parquet said.
    #[source]
    pub source: parquet::errors::ParquetError,
}
