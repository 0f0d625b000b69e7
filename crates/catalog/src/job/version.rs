//! Versions of a job's definition: ALTER makes the next one, and says at which offsets it begins.
//!
//! A version begins in one transaction: the job, the definition, the record of where it begins, and every progress item
//! under the new fence, each from the very revision that was read. So a batch in flight commits before the boundary or
//! not at all, in a RUNNING job too, and offsets that ALTER moves are moved with it. Where a job has more source
//! partitions than a transaction holds it has to be PAUSED, when nothing can commit; the record is written first then,
//! and whoever raises fences next finishes what a failure left undone.

use std::collections::BTreeMap;

use penstock_kernel::ids::JobId;
use penstock_kernel::job::JobDefinition;
use penstock_kernel::progress::SourceProgress;
use penstock_kernel::state::{IllegalTransition, JobState};
use serde::{Deserialize, Serialize};

use super::report::not_begun;
use super::{Changed, Job, Revised};
use crate::Catalog;
use crate::error::CatalogError;
use crate::key;
use crate::record::{self, Record};
use crate::store::{MAX_TRANSACTION_WRITES, Write, WriteOutcome};
use crate::update::Race;

/// Writes of a new version beside those of progress: the job, the definition, its beginning, that of the first version.
const OTHER_WRITES: usize = 4;

/// What ALTER asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alteration {
    /// The new definition; its `version` names the version that it was made from.
    pub definition: JobDefinition,
    /// Source partitions to move, each with its new `next_offset`: backwards loads again, forwards skips. One that stands
    /// there already loads on from there, even if its consumer group is ahead.
    pub moves: BTreeMap<i32, i64>,
    /// The job's mapping is to be made anew: the one that it has is forgotten.
    pub forget_mapping: bool,
}

/// Where a version of a job began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionBeginning {
    /// The version.
    pub version: u32,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// The fence that it began under.
    pub fence: u64,
    /// By source partition that had progress, or was given some.
    pub sources: BTreeMap<i32, SourceBeginning>,
}

/// Where a version began in one source partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceBeginning {
    /// `next_offset` of the version before when it ended; `None` if it had not begun the source partition.
    pub ended: Option<i64>,
    /// `next_offset` with which this version begins. Less than `ended`: the offsets between are loaded again; more: they
    /// are skipped.
    pub begins: i64,
}

/// A version of a job's definition, with where it began if that is recorded: from the first ALTER on, of all versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobVersion {
    /// The definition.
    pub definition: JobDefinition,
    /// Where it began.
    pub beginning: Option<VersionBeginning>,
}

/// What came of an ALTER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Altered {
    /// The job as it is now.
    Now(Job),
    /// The job has ended.
    Ended(IllegalTransition),
    /// Its source partitions do not fit a transaction: it has to be PAUSED first.
    PauseFirst {
        /// How many there are.
        source_partitions: usize,
    },
    /// There is no such job.
    Missing,
}

impl Record for VersionBeginning {}

impl Catalog {
    /// Makes `alteration` the next version of a job that has not ended; its state stays. Id and new version are set by the
    /// catalog. The fences are raised as [`change_job`](Self::change_job) does, and repeating completes it.
    ///
    /// # Errors
    /// [`CatalogError::Contended`] if the job has another version by now: make the change to that.
    pub async fn alter_job(&self, id: JobId, alteration: &Alteration) -> Result<Altered, CatalogError> {
        let key = key::job(id);
        let made_from = alteration.definition.version;
        let definition = JobDefinition { id, version: made_from.saturating_add(1), ..alteration.definition.clone() };
        let mut race = Race::about(&key);
        loop {
            let Some(read) = self.read::<Job>(&key).await? else {
                return Ok(Altered::Missing);
            };
            let job = &read.value;
            if job.version == definition.version
                && self.job_definition(id, job.version).await?.as_ref() == Some(&definition)
            {
                self.settle(job).await?;
                return Ok(Altered::Now(read.value));
            }
            if job.state.is_final() {
                return Ok(Altered::Ended(IllegalTransition { from: job.state, to: job.state }));
            }
            if job.version != made_from {
                return Err(CatalogError::Contended { key: key.to_string() });
            }
            // What a PAUSE left undone, so that nothing moves any more while it is PAUSED.
            self.settle(job).await?;
            let progress = self.progress(id).await?;
            let fresh = alteration.moves.keys().filter(|moved| !progress.contains_key(moved)).count();
            let at_once = progress.len() + fresh <= MAX_TRANSACTION_WRITES - OTHER_WRITES;
            if !at_once && job.state != JobState::Paused {
                return Ok(Altered::PauseFirst { source_partitions: progress.len() + fresh });
            }
            let beginning = beginning(&definition, job, &progress, alteration, self.clock.now_ms());
            let after = Job {
                version: definition.version,
                fence: beginning.fence,
                mapping: if alteration.forget_mapping { None } else { job.mapping.clone() },
                rewound: job.rewound || is_rewound(&beginning, alteration),
                ..job.clone()
            };
            let mut writes = vec![
                record::next(&key, &after, read.revision)?,
                record::first(&key::version(id, after.version), &definition)?,
                record::first(&key::beginning(id, after.version), &beginning)?,
            ];
            if made_from == 1 {
                writes.push(record::first(&key::beginning(id, 1), &first_beginning(job, &progress))?);
            }
            if at_once {
                writes.extend(moves(id, &progress, &beginning)?);
            }
            if self.write_once(writes).await? == WriteOutcome::Done {
                // Also what a batch began between the two reads.
                self.settle(&after).await?;
                return Ok(Altered::Now(after));
            }
            race.lost(&*self.clock).await?;
        }
    }

    /// Makes `definition` the next version without moving anything. As [`alter_job`](Self::alter_job).
    pub async fn add_job_version(&self, id: JobId, definition: JobDefinition) -> Result<Changed, CatalogError> {
        let alteration = Alteration { definition, moves: BTreeMap::new(), forget_mapping: false };
        Ok(match self.alter_job(id, &alteration).await? {
            Altered::Now(job) => Changed::Now(job),
            Altered::Ended(illegal) => Changed::Forbidden(illegal),
            Altered::PauseFirst { .. } => {
                Changed::Forbidden(IllegalTransition { from: JobState::Running, to: JobState::Paused })
            }
            Altered::Missing => Changed::Missing,
        })
    }

    /// All versions of a job, ascending.
    pub async fn job_versions(&self, id: JobId) -> Result<Vec<JobVersion>, CatalogError> {
        let definitions: Vec<JobDefinition> = self.list(&key::in_versions(id), key::VERSIONS).await?;
        let beginnings: Vec<VersionBeginning> = self.list(&key::in_versions(id), key::BEGINNINGS).await?;
        let mut beginnings: BTreeMap<u32, VersionBeginning> =
            beginnings.into_iter().map(|beginning| (beginning.version, beginning)).collect();
        let versions = definitions.into_iter().map(|definition| {
            let beginning = beginnings.remove(&definition.version);
            JobVersion { definition, beginning }
        });
        Ok(versions.collect())
    }

    /// Where a version began, if that is recorded.
    pub(super) async fn beginning(&self, id: JobId, version: u32) -> Result<Option<VersionBeginning>, CatalogError> {
        Ok(self.read(&key::beginning(id, version)).await?.map(|read| read.value))
    }

    async fn progress(&self, id: JobId) -> Result<BTreeMap<i32, Revised<SourceProgress>>, CatalogError> {
        let mut progress = BTreeMap::new();
        for (key, item) in self.store.query(&key::in_job(id), key::PROGRESS).await? {
            if let Some(source_partition) = key::source_partition(&key.sk) {
                progress.insert(source_partition, record::decode(&key, &item)?);
            }
        }
        Ok(progress)
    }
}

fn beginning(
    definition: &JobDefinition,
    job: &Job,
    progress: &BTreeMap<i32, Revised<SourceProgress>>,
    alteration: &Alteration,
    now_ms: i64,
) -> VersionBeginning {
    let mut sources: BTreeMap<i32, SourceBeginning> = alteration
        .moves
        .iter()
        .map(|(source_partition, begins)| (*source_partition, SourceBeginning { ended: None, begins: *begins }))
        .collect();
    for (source_partition, read) in progress {
        let ended = read.value.next_offset;
        let begins = alteration.moves.get(source_partition).copied().unwrap_or(ended);
        sources.insert(*source_partition, SourceBeginning { ended: Some(ended), begins });
    }
    VersionBeginning { version: definition.version, at_ms: now_ms, fence: job.fence.saturating_add(1), sources }
}

/// Version 1 as its progress tells it: recorded before the first ALTER can move a start.
fn first_beginning(job: &Job, progress: &BTreeMap<i32, Revised<SourceProgress>>) -> VersionBeginning {
    let sources = progress.iter().map(|(source_partition, read)| {
        (*source_partition, SourceBeginning { ended: None, begins: read.value.start_offset })
    });
    VersionBeginning { version: 1, at_ms: job.created_at_ms, fence: 1, sources: sources.collect() }
}

/// Whether records are needed that a consumer group may have passed.
fn is_rewound(beginning: &VersionBeginning, alteration: &Alteration) -> bool {
    beginning.sources.iter().any(|(source_partition, source)| match source.ended {
        Some(ended) => alteration.moves.contains_key(source_partition) && source.begins <= ended,
        None => true,
    })
}

/// The writes that give every progress item the new fence, and the offset that the version begins with.
fn moves(
    id: JobId,
    progress: &BTreeMap<i32, Revised<SourceProgress>>,
    beginning: &VersionBeginning,
) -> Result<Vec<Write>, CatalogError> {
    let mut writes = Vec::with_capacity(beginning.sources.len());
    for (source_partition, source) in &beginning.sources {
        let key = key::progress(id, *source_partition);
        writes.push(match progress.get(source_partition) {
            None => record::first(&key, &not_begun(source.begins, beginning.fence))?,
            Some(read) => {
                let mut moved = read.value.clone();
                moved.move_to(source.begins);
                moved.fence = beginning.fence;
                record::next(&key, &moved, read.revision)?
            }
        });
    }
    Ok(writes)
}
