//! Rows into files of the table's storage volume.
//!
//! Every try to load a batch writes under keys that no other try will use, so a file is complete or absent, never
//! another's; what no commit names is garbage for the collector.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use arrow_array::RecordBatch;
use bytes::Bytes;
use futures::future::{Either, select, try_join_all};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use penstock_catalog::clock::Clock;
use penstock_catalog::commit::{DataFile, ErrorFile};
use penstock_kernel::batch::Batch;
use penstock_kernel::encode::{ColumnStatistics, WriterOptions, encode, encode_chunks};
use penstock_kernel::loaded::{Loaded, RejectedRows, TablePartition};
use penstock_kernel::rejected;
use penstock_storage::Volume;

use super::LoaderSettings;
use super::prepared::Prepared;
use crate::error::{LoadError, PutError};

/// Data files put at a time.
const PUTS_AT_ONCE: usize = 16;

/// Statistics of columns, over all files, that a commit keeps: about half of what it may hold.
const MAX_STATISTICS: usize = 1200;

/// Writes the files of one try.
pub(super) struct Files<'a> {
    pub(super) settings: &'a LoaderSettings,
    pub(super) prepared: &'a Prepared,
    pub(super) clock: &'a dyn Clock,
    pub(super) batch: &'a Batch<'a>,
}

impl Files<'_> {
    /// Puts data files and error file, a few at a time: a batch may hold rows of very many table partitions, and is not
    /// to hold all their files in memory, nor to open a connection for each.
    ///
    /// # Errors
    /// [`LoadError::Encode`], [`LoadError::Put`], [`LoadError::Storage`]. Some files may have been put.
    pub(super) async fn put(&self, loaded: &Loaded) -> Result<(Vec<DataFile>, Option<ErrorFile>), LoadError> {
        futures::try_join!(self.put_tables(&loaded.tables), self.put_rejected(&loaded.rejected))
    }

    /// Puts the data files, some at once.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(super) async fn put_tables(
        &self,
        tables: &[(TablePartition, RecordBatch)],
    ) -> Result<Vec<DataFile>, LoadError> {
        let kept = self.columns_with_statistics(tables.len());
        let mut files = Vec::with_capacity(tables.len());
        for tables in tables.chunks(PUTS_AT_ONCE) {
            let mut puts = Vec::with_capacity(tables.len());
            for (table_partition, rows) in tables {
                let encoded = encode(rows, &self.settings.writer)?;
                let key = self.data_key(table_partition);
                puts.push(self.put_object(key.clone(), encoded.bytes.clone()));
                files.push(DataFile {
                    key,
                    table_partition: table_partition.clone(),
                    rows: encoded.rows,
                    bytes: length(&encoded.bytes),
                    columns: encoded.columns.into_iter().filter(|column| kept.contains(&column.column_id)).collect(),
                    crc32c: Some(crc32c::crc32c(&encoded.bytes)),
                    sorted: false,
                });
            }
            try_join_all(puts).await?;
        }
        Ok(files)
    }

    /// Columns whose statistics the commit keeps: all of them, unless there are so many files that the commit would be
    /// too long. Then those that divide the table come first, since readers leave out most files by them.
    fn columns_with_statistics(&self, files: usize) -> HashSet<u32> {
        let table = &self.prepared.table;
        let most = MAX_STATISTICS / files.max(1);
        let dividing = table.partitioning.columns().into_iter().filter_map(|name| table.column(name));
        let mut kept: HashSet<u32> = dividing.map(|column| column.id).collect();
        for column in &table.columns {
            if kept.len() >= most {
                break;
            }
            kept.insert(column.id);
        }
        kept
    }

    /// Puts the error file; `None` if nothing was rejected.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(super) async fn put_rejected(&self, rows: &RejectedRows) -> Result<Option<ErrorFile>, LoadError> {
        if rows.is_empty() {
            return Ok(None);
        }
        let version = self.prepared.definition.version;
        let mut chunks = rejected::chunks(&self.batch.topic, rows, version, self.clock.now_ms());
        match chunks.next() {
            Some(first) if rows.len() <= rejected::CHUNK_ROWS => self.put_errors(&first).await.map(Some),
            first => {
                // So many that the columns of all of them would take more memory than the batch.
                let chunks = first.into_iter().chain(chunks);
                let (encoded, rows) = encode_chunks(&rejected::schema(), chunks, &WriterOptions::default())?;
                self.put_error_file(encoded, rows, Vec::new()).await.map(Some)
            }
        }
    }

    /// Puts an error file of these columns of [`rejected::schema`].
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(super) async fn put_errors(&self, columns: &RecordBatch) -> Result<ErrorFile, LoadError> {
        let encoded = encode(columns, &WriterOptions::default())?;
        self.put_error_file(encoded.bytes, encoded.rows, encoded.columns).await
    }

    /// Puts an encoded error file.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(super) async fn put_error_file(
        &self,
        encoded: Bytes,
        rows: u64,
        columns: Vec<ColumnStatistics>,
    ) -> Result<ErrorFile, LoadError> {
        let key = format!("rejected/{}/{}", self.prepared.definition.id, self.file_name());
        let bytes = length(&encoded);
        self.put_object(key.clone(), encoded).await?;
        Ok(ErrorFile { key, rows, bytes, columns })
    }

    /// A table partition shows in the key, so that a person finds its files; nothing reads it there. Its name, made of
    /// values, holds letters, digits and underscores only.
    fn data_key(&self, table_partition: &TablePartition) -> String {
        let Prepared { definition, table, .. } = self.prepared;
        let types: Vec<_> = table
            .partitioning
            .columns()
            .into_iter()
            .filter_map(|name| table.column(name))
            .map(|column| column.column_type.clone())
            .collect();
        let part = match table_partition {
            TablePartition::Whole => String::new(),
            TablePartition::Named(id) => format!("partition-{id}/"),
            other => format!("{}/", table.partitioning.name_of(other, &types).as_deref().unwrap_or("shared")),
        };
        let (job, version) = (definition.id, definition.version);
        format!("table/{}/job-{job}-v{version}/{part}{}", definition.table, self.file_name())
    }

    /// The first record is enough to find a file by eye; only the unique part tells tries apart.
    fn file_name(&self) -> String {
        let (source_partition, offset) =
            self.batch.records.first().map_or((0, 0), |record| (record.source_partition, record.offset));
        format!("{source_partition}-{offset}-{}.parquet", self.clock.unique())
    }

    async fn put_object(&self, relative: String, bytes: Bytes) -> Result<(), LoadError> {
        let Prepared { volume, store, .. } = self.prepared;
        put(store.as_ref(), volume, &relative, &bytes, self.settings, self.clock).await
    }
}

async fn put(
    store: &dyn ObjectStore,
    volume: &Volume,
    relative: &str,
    bytes: &Bytes,
    settings: &LoaderSettings,
    clock: &dyn Clock,
) -> Result<(), LoadError> {
    let key = volume.key(relative)?;
    let failed = |attempts, source| LoadError::Put { key: key.clone(), attempts, source };
    let path = Path::parse(&key).map_err(|error| failed(0, PutError::Store(error.into())))?;
    // A try whose answer was lost may have succeeded: the next puts the same bytes once more.
    let put = || store.put(&path, bytes.clone().into());
    attempts(settings, clock, &key, put).await.map(|_| ()).map_err(|(attempts, error)| failed(attempts, error))
}

/// Repeats a request for the object `key` for as long as it may succeed later.
///
/// # Errors
/// How often it was tried, and what happened the last time.
pub(super) async fn attempts<T, F>(
    settings: &LoaderSettings,
    clock: &dyn Clock,
    key: &str,
    mut request: impl FnMut() -> F,
) -> Result<T, (u32, PutError)>
where
    F: Future<Output = Result<T, object_store::Error>>,
{
    let mut pause = settings.put_pause;
    let mut attempt = 1;
    loop {
        let error = match within(clock, settings.put_timeout, request()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if attempt >= settings.put_attempts || !error.may_pass() {
            return Err((attempt, error));
        }
        tracing::debug!(key, attempt, error = %error, "request failed, trying again");
        clock.sleep(pause).await;
        pause = pause.saturating_mul(2);
        attempt += 1;
    }
}

async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    answer: impl Future<Output = Result<T, object_store::Error>>,
) -> Result<T, PutError> {
    match select(pin!(answer), clock.sleep(limit)).await {
        Either::Left((answer, _)) => answer.map_err(PutError::from),
        Either::Right(_) => Err(PutError::Silent { millis: limit.as_millis() }),
    }
}

fn length(bytes: &Bytes) -> u64 {
    bytes.len() as u64 // usize has at most 64 bits
}
