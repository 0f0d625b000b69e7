//! An error file back into rejected rows.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::Entry;
use crate::loaded::RejectedRow;

/// Rows that are decoded at a time.
const ROWS_AT_ONCE: usize = 1024;

/// The first `limit` rows of an error file, in order.
///
/// # Errors
/// [`DecodeError`] if `file` is no error file: it is damaged, or something else.
pub fn decode(file: Bytes, limit: usize) -> Result<Vec<Entry>, DecodeError> {
    let mut entries: Vec<Entry> = Vec::new();
    for some in Entries::limited(file, Some(limit))? {
        entries.extend(some?);
    }
    Ok(entries)
}

/// The rows of an error file, in order, a few at a time: a file of a few megabytes may hold millions of them.
pub struct Entries {
    reader: ParquetRecordBatchReader,
}

impl Entries {
    /// All rows of `file`.
    ///
    /// # Errors
    /// [`DecodeError`] as [`decode`], and so for each item.
    pub fn of(file: Bytes) -> Result<Self, DecodeError> {
        Self::limited(file, None)
    }

    fn limited(file: Bytes, limit: Option<usize>) -> Result<Self, DecodeError> {
        let mut builder = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(ROWS_AT_ONCE);
        if let Some(limit) = limit {
            builder = builder.with_limit(limit);
        }
        Ok(Self { reader: builder.build()? })
    }
}

impl Iterator for Entries {
    type Item = Result<Vec<Entry>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|error| ParquetError::from(error).into()).and_then(|batch| entries(&batch)))
    }
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entries").finish_non_exhaustive()
    }
}

/// A file is no error file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is no Parquet, or damaged.
    #[error("the file cannot be read as Parquet")]
    Parquet(#[from] ParquetError),
    /// A column is missing, or not of its type.
    #[error("column `{column}` is missing, or not as in a file of rejected rows")]
    Column {
        /// Its name.
        column: &'static str,
    },
}

fn entries(batch: &RecordBatch) -> Result<Vec<Entry>, DecodeError> {
    let mut entries = Vec::with_capacity(batch.num_rows());
    let columns = Columns { batch };
    let topic = columns.text("topic")?;
    let source_partition = columns.number::<Int32Type>("source_partition")?;
    let offset = columns.number::<Int64Type>("offset")?;
    let index = columns.number::<Int64Type>("index")?;
    let reason = columns.text("reason")?;
    let column = columns.text("column")?;
    let raw = columns.bytes("raw")?;
    let key = columns.bytes("key")?;
    let timestamp_ms = columns.number::<Int64Type>("timestamp_ms")?;
    let job_version = columns.number::<Int64Type>("job_version")?;
    let rejected_at_ms = columns.number::<Int64Type>("rejected_at_ms")?;
    let whole = batch.column_by_name("whole").and_then(|column| column.as_boolean_opt());
    for row in 0..batch.num_rows() {
        let index = match index(row) {
            Some(index) => Some(u32::try_from(index).map_err(|_| DecodeError::Column { column: "index" })?),
            None => None,
        };
        let (topic, source_partition, offset) =
            (topic(row).unwrap_or_default(), source_partition(row).unwrap_or(0), offset(row).unwrap_or(0));
        let known = whole.filter(|whole| !whole.is_null(row)).map(|whole| whole.value(row));
        entries.push(Entry {
            topic: topic.to_owned(),
            row: RejectedRow {
                source_partition,
                offset,
                index,
                column: column(row).map(str::to_owned),
                reason: reason(row).unwrap_or_default().to_owned(),
                raw: raw(row).unwrap_or_default().to_vec(),
                // A first row whose file does not tell is the only one, nearly always.
                whole: known.unwrap_or(index.unwrap_or(0) == 0),
                key: key(row).map(<[u8]>::to_vec),
                timestamp_ms: timestamp_ms(row),
            },
            job_version: u32::try_from(job_version(row).unwrap_or(0)).unwrap_or(0),
            rejected_at_ms: rejected_at_ms(row).unwrap_or(0),
        });
    }
    Ok(entries)
}

struct Columns<'a> {
    batch: &'a RecordBatch,
}

impl<'a> Columns<'a> {
    fn of(&self, column: &'static str) -> Result<&'a dyn Array, DecodeError> {
        Ok(self.batch.column_by_name(column).ok_or(DecodeError::Column { column })?.as_ref())
    }

    fn text(&self, column: &'static str) -> Result<impl Fn(usize) -> Option<&'a str> + use<'a>, DecodeError> {
        let texts = self.of(column)?.as_string_opt::<i32>().ok_or(DecodeError::Column { column })?;
        Ok(move |row| texts.is_valid(row).then(|| texts.value(row)))
    }

    fn bytes(&self, column: &'static str) -> Result<impl Fn(usize) -> Option<&'a [u8]> + use<'a>, DecodeError> {
        let bytes = self.of(column)?.as_binary_opt::<i32>().ok_or(DecodeError::Column { column })?;
        Ok(move |row| bytes.is_valid(row).then(|| bytes.value(row)))
    }

    fn number<T: ArrowPrimitiveType>(
        &self,
        column: &'static str,
    ) -> Result<impl Fn(usize) -> Option<T::Native> + use<'a, T>, DecodeError> {
        let numbers = self.of(column)?.as_primitive_opt::<T>().ok_or(DecodeError::Column { column })?;
        Ok(move |row| numbers.is_valid(row).then(|| numbers.value(row)))
    }
}
