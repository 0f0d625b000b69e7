//! A started query whose rows are being taken.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::{FutureExt, StreamExt};
use penstock_sql::error::{SqlError, code};
use penstock_sql::result::Cell;
use tokio::time::{Instant, timeout_at};

use crate::cell;
use crate::config::QuerySettings;
use crate::failure::{cause, of_query, unexpected};
use crate::report::{Outcome, Report};

/// Batches as they are made, until the last, an error, or the deadline.
pub(crate) struct Running {
    /// `None` after the end.
    batches: Option<SendableRecordBatchStream>,
    report: Arc<Report>,
    deadline: Instant,
    memory_bytes: usize,
    time_limit: Duration,
}

impl Running {
    pub(crate) fn new(
        batches: SendableRecordBatchStream,
        report: Arc<Report>,
        deadline: Instant,
        settings: &QuerySettings,
    ) -> Self {
        let QuerySettings { memory_bytes, time_limit, .. } = *settings;
        Self { batches: Some(batches), report, deadline, memory_bytes, time_limit }
    }

    /// When the query has taken too long.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The next rows; `None` after the last, or after an error.
    pub(crate) async fn next(&mut self) -> Option<Result<Vec<Vec<Cell>>, SqlError>> {
        loop {
            let batches = self.batches.as_mut()?;
            let failed = match timeout_at(self.deadline, AssertUnwindSafe(batches.next()).catch_unwind()).await {
                Ok(Ok(Some(Ok(batch)))) if batch.num_rows() == 0 => continue,
                Ok(Ok(Some(Ok(batch)))) => match cell::rows(&batch) {
                    Ok(rows) => {
                        self.report.rows.fetch_add(u64::try_from(rows.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
                        return Some(Ok(rows));
                    }
                    Err(error) => self.failed(&error.into()),
                },
                Ok(Ok(Some(Err(error)))) => self.failed(&error),
                Ok(Err(panic)) => Failed::panicked(&*panic),
                Ok(Ok(None)) => {
                    self.batches = None;
                    self.report.log(Outcome::Answered);
                    return None;
                }
                Err(_) => Failed::too_long(self.time_limit),
            };
            self.batches = None;
            self.report.log(Outcome::Failed(&failed.error, failed.cause.as_deref()));
            return Some(Err(failed.error));
        }
    }

    fn failed(&self, error: &DataFusionError) -> Failed {
        Failed { error: of_query(error, &self.report, self.memory_bytes), cause: Some(cause(error, &self.report)) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Does nothing if the end was logged already.
        self.report.log(Outcome::Left);
    }
}

/// Why a statement failed.
pub(crate) struct Failed {
    /// For the client.
    pub(crate) error: SqlError,
    /// For the log.
    pub(crate) cause: Option<String>,
}

impl From<SqlError> for Failed {
    fn from(error: SqlError) -> Self {
        Self { error, cause: None }
    }
}

impl Failed {
    /// A bug in the engine. The statement fails; the process, which serves others, goes on.
    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let message = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
        Self { error: unexpected(), cause: message }
    }

    pub(crate) fn too_long(limit: Duration) -> Self {
        let message = format!("the query took longer than {} s", limit.as_secs_f64());
        SqlError::new(code::INTERNAL, message).with_hint("filter more, or raise PENSTOCK_QUERY_TIME_LIMIT_S").into()
    }
}
