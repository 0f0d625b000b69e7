//! Rows that are made once, and read by all who share them.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Statistics, internal_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, reset_plan_states};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};

/// Bytes of rows that are kept for the others. Where there are more, or no memory for them, each makes its own.
const KEPT_BYTES: usize = 64 << 20;

/// What came of making the rows.
#[derive(Debug, Clone)]
enum Made {
    /// All of them, with the memory that they take.
    Rows(Arc<(Vec<RecordBatch>, MemoryReservation)>),
    TooMany,
}

type Making = Shared<BoxFuture<'static, Result<Made, Arc<DataFusionError>>>>;

/// The rows, once somebody has asked for them.
#[derive(Default)]
pub(super) struct SharedRows(Mutex<Option<Making>>);

impl fmt::Debug for SharedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedRows")
    }
}

impl SharedRows {
    /// What comes of making them, which the first who asks has begun: in a task of its own, since those who read may wait for
    /// each other.
    fn made(&self, input: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Result<Making> {
        // A poisoned lock only means that another thread ended before it began.
        let mut making = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(making) = &*making {
            return Ok(making.clone());
        }
        let rows = input.execute(0, Arc::clone(context))?;
        let reservation = MemoryConsumer::new("shared rows").register(context.memory_pool());
        let task = SpawnedTask::spawn(all(rows, reservation));
        let ended = async move {
            match task.join().await {
                Ok(made) => made.map_err(Arc::new),
                Err(error) => Err(Arc::new(DataFusionError::External(error.into()))),
            }
        };
        Ok(making.insert(ended.boxed().shared()).clone())
    }
}

async fn all(mut rows: SendableRecordBatchStream, reservation: MemoryReservation) -> Result<Made> {
    let mut kept = Vec::new();
    while let Some(batch) = rows.try_next().await? {
        let bytes = batch.get_array_memory_size();
        if reservation.size().saturating_add(bytes) > KEPT_BYTES || reservation.try_grow(bytes).is_err() {
            return Ok(Made::TooMany);
        }
        kept.push(batch);
    }
    Ok(Made::Rows(Arc::new((kept, reservation))))
}

/// Gives the shared rows, in one partition.
#[derive(Debug)]
pub(super) struct SharedExec {
    input: Arc<dyn ExecutionPlan>,
    rows: Arc<SharedRows>,
    properties: Arc<PlanProperties>,
}

impl SharedExec {
    /// `input` makes the rows, if nobody else has.
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, rows: Arc<SharedRows>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, rows, properties: Arc::new(properties) }
    }
}

impl DisplayAs for SharedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedExec")
    }
}

impl ExecutionPlan for SharedExec {
    fn name(&self) -> &'static str {
        "SharedExec"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self::new(input, Arc::clone(&self.rows)))),
            Err(children) => internal_err!("shared rows have 1 input, not {}", children.len()),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("shared rows have 1 partition, not {}", partition + 1);
        }
        let made = self.rows.made(&self.input, &context)?;
        let input = Arc::clone(&self.input);
        let rows = async move {
            match made.await.map_err(DataFusionError::Shared)? {
                Made::Rows(rows) => {
                    let count = rows.0.len();
                    let batch = move |place: usize| rows.0.get(place).cloned().map(Ok);
                    Ok::<_, DataFusionError>(stream::iter((0..count).filter_map(batch)).boxed())
                }
                Made::TooMany => Ok(reset_plan_states(input)?.execute(0, context)?.boxed()),
            }
        };
        let rows = stream::once(rows).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.input.schema(), rows)))
    }

    fn partition_statistics(&self, _: Option<usize>) -> Result<Statistics> {
        self.input.partition_statistics(None)
    }
}

#[cfg(test)]
mod tests;
