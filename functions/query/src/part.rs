//! Files that are listed together, with what the catalog knows of their columns.
//!
//! A table may have tens of thousands of files, and most statements ask about few of their columns or need only what is true of
//! all. So nothing is made of a file's statistics before it is asked for, and what was made for a whole manifest, which never
//! changes, is kept for the statements to come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_array::{ArrayRef, UInt64Array};
use arrow_schema::DataType;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use penstock_catalog::commit::DataFile;
use penstock_catalog::kept::Kept;
use penstock_catalog::visible::FileGroup;
use penstock_kernel::table::{ColumnType, TableDefinition};

use crate::statistics;

/// Bytes that a part takes for each of its files, and for each column of one, if everything was asked for.
const FILE_BYTES: usize = 64;
const COLUMN_BYTES: usize = 96;

/// Some of a table's files.
#[derive(Debug)]
pub(crate) struct Part {
    /// Ids and types of the table's columns, which statistics are told in.
    columns: Vec<(u32, ColumnType)>,
    pub(crate) files: Arc<Vec<DataFile>>,
    /// What is true of all files.
    all: OnceLock<Arc<Statistics>>,
    rows: OnceLock<ArrayRef>,
    bounds: Mutex<HashMap<usize, Arc<Bounds>>>,
}

/// What is known of one column, a value a file. Bounds may lie outside of the values.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) min: Option<ArrayRef>,
    pub(crate) max: Option<ArrayRef>,
    pub(crate) nulls: ArrayRef,
}

impl Part {
    pub(crate) fn new(files: Arc<Vec<DataFile>>, table: &TableDefinition) -> Self {
        Self {
            columns: columns(table).collect(),
            files,
            all: OnceLock::new(),
            rows: OnceLock::new(),
            bounds: Mutex::default(),
        }
    }

    /// The part that these files are: as it was made before if they are all of a manifest.
    pub(crate) fn of_group(group: FileGroup, table: &TableDefinition, kept: &Kept) -> Arc<Self> {
        let FileGroup { manifest, files } = group;
        let Some(manifest) = manifest else {
            return Arc::new(Self::new(files, table));
        };
        if let Some(part) = kept.get::<Self>(&manifest)
            && part
                .columns
                .iter()
                .map(|(id, column_type)| (*id, column_type))
                .eq(table.columns.iter().map(|column| (column.id, &column.column_type)))
        {
            return part;
        }
        let part = Arc::new(Self::new(files, table));
        let of_file = FILE_BYTES.saturating_add(COLUMN_BYTES.saturating_mul(part.columns.len()));
        kept.put(manifest, Arc::clone(&part), of_file.saturating_mul(part.files.len()));
        part
    }

    /// What is true of all files together.
    pub(crate) fn statistics(&self) -> &Arc<Statistics> {
        self.all.get_or_init(|| {
            let each: Vec<_> = self.files.iter().map(|file| self.of_file(file)).collect();
            Arc::new(statistics::sum(each.iter()).unwrap_or_default())
        })
    }

    /// What is known of one file.
    pub(crate) fn of_file(&self, file: &DataFile) -> Statistics {
        let of_column = |(id, column_type): &(u32, ColumnType)| statistics::of_column(file, *id, column_type);
        Statistics {
            num_rows: Precision::Exact(usize::try_from(file.rows).unwrap_or(usize::MAX)),
            total_byte_size: Precision::Inexact(usize::try_from(file.bytes).unwrap_or(usize::MAX)),
            column_statistics: self.columns.iter().map(of_column).collect(),
        }
    }

    /// Rows of each file.
    pub(crate) fn rows(&self) -> ArrayRef {
        let rows = || Arc::new(self.files.iter().map(|file| file.rows).collect::<UInt64Array>()) as ArrayRef;
        Arc::clone(self.rows.get_or_init(rows))
    }

    /// What is known of the column at `index` of the table, which queries see in this type.
    pub(crate) fn bounds(&self, index: usize, data_type: &DataType) -> Option<Arc<Bounds>> {
        let (id, column_type) = self.columns.get(index)?;
        // A poisoned lock only means that another thread ended between whole entries.
        let mut bounds = self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = bounds.get(&index) {
            return Some(Arc::clone(known));
        }
        let known: Vec<_> = self.files.iter().map(|file| statistics::of_column(file, *id, column_type)).collect();
        let nulls: UInt64Array = known.iter().map(|known| count(&known.null_count)).collect();
        let made = Arc::new(Bounds {
            min: bound(&known, data_type, |known| &known.min_value),
            max: bound(&known, data_type, |known| &known.max_value),
            nulls: Arc::new(nulls),
        });
        bounds.insert(index, Arc::clone(&made));
        Some(made)
    }
}

fn columns(table: &TableDefinition) -> impl Iterator<Item = (u32, ColumnType)> {
    table.columns.iter().map(|column| (column.id, column.column_type.clone()))
}

fn bound(
    known: &[ColumnStatistics],
    data_type: &DataType,
    of: impl Fn(&ColumnStatistics) -> &Precision<ScalarValue>,
) -> Option<ArrayRef> {
    let absent = ScalarValue::try_from(data_type).ok()?;
    if known.iter().all(|known| of(known).get_value().is_none_or(ScalarValue::is_null)) {
        return None;
    }
    let values = known.iter().map(|known| of(known).get_value().cloned().unwrap_or_else(|| absent.clone()));
    ScalarValue::iter_to_array(values).ok()
}

fn count(known: &Precision<usize>) -> Option<u64> {
    match known {
        Precision::Exact(count) => u64::try_from(*count).ok(),
        _ => None,
    }
}
