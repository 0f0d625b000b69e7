//! What others report about a job: what its source holds, what failed, where rejected rows lie.

use std::collections::BTreeMap;

use penstock_kernel::ids::JobId;
use penstock_kernel::loaded::LoadStatistics;
use penstock_kernel::progress::{ErrorWindow, SourceProgress};
use penstock_kernel::state::{JobEvent, JobState};
use penstock_kernel::usage::Usage;

use super::{FENCE, JobFailure, JobSnapshot, JobTrouble, SourceReport};
use crate::Catalog;
use crate::error::CatalogError;
use crate::key;
use crate::record;
use crate::store::{Action, MAX_TRANSACTION_WRITES, Write, WriteOutcome};
use crate::update::{Change, Race};

/// Error files that a job remembers.
const ERROR_FILES: usize = 3;

impl Catalog {
    /// Records what the source holds, unless something newer is known. A NEED_SCHEDULE job becomes RUNNING.
    ///
    /// `starts` are source partitions with the offset at which the job starts them; one that has progress already
    /// keeps it. A job that is gone or has ended is left as it is.
    pub async fn report_source(
        &self,
        id: JobId,
        report: &SourceReport,
        starts: &BTreeMap<i32, i64>,
    ) -> Result<(), CatalogError> {
        let Some(snapshot) = self.begin_progress(id, starts).await? else {
            return Ok(());
        };
        self.update(&key::report(id), |stored: Option<&SourceReport>| match stored {
            Some(stored) if stored == report || stored.at_ms > report.at_ms => Change::Leave,
            _ => Change::To(report.clone()),
        })
        .await?;
        if snapshot.job.state == JobState::NeedSchedule {
            // A PAUSE that comes between forbids it, rightly.
            self.change_job(id, JobEvent::Scheduled).await?;
        }
        Ok(())
    }

    /// Counts `aborted` failed batches and keeps `failure` as the last one.
    pub async fn record_failure(&self, id: JobId, failure: JobFailure, aborted: u64) -> Result<(), CatalogError> {
        self.update(&key::trouble(id), |stored: Option<&JobTrouble>| {
            let mut trouble = stored.cloned().unwrap_or_default();
            trouble.aborted_tasks = trouble.aborted_tasks.saturating_add(aborted);
            trouble.last_failure = Some(failure.clone());
            Change::To(trouble)
        })
        .await?;
        Ok(())
    }

    /// Keeps the key of an error file among the last three. One that is among them stays where it is.
    pub async fn record_error_file(&self, id: JobId, file: &str) -> Result<(), CatalogError> {
        self.update(&key::trouble(id), |stored: Option<&JobTrouble>| {
            let mut trouble = stored.cloned().unwrap_or_default();
            if trouble.error_files.iter().any(|known| known == file) {
                return Change::Leave;
            }
            trouble.error_files.push(file.to_owned());
            let too_many = trouble.error_files.len().saturating_sub(ERROR_FILES);
            trouble.error_files.drain(..too_many);
            Change::To(trouble)
        })
        .await?;
        Ok(())
    }

    /// Forgets the keys `gone`, whose rows a replay has taken, and keeps `file`, if there is one, among the last three.
    pub async fn replace_error_files(
        &self,
        id: JobId,
        gone: &[String],
        file: Option<&str>,
    ) -> Result<(), CatalogError> {
        self.update(&key::trouble(id), |stored: Option<&JobTrouble>| {
            let mut trouble = stored.cloned().unwrap_or_default();
            trouble.error_files.retain(|known| !gone.contains(known));
            trouble.error_files.extend(file.map(str::to_owned));
            let too_many = trouble.error_files.len().saturating_sub(ERROR_FILES);
            trouble.error_files.drain(..too_many);
            if stored.is_some_and(|stored| stored.error_files == trouble.error_files) {
                Change::Leave
            } else {
                Change::To(trouble)
            }
        })
        .await?;
        Ok(())
    }

    /// Gives those of `starts` a progress item that have none, under the job's fence: a snapshot that shows the item
    /// shows that fence as well. Returns the snapshot afterwards; `None` if the job cannot go on.
    async fn begin_progress(
        &self,
        id: JobId,
        starts: &BTreeMap<i32, i64>,
    ) -> Result<Option<JobSnapshot>, CatalogError> {
        let job_key = key::job(id);
        let mut race = Race::about(&job_key);
        loop {
            let snapshot = self.job_snapshot(id).await?.filter(|snapshot| !snapshot.job.state.is_final());
            let Some(snapshot) = snapshot else {
                return Ok(None);
            };
            let fence = snapshot.job.fence;
            let mut writes = vec![Write {
                key: job_key.clone(),
                condition: record::attribute_is(FENCE, fence),
                action: Action::Check,
            }];
            let missing =
                starts.iter().filter(|(source_partition, _)| !snapshot.progress.contains_key(source_partition));
            for (source_partition, start_offset) in missing.take(MAX_TRANSACTION_WRITES - 1) {
                let key = key::progress(id, *source_partition);
                writes.push(record::first(&key, &not_begun(*start_offset, fence))?);
            }
            if writes.len() == 1 {
                return Ok(Some(snapshot));
            }
            if self.write_once(writes).await? != WriteOutcome::Done {
                race.lost(&*self.clock).await?;
            }
        }
    }
}

/// Progress of a source partition of which nothing is committed.
pub(super) fn not_begun(start_offset: i64, fence: u64) -> SourceProgress {
    SourceProgress {
        start_offset,
        next_offset: start_offset,
        fence,
        last_timestamp_ms: None,
        max_timestamp_ms: None,
        statistics: LoadStatistics::default(),
        skipped: 0,
        committed_tasks: 0,
        empty_tasks: 0,
        execute_ms: 0,
        window: ErrorWindow::default(),
        passed_over: Vec::new(),
        usage: Usage::default(),
    }
}
