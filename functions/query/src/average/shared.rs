//! AVG of a DECIMAL as a sum by a count, both shared with what the query sums and counts anyway.
//!
//! | in | out |
//! | --- | --- |
//! | `sum(x), avg(x), count(*)`, no `x` is NULL | `mean(sum(x), count(*))` above `sum(x), count(*)` |
//! | `avg(x)`, `x` may be NULL | `mean(sum(x), count(x))` above `sum(x), count(x)` |
//!
//! Not for digits that many rows could carry beyond 128 bits, where `sum` wraps around.

use std::sync::Arc;

use arrow_schema::DataType;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan, Projection, ScalarUDF, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::Average;
use super::mean::MeanOfSum;
use crate::table::CommittedTable;

/// Digits of which more rows than can be counted have their sum in 128 bits.
const SUMMED_DIGITS: u8 = 18;

/// The rule.
#[derive(Debug)]
pub(crate) struct SharedSums;

impl OptimizerRule for SharedSums {
    fn name(&self) -> &'static str {
        "shared_sums"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else {
            return Ok(Transformed::no(plan));
        };
        Ok(match divided(aggregate)? {
            Some(projection) => Transformed::yes(LogicalPlan::Projection(projection)),
            None => Transformed::no(plan),
        })
    }
}

/// What an aggregate's column is made of.
enum Made {
    /// The aggregate at this place.
    Of(usize),
    /// The mean of the sum and the count at these places.
    Mean(usize, usize),
}

fn divided(aggregate: &Aggregate) -> Result<Option<Projection>> {
    if !aggregate.aggr_expr.iter().any(|expr| averaged(expr, aggregate).is_some()) {
        return Ok(None);
    }
    let mut needed: Vec<Expr> = Vec::with_capacity(aggregate.aggr_expr.len() + 1);
    let mut place = |expr: Expr| match needed.iter().position(|known| *unaliased(known) == expr) {
        Some(known) => known,
        None => {
            needed.push(expr);
            needed.len() - 1
        }
    };
    // What stays comes first, so that it is found by what is shared.
    let others = aggregate.aggr_expr.iter().filter(|expr| averaged(expr, aggregate).is_none());
    let mut others: Vec<usize> = others.map(|expr| place(expr.clone())).collect();
    others.reverse();
    let mut made = Vec::with_capacity(aggregate.aggr_expr.len());
    for expr in &aggregate.aggr_expr {
        made.push(match averaged(expr, aggregate) {
            None => others.pop().map(Made::Of),
            Some((argument, filter)) => {
                let counted = if never_null(&argument, &aggregate.input) { lit(1_i64) } else { argument.clone() };
                let sum = place(call(sum_udaf(), argument, filter.clone()));
                Some(Made::Mean(sum, place(call(count_udaf(), counted, filter))))
            }
        });
    }
    let inner = Aggregate::try_new(Arc::clone(&aggregate.input), aggregate.group_expr.clone(), needed)?;
    let groups = aggregate.schema.fields().len().saturating_sub(aggregate.aggr_expr.len());
    let columns = inner.schema.columns();
    let column = |place: usize| columns.get(place).cloned().map(Expr::Column);
    let mean = ScalarUDF::from(MeanOfSum::new());
    let mut exprs = Vec::with_capacity(aggregate.schema.fields().len());
    for (index, (qualifier, field)) in aggregate.schema.iter().enumerate() {
        let expr = match index.checked_sub(groups).and_then(|index| made.get(index)) {
            None => column(index),
            Some(Some(Made::Of(place))) => column(groups + place),
            Some(Some(Made::Mean(sum, count))) => column(groups + sum)
                .zip(column(groups + count))
                .map(|(sum, count)| mean.call(vec![sum, count]).alias_qualified(qualifier.cloned(), field.name())),
            Some(None) => None,
        };
        let Some(expr) = expr else {
            return Ok(None);
        };
        exprs.push(expr);
    }
    let inner = Arc::new(LogicalPlan::Aggregate(inner));
    Projection::try_new_with_schema(exprs, inner, Arc::clone(&aggregate.schema)).map(Some)
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

/// Argument and filter of an AVG that is to be divided.
fn averaged(expr: &Expr, aggregate: &Aggregate) -> Option<(Expr, Option<Box<Expr>>)> {
    let Expr::AggregateFunction(AggregateFunction { func, params }) = unaliased(expr) else {
        return None;
    };
    func.inner().as_any().downcast_ref::<Average>()?;
    let AggregateFunctionParams { args, distinct: false, filter, order_by, null_treatment: None } = params else {
        return None;
    };
    let [argument] = args.as_slice() else {
        return None;
    };
    match argument.get_type(aggregate.input.schema()).ok()? {
        DataType::Decimal128(..=SUMMED_DIGITS, _) if order_by.is_empty() => Some((argument.clone(), filter.clone())),
        _ => None,
    }
}

fn call(function: Arc<AggregateUDF>, argument: Expr, filter: Option<Box<Expr>>) -> Expr {
    Expr::AggregateFunction(AggregateFunction::new_udf(function, vec![argument], false, filter, vec![], None))
}

/// Whether the catalog knows that no row of the plan has NULL there.
fn never_null(expr: &Expr, plan: &LogicalPlan) -> bool {
    match expr {
        Expr::Column(column) => is_filled(column, plan),
        Expr::Alias(alias) => never_null(&alias.expr, plan),
        _ => false,
    }
}

fn is_filled(column: &Column, plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let known = source_as_provider(&scan.source).ok();
            let known = known.as_ref().and_then(|provider| provider.as_any().downcast_ref::<CommittedTable>());
            let nulls = known.and_then(|table| {
                let index = scan.source.schema().index_of(&column.name).ok()?;
                table.known().column_statistics.get(index).map(|column| column.null_count)
            });
            nulls == Some(Precision::Exact(0))
        }
        LogicalPlan::Filter(filter) => is_filled(column, &filter.input),
        LogicalPlan::Sort(sort) => is_filled(column, &sort.input),
        LogicalPlan::SubqueryAlias(alias) => {
            // The same columns in the same order under other names.
            let index = alias.schema.maybe_index_of_column(column);
            let inner = index.and_then(|index| alias.input.schema().columns().get(index).cloned());
            inner.is_some_and(|inner| is_filled(&inner, &alias.input))
        }
        LogicalPlan::Projection(projection) => {
            let index = projection.schema.maybe_index_of_column(column);
            let inner = index.and_then(|index| projection.expr.get(index));
            inner.is_some_and(|inner| never_null(inner, &projection.input))
        }
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
            let side = |side: &LogicalPlan| side.schema().has_column(column) && is_filled(column, side);
            side(&join.left) || side(&join.right)
        }
        _ => false,
    }
}
