//! `key IN (SELECT key ... GROUP BY key HAVING ...)` asked of the table that has the key, before it is joined with others.
//!
//! | in | out |
//! | --- | --- |
//! | semi join of (`a` inner join `b`) with few groups, by columns of `a` | (semi join of `a` with the groups) inner join `b` |
//!
//! Both give the same rows, since an inner join neither makes nor changes columns of `a`. It pays because HAVING leaves few
//! groups; other lists may leave out less than the joins do.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Projection};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The rule.
#[derive(Debug)]
pub(crate) struct GroupsFirst;

impl OptimizerRule for GroupsFirst {
    fn name(&self) -> &'static str {
        "groups_first"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Join(semi) = &plan else {
            return Ok(Transformed::no(plan));
        };
        if semi.join_type != JoinType::LeftSemi || semi.filter.is_some() || !has_few_groups(&semi.right) {
            return Ok(Transformed::no(plan));
        }
        let keys: Option<Vec<Column>> = semi.on.iter().map(|(left, _)| left.try_as_col().cloned()).collect();
        let joined = match keys {
            Some(keys) if !keys.is_empty() => below(semi, &semi.left, &keys, false)?,
            _ => None,
        };
        Ok(joined.map_or(Transformed::no(plan), Transformed::yes))
    }
}

/// Whether the plan is groups that a condition leaves over.
fn has_few_groups(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => has_few_groups(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => has_few_groups(&alias.input),
        LogicalPlan::Filter(filter) => matches!(&*filter.input, LogicalPlan::Aggregate(_)),
        _ => false,
    }
}

/// `plan` with the semi join by `keys` as deep within it as it goes; `None` if that is not behind an inner join.
fn below(semi: &Join, plan: &Arc<LogicalPlan>, keys: &[Column], joined: bool) -> Result<Option<LogicalPlan>> {
    match &**plan {
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
            let has_all = |side: &LogicalPlan| keys.iter().all(|key| side.schema().has_column(key));
            // A name that both sides have is nobody's.
            let (left, right) = match (has_all(&join.left), has_all(&join.right)) {
                (true, false) => (below(semi, &join.left, keys, true)?, None),
                (false, true) => (None, below(semi, &join.right, keys, true)?),
                _ => return deepest(semi, plan, keys, joined),
            };
            let side = |new: Option<LogicalPlan>, old: &Arc<LogicalPlan>| new.map_or_else(|| Arc::clone(old), Arc::new);
            let (left, right) = (side(left, &join.left), side(right, &join.right));
            Ok(Some(LogicalPlan::Join(Join { left, right, ..join.clone() })))
        }
        LogicalPlan::Projection(projection) => {
            let inner = keys.iter().map(|key| {
                let index = projection.schema.maybe_index_of_column(key)?;
                match projection.expr.get(index)? {
                    Expr::Alias(alias) => alias.expr.try_as_col().cloned(),
                    expr => expr.try_as_col().cloned(),
                }
            });
            let Some(inner) = inner.collect::<Option<Vec<_>>>() else {
                return deepest(semi, plan, keys, joined);
            };
            let Some(input) = below(semi, &projection.input, &inner, joined)? else {
                return Ok(None);
            };
            let schema = Arc::clone(&projection.schema);
            let projection = Projection::try_new_with_schema(projection.expr.clone(), Arc::new(input), schema)?;
            Ok(Some(LogicalPlan::Projection(projection)))
        }
        _ => deepest(semi, plan, keys, joined),
    }
}

/// The semi join of `plan` itself.
fn deepest(semi: &Join, plan: &Arc<LogicalPlan>, keys: &[Column], joined: bool) -> Result<Option<LogicalPlan>> {
    if !joined {
        return Ok(None);
    }
    let on = keys.iter().zip(&semi.on).map(|(key, (_, right))| (Expr::Column(key.clone()), right.clone()));
    let join = Join::try_new(
        Arc::clone(plan),
        Arc::clone(&semi.right),
        on.collect(),
        None,
        JoinType::LeftSemi,
        semi.join_constraint,
        semi.null_equality,
        semi.null_aware,
    )?;
    Ok(Some(LogicalPlan::Join(join)))
}
