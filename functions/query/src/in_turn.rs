//! Conditions of a filter, looked at one after the other: each in its own columns, and only where those before were true.
//!
//! DataFusion does so as well, two at a time. It copies every column of the rows that are left, and puts what came of them
//! back row by row, which takes longer than most conditions.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::{DataType, Schema};
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use crate::mesh::Mesh;

/// The rule: one of the last, since the others look into predicates.
#[derive(Debug)]
pub(crate) struct ConditionsInTurn;

impl PhysicalOptimizerRule for ConditionsInTurn {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let replaced = plan.transform_up(|plan| {
            let Some(filter) = plan.as_any().downcast_ref::<FilterExec>() else {
                return Ok(Transformed::no(plan));
            };
            // What a predicate says of orders is not to be lost; rows as they are read have none.
            if filter.input().output_ordering().is_some() {
                return Ok(Transformed::no(plan));
            }
            let Some(conditions) = InTurn::new(split_conjunction(filter.predicate()))? else {
                return Ok(Transformed::no(plan));
            };
            let filter = FilterExecBuilder::from(filter).with_predicate(Arc::new(conditions)).build()?;
            Ok(Transformed::yes(Arc::new(filter) as Arc<dyn ExecutionPlan>))
        })?;
        Ok(replaced.data)
    }

    fn name(&self) -> &'static str {
        "conditions_in_turn"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Conditions of which all have to be true; what is NULL counts as false, as it does to a filter.
#[derive(Debug)]
struct InTurn {
    conditions: Vec<Arc<dyn PhysicalExpr>>,
    meshes: Vec<Mesh>,
}

impl InTurn {
    /// `None` if there is but one.
    fn new<'a>(conditions: impl IntoIterator<Item = &'a Arc<dyn PhysicalExpr>>) -> Result<Option<Self>> {
        let conditions: Vec<_> = conditions.into_iter().map(Arc::clone).collect();
        let mut meshes = Vec::with_capacity(conditions.len());
        for condition in &conditions {
            meshes.extend(Mesh::new(condition, Some)?);
        }
        Ok((meshes.len() > 1).then_some(Self { conditions, meshes }))
    }
}

impl PhysicalExpr for InTurn {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(false)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let mut chosen: Option<BooleanArray> = None;
        for mesh in &self.meshes {
            let Some(left) = mesh.left(batch, chosen.as_ref())? else {
                continue;
            };
            if left.passed == 0 {
                return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(false))));
            }
            chosen = Some(left.chosen);
        }
        Ok(match chosen {
            Some(chosen) => ColumnarValue::Array(Arc::new(chosen)),
            None => ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))),
        })
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.conditions.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(match Self::new(&children)? {
            Some(conditions) => Arc::new(conditions),
            None => self,
        })
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, condition) in self.conditions.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { " AND " })?;
            condition.fmt_sql(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for InTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, condition) in self.conditions.iter().enumerate() {
            write!(f, "{}{condition}", if number == 0 { "" } else { " AND " })?;
        }
        Ok(())
    }
}

impl PartialEq for InTurn {
    fn eq(&self, other: &Self) -> bool {
        self.conditions.len() == other.conditions.len()
            && self.conditions.iter().zip(&other.conditions).all(|(a, b)| a.as_ref() == b.as_ref())
    }
}

impl Eq for InTurn {}

impl Hash for InTurn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for condition in &self.conditions {
            condition.hash(state);
        }
    }
}

#[cfg(test)]
mod tests;
