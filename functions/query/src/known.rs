//! COUNT, MIN and MAX of a whole table, answered by what the catalog knows: no file is listed or opened for them.
//!
//! DataFusion has this as a rule of its own, on the plan that is about to run; by then each of the table's files was made a part
//! of it, and copied by every rule before.

use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue, Statistics};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, EmptyRelation, Expr, LogicalPlan, Projection, TableScan, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::table::CommittedTable;

/// The rule.
#[derive(Debug)]
pub(crate) struct KnownAggregates;

impl OptimizerRule for KnownAggregates {
    fn name(&self) -> &'static str {
        "known_aggregates"
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
        let Some(values) = values(aggregate) else {
            return Ok(Transformed::no(plan));
        };
        let row =
            LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: true, schema: Arc::new(DFSchema::empty()) });
        let schema = Arc::clone(&aggregate.schema);
        let projection = Projection::try_new_with_schema(values, Arc::new(row), schema)?;
        Ok(Transformed::yes(LogicalPlan::Projection(projection)))
    }
}

/// A literal for each aggregate, if all are known.
fn values(aggregate: &Aggregate) -> Option<Vec<Expr>> {
    if !aggregate.group_expr.is_empty() || aggregate.aggr_expr.is_empty() {
        return None;
    }
    let scan = scanned(&aggregate.input)?;
    if !scan.filters.is_empty() || scan.fetch.is_some() {
        return None;
    }
    let provider = source_as_provider(&scan.source).ok()?;
    let table = provider.as_any().downcast_ref::<CommittedTable>()?;
    let known = table.known();
    let mut values = Vec::with_capacity(aggregate.aggr_expr.len());
    for (expr, (qualifier, field)) in aggregate.aggr_expr.iter().zip(aggregate.schema.iter()) {
        let value = value(expr, scan, &known).filter(|value| value.data_type() == *field.data_type())?;
        values.push(lit(value).alias_qualified(qualifier.cloned(), field.name()));
    }
    table.note(table.files(), 0);
    Some(values)
}

/// The scan under names only.
fn scanned(plan: &LogicalPlan) -> Option<&TableScan> {
    match plan {
        LogicalPlan::TableScan(scan) => Some(scan),
        LogicalPlan::SubqueryAlias(alias) => scanned(&alias.input),
        _ => None,
    }
}

fn value(expr: &Expr, scan: &TableScan, known: &Statistics) -> Option<ScalarValue> {
    let expr = match expr {
        Expr::Alias(alias) => alias.expr.as_ref(),
        other => other,
    };
    let Expr::AggregateFunction(AggregateFunction { func, params }) = expr else {
        return None;
    };
    let AggregateFunctionParams { args, distinct: false, filter: None, order_by, null_treatment: None } = params else {
        return None;
    };
    let [argument] = args.as_slice() else {
        return None;
    };
    if !order_by.is_empty() {
        return None;
    }
    let of_column = || match argument {
        Expr::Column(column) => {
            let index = scan.source.schema().index_of(&column.name).ok()?;
            known.column_statistics.get(index)
        }
        _ => None,
    };
    let exact = |value: &Precision<ScalarValue>| match value {
        Precision::Exact(value) if !value.is_null() => Some(value.clone()),
        _ => None,
    };
    match func.name() {
        "count" => {
            let Precision::Exact(rows) = known.num_rows else {
                return None;
            };
            let nulls = match argument {
                Expr::Literal(value, _) if !value.is_null() => 0,
                _ => match of_column()?.null_count {
                    Precision::Exact(nulls) => nulls,
                    _ => return None,
                },
            };
            Some(ScalarValue::Int64(Some(i64::try_from(rows.checked_sub(nulls)?).ok()?)))
        }
        "min" => exact(&of_column()?.min_value),
        "max" => exact(&of_column()?.max_value),
        _ => None,
    }
}
