//! Rows that a replay adds to the table, gathered until they are worth files of their own.

use std::collections::HashMap;

use arrow_array::{Array as _, RecordBatch};
use arrow_select::concat::concat_batches;
use penstock_kernel::loaded::TablePartition;
use penstock_kernel::partitioning::MAX_AUTOMATIC_FILES;

use super::piece::CHUNK_BYTES;

/// Memory of rows that are gathered before files are made of them.
const GATHERED_BYTES: usize = 2 * CHUNK_BYTES;

/// Memory of columns that may become one file: far from the end of Arrow's offsets.
const FILE_BYTES: usize = 512 << 20;

/// Rows by table partition.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    tables: Vec<Table>,
    /// Where rows of a table partition go.
    places: HashMap<TablePartition, usize>,
    bytes: usize,
}

#[derive(Debug)]
struct Table {
    table_partition: TablePartition,
    pieces: Vec<RecordBatch>,
    bytes: usize,
}

impl Gathered {
    /// Adds rows of `table_partition`. Those of automatic partitions beyond [`MAX_AUTOMATIC_FILES`] share a file, as in a
    /// batch: one commit names them all.
    pub(super) fn add(&mut self, table_partition: TablePartition, rows: RecordBatch) {
        let is_automatic = matches!(table_partition, TablePartition::Values(_));
        let is_new = !self.places.contains_key(&table_partition);
        let table_partition = if is_automatic && is_new && self.places.len() >= MAX_AUTOMATIC_FILES {
            TablePartition::Shared
        } else {
            table_partition
        };
        let bytes: usize = rows.columns().iter().map(|column| column.get_array_memory_size()).sum();
        self.bytes = self.bytes.saturating_add(bytes);
        let known = self.places.get(&table_partition).and_then(|place| self.tables.get_mut(*place));
        if let Some(table) = known.filter(|table| table.bytes.saturating_add(bytes) <= FILE_BYTES) {
            table.bytes += bytes;
            table.pieces.push(rows);
            return;
        }
        self.places.insert(table_partition.clone(), self.tables.len());
        self.tables.push(Table { table_partition, pieces: vec![rows], bytes });
    }

    /// Whether files are to be made of them.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= GATHERED_BYTES
    }

    /// The rows, each entry for a file of its own; nothing is left.
    pub(super) fn take(&mut self) -> Vec<(TablePartition, RecordBatch)> {
        let joined = |Table { table_partition, pieces, .. }: Table| {
            let first = pieces.first()?;
            match concat_batches(&first.schema(), &pieces) {
                Ok(rows) => Some((table_partition, rows)),
                Err(error) => unreachable!("pieces are of one plan, and fit one column together: {error}"),
            }
        };
        std::mem::take(self).tables.into_iter().filter_map(joined).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn rows_of_very_many_automatic_partitions_share_a_file() {
        let schema = Arc::new(Schema::new(vec![Field::new("k", DataType::Int64, true)]));
        let mut gathered = Gathered::default();
        for value in 0..5_000_i64 {
            let rows =
                RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from(vec![value]))]).unwrap();
            gathered.add(TablePartition::Values(vec![Some(value.to_string())]), rows);
        }
        let tables = gathered.take();
        assert_eq!(tables.len(), MAX_AUTOMATIC_FILES + 1);
        assert_eq!(tables.iter().map(|(_, rows)| rows.num_rows()).sum::<usize>(), 5_000);
    }
}
