//! A condition on rows, looked at in its own columns and, where few rows are left, in those alone.

use std::sync::Arc;

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_buffer::BooleanBufferBuilder;
use datafusion::arrow::compute::{and, filter_record_batch, prep_null_mask_filter};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;

/// Where one of so many rows is left, or fewer, only these are looked at: copying them costs more than comparing numbers
/// of all, and less than most else.
const FEW: usize = 3;

/// A condition with the places of its columns.
#[derive(Debug, Clone)]
pub(crate) struct Mesh {
    /// On rows of those columns alone.
    condition: Arc<dyn PhysicalExpr>,
    places: Vec<usize>,
}

/// What a condition left of the rows.
#[derive(Debug)]
pub(crate) struct Left {
    /// One value a row; none is NULL.
    pub(crate) chosen: BooleanArray,
    /// Rows that were looked at.
    pub(crate) seen: usize,
    /// Of these, rows that passed.
    pub(crate) passed: usize,
}

impl Mesh {
    /// A condition whose columns are where `place` says; `None` if one of them is nowhere.
    pub(crate) fn new(
        condition: &Arc<dyn PhysicalExpr>,
        place: impl Fn(usize) -> Option<usize>,
    ) -> Result<Option<Self>> {
        let mut columns: Vec<usize> = collect_columns(condition).iter().map(Column::index).collect();
        columns.sort_unstable();
        columns.dedup();
        let Some(places) = columns.iter().map(|column| place(*column)).collect() else {
            return Ok(None);
        };
        let moved = |expr: Arc<dyn PhysicalExpr>| {
            let Some(column) = expr.as_any().downcast_ref::<Column>() else {
                return Ok(Transformed::no(expr));
            };
            Ok(match columns.binary_search(&column.index()) {
                Ok(place) => Transformed::yes(Arc::new(Column::new(column.name(), place)) as Arc<dyn PhysicalExpr>),
                Err(_) => Transformed::no(expr),
            })
        };
        let condition = Arc::clone(condition).transform_up(moved)?.data;
        Ok(Some(Self { condition, places }))
    }

    /// Of the chosen rows, or of all, those for which the condition is true; `None` if it is of all, or does not know yet.
    pub(crate) fn left(&self, batch: &RecordBatch, chosen: Option<&BooleanArray>) -> Result<Option<Left>> {
        let keys = batch.project(&self.places)?;
        let few = chosen.filter(|chosen| chosen.true_count().saturating_mul(FEW) < chosen.len());
        let keys = match few {
            Some(chosen) => filter_record_batch(&keys, chosen)?,
            None => keys,
        };
        let Some(passing) = self.passing(&keys)? else {
            return Ok(None);
        };
        let (seen, passed) = (passing.len(), passing.true_count());
        let chosen = match (few, chosen) {
            (Some(few), _) => of_chosen(few, &passing),
            (None, Some(chosen)) => and(chosen, &passing)?,
            (None, None) => passing,
        };
        Ok(Some(Left { chosen, seen, passed }))
    }

    fn passing(&self, keys: &RecordBatch) -> Result<Option<BooleanArray>> {
        Ok(match self.condition.evaluate(keys)? {
            ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))) => None,
            passing => {
                let passing = passing.into_array(keys.num_rows())?;
                let passing = passing.as_any().downcast_ref::<BooleanArray>().ok_or_else(|| {
                    DataFusionError::Internal(format!("a condition was {}, not true or false", passing.data_type()))
                })?;
                Some(if passing.nulls().is_some() { prep_null_mask_filter(passing) } else { passing.clone() })
            }
        })
    }
}

/// Of the chosen rows those that pass; `passing` has one value a chosen row.
fn of_chosen(chosen: &BooleanArray, passing: &BooleanArray) -> BooleanArray {
    let mut both = BooleanBufferBuilder::new(chosen.len());
    both.append_n(chosen.len(), false);
    for (row, passes) in chosen.values().set_indices().zip(passing.values()) {
        both.set_bit(row, passes);
    }
    BooleanArray::new(both.finish(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_those_chosen_are_found_among_all() {
        let chosen = BooleanArray::from(vec![false, true, true, false, true]);
        let passing = BooleanArray::from(vec![true, false, true]);
        assert_eq!(of_chosen(&chosen, &passing), BooleanArray::from(vec![false, true, false, false, true]));
    }
}
