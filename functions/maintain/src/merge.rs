//! Merging: the rows of some files into one, in the order of the table's key, in bounded memory.
//!
//! Files that are sorted are read side by side, a row group each; those that are not are sorted in memory first, as many
//! as [`SORT_BYTES`] of their rows: what is more becomes a file of its own. In all a merge holds at most about 400 MB
//! whatever the files hold: rows being sorted, a row group of each sorted file, the row group being written, and parts of
//! it on their way.

mod cursor;
mod input;
mod output;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_row::{RowConverter, SortField};
use arrow_select::interleave::interleave_record_batch;
use object_store::ObjectStore;
use penstock_catalog::clock::Clock;
use penstock_catalog::commit::DataFile;
use penstock_catalog::layout::Replacement;
use penstock_kernel::table::TableDefinition;
use penstock_storage::Volume;

use crate::error::MaintainError;
use crate::plan::Task;
use cursor::{Cursor, Source};
use input::Input;
pub(crate) use input::stream;
use output::Output;

/// Bytes of rows that are sorted in memory at a time.
const SORT_BYTES: usize = 64 << 20;

/// Bytes and rows that go to the writer at a time, about.
const CHUNK_BYTES: usize = 4 << 20;
const CHUNK_ROWS: usize = 8_192;

/// What merges stand on.
pub(crate) struct Ground<'a> {
    pub(crate) table: &'a TableDefinition,
    pub(crate) volume: &'a Volume,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) clock: &'a dyn Clock,
}

/// Merges the files of `task`. Nothing is visible yet.
///
/// # Errors
/// [`MaintainError::File`] names a file that is not what its commit says. Some files may have been put.
pub(crate) async fn merge(ground: &Ground<'_>, task: &Task) -> Result<Replacement, MaintainError> {
    let key = Key::of(ground.table)?;
    let mut added = Vec::new();
    let mut run = Run::default();
    let mut cursors = Vec::new();
    for file in &task.files {
        let input = Input { ground, file };
        if file.sorted {
            cursors.push(Cursor::new(Source::Stream(input.stream().await?)));
            continue;
        }
        for batch in input.read().await? {
            let batch = batch?;
            if run.bytes > SORT_BYTES {
                let cursor = Cursor::new(std::mem::take(&mut run).sorted(&key)?);
                added.extend(written(ground, task, &key, vec![cursor]).await?);
            }
            run.add(batch);
        }
    }
    if !run.batches.is_empty() {
        let cursor = Cursor::new(run.sorted(&key)?);
        if added.is_empty() {
            // First: of equal keys, what was merged before comes before what was loaded since.
            cursors.push(cursor);
        } else {
            added.extend(written(ground, task, &key, vec![cursor]).await?);
        }
    }
    added.extend(written(ground, task, &key, cursors).await?);
    let expected: u64 = task.files.iter().map(|file| file.rows).sum();
    let found: u64 = added.iter().map(|file| file.rows).sum();
    if expected != found {
        return Err(MaintainError::Miscounted { files: task.files.len(), expected, found });
    }
    Ok(Replacement { removed: task.files.iter().map(|file| file.key.clone()).collect(), added })
}

/// The table's key: which columns, and how they compare.
pub(crate) struct Key {
    columns: Vec<usize>,
    /// Compares texts of bytes as the columns compare; NULL comes first.
    converter: RowConverter,
}

impl Key {
    fn of(table: &TableDefinition) -> Result<Self, MaintainError> {
        let mut columns = Vec::new();
        let mut fields = Vec::new();
        for name in &table.key_columns {
            let place = table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
            if let Some((place, column)) = place.and_then(|place| Some((place, table.columns.get(place)?))) {
                columns.push(place);
                fields.push(SortField::new(column.column_type.arrow()));
            }
        }
        Ok(Self { columns, converter: RowConverter::new(fields)? })
    }

    fn rows(&self, batch: &RecordBatch) -> Result<arrow_row::Rows, MaintainError> {
        let columns: Vec<_> = self.columns.iter().map(|place| Arc::clone(batch.column(*place))).collect();
        let mut rows = self.converter.empty_rows(batch.num_rows(), 0);
        if !columns.is_empty() {
            self.converter.append(&mut rows, &columns)?;
        }
        Ok(rows)
    }

    fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}

/// Rows to be sorted in memory.
#[derive(Default)]
struct Run {
    batches: Vec<RecordBatch>,
    bytes: usize,
}

impl Run {
    fn add(&mut self, batch: RecordBatch) {
        self.bytes = self.bytes.saturating_add(batch.get_array_memory_size());
        self.batches.push(batch);
    }

    fn sorted(self, key: &Key) -> Result<Source, MaintainError> {
        let mut order: Vec<(usize, usize)> = Vec::new();
        for (place, batch) in self.batches.iter().enumerate() {
            order.extend((0..batch.num_rows()).map(|row| (place, row)));
        }
        if !key.is_empty() {
            let rows = self.batches.iter().map(|batch| key.rows(batch)).collect::<Result<Vec<_>, _>>()?;
            // Stable: rows of equal keys stay as they came.
            order.sort_by(|one, other| match (rows.get(one.0), rows.get(other.0)) {
                (Some(ours), Some(theirs)) => ours.row(one.1).cmp(&theirs.row(other.1)),
                _ => std::cmp::Ordering::Equal,
            });
        }
        Ok(Source::Memory { chunk: chunk_rows(self.bytes, order.len()), batches: self.batches, order, at: 0 })
    }
}

/// Rows of a chunk, by what rows take on average.
fn chunk_rows(bytes: usize, rows: usize) -> usize {
    let each = bytes.checked_div(rows).unwrap_or(0).max(1);
    (CHUNK_BYTES / each).clamp(1, CHUNK_ROWS)
}

async fn written(
    ground: &Ground<'_>,
    task: &Task,
    key: &Key,
    mut cursors: Vec<Cursor>,
) -> Result<Vec<DataFile>, MaintainError> {
    let mut output = Output::new(ground, &task.table_partition);
    // Batches that rows are picked of: those at which cursors are, and those that they passed since the last chunk.
    let mut held: Vec<RecordBatch> = Vec::new();
    let mut picks: Vec<(usize, usize)> = Vec::new();
    let mut limit = CHUNK_ROWS;
    for cursor in &mut cursors {
        cursor.fill(key, &mut held, &mut limit).await?;
    }
    while let Some(place) = least(&cursors) {
        let Some(cursor) = cursors.get_mut(place) else { break };
        picks.push(cursor.pick());
        if cursor.is_spent() {
            if picks.len() >= limit / 2 || held.len() > 4 * MAX_HELD {
                emit(&mut output, &mut held, &mut picks, &mut cursors).await?;
            }
            if let Some(cursor) = cursors.get_mut(place) {
                cursor.fill(key, &mut held, &mut limit).await?;
            }
        } else if picks.len() >= limit {
            emit(&mut output, &mut held, &mut picks, &mut cursors).await?;
        }
    }
    emit(&mut output, &mut held, &mut picks, &mut cursors).await?;
    output.finish().await
}

/// Batches that are held at most beside those of the cursors, about.
const MAX_HELD: usize = 16;

/// The cursor whose row comes next; of equal ones, the first.
fn least(cursors: &[Cursor]) -> Option<usize> {
    let mut least: Option<(usize, &Cursor)> = None;
    for (place, cursor) in cursors.iter().enumerate().filter(|(_, cursor)| !cursor.is_done()) {
        if least.is_none_or(|(_, best)| cursor.is_before(best)) {
            least = Some((place, cursor));
        }
    }
    least.map(|(place, _)| place)
}

/// Writes the picked rows, and lets go of batches that no cursor is at.
async fn emit(
    output: &mut Output<'_>,
    held: &mut Vec<RecordBatch>,
    picks: &mut Vec<(usize, usize)>,
    cursors: &mut [Cursor],
) -> Result<(), MaintainError> {
    if !picks.is_empty() {
        let batches: Vec<&RecordBatch> = held.iter().collect();
        let rows = interleave_record_batch(&batches, picks)?;
        picks.clear();
        output.write(&rows).await?;
    }
    let mut kept = Vec::new();
    for cursor in cursors.iter_mut().filter(|cursor| !cursor.is_spent()) {
        if let Some(batch) = held.get(cursor.batch()) {
            kept.push(batch.clone());
            cursor.moved_to(kept.len() - 1);
        }
    }
    *held = kept;
    Ok(())
}
