//! Rows that a join above will not want, left out where they are read.
//!
//! A hash join that has built its table tells the scans of its other side which keys are in it; DataFusion leaves row groups
//! and pages out by that. Between scan and join there may be an aggregate of every row, other joins, or a redistribution: so
//! rows are left out too, as long as enough of them are. A filter of this kind is never needed: whatever it lets through, the
//! join looks at again.
//!
//! | between scan and join | sieve |
//! | --- | --- |
//! | filters, names | none, unless there are other joins above: the join's own look-up comes next |
//! | anything else | above the scan and its filter |

use std::any::Any;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::SchemaRef;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{NullEquality, Statistics};
use datafusion::datasource::physical_plan::FileSource;
use datafusion::datasource::physical_plan::ParquetSource;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};

use crate::mesh::Mesh;

/// Rows after which a filter is judged.
const ENOUGH: usize = 32 << 10;
/// Of so many rows it has to leave out one at least.
const ONE_OF: usize = 4;

/// Where the rows that a scan gives have the table's columns.
type Places = HashMap<usize, usize>;

/// The rule; the last of all, since it is about where filters came to rest.
#[derive(Debug)]
pub(crate) struct Sieves;

impl PhysicalOptimizerRule for Sieves {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if joins_nulls(&plan) {
            // A filter on keys is not true of NULL, which such a join wants.
            return Ok(plan);
        }
        sifted(plan, None)
    }

    fn name(&self) -> &'static str {
        "sieves"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn joins_nulls(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let own = plan.as_any().downcast_ref::<HashJoinExec>();
    own.is_some_and(|join| join.null_equality() == NullEquality::NullEqualsNull)
        || plan.children().into_iter().any(joins_nulls)
}

/// `keys` are columns' names by which rows are looked up next, if they are.
fn sifted(plan: Arc<dyn ExecutionPlan>, keys: Option<Vec<String>>) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some((filters, places)) = filters_of_scan(&plan) {
        let sieve = Sieve::new(Arc::clone(&plan), &filters, &places, keys.as_deref())?;
        return Ok(sieve.map_or(plan, |sieve| Arc::new(sieve)));
    }
    let mut below = Vec::with_capacity(2);
    if let Some(join) = plan.as_any().downcast_ref::<HashJoinExec>() {
        let keys = join.on().iter().map(|(_, right)| name(right)).collect();
        below.push(sifted(Arc::clone(join.left()), None)?);
        below.push(sifted(Arc::clone(join.right()), keys)?);
    } else {
        for child in plan.children() {
            below.push(sifted(Arc::clone(child), names_below(&plan, keys.as_deref()))?);
        }
    }
    if below.iter().zip(plan.children()).all(|(new, old)| Arc::ptr_eq(new, old)) {
        return Ok(plan);
    }
    plan.with_new_children(below)
}

fn name(expr: &Arc<dyn PhysicalExpr>) -> Option<String> {
    expr.as_any().downcast_ref::<Column>().map(|column| column.name().to_owned())
}

/// The same names below a node that only filters and renames.
fn names_below(plan: &Arc<dyn ExecutionPlan>, keys: Option<&[String]>) -> Option<Vec<String>> {
    let node = plan.as_any();
    if node.is::<FilterExec>() || node.is::<CooperativeExec>() {
        return keys.map(<[String]>::to_vec);
    }
    let projection = node.downcast_ref::<ProjectionExec>()?;
    let below =
        |key: &String| projection.expr().iter().find(|made| made.alias == *key).and_then(|made| name(&made.expr));
    keys?.iter().map(below).collect()
}

/// Filters that are not known yet of a scan, or of a filter above one, with where the table's columns are in its rows.
fn filters_of_scan(plan: &Arc<dyn ExecutionPlan>) -> Option<(Vec<Arc<dyn PhysicalExpr>>, Places)> {
    if let Some(filter) = plan.as_any().downcast_ref::<FilterExec>() {
        let (filters, places) = filters_of_scan(filter.input())?;
        return Some((
            filters,
            match filter.projection() {
                Some(kept) => {
                    let place = |inner: usize| kept.iter().position(|kept| *kept == inner);
                    places.into_iter().filter_map(|(column, inner)| Some((column, place(inner)?))).collect()
                }
                None => places,
            },
        ));
    }
    let (_, source) = plan.as_any().downcast_ref::<DataSourceExec>()?.downcast_to_file_source::<ParquetSource>()?;
    let predicate = source.filter()?;
    let filters = split_conjunction(&predicate).into_iter();
    let filters: Vec<_> =
        filters.filter(|filter| filter.as_any().is::<DynamicFilterPhysicalExpr>()).map(Arc::clone).collect();
    let places = source.projection()?.iter().enumerate();
    let places = places.filter_map(|(place, made)| Some((made.expr.as_any().downcast_ref::<Column>()?.index(), place)));
    Some((filters, places.collect()))
}

/// Lets rows through that all filters let through.
#[derive(Debug, Clone)]
struct Sieve {
    input: Arc<dyn ExecutionPlan>,
    meshes: Vec<Mesh>,
    metrics: ExecutionPlanMetricsSet,
}

impl Sieve {
    /// `None` if there is nothing to leave out by but `keys`, which are looked up next anyway.
    fn new(
        input: Arc<dyn ExecutionPlan>,
        filters: &[Arc<dyn PhysicalExpr>],
        places: &Places,
        keys: Option<&[String]>,
    ) -> Result<Option<Self>> {
        let mut meshes = Vec::with_capacity(filters.len());
        let mut pays = false;
        for filter in filters {
            let columns = collect_columns(filter);
            let looked_up = keys.is_some_and(|keys| {
                columns.len() == keys.len() && columns.iter().all(|column| keys.iter().any(|key| key == column.name()))
            });
            let mesh =
                if columns.is_empty() { None } else { Mesh::new(filter, |column| places.get(&column).copied())? };
            pays |= mesh.is_some() && !looked_up;
            meshes.extend(mesh);
        }
        Ok(pays.then(|| Self { input, meshes, metrics: ExecutionPlanMetricsSet::new() }))
    }
}

impl DisplayAs for Sieve {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Sieve: filters={}", self.meshes.len())
    }
}

impl ExecutionPlan for Sieve {
    fn name(&self) -> &'static str {
        "Sieve"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self { input, ..self.as_ref().clone() })),
            Err(children) => Err(DataFusionError::Internal(format!("a sieve has 1 input, not {}", children.len()))),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = context.session_config().batch_size();
        let coalescer = BatchCoalescer::new(self.schema(), rows).with_biggest_coalesce_batch_size(Some(rows / 2));
        Ok(Box::pin(Sifting {
            input: self.input.execute(partition, context)?,
            meshes: self.meshes.iter().map(|mesh| (mesh.clone(), Judged::default())).collect(),
            coalescer,
            ended: false,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Statistics> {
        Ok(self.input.partition_statistics(partition)?.to_inexact())
    }
}

/// What a filter has done so far.
#[derive(Debug, Default, Clone, Copy)]
struct Judged {
    seen: usize,
    passed: usize,
}

impl Judged {
    /// By the share of rows that passed.
    fn cmp_passed(self, other: Self) -> Ordering {
        self.passed.saturating_mul(other.seen.max(1)).cmp(&other.passed.saturating_mul(self.seen.max(1)))
    }

    fn is_idle(self) -> bool {
        self.seen >= ENOUGH && (self.seen - self.passed).saturating_mul(ONE_OF) < self.seen
    }
}

struct Sifting {
    input: SendableRecordBatchStream,
    meshes: Vec<(Mesh, Judged)>,
    coalescer: BatchCoalescer,
    ended: bool,
    metrics: BaselineMetrics,
}

impl Sifting {
    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let timer = self.metrics.elapsed_compute().timer();
        let mut chosen: Option<BooleanArray> = None;
        for (mesh, judged) in self.meshes.iter_mut().filter(|(_, judged)| !judged.is_idle()) {
            let Some(left) = mesh.left(&batch, chosen.as_ref())? else {
                continue;
            };
            judged.seen += left.seen;
            judged.passed += left.passed;
            chosen = Some(left.chosen);
        }
        // What leaves out most comes first.
        self.meshes.sort_by(|(_, a), (_, b)| a.cmp_passed(*b));
        match chosen {
            Some(chosen) if chosen.true_count() < batch.num_rows() => {
                self.coalescer.push_batch_with_filter(batch, &chosen)?;
            }
            _ => self.coalescer.push_batch(batch)?,
        }
        timer.done();
        Ok(())
    }
}

impl Stream for Sifting {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let next = loop {
            if let Some(batch) = this.coalescer.next_completed_batch() {
                break Poll::Ready(Some(Ok(batch)));
            }
            if this.ended {
                break Poll::Ready(None);
            }
            let pushed = match ready!(this.input.poll_next_unpin(context)) {
                Some(Ok(batch)) => this.push(batch),
                Some(Err(error)) => Err(error),
                None => {
                    this.ended = true;
                    this.coalescer.finish_buffered_batch().map_err(Into::into)
                }
            };
            if let Err(error) = pushed {
                this.ended = true;
                break Poll::Ready(Some(Err(error)));
            }
        };
        this.metrics.record_poll(next)
    }
}

impl RecordBatchStream for Sifting {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_that_lets_nearly_all_through_is_given_up_after_enough_rows() {
        let idle = |seen, passed| Judged { seen, passed }.is_idle();
        assert!(!idle(0, 0) && !idle(ENOUGH - 1, ENOUGH - 1) && !idle(ENOUGH, ENOUGH / 2) && !idle(ENOUGH, 0));
        assert!(idle(ENOUGH, ENOUGH) && idle(ENOUGH * 10, ENOUGH * 8));
    }
}
