//! A file's rows with the columns that the table has now.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, new_null_array};
use arrow_cast::cast;
use arrow_schema::{ArrowError, SchemaRef};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::async_reader::ParquetObjectReader;
use parquet::file::metadata::ParquetMetaData;
use penstock_catalog::commit::DataFile;

use super::{CHUNK_BYTES, CHUNK_ROWS, Ground};
use crate::error::MaintainError;

/// Metadata of a field that the Parquet reader takes from the file's field id.
const FIELD_ID: &str = "PARQUET:field_id";

/// What a value takes in memory beside its text: itself, or where it begins.
const VALUE_BYTES: u64 = 16;

/// A file to be read.
pub(super) struct Input<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) file: &'a DataFile,
}

impl Input<'_> {
    /// Its rows, of a file whose bytes are few enough to be held; checked against their checksum first.
    pub(super) async fn read(&self) -> Result<impl Iterator<Item = Result<RecordBatch, MaintainError>>, MaintainError> {
        let bytes = self.bytes().await?;
        let found = crc32c::crc32c(&bytes);
        if let Some(expected) = self.file.crc32c.filter(|expected| *expected != found) {
            return Err(self.wrong(format!("expected checksum {expected:08x}, found {found:08x}")));
        }
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| self.wrong(error.to_string()))?;
        let rows = batch_rows(builder.metadata());
        let reader = builder.with_batch_size(rows).build().map_err(|error| self.wrong(error.to_string()))?;
        let schema = self.ground.table.arrow_schema();
        let key = self.file.key.clone();
        let adapt = move |batch: Result<RecordBatch, ArrowError>| adapted(&batch?, &schema);
        Ok(reader.map(move |batch| adapt(batch).map_err(|error| wrong(&key, error.to_string()))))
    }

    /// Its rows, a row group at a time.
    pub(super) async fn stream(&self) -> Result<BoxStream<'static, Result<RecordBatch, MaintainError>>, MaintainError> {
        stream(&self.ground.store, self.path()?, self.file, self.ground.table.arrow_schema()).await
    }

    async fn bytes(&self) -> Result<bytes::Bytes, MaintainError> {
        let failed = |source| match source {
            object_store::Error::NotFound { .. } => self.wrong("it is not there".to_owned()),
            source => MaintainError::Objects { key: self.file.key.clone(), operation: "read", source },
        };
        let read = self.ground.store.get(&self.path()?).await.map_err(failed)?;
        if read.meta.size != self.file.bytes {
            return Err(self.wrong(format!("expected {} bytes, found {}", self.file.bytes, read.meta.size)));
        }
        read.bytes().await.map_err(failed)
    }

    fn path(&self) -> Result<Path, MaintainError> {
        let key = self.ground.volume.key(&self.file.key)?;
        Path::parse(&key).map_err(|error| self.wrong(error.to_string()))
    }

    fn wrong(&self, message: String) -> MaintainError {
        wrong(&self.file.key, message)
    }
}

/// The rows of a file with the columns of `schema`, a row group of it in memory at a time.
pub(crate) async fn stream(
    store: &Arc<dyn ObjectStore>,
    path: Path,
    file: &DataFile,
    schema: SchemaRef,
) -> Result<BoxStream<'static, Result<RecordBatch, MaintainError>>, MaintainError> {
    let key = file.key.clone();
    let reader = ParquetObjectReader::new(Arc::clone(store), path).with_file_size(file.bytes);
    let builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(|error| wrong(&key, error.to_string()))?;
    let rows = batch_rows(builder.metadata());
    let stream = builder.with_batch_size(rows).build().map_err(|error| wrong(&key, error.to_string()))?;
    let adapt = move |batch: RecordBatch| adapted(&batch, &schema).map_err(|error| error.to_string());
    let stream = stream.map_err(|error| error.to_string()).and_then(move |batch| {
        let adapted = adapt(batch);
        async move { adapted }
    });
    Ok(stream.map_err(move |message| wrong(&key, message)).boxed())
}

fn wrong(key: &str, message: String) -> MaintainError {
    MaintainError::File { key: key.to_owned(), message }
}

/// Rows of a batch, so that one takes about a chunk.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let mut each = 1_u64;
    for group in metadata.row_groups() {
        let positive = |number: i64| u64::try_from(number).unwrap_or(0);
        let mut bytes = 0_u64;
        for column in group.columns() {
            // A dictionary is a fraction of what its values take in memory.
            let values = positive(column.unencoded_byte_array_data_bytes().unwrap_or(0))
                .saturating_add(positive(column.num_values()).saturating_mul(VALUE_BYTES));
            bytes = bytes.saturating_add(values.max(positive(column.uncompressed_size())));
        }
        each = each.max(bytes.checked_div(positive(group.num_rows())).unwrap_or(0));
    }
    let each = usize::try_from(each).unwrap_or(usize::MAX);
    (CHUNK_BYTES / each.max(1)).clamp(1, CHUNK_ROWS)
}

/// The columns of `schema`, matched by their ids; one that the file does not have is NULL.
fn adapted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, field) in batch.schema_ref().fields().iter().enumerate() {
        if let Some(id) = field.metadata().get(FIELD_ID) {
            places.insert(id, place);
        }
    }
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let id = field.metadata().get(FIELD_ID).map(String::as_str);
        columns.push(match id.and_then(|id| places.get(id)) {
            Some(place) => {
                let column = batch.column(*place);
                if column.data_type() == field.data_type() {
                    Arc::clone(column)
                } else {
                    cast(column, field.data_type())?
                }
            }
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
}
