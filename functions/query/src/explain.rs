//! EXPLAIN: the plans of a query as text, one row a line.

use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use futures::{FutureExt, StreamExt, stream};
use penstock_sql::result::{Cell, CellType, ResultColumn};

use crate::query::QueryRows;

/// Whether a statement is to be explained, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Explain {
    /// Show the plans.
    Plan,
    /// Run it, and show the plan with what it cost.
    Analyze,
}

/// The plans of a query that was not run.
pub(crate) fn plans(logical: &LogicalPlan, physical: &Arc<dyn ExecutionPlan>) -> QueryRows {
    let logical = logical.display_indent().to_string();
    let physical = DisplayableExecutionPlan::new(physical.as_ref()).indent(false).to_string();
    rows(&format!("LOGICAL PLAN\n{logical}\n\nPHYSICAL PLAN\n{physical}"))
}

/// The plan of a query that was run, with its metrics.
pub(crate) fn analyzed(physical: &Arc<dyn ExecutionPlan>) -> QueryRows {
    let plan = DisplayableExecutionPlan::with_metrics(physical.as_ref()).indent(false).to_string();
    rows(&format!("PHYSICAL PLAN, RUN\n{plan}"))
}

fn rows(text: &str) -> QueryRows {
    // What follows NUL only makes names unique.
    let lines = text.trim_end().lines().map(|line| vec![Cell::Text(line.replace('\0', "#"))]).collect();
    QueryRows {
        columns: vec![ResultColumn { name: "Explain String".to_owned(), cell_type: CellType::Varchar }],
        chunks: stream::once(async move { Ok(lines) }.boxed()).boxed(),
    }
}
