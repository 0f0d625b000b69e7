//! Columns into the bytes of one Parquet file, with the statistics that readers prune by.
//!
//! Equal columns give equal bytes: nothing of time, machine or hash order gets in, so a file can be compared with one
//! encoded anew. The statistics are taken from the columns and not from the file's footer, since a commit carries them
//! and readers decide by them without a request for the file.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use serde::{Deserialize, Serialize};

mod columns;
mod dictionary;
mod distinct;
mod field_id;
mod hybrid;
mod merge;
mod page;
mod statistics;

pub use merge::StatisticsSum;

/// Longest text, in bytes, that statistics hold whole.
pub const STATISTICS_TEXT_BYTES: usize = 64;

/// Rows that a page holds at most.
const PAGE_ROWS: usize = 20_000;

/// Rows of a file whose columns have one page each: what a full event of small records has.
const ONE_PAGE_ROWS: usize = 50_000;

/// Who a file's footer says wrote it, in the form that readers look for.
const CREATED_BY: &str = concat!("penstock version ", env!("CARGO_PKG_VERSION"));

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
    /// Smallest value, `None` if unknown (all NULL, NaN among them, infinite, or a type without order).
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
    /// FLOAT and DOUBLE; always finite. Compared as numbers: `-0.0` equals `0.0`.
    Float(#[serde(with = "exact_float")] f64),
    /// CHAR, VARCHAR, STRING and JSON's text, exact; compared byte by byte.
    Text(String),
    /// Text cut short: a bound (below for min, above for max), but not a value of the column.
    TextBound(String),
}

/// Encodes `rows` as one Parquet file.
///
/// Columns carry their ids as `PARQUET:field_id`, as [`TableDefinition::arrow_schema`] writes them; without one, a
/// column's place counted from 1 is its id. What lies inside of a column has ids too, 100,000 times the column's and
/// counted on from there. zstd, dictionaries where values repeat, statistics of columns, a page index where columns have
/// several pages, no Arrow schema in the footer (every type of a table has an exact counterpart in Parquet).
///
/// # Errors
/// [`EncodeError`] if Arrow or Parquet refuse; that is a bug or memory, never data.
///
/// [`TableDefinition::arrow_schema`]: crate::table::TableDefinition::arrow_schema
pub fn encode(rows: &RecordBatch, options: &WriterOptions) -> Result<EncodedFile, EncodeError> {
    let (bytes, columns) = write(rows, options).map_err(|source| EncodeError { rows: rows.num_rows(), source })?;
    Ok(EncodedFile { bytes, rows: rows.num_rows() as u64, columns }) // usize has at most 64 bits
}

/// Encodes chunks of one `schema` as one Parquet file, as [`encode`] does, without statistics; also how many rows it has.
///
/// # Errors
/// [`EncodeError`] as there.
pub fn encode_chunks(
    schema: &SchemaRef,
    chunks: impl IntoIterator<Item = RecordBatch>,
    options: &WriterOptions,
) -> Result<(Bytes, u64), EncodeError> {
    let mut encoder = Encoder::new(schema, options)?;
    for chunk in chunks {
        encoder.write(&chunk)?;
    }
    encoder.finish()
}

/// A Parquet file that grows chunk by chunk, for rows that are never in memory together. As [`encode`] writes it,
/// without statistics.
pub struct Encoder {
    writer: ArrowWriter<Vec<u8>>,
    rows: usize,
}

impl Encoder {
    /// A file of `schema` without rows.
    ///
    /// # Errors
    /// [`EncodeError`] as [`encode`].
    pub fn new(schema: &SchemaRef, options: &WriterOptions) -> Result<Self, EncodeError> {
        let writer = writer(schema, options).map_err(|source| EncodeError { rows: 0, source })?;
        Ok(Self { writer, rows: 0 })
    }

    /// Appends rows of the schema.
    ///
    /// # Errors
    /// [`EncodeError`] as [`encode`].
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), EncodeError> {
        self.rows = self.rows.saturating_add(rows.num_rows());
        self.writer.write(rows).map_err(|source| EncodeError { rows: self.rows, source })
    }

    /// The file, and how many rows it has.
    ///
    /// # Errors
    /// [`EncodeError`] as [`encode`].
    pub fn finish(self) -> Result<(Bytes, u64), EncodeError> {
        let rows = self.rows;
        let bytes = self.writer.into_inner().map_err(|source| EncodeError { rows, source })?;
        Ok((bytes.into(), rows as u64)) // usize has at most 64 bits
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("rows", &self.rows).finish_non_exhaustive()
    }
}

fn write(rows: &RecordBatch, options: &WriterOptions) -> Result<(Bytes, Vec<ColumnStatistics>), ParquetError> {
    let mut properties = properties(options)?;
    let small = rows.num_rows() <= ONE_PAGE_ROWS;
    if small {
        // Nearly all columns have one page then, of which a page index would say what the column's statistics say.
        properties = properties
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_data_page_row_count_limit(ONE_PAGE_ROWS);
    }
    let level = ZstdLevel::try_new(options.zstd_level)?;
    columns::write(rows, options.max_row_group_rows.max(1), small, properties, level)
}

fn writer(schema: &SchemaRef, options: &WriterOptions) -> Result<ArrowWriter<Vec<u8>>, ParquetError> {
    ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(schema), arrow_writer_options(schema, options)?)
}

/// Statistics of every column of `rows`, in order, as [`encode`] takes them.
pub fn column_statistics(rows: &RecordBatch) -> Vec<ColumnStatistics> {
    statistics::of(rows)
}

/// How [`encode`] writes files of `schema`, for those who write one piece by piece.
///
/// # Errors
/// What Parquet says of a schema or level that it cannot write.
pub fn arrow_writer_options(schema: &SchemaRef, options: &WriterOptions) -> Result<ArrowWriterOptions, ParquetError> {
    let properties = properties(options)?.build();
    Ok(ArrowWriterOptions::new()
        .with_properties(properties)
        .with_skip_arrow_metadata(true)
        .with_parquet_schema(field_id::parquet_schema(schema)?))
}

fn properties(options: &WriterOptions) -> Result<WriterPropertiesBuilder, ParquetError> {
    let level = ZstdLevel::try_new(options.zstd_level)?;
    Ok(WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_dictionary_enabled(true)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(STATISTICS_TEXT_BYTES))
        .set_column_index_truncate_length(Some(STATISTICS_TEXT_BYTES))
        .set_offset_index_disabled(false)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_max_row_group_row_count(Some(options.max_row_group_rows.max(1))))
}

/// The encoder failed: report a bug.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode {rows} rows as Parquet")]
pub struct EncodeError {
    /// Rows that were to be written.
    pub rows: usize,
    /// What Parquet said.
    #[source]
    pub source: ParquetError,
}

/// Floats as text of the shortest digits that give the same bits back; JSON numbers pass through readers that round.
mod exact_float {
    use serde::de::{Deserialize, Deserializer, Error, Unexpected};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{value:e}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &"a number as text"))
    }
}

#[cfg(test)]
mod tests;
