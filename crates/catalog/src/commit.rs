//! Commits: files and the offsets they come from, made visible together.

use std::collections::BTreeMap;

use penstock_kernel::encode::ColumnStatistics;
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::loaded::{LoadStatistics, TablePartition};
use penstock_kernel::progress::SourceProgress;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::error::CatalogError;
use crate::job::{FENCE, Revised};
use crate::key;
use crate::record::{self, Record};
use crate::rejected::{Rejection, Replay};
use crate::store::{self, Action, Item, Key, Write, WriteOutcome};

pub(crate) mod size;

/// A file of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFile {
    /// Key relative to the volume's location.
    pub key: String,
    /// The part of the table that it belongs to.
    pub table_partition: TablePartition,
    /// Rows in it, at least 1.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// What is known of its columns; may be empty.
    pub columns: Vec<ColumnStatistics>,
    /// CRC-32C of its bytes, if whoever wrote it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<u32>,
    /// Whether its rows ascend by the table's key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sorted: bool,
}

/// A file of rejected rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorFile {
    /// Key relative to the volume's location.
    pub key: String,
    /// Rows in it, at least 1.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// What is known of its columns, by the ids of `penstock_kernel::rejected::schema`; may be empty.
    #[serde(default)]
    pub columns: Vec<ColumnStatistics>,
}

/// What a commit did to one source partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedRange {
    /// The source partition.
    pub source_partition: i32,
    /// `next_offset` before: the range begins here, even if the first record came later.
    pub from_offset: i64,
    /// `next_offset` after (exclusive).
    pub to_offset: i64,
    /// Offsets of the range that held no record for us.
    pub skipped: u64,
    /// Those of them that lie between `from_offset` and the first record that was delivered. The log has no records there, or
    /// whoever delivers had passed them: a batch does not tell. What lies between two records of a batch the log does not
    /// have.
    #[serde(default, skip_serializing_if = "is_none")]
    pub jumped: u64,
    /// Counts.
    pub statistics: LoadStatistics,
}

/// An immutable fact: these files hold what came of these ranges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// Unique, sorting by time ([`Clock::unique`](crate::clock::Clock::unique)).
    pub id: String,
    /// The table that gained the rows.
    pub table: TableId,
    /// The job that loaded them.
    pub job: JobId,
    /// The version of its definition.
    pub job_version: u32,
    /// The topic.
    pub topic: String,
    /// Files; empty if no row was loaded.
    pub files: Vec<DataFile>,
    /// Rejected rows, if any.
    pub errors: Option<ErrorFile>,
    /// Ranges, ascending by source partition, each source partition once.
    pub ranges: Vec<CommittedRange>,
    /// Milliseconds since the epoch.
    pub committed_at_ms: i64,
    /// What it takes from the rejected rows, if it is a replay's; such a commit has no ranges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
}

/// Most ranges begin where a batch does.
pub(crate) fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A source partition's progress as a commit moves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressMove {
    /// The source partition.
    pub source_partition: i32,
    /// What was read before loading; `None` if there was no progress item.
    pub before: Option<Revised<SourceProgress>>,
    /// What it becomes; `fence` is the job's at the time of reading.
    pub after: SourceProgress,
}

/// Most source partitions of one commit: of a transaction's writes one is the commit, one may
/// name its rejected rows, one may check the job's fence.
pub const MAX_COMMIT_SOURCE_PARTITIONS: usize = 97;

/// What came of a commit.
#[derive(Debug, Clone, PartialEq)]
pub enum CommitOutcome {
    /// Files and offsets are durable and visible.
    Committed,
    /// They were already: only the reply to an earlier try was lost.
    AlreadyCommitted,
    /// Nothing happened: progress or fence moved since it was read. Read again, trim, and try anew with new files.
    Conflict {
        /// Progress of the conflicting source partitions as far as the store said.
        stored: BTreeMap<i32, SourceProgress>,
    },
}

impl Record for Commit {
    /// Each begun KiB of an item is two write units, with every batch: statistics of ten columns fill one as text.
    const PLAIN_BYTES: usize = 900;
}

impl Catalog {
    /// Makes `commit` visible and moves progress, all or nothing. `job_fence` is the fence read with the progress.
    ///
    /// Retries lost replies by itself with one stable token. Safe to call again with the same commit. If the commit would
    /// be too long for an item, it is stored without the statistics of the files that have most of them.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`] if it remains unknown whether it happened; the batch must not be acknowledged then.
    /// [`CatalogError::CommitTooLarge`] if nothing happened, and never will: the batch is to be split.
    pub async fn commit(
        &self,
        commit: &Commit,
        job_fence: u64,
        moves: &[ProgressMove],
    ) -> Result<CommitOutcome, CatalogError> {
        if moves.len() > MAX_COMMIT_SOURCE_PARTITIONS {
            return Err(CatalogError::Refused {
                operation: "commit",
                message: format!(
                    "expected at most {MAX_COMMIT_SOURCE_PARTITIONS} source partitions, found {}",
                    moves.len()
                ),
            });
        }
        let overtaken = overtaken(job_fence, moves);
        if !overtaken.is_empty() {
            return Ok(CommitOutcome::Conflict { stored: overtaken });
        }
        let (key, writes) = writes(commit, job_fence, moves)?;
        let token = format!("commit-{}", commit.id);
        match self.store.transact(&token, writes).await? {
            WriteOutcome::Done => Ok(CommitOutcome::Committed),
            WriteOutcome::ConditionFailed { index: 0, .. } => Ok(CommitOutcome::AlreadyCommitted),
            WriteOutcome::ConditionFailed { index, stored } => {
                // The store may name any write whose condition failed: after a repeat, progress that this commit moved.
                if self.store.get(&key).await?.is_some() {
                    return Ok(CommitOutcome::AlreadyCommitted);
                }
                Ok(CommitOutcome::Conflict { stored: conflicting(commit.job, moves, index, stored)? })
            }
        }
    }

    /// Commits of a table, ascending by id: all that are not folded, and those that were folded in the last hour or so.
    pub async fn commits(&self, table: TableId) -> Result<Vec<Commit>, CatalogError> {
        self.list(&key::in_table(table), key::COMMITS).await
    }
}

/// Progress that was read under a younger fence than the job was: the job changed between the two reads, and what the
/// caller knows of it is void, although no revision will change any more.
fn overtaken(job_fence: u64, moves: &[ProgressMove]) -> BTreeMap<i32, SourceProgress> {
    moves
        .iter()
        .filter_map(|moved| Some((moved.source_partition, moved.before.as_ref()?)))
        .filter(|(_, before)| before.value.fence > job_fence)
        .map(|(source_partition, before)| (source_partition, before.value.clone()))
        .collect()
}

/// The commit's key and the transaction: the commit first, then the moves in their order, then what it says of rejected
/// rows, then the check of the fence.
fn writes(commit: &Commit, job_fence: u64, moves: &[ProgressMove]) -> Result<(Key, Vec<Write>), CatalogError> {
    let key = key::commit(commit.table, &commit.id);
    let mut writes = vec![record::first(&key, &*size::fitting(commit)?)?];
    for moved in moves {
        writes.push(progress_becomes(&moved.after, commit.job, moved)?);
    }
    if let Some(rejection) = Rejection::of(commit) {
        writes.push(record::first(&key::rejection(commit.job, &commit.id), &rejection)?);
    }
    if moves.iter().any(|moved| moved.before.is_none()) {
        writes.push(fence_is(commit.job, job_fence));
    }
    count_units(commit.job, moves, &mut writes)?;
    Ok((key, writes))
}

/// Adds the transaction's own write units to what the leading source partition counts, if it counts anything.
fn count_units(job: JobId, moves: &[ProgressMove], writes: &mut [Write]) -> Result<(), CatalogError> {
    let units = store::transaction_units(writes);
    let Some(leader) = moves.first().filter(|moved| !moved.after.usage.is_empty()) else { return Ok(()) };
    let mut after = leader.after.clone();
    after.usage.write_units = after.usage.write_units.saturating_add(units);
    if let Some(write) = writes.get_mut(1) {
        *write = progress_becomes(&after, job, leader)?;
    }
    Ok(())
}

fn progress_becomes(after: &SourceProgress, job: JobId, moved: &ProgressMove) -> Result<Write, CatalogError> {
    let key = key::progress(job, moved.source_partition);
    match &moved.before {
        Some(before) => record::next(&key, after, before.revision),
        None => record::first(&key, after),
    }
}

/// Holds a transaction back once the job has changed.
pub(crate) fn fence_is(job: JobId, fence: u64) -> Write {
    Write { key: key::job(job), condition: record::attribute_is(FENCE, fence), action: Action::Check }
}

/// Progress of the move whose write is at `index`, if it is one and the store said what is there.
fn conflicting(
    job: JobId,
    moves: &[ProgressMove],
    index: usize,
    stored: Option<Item>,
) -> Result<BTreeMap<i32, SourceProgress>, CatalogError> {
    let moved = index.checked_sub(1).and_then(|index| moves.get(index));
    let (Some(moved), Some(item)) = (moved, stored) else {
        return Ok(BTreeMap::new());
    };
    let key = key::progress(job, moved.source_partition);
    Ok(BTreeMap::from([(moved.source_partition, record::decode(&key, &item)?.value)]))
}
