//! Jobs: state, versions of the definition, progress, and what the source was last seen to hold.
//!
//! Job, progress and source report lie under one partition key, so that a loader learns all it needs in one read.

use std::collections::BTreeMap;

use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::job::JobDefinition;
use penstock_kernel::progress::SourceProgress;
use penstock_kernel::state::{JobEvent, JobState, StateReason};
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::database::Created;
use crate::error::CatalogError;

/// A job, without its definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Its database.
    pub database: DatabaseId,
    /// Its table.
    pub table: TableId,
    /// Its state.
    pub state: JobState,
    /// Why it is PAUSED or CANCELLED.
    pub reason: Option<StateReason>,
    /// Current version of the definition.
    pub version: u32,
    /// Grows with PAUSE, RESUME, ALTER and STOP; a commit under an older fence is refused.
    pub fence: u64,
    /// Number of the current error window; see `SourceProgress::window`.
    pub window: u64,
    /// The event source mapping, once made.
    pub mapping: Option<String>,
    /// Milliseconds since the epoch.
    pub created_at_ms: i64,
    /// When it last became PAUSED; cleared by RESUME.
    pub paused_at_ms: Option<i64>,
    /// When it became STOPPED or CANCELLED.
    pub ended_at_ms: Option<i64>,
}

/// A failure that a job's owner should see; `OtherMsg` of SHOW.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// For a person.
    pub message: String,
    /// Names the attempt that failed.
    pub task: String,
}

/// What the source was last seen to hold. Written by whoever polls or watches the source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// High watermark (offset that the next record will get) of each source partition that the job reads.
    pub latest: BTreeMap<i32, i64>,
    /// When it was seen, milliseconds.
    pub at_ms: i64,
}

/// Failures counted and the last of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobTrouble {
    /// Batches that were refused or failed and will come again.
    pub aborted_tasks: u64,
    /// The last failure; cleared by RESUME.
    pub last_failure: Option<JobFailure>,
    /// Keys of the last three error files, newest last.
    pub error_files: Vec<String>,
}

/// Everything about a job that changes, read at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSnapshot {
    /// The job.
    pub job: Job,
    /// Progress by source partition, with the revision that a commit must find unchanged.
    pub progress: BTreeMap<i32, Revised<SourceProgress>>,
    /// What the source was last seen to hold.
    pub report: SourceReport,
    /// Failures.
    pub trouble: JobTrouble,
}

/// A value with the revision of the item it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revised<T> {
    /// The value.
    pub value: T,
    /// Grows with every write of the item.
    pub revision: i64,
}

/// What came of a change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The job as it is now.
    Now(Job),
    /// The job's state forbids it.
    Forbidden(penstock_kernel::state::IllegalTransition),
    /// There is no such job.
    Missing,
}

impl Catalog {
    /// Stores version 1 of a job in NEED_SCHEDULE. `definition.id` is set by the catalog. A live job of that name in
    /// the database is left as it is.
    pub async fn create_job(&self, _definition: JobDefinition) -> Result<Created<Job>, CatalogError> {
        todo!()
    }

    /// The live job (not STOPPED, not CANCELLED) of that name.
    pub async fn live_job(&self, _database: DatabaseId, _name: &str) -> Result<Option<Job>, CatalogError> {
        todo!()
    }

    /// All jobs of a database ever kept, ascending by id.
    pub async fn jobs(&self, _database: DatabaseId) -> Result<Vec<Job>, CatalogError> {
        todo!()
    }

    /// Job, progress, report and trouble in one consistent read.
    pub async fn job_snapshot(&self, _id: JobId) -> Result<Option<JobSnapshot>, CatalogError> {
        todo!()
    }

    /// A version of a job's definition; versions never change, so callers may keep them.
    pub async fn job_definition(&self, _id: JobId, _version: u32) -> Result<Option<JobDefinition>, CatalogError> {
        todo!()
    }

    /// Remembers the event source mapping of a job.
    pub async fn set_job_mapping(&self, _id: JobId, _mapping: &str) -> Result<(), CatalogError> {
        todo!()
    }

    /// Applies `event` to the job's state. PAUSE, RESUME, STOP and cancellation raise the fence of the job and of all
    /// its progress before they return, so that no batch in flight commits afterwards; repeating after a failure completes it.
    pub async fn change_job(&self, _id: JobId, _event: JobEvent) -> Result<Changed, CatalogError> {
        todo!()
    }

    /// Begins window `number` + 1 if the job is still in window `number`.
    pub async fn begin_window(&self, _id: JobId, _number: u64) -> Result<(), CatalogError> {
        todo!()
    }

    /// Records what the source holds. A NEED_SCHEDULE job becomes RUNNING.
    ///
    /// `starts` are source partitions with the offset at which the job starts them; one that has progress already
    /// keeps it.
    pub async fn report_source(&self, _id: JobId, _report: &SourceReport, _starts: &BTreeMap<i32, i64>) -> Result<(), CatalogError> {
        todo!()
    }

    /// Counts `aborted` failed batches and keeps `failure` as the last one. Best effort: two at once may count as one.
    pub async fn record_failure(&self, _id: JobId, _failure: JobFailure, _aborted: u64) -> Result<(), CatalogError> {
        todo!()
    }

    /// Keeps the key of an error file among the last three.
    pub async fn record_error_file(&self, _id: JobId, _key: &str) -> Result<(), CatalogError> {
        todo!()
    }
}
