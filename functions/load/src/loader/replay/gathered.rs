//! Rows that a replay adds to the table, gathered until they are worth files of their own.

use std::collections::HashMap;

use arrow_array::{Array as _, RecordBatch};
use arrow_select::concat::concat_batches;
use penstock_kernel::loaded::TablePartition;

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
    /// Adds rows of `table_partition`.
    pub(super) fn add(&mut self, table_partition: TablePartition, rows: RecordBatch) {
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
