//! Merged rows into files, part by part.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use bytes::Bytes;
use futures::future::BoxFuture;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::AsyncArrowWriter;
use parquet::arrow::async_writer::{AsyncFileWriter, ParquetObjectWriter};
use parquet::errors::ParquetError;
use penstock_catalog::commit::DataFile;
use penstock_kernel::encode::{StatisticsSum, WriterOptions, arrow_writer_options, column_statistics};
use penstock_kernel::loaded::TablePartition;

use super::Ground;
use crate::error::MaintainError;
use crate::plan::MERGED_BYTES;

/// Bytes of an encoded row group, about: one of each file is in memory when files are merged again.
const ROW_GROUP_BYTES: usize = 8 << 20;

/// Bytes of an upload's part, and parts on their way at a time.
const PART_BYTES: usize = 8 << 20;
const PARTS_AT_ONCE: usize = 2;

/// Writes sorted rows of one table partition.
pub(super) struct Output<'a> {
    ground: &'a Ground<'a>,
    table_partition: &'a TablePartition,
    open: Option<Open>,
    files: Vec<DataFile>,
}

/// A file that is being written.
struct Open {
    key: String,
    writer: AsyncArrowWriter<Counted>,
    written: Arc<Mutex<Written>>,
    sum: StatisticsSum,
}

/// What went to the store.
#[derive(Debug, Clone, Copy, Default)]
struct Written {
    bytes: u64,
    crc32c: u32,
}

impl<'a> Output<'a> {
    pub(super) fn new(ground: &'a Ground<'a>, table_partition: &'a TablePartition) -> Self {
        Self { ground, table_partition, open: None, files: Vec::new() }
    }

    /// Adds rows, which follow those before.
    pub(super) async fn write(&mut self, rows: &RecordBatch) -> Result<(), MaintainError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        open.sum.add(column_statistics(rows), rows.num_rows() as u64); // usize has at most 64 bits
        let failed = |source| MaintainError::Write { key: open.key.clone(), source };
        open.writer.write(rows).await.map_err(failed)?;
        if open.writer.in_progress_size() >= ROW_GROUP_BYTES {
            open.writer.flush().await.map_err(failed)?;
        }
        if open.writer.bytes_written() as u64 >= MERGED_BYTES {
            self.end(open).await
        } else {
            self.open = Some(open);
            Ok(())
        }
    }

    /// Ends the last file, and gives all.
    pub(super) async fn finish(mut self) -> Result<Vec<DataFile>, MaintainError> {
        if let Some(open) = self.open.take() {
            self.end(open).await?;
        }
        Ok(self.files)
    }

    fn begin(&self) -> Result<Open, MaintainError> {
        let Ground { table, volume, store, clock } = self.ground;
        let part = match self.table_partition {
            TablePartition::Named(id) => format!("partition-{id}/"),
            _ => String::new(),
        };
        let key = format!("table/{}/merged/{part}{}.parquet", table.id, clock.unique());
        let full = volume.key(&key)?;
        let path = Path::parse(&full).map_err(|error| MaintainError::Objects {
            key: full.clone(),
            operation: "name",
            source: error.into(),
        })?;
        let buffer = BufWriter::with_capacity(Arc::clone(store), path, PART_BYTES).with_max_concurrency(PARTS_AT_ONCE);
        let written = Arc::new(Mutex::new(Written::default()));
        let counted = Counted { inner: ParquetObjectWriter::from_buf_writer(buffer), written: Arc::clone(&written) };
        let schema = table.arrow_schema();
        let writer = arrow_writer_options(&schema, &WriterOptions::default())
            .and_then(|options| AsyncArrowWriter::try_new_with_options(counted, schema, options))
            .map_err(|source| MaintainError::Write { key: key.clone(), source })?;
        Ok(Open { key, writer, written, sum: StatisticsSum::default() })
    }

    async fn end(&mut self, open: Open) -> Result<(), MaintainError> {
        let Open { key, writer, written, sum } = open;
        writer.close().await.map_err(|source| MaintainError::Write { key: key.clone(), source })?;
        // A poisoned lock only means that another thread ended while it held it; what it holds is whole.
        let written = *written.lock().unwrap_or_else(PoisonError::into_inner);
        let (columns, rows) = sum.finish();
        self.files.push(DataFile {
            key,
            table_partition: self.table_partition.clone(),
            rows,
            bytes: written.bytes,
            columns,
            crc32c: Some(written.crc32c),
            sorted: true,
        });
        Ok(())
    }
}

/// Counts and sums what goes through it.
struct Counted {
    inner: ParquetObjectWriter,
    written: Arc<Mutex<Written>>,
}

impl AsyncFileWriter for Counted {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ParquetError>> {
        {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.bytes += bytes.len() as u64; // usize has at most 64 bits
            written.crc32c = crc32c::crc32c_append(written.crc32c, &bytes);
        }
        self.inner.write(bytes)
    }

    fn complete(&mut self) -> BoxFuture<'_, Result<(), ParquetError>> {
        self.inner.complete()
    }
}
