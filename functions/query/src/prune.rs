//! Which files a filter can match, by the catalog's statistics alone.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray};
use arrow_schema::SchemaRef;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicate;

use crate::part::{Bounds, Part};

/// For each file of each part, whether a row of it may satisfy `filter`; without statistics it may.
pub(crate) fn matching(filter: &Arc<dyn PhysicalExpr>, parts: &[Arc<Part>], schema: &SchemaRef) -> Vec<Vec<bool>> {
    // A filter that cannot be turned into one on statistics prunes nothing; it is applied to the rows all the same.
    let predicate = PruningPredicate::try_new(Arc::clone(filter), Arc::clone(schema)).ok();
    let of_part = |part: &Arc<Part>| {
        let pruned = predicate.as_ref().and_then(|predicate| predicate.prune(&Files { part, schema }).ok());
        pruned.unwrap_or_else(|| vec![true; part.files.len()])
    };
    parts.iter().map(of_part).collect()
}

struct Files<'a> {
    part: &'a Part,
    schema: &'a SchemaRef,
}

impl Files<'_> {
    fn bounds(&self, column: &Column) -> Option<Arc<Bounds>> {
        let (index, field) = self.schema.column_with_name(&column.name)?;
        self.part.bounds(index, field.data_type())
    }
}

impl PruningStatistics for Files<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column)?.min.clone()
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column)?.max.clone()
    }

    fn num_containers(&self) -> usize {
        self.part.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        Some(Arc::clone(&self.bounds(column)?.nulls))
    }

    fn row_counts(&self, _column: &Column) -> Option<ArrayRef> {
        Some(self.part.rows())
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
