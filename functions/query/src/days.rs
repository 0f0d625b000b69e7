//! A DATE column compared with a moment, as a comparison with a day: so no row's day is made a moment, and the comparison
//! meets the statistics of files, row groups and pages, which are days.
//!
//! | the moment | as a day |
//! | --- | --- |
//! | `d < t`, `d >= t` | the first that begins at `t` or later |
//! | `d > t`, `d <= t` | the last that begins at `t` or earlier |
//! | `d = t`, `d <> t` | that begins at `t`; if none does, the comparison stays as it is |

use arrow_schema::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, TryCast, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

const DAY_US: i64 = 86_400_000_000;
const MOMENT: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// The rule.
#[derive(Debug)]
pub(crate) struct DaysForMoments;

impl OptimizerRule for DaysForMoments {
    fn name(&self) -> &'static str {
        "days_for_moments"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        // Conditions only: what an expression is called is nothing to them.
        let schema = match &plan {
            LogicalPlan::Filter(_) | LogicalPlan::Join(_) => merge_schema(&plan.inputs()),
            LogicalPlan::TableScan(scan) if !scan.filters.is_empty() => {
                DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?
            }
            _ => return Ok(Transformed::no(plan)),
        };
        plan.map_expressions(|expr| expr.transform_up(|expr| Ok(as_days(expr, &schema))))
    }
}

fn as_days(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = &expr else {
        return Transformed::no(expr);
    };
    let compared = match (moment_of_day(left, schema), moment(right), moment(left), moment_of_day(right, schema)) {
        (Some(column), Some(us), ..) => Some((column, *op, us)),
        (_, _, Some(us), Some(column)) => op.swap().map(|op| (column, op, us)),
        _ => None,
    };
    let days = compared.and_then(|(column, op, us)| Some((column, op, day(op, us)?)));
    match days {
        Some((column, op, day)) => {
            let day = lit(ScalarValue::Date32(Some(day)));
            Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(column.clone()), op, Box::new(day))))
        }
        None => Transformed::no(expr),
    }
}

/// The DATE column that a cast makes moments of. A table's days are those of the years 0 to 9999, which all are moments.
fn moment_of_day<'a>(expr: &'a Expr, schema: &DFSchema) -> Option<&'a Expr> {
    let (Expr::Cast(Cast { expr: inner, data_type }) | Expr::TryCast(TryCast { expr: inner, data_type })) = expr else {
        return None;
    };
    let is_day = matches!(**inner, Expr::Column(_)) && inner.get_type(schema).ok()? == DataType::Date32;
    (is_day && *data_type == MOMENT).then_some(inner)
}

fn moment(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::TimestampMicrosecond(Some(us), None), _) => Some(*us),
        _ => None,
    }
}

fn day(op: Operator, us: i64) -> Option<i32> {
    let (before, midnight) = (us.div_euclid(DAY_US), us.rem_euclid(DAY_US) == 0);
    let day = match op {
        Operator::Lt | Operator::GtEq if !midnight => before + 1,
        Operator::Lt | Operator::GtEq | Operator::Gt | Operator::LtEq => before,
        Operator::Eq | Operator::NotEq if midnight => before,
        _ => return None,
    };
    i32::try_from(day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_decides_as_the_moment_does() {
        let holds = |op: Operator, order: std::cmp::Ordering| match op {
            Operator::Lt => order.is_lt(),
            Operator::LtEq => order.is_le(),
            Operator::Gt => order.is_gt(),
            Operator::GtEq => order.is_ge(),
            Operator::Eq => order.is_eq(),
            _ => order.is_ne(),
        };
        for us in [-DAY_US - 1, -DAY_US, -1, 0, 1, DAY_US - 1, DAY_US, DAY_US + 1] {
            for op in [Operator::Lt, Operator::LtEq, Operator::Gt, Operator::GtEq, Operator::Eq, Operator::NotEq] {
                let Some(day) = day(op, us) else {
                    assert!(matches!(op, Operator::Eq | Operator::NotEq) && us % DAY_US != 0, "{op} {us}");
                    continue;
                };
                for column in -3..4_i32 {
                    let as_moment = holds(op, (i64::from(column) * DAY_US).cmp(&us));
                    assert_eq!(holds(op, column.cmp(&day)), as_moment, "{column} {op} {us}");
                }
            }
        }
    }
}
