//! What is told about a batch: to the job, for its owner to see, and to the log.
//!
//! Nothing here may fail a batch: when it happens the batch's fate is already decided, and what could not be told is
//! found again by the next batch or lost without harm. Bytes of records are never told.

use penstock_catalog::commit::{Commit, CommittedRange};
use penstock_catalog::job::{Changed, JobFailure, JobSnapshot};
use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::JobId;
use penstock_kernel::loaded::LoadStatistics;
use penstock_kernel::state::{JobEvent, JobState, StateReason};
use penstock_sql::replay::ReplayReply;

use super::{LoadReply, Loader, reasons};
use crate::error::{ErrorKind, LoadError};

/// Logs a batch that may be acknowledged.
pub(super) fn loaded(job: JobId, reply: &LoadReply, milliseconds: u64) {
    tracing::info!(
        job = job.0,
        ranges = %Ranges(&reply.ranges),
        records = reply.records,
        seen = reply.seen,
        dropped = reply.dropped,
        loaded = reply.statistics.loaded,
        rejected = reply.statistics.rejected,
        unselected = reply.statistics.unselected,
        received_bytes = reply.statistics.received_bytes,
        files = reply.files,
        file_bytes = reply.file_bytes,
        commits = reply.commits,
        paused = reply.paused,
        milliseconds,
        "batch loaded"
    );
}

/// Logs what became of a replay.
pub(super) fn replayed(job: JobId, replayed: &Result<ReplayReply, LoadError>, milliseconds: u64) {
    match replayed {
        Ok(reply) => tracing::info!(
            job = job.0,
            replayed = reply.replayed,
            loaded = reply.loaded,
            rejected = reply.rejected,
            unselected = reply.unselected,
            finished = reply.finished,
            milliseconds,
            "rejected rows replayed"
        ),
        Err(error) => {
            let (kind, message) = (error.name(), one_line(error));
            tracing::warn!(job = job.0, kind, milliseconds, "rejected rows not replayed: {message}");
        }
    }
}

/// Logs what could not be done besides.
pub(super) fn undone(job: JobId, what: &'static str, error: &dyn std::error::Error) {
    tracing::warn!(job = job.0, error = one_line(error), "could not {what}");
}

impl Loader {
    pub(super) async fn committed(&self, snapshot: &JobSnapshot, commit: &Commit, statistics: &LoadStatistics) {
        let job = snapshot.job.id;
        self.scheduled(snapshot).await;
        if let Some(file) = &commit.errors {
            self.record_error_file(job, &file.key).await;
        }
        if statistics.loaded == 0 {
            // The progress counts the task, so it is not counted here.
            self.record_failure(job, reasons::NO_ROWS.to_owned(), &commit.id, 0).await;
        }
    }

    /// The first records prove that the source was found.
    pub(super) async fn scheduled(&self, snapshot: &JobSnapshot) {
        if snapshot.job.state == JobState::NeedSchedule {
            self.apply(snapshot.job.id, JobEvent::Scheduled).await;
        }
    }

    /// Applies `event`; false if nobody knows whether it took place.
    pub(super) async fn apply(&self, job: JobId, event: JobEvent) -> bool {
        match self.catalog.change_job(job, event.clone()).await {
            Ok(Changed::Now(_)) => {
                match &event {
                    JobEvent::Pause(reason) => steered(job, "job paused", reason),
                    JobEvent::Cancel(reason) => steered(job, "job cancelled", reason),
                    _ => {}
                }
                true
            }
            // Somebody else was first, which is as good.
            Ok(Changed::Forbidden(_) | Changed::Missing) => true,
            Err(error) => {
                undone(job, "change the job's state", &error);
                false
            }
        }
    }

    pub(super) async fn begin_window(&self, snapshot: &JobSnapshot) {
        let job = &snapshot.job;
        if let Err(error) = self.catalog.begin_window(job.id, job.window).await {
            undone(job.id, "begin an error window", &error);
        }
    }

    pub(super) async fn record_error_file(&self, job: JobId, key: &str) {
        if let Err(error) = self.catalog.record_error_file(job, key).await {
            undone(job, "record an error file", &error);
        }
    }

    /// The files `gone` hold no rejected row any more, `left` holds those that are left of them.
    pub(super) async fn replaced_error_files(&self, job: JobId, gone: &[String], left: Option<&str>) {
        if let Err(error) = self.catalog.replace_error_files(job, gone, left).await {
            undone(job, "record an error file", &error);
        }
    }

    async fn record_failure(&self, job: JobId, message: String, attempt: &str, aborted: u64) {
        let failure = JobFailure { at_ms: self.now_ms(), message, task: reasons::task_name(job, attempt) };
        if let Err(error) = self.catalog.record_failure(job, failure, aborted).await {
            undone(job, "record a failure", &error);
        }
    }

    pub(super) async fn failed(&self, job: JobId, error: &LoadError, bytes: usize, milliseconds: u64) {
        let (kind, message) = (error.name(), one_line(error));
        match error.kind() {
            ErrorKind::Retry | ErrorKind::Job => {
                tracing::warn!(job = job.0, kind, bytes, milliseconds, "batch not loaded: {message}");
            }
            ErrorKind::Deployment | ErrorKind::Bug => {
                tracing::error!(job = job.0, kind, bytes, milliseconds, "batch not loaded: {message}");
            }
        }
        match error {
            // The catalog would have to take what it just failed at, or the job says so already.
            LoadError::Catalog(_) | LoadError::UnknownJob { .. } | LoadError::NotLoading { .. } => {}
            _ => {
                let attempt = self.catalog.clock().unique();
                self.record_failure(job, message, &attempt, 1).await;
            }
        }
    }
}

fn steered(job: JobId, what: &'static str, reason: &StateReason) {
    tracing::warn!(job = job.0, code = reason.code, reason = reason.message, "{what}");
}

/// Prints ranges as `0:[5,9) 1:[0,3)`.
struct Ranges<'a>(&'a [CommittedRange]);

impl std::fmt::Display for Ranges<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, range) in self.0.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            let CommittedRange { source_partition, from_offset, to_offset, .. } = range;
            write!(f, "{space}{source_partition}:[{from_offset},{to_offset})")?;
        }
        Ok(())
    }
}
