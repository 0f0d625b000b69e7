//! Which files a filter can match, by the catalog's statistics alone.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, UInt64Array};
use arrow_schema::SchemaRef;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, ScalarValue, Statistics};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicate;

/// For each file, whether a row of it may satisfy `filter`; without statistics it may.
pub(crate) fn matching(filter: &Arc<dyn PhysicalExpr>, files: &[Arc<Statistics>], schema: &SchemaRef) -> Vec<bool> {
    // A filter that cannot be turned into one on statistics prunes nothing; it is applied to the rows all the same.
    PruningPredicate::try_new(Arc::clone(filter), Arc::clone(schema))
        .and_then(|predicate| predicate.prune(&Files { files, schema }))
        .unwrap_or_else(|_| vec![true; files.len()])
}

struct Files<'a> {
    files: &'a [Arc<Statistics>],
    schema: &'a SchemaRef,
}

impl Files<'_> {
    fn column(&self, column: &Column) -> Option<(arrow_schema::DataType, Vec<Option<&ColumnStatistics>>)> {
        let (index, field) = self.schema.column_with_name(&column.name)?;
        let of_files = self.files.iter().map(|file| file.column_statistics.get(index)).collect();
        Some((field.data_type().clone(), of_files))
    }

    /// An array of bounds; inexact ones count, too, since they are bounds that lie outside of the values.
    fn bounds(
        &self,
        column: &Column,
        bound: impl Fn(&ColumnStatistics) -> &Precision<ScalarValue>,
    ) -> Option<ArrayRef> {
        let (data_type, files) = self.column(column)?;
        let absent = ScalarValue::try_from(&data_type).ok()?;
        let values: Vec<ScalarValue> = files
            .into_iter()
            .map(|file| file.and_then(|file| bound(file).get_value().cloned()).unwrap_or_else(|| absent.clone()))
            .collect();
        if values.iter().all(ScalarValue::is_null) { None } else { ScalarValue::iter_to_array(values).ok() }
    }
}

impl PruningStatistics for Files<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |statistics| &statistics.min_value)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |statistics| &statistics.max_value)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let (_, files) = self.column(column)?;
        let counts: UInt64Array = files.into_iter().map(|file| file.and_then(|file| count(&file.null_count))).collect();
        Some(Arc::new(counts))
    }

    fn row_counts(&self, _column: &Column) -> Option<ArrayRef> {
        let counts: UInt64Array = self.files.iter().map(|file| count(&file.num_rows)).collect();
        Some(Arc::new(counts))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

fn count(known: &Precision<usize>) -> Option<u64> {
    match known {
        Precision::Exact(count) => u64::try_from(*count).ok(),
        _ => None,
    }
}
