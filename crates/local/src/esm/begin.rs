//! Begins to read source partitions for a job: resolves where the job starts, tells the catalog, and only then assigns
//! them, so that no record is delivered before its start is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use penstock_catalog::Catalog;
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::{JobSnapshot, SourceReport};
use penstock_kernel::ids::JobId;
use penstock_kernel::state::{JobEvent, JobState, StateReason, reason};

use super::source::{Source, SourceError};
use super::starts::{late, not_ahead, starts};

/// What came of it.
pub(super) enum Begin {
    /// They are read from now on.
    Started {
        /// Source partitions that the job reads; `None`: all.
        reads: Option<BTreeSet<i32>>,
    },
    /// The job is STOPPED or CANCELLED.
    JobEnded,
}

/// They cannot be read yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum BeginError {
    /// The cluster did not answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The catalog did not answer.
    #[error("the catalog cannot tell where the job stands: {0}")]
    Catalog(#[from] CatalogError),
    /// The catalog does not have the job.
    #[error("the catalog has no job {job}")]
    Missing {
        /// The job.
        job: JobId,
    },
    /// The job wants to begin behind the end of the log, and is PAUSED therefore.
    #[error("{why}")]
    BehindTheEnd {
        /// As `ReasonOfStateChanged` has it.
        why: String,
    },
    /// Source partitions vanished between two questions.
    #[error("source partitions have no offsets yet")]
    Unplaced,
    /// A question was cut off because the process ends.
    #[error("the Kafka client was not asked: {0}")]
    CutOff(#[from] tokio::task::JoinError),
}

/// Begins to read `fresh`. `latest` holds the high watermarks of all source partitions.
pub(super) async fn begin(
    catalog: &Catalog,
    source: &Arc<Source>,
    job: JobId,
    fresh: &BTreeSet<i32>,
    latest: &BTreeMap<i32, i64>,
) -> Result<Begin, BeginError> {
    let missing = BeginError::Missing { job };
    let Some(snapshot) = catalog.job_snapshot(job).await? else {
        return Err(missing);
    };
    if snapshot.job.state.is_final() {
        return Ok(Begin::JobEnded);
    }
    let Some(definition) = catalog.job_definition(job, snapshot.job.version).await? else {
        return Err(missing);
    };
    let reads: Option<BTreeSet<i32>> = definition.source.pinned.as_ref().map(|pinned| pinned.keys().copied().collect());

    let known = snapshot.report.latest.keys().chain(snapshot.progress.keys()).copied().collect();
    let late = late(fresh, &known);
    let since_ms = snapshot.job.created_at_ms;
    let (positions, bounds) = {
        let (source, fresh, late) = (Arc::clone(source), fresh.clone(), late.clone());
        tokio::task::spawn_blocking(move || {
            Ok::<_, SourceError>((source.positions(&fresh, &late)?, source.bounds(&fresh, since_ms)?))
        })
        .await??
    };
    let unstarted = fresh.iter().copied().filter(|id| !snapshot.progress.contains_key(id)).collect();
    let started = starts(&definition.source, &unstarted, &late, &bounds);
    let report = SourceReport { latest: read_only(latest, reads.as_ref()), at_ms: catalog.clock().now_ms() };
    catalog.report_source(job, &report, &started).await?;
    if let Some(why) = behind_the_end(&snapshot, &started, &report.latest) {
        if snapshot.job.state != JobState::Paused {
            let why = StateReason { code: reason::TASKS_ABORTED, message: why.clone() };
            catalog.change_job(job, JobEvent::Pause(why)).await?;
        }
        return Err(BeginError::BehindTheEnd { why });
    }

    let mut needed = started;
    needed.extend(snapshot.progress.iter().map(|(id, progress)| (*id, progress.value.next_offset)));
    if positions.len() < fresh.len() {
        // Not read is not lost only as long as it is not taken for read.
        return Err(BeginError::Unplaced);
    }
    let positions = not_ahead(&positions, &needed);
    tracing::info!(%job, ?positions, "reading source partitions");
    let source = Arc::clone(source);
    tokio::task::spawn_blocking(move || source.assign(&positions)).await??;
    Ok(Begin::Started { reads })
}

/// Why nothing can be read, if a source partition of which nothing was loaded begins behind the end of its log.
fn behind_the_end(snapshot: &JobSnapshot, started: &BTreeMap<i32, i64>, latest: &BTreeMap<i32, i64>) -> Option<String> {
    latest.iter().find_map(|(source_partition, latest)| {
        let progress = snapshot.progress.get(source_partition).map(|progress| &progress.value);
        // Once records were loaded, what the log holds of them is no matter of where the job begins.
        let untouched = progress.filter(|progress| progress.next_offset == progress.start_offset);
        let begins = *started.get(source_partition).or(untouched.map(|progress| &progress.next_offset))?;
        (begins > *latest).then(|| {
            format!(
                "FE aborts the task with reason: failed to check task ready to execute, err: Consume offset: {begins} \
                 is greater than the latest offset: {latest} in kafka partition: {source_partition}. Set \
                 'kafka_offsets' with ALTER ROUTINE LOAD, then RESUME ROUTINE LOAD"
            )
        })
    })
}

/// The part of `latest` that the job reads.
pub(super) fn read_only(latest: &BTreeMap<i32, i64>, reads: Option<&BTreeSet<i32>>) -> BTreeMap<i32, i64> {
    latest
        .iter()
        .filter(|(source_partition, _)| reads.is_none_or(|reads| reads.contains(*source_partition)))
        .map(|(source_partition, next)| (*source_partition, *next))
        .collect()
}
