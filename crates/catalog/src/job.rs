//! Jobs: state, versions of the definition, progress, and what the source was last seen to hold.
//!
//! Job, progress and source report lie under one partition key, so that a loader learns all it needs in one read. What
//! moves a job from state to state is in `job/change.rs`, what is reported about it in `job/report.rs`.

use std::collections::BTreeMap;

use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::job::JobDefinition;
use penstock_kernel::progress::SourceProgress;
use penstock_kernel::state::{JobState, StateReason};
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::database::Created;
use crate::error::CatalogError;
use crate::key;
use crate::record::{self, Record};
use crate::rejected::ReplayCounts;
use crate::store::WriteOutcome;
use crate::update::{Change, Race};

mod change;
mod report;
mod version;

pub use version::{Alteration, Altered, JobVersion, SourceBeginning, VersionBeginning};

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
    /// ALTER moved it back: a mapping made from now on must begin at the oldest record.
    #[serde(default)]
    pub rewound: bool,
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
    /// Keys of the last three error files whose rows are still rejected, newest last.
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
    /// What REPLAY has done so far; `None` if nothing. Its revision is what the next replay must find unchanged.
    pub replays: Option<Revised<ReplayCounts>>,
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

impl Record for Job {
    fn attributes(&self) -> Vec<(&'static str, u64)> {
        vec![(FENCE, self.fence)]
    }
}

impl Record for JobId {}
impl Record for JobDefinition {}
impl Record for SourceProgress {}
impl Record for SourceReport {}
impl Record for JobTrouble {}

/// The attribute that a commit checks where there is no progress yet whose revision it could check.
pub(crate) const FENCE: &str = "fence";

impl Catalog {
    /// Stores version 1 of a job in NEED_SCHEDULE. `definition.id` and `definition.version` are set by the catalog. A
    /// live job of that name in the database is left as it is.
    pub async fn create_job(&self, mut definition: JobDefinition) -> Result<Created<Job>, CatalogError> {
        let name = key::live_job(definition.database, &definition.name);
        let mut race = Race::about(&name);
        loop {
            if let Some(job) = self.live_job(definition.database, &definition.name).await? {
                return Ok(Created::Exists(job));
            }
            definition.id = JobId(self.next_id().await?);
            definition.version = 1;
            let job = Job {
                id: definition.id,
                name: definition.name.clone(),
                database: definition.database,
                table: definition.table,
                state: JobState::NeedSchedule,
                reason: None,
                version: definition.version,
                fence: 1,
                window: 0,
                mapping: None,
                rewound: false,
                created_at_ms: self.clock.now_ms(),
                paused_at_ms: None,
                ended_at_ms: None,
            };
            let writes = vec![
                record::first(&name, &job.id)?,
                record::first(&key::job_of_database(job.database, job.id), &job.id)?,
                record::first(&key::job(job.id), &job)?,
                record::first(&key::version(job.id, job.version), &definition)?,
            ];
            if self.write_once(writes).await? == WriteOutcome::Done {
                return Ok(Created::New(job));
            }
            race.lost(&*self.clock).await?;
        }
    }

    /// The live job (not STOPPED, not CANCELLED) of that name.
    pub async fn live_job(&self, database: DatabaseId, name: &str) -> Result<Option<Job>, CatalogError> {
        let Some(id) = self.read::<JobId>(&key::live_job(database, name)).await? else {
            return Ok(None);
        };
        let job = self.read::<Job>(&key::job(id.value)).await?.map(|read| read.value);
        // It may have ended between the two reads.
        Ok(job.filter(|job| !job.state.is_final()))
    }

    /// All jobs of a database ever kept, ended ones too, ascending by id.
    pub async fn jobs(&self, database: DatabaseId) -> Result<Vec<Job>, CatalogError> {
        let ids: Vec<JobId> = self.list(&key::in_database(database), key::JOBS).await?;
        self.read_all(ids.into_iter().map(key::job).collect()).await
    }

    /// The live jobs of a database, ascending by id. Jobs that have ended cost nothing.
    pub async fn live_jobs(&self, database: DatabaseId) -> Result<Vec<Job>, CatalogError> {
        let mut ids: Vec<JobId> = self.list(&key::in_database(database), key::LIVE_JOBS).await?;
        ids.sort_unstable();
        let mut jobs: Vec<Job> = self.read_all(ids.into_iter().map(key::job).collect()).await?;
        // Some may have ended between the two reads.
        jobs.retain(|job| !job.state.is_final());
        Ok(jobs)
    }

    /// The live jobs of a database that load the table, ascending by id: what DROP TABLE has to end.
    pub async fn jobs_of_table(&self, database: DatabaseId, table: TableId) -> Result<Vec<Job>, CatalogError> {
        let mut jobs = self.live_jobs(database).await?;
        jobs.retain(|job| job.table == table);
        Ok(jobs)
    }

    /// Job, progress, report and trouble in one consistent read.
    ///
    /// Each item is the newest, but not all of one moment: the job may be older than its progress, never younger. The
    /// fences tell, and [`commit`](Self::commit) looks at them.
    pub async fn job_snapshot(&self, id: JobId) -> Result<Option<JobSnapshot>, CatalogError> {
        let mut job = None;
        let mut progress = BTreeMap::new();
        let mut report = SourceReport::default();
        let mut trouble = JobTrouble::default();
        let mut replays = None;
        let (report_key, trouble_key, replays_key) = (key::report(id), key::trouble(id), key::replays(id));
        for (key, item) in self.store.query(&key::in_job(id), "").await? {
            if let Some(source_partition) = key::source_partition(&key.sk) {
                progress.insert(source_partition, record::decode(&key, &item)?);
            } else if key == report_key {
                report = record::decode(&key, &item)?.value;
            } else if key == trouble_key {
                trouble = record::decode(&key, &item)?.value;
            } else if key == replays_key {
                replays = Some(record::decode(&key, &item)?);
            } else if key == key::job(id) {
                job = Some(record::decode(&key, &item)?.value);
            }
        }
        Ok(job.map(|job| JobSnapshot { job, progress, report, trouble, replays }))
    }

    /// A version of a job's definition; versions never change, so callers may keep them.
    pub async fn job_definition(&self, id: JobId, version: u32) -> Result<Option<JobDefinition>, CatalogError> {
        Ok(self.read(&key::version(id, version)).await?.map(|read| read.value))
    }

    /// Remembers the event source mapping of a job.
    pub async fn set_job_mapping(&self, id: JobId, mapping: &str) -> Result<(), CatalogError> {
        self.update(&key::job(id), |job: Option<&Job>| match job {
            Some(job) if job.mapping.as_deref() != Some(mapping) => {
                Change::To(Job { mapping: Some(mapping.to_owned()), ..job.clone() })
            }
            _ => Change::Leave,
        })
        .await?;
        Ok(())
    }

    /// Begins window `number` + 1 if the job is still in window `number`.
    pub async fn begin_window(&self, id: JobId, number: u64) -> Result<(), CatalogError> {
        self.update(&key::job(id), |job: Option<&Job>| match job {
            Some(job) if job.window == number => Change::To(Job { window: number.saturating_add(1), ..job.clone() }),
            _ => Change::Leave,
        })
        .await?;
        Ok(())
    }
}
