//! A place in sorted rows that come batch by batch.

use arrow_array::RecordBatch;
use arrow_row::Rows;
use arrow_select::interleave::interleave_record_batch;
use futures::StreamExt as _;
use futures::stream::BoxStream;

use super::{Key, chunk_rows};
use crate::error::MaintainError;

/// Where sorted rows come from.
pub(super) enum Source {
    /// A sorted file.
    Stream(BoxStream<'static, Result<RecordBatch, MaintainError>>),
    /// Rows in memory, and their order.
    Memory {
        batches: Vec<RecordBatch>,
        order: Vec<(usize, usize)>,
        /// Rows of a batch that is made of them.
        chunk: usize,
        at: usize,
    },
}

impl Source {
    async fn next(&mut self) -> Result<Option<RecordBatch>, MaintainError> {
        match self {
            Self::Stream(stream) => stream.next().await.transpose(),
            Self::Memory { batches, order, chunk, at } => {
                let end = at.saturating_add(*chunk).min(order.len());
                let picks = order.get(*at..end).unwrap_or_default();
                if picks.is_empty() {
                    return Ok(None);
                }
                let batches: Vec<&RecordBatch> = batches.iter().collect();
                *at = end;
                Ok(Some(interleave_record_batch(&batches, picks)?))
            }
        }
    }
}

/// A place in a source.
pub(super) struct Cursor {
    source: Source,
    /// The batch that it is at: the place in what is held, its keys, its rows, the row.
    batch: usize,
    keys: Option<Rows>,
    rows: usize,
    at: usize,
}

impl Cursor {
    pub(super) fn new(source: Source) -> Self {
        Self { source, batch: 0, keys: None, rows: 0, at: 0 }
    }

    /// Goes on to the next batch, if there is one, and holds it. `limit` shrinks to as many rows as a chunk may have.
    pub(super) async fn fill(
        &mut self,
        key: &Key,
        held: &mut Vec<RecordBatch>,
        limit: &mut usize,
    ) -> Result<(), MaintainError> {
        (self.keys, self.rows, self.at) = (None, 0, 0);
        while let Some(batch) = self.source.next().await? {
            if batch.num_rows() == 0 {
                continue;
            }
            *limit = (*limit).min(chunk_rows(batch.get_array_memory_size(), batch.num_rows()));
            self.keys = if key.is_empty() { None } else { Some(key.rows(&batch)?) };
            self.rows = batch.num_rows();
            self.batch = held.len();
            held.push(batch);
            break;
        }
        Ok(())
    }

    /// Whether no batch is left.
    pub(super) fn is_done(&self) -> bool {
        self.rows == 0
    }

    /// Whether no row of the batch is left.
    pub(super) fn is_spent(&self) -> bool {
        self.at >= self.rows
    }

    /// Takes the row that it is at: batch and row.
    pub(super) fn pick(&mut self) -> (usize, usize) {
        let row = self.at;
        self.at += 1;
        (self.batch, row)
    }

    /// Whether its row comes before the other's; false for equal ones.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        match (&self.keys, &other.keys) {
            (Some(ours), Some(theirs)) => ours.row(self.at) < theirs.row(other.at),
            _ => false,
        }
    }

    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    pub(super) fn moved_to(&mut self, batch: usize) {
        self.batch = batch;
    }
}
