//! Groups that a statement names more than once, such as those of a WITH: made once.
//!
//! DataFusion puts a WITH in wherever it is named. Aggregates that are still equal once conditions and columns have been pushed
//! into them get the same [`Shared`] above them, and the first that is asked for rows keeps them for the others.

mod rows;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Atomic};

use async_trait::async_trait;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchemaRef, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use rows::{SharedExec, SharedRows};

/// The rule; the last of its kind, since it ends what may be pushed down.
#[derive(Debug)]
pub(crate) struct SharedGroups;

impl OptimizerRule for SharedGroups {
    fn name(&self) -> &'static str {
        "shared_groups"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        None
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let bare = plan.transform_up(without_true)?;
        let repeated = repeated(&bare.data)?;
        if repeated.is_empty() {
            return Ok(bare);
        }
        bare.data.transform_down(|plan| match repeated.get(&plan) {
            Some(number) => {
                let shared = Shared { input: plan, number: *number };
                let node = LogicalPlan::Extension(Extension { node: Arc::new(shared) });
                Ok(Transformed::new(node, true, TreeNodeRecursion::Jump))
            }
            None if is_shared(&plan) => Ok(Transformed::new(plan, false, TreeNodeRecursion::Jump)),
            None => Ok(Transformed::no(plan)),
        })
    }
}

/// A scan without the `true` that rewritten subqueries leave in its conditions, which makes equal scans unlike.
fn without_true(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let is_true = |filter: &Expr| matches!(filter, Expr::Literal(ScalarValue::Boolean(Some(true)), _));
    Ok(match plan {
        LogicalPlan::TableScan(mut scan) if scan.filters.iter().any(is_true) => {
            scan.filters.retain(|filter| !is_true(filter));
            Transformed::yes(LogicalPlan::TableScan(scan))
        }
        plan => Transformed::no(plan),
    })
}

/// Aggregates that are there more than once, each with a number that no other has.
fn repeated(plan: &LogicalPlan) -> Result<HashMap<LogicalPlan, u64>> {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let mut counts: HashMap<&LogicalPlan, usize> = HashMap::new();
    plan.apply(|node| {
        Ok(match node {
            LogicalPlan::Aggregate(_) if !is_volatile(node)? => {
                let count = counts.entry(node).or_default();
                *count += 1;
                // What is inside of the second one was counted with the first.
                if *count > 1 { TreeNodeRecursion::Jump } else { TreeNodeRecursion::Continue }
            }
            node if is_shared(node) => TreeNodeRecursion::Jump,
            _ => TreeNodeRecursion::Continue,
        })
    })?;
    let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
    Ok(repeated.map(|(node, _)| (node.clone(), NUMBERS.fetch_add(1, Atomic::Relaxed))).collect())
}

fn is_shared(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Extension(extension) if extension.node.as_any().is::<Shared>())
}

/// Whether something in it may differ from one time to the next.
fn is_volatile(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| {
        let mut volatile = false;
        node.apply_expressions(|expr| {
            volatile |= expr.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(volatile)
    })
}

/// Rows of its input, which others want too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shared {
    input: LogicalPlan,
    /// The same for all who share.
    number: u64,
}

impl PartialOrd for Shared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input).filter(|order| *order != Ordering::Equal || self == other)
    }
}

impl UserDefinedLogicalNodeCore for Shared {
    fn name(&self) -> &'static str {
        "Shared"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match <[_; 1]>::try_from(inputs) {
            Ok([input]) => Ok(Self { input, number: self.number }),
            Err(inputs) => Err(DataFusionError::Internal(format!("shared rows have 1 input, not {}", inputs.len()))),
        }
    }
}

/// DataFusion's planner, and this node.
#[derive(Debug)]
pub(crate) struct SharingPlanner;

#[async_trait]
impl QueryPlanner for SharingPlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, state: &SessionState) -> Result<Arc<dyn ExecutionPlan>> {
        let sharing = Arc::new(Sharing::default());
        DefaultPhysicalPlanner::with_extension_planners(vec![sharing]).create_physical_plan(plan, state).await
    }
}

/// What is shared within one statement.
#[derive(Debug, Default)]
struct Sharing(std::sync::Mutex<HashMap<u64, Arc<SharedRows>>>);

#[async_trait]
impl ExtensionPlanner for Sharing {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &SessionState,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(shared), [input]) = (node.as_any().downcast_ref::<Shared>(), inputs) else {
            return Ok(None);
        };
        // A poisoned lock only means that another thread ended between whole entries.
        let mut rows = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let rows = Arc::clone(rows.entry(shared.number).or_default());
        Ok(Some(Arc::new(SharedExec::new(Arc::clone(input), rows))))
    }
}
