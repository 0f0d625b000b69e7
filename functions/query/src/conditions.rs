//! Conditions that a filter checks one after the other, those first that take least.
//!
//! DataFusion looks at what comes next only where few rows are left, in the order in which conditions are written. Which rows
//! are left does not depend on the order, and no condition fails: what cannot be reckoned is NULL.
//!
//! | condition | |
//! | --- | --- |
//! | numbers and days compared with a constant | first, the shorter the type the sooner |
//! | the same compared with each other | then |
//! | text compared with a constant | then |
//! | all others | last, in their own order |

use arrow_schema::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Filter, LogicalPlan, Operator};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// What text costs; numbers cost their bytes, and this much more if both sides are columns.
const TEXT: usize = 64;
const COLUMNS: usize = 32;
const OTHERS: usize = usize::MAX;

/// The rule.
#[derive(Debug)]
pub(crate) struct CheapConditionsFirst;

impl OptimizerRule for CheapConditionsFirst {
    fn name(&self) -> &'static str {
        "cheap_conditions_first"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = plan else {
            return Ok(Transformed::no(plan));
        };
        let ranks =
            split_conjunction(&filter.predicate).into_iter().map(|expr| (rank(expr, filter.input.schema()), expr));
        let mut ranked: Vec<_> = ranks.collect();
        if ranked.is_sorted_by_key(|(rank, _)| *rank) {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        let Some(predicate) = conjunction(ranked.into_iter().map(|(_, expr)| expr.clone())) else {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        };
        Filter::try_new(predicate, filter.input).map(|filter| Transformed::yes(LogicalPlan::Filter(filter)))
    }
}

fn rank(expr: &Expr, schema: &DFSchema) -> usize {
    let bytes = |expr: &Expr| match expr {
        Expr::Column(_) => bytes(&expr.get_type(schema).ok()?),
        _ => None,
    };
    let rank = match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(*op) => {
            match (bytes(left), &**left, bytes(right), &**right) {
                (Some(left), _, Some(right), _) => Some(left.max(right).saturating_add(COLUMNS)),
                (Some(bytes), _, _, Expr::Literal(..)) | (_, Expr::Literal(..), Some(bytes), _) => Some(bytes),
                _ => None,
            }
        }
        Expr::Between(between) => match (&*between.low, &*between.high) {
            (Expr::Literal(..), Expr::Literal(..)) => bytes(&between.expr),
            _ => None,
        },
        _ => None,
    };
    rank.unwrap_or(OTHERS)
}

fn compares(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// Bytes of a value that is compared at once.
fn bytes(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::Decimal256(..) => None,
        DataType::Utf8 | DataType::Utf8View => Some(TEXT),
        other => other.primitive_width(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{Field, Schema};
    use datafusion::logical_expr::{col, lit};

    use super::*;

    #[test]
    fn what_takes_least_comes_first() {
        let fields = [
            ("t", DataType::Utf8View),
            ("i", DataType::Int32),
            ("d", DataType::Decimal128(15, 2)),
            ("b", DataType::Int64),
        ];
        let fields: Vec<_> = fields.into_iter().map(|(name, of)| Field::new(name, of, true)).collect();
        let schema = DFSchema::try_from(Arc::new(Schema::new(fields))).unwrap();
        let order = [
            col("i").gt(lit(1_i32)),
            lit(7_i64).lt_eq(col("b")),
            col("d").between(lit(1), lit(2)),
            col("i").lt(col("b")),
            col("t").eq(lit("x")),
        ];
        let ranks: Vec<_> = order.iter().map(|expr| rank(expr, &schema)).collect();
        assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
        for last in [
            col("t").like(lit("x%")),
            col("i").is_null(),
            col("i").gt(lit(1)).or(col("b").gt(lit(1))),
            (col("i") + col("b")).gt(lit(1)),
        ] {
            assert_eq!(rank(&last, &schema), OTHERS, "{last}");
        }
    }
}
