//! Rejected rows: which files hold them, and how a replay takes them out.
//!
//! Each commit that has rejected rows, or takes some back, leaves a short [`Rejection`] under its job in the same
//! transaction, so that a job's rejected rows are found in one query however many commits its table has. A replay is one
//! commit as well: it names the commits whose error files it takes the place of, and nothing is deleted. So a reader that
//! sees the replay ignores those files, one that does not see it has them still, and nobody sees a row twice or not at
//! all. The commit says the same, for those who read a table and its rejected rows together.
//!
//! Replays of one job are made one after the other: each moves the job's [`ReplayCounts`] from the revision that was read
//! before its files were chosen, in its own transaction.

use std::collections::{BTreeMap, HashSet};

use penstock_kernel::ids::{JobId, TableId};
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::commit::{Commit, CommitOutcome, ErrorFile, fence_is, size};
use crate::error::CatalogError;
use crate::job::Revised;
use crate::key;
use crate::record::{self, Record};
use crate::store::WriteOutcome;

/// What a replay's commit does to rejected rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Ids of the commits whose error files it takes the place of; at least one.
    pub replaces: Vec<String>,
    /// What became of the rows that it replayed.
    pub counts: ReplayCounts,
}

/// What became of replayed rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayCounts {
    /// Rejected rows that went through the job once more.
    pub replayed: u64,
    /// Rows that were loaded of them. A record that was rejected as a whole counts as one row before, and may hold
    /// several.
    pub loaded: u64,
    /// Rows that are rejected again.
    pub rejected: u64,
    /// Rows that WHERE leaves out.
    pub unselected: u64,
}

/// What one commit says of a job's rejected rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejection {
    /// The commit's id.
    pub commit: String,
    /// The job.
    pub job: JobId,
    /// The table, in whose volume the file lies.
    pub table: TableId,
    /// Rows that it rejected, if any.
    pub errors: Option<ErrorFile>,
    /// Ids of the commits whose error files it takes the place of; empty unless it is a replay's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
    /// Milliseconds since the epoch.
    pub committed_at_ms: i64,
}

impl Record for Rejection {}
impl Record for ReplayCounts {}

impl Rejection {
    /// What `commit` says of rejected rows; `None` if nothing.
    pub fn of(commit: &Commit) -> Option<Self> {
        let replaces = commit.replay.as_ref().map(|replay| replay.replaces.clone()).unwrap_or_default();
        (commit.errors.is_some() || !replaces.is_empty()).then(|| Self {
            commit: commit.id.clone(),
            job: commit.job,
            table: commit.table,
            errors: commit.errors.clone(),
            replaces,
            committed_at_ms: commit.committed_at_ms,
        })
    }
}

/// Those of `rejections` whose rows are rejected still, in the same order: they have a file, and no other of them takes
/// its place.
pub fn standing(mut rejections: Vec<Rejection>) -> Vec<Rejection> {
    let replaced: HashSet<String> =
        rejections.iter().flat_map(|rejection| rejection.replaces.iter().cloned()).collect();
    rejections.retain(|rejection| rejection.errors.is_some() && !replaced.contains(&rejection.commit));
    rejections
}

/// A count that would not fit stays at the largest.
impl std::ops::AddAssign for ReplayCounts {
    fn add_assign(&mut self, other: Self) {
        self.replayed = self.replayed.saturating_add(other.replayed);
        self.loaded = self.loaded.saturating_add(other.loaded);
        self.rejected = self.rejected.saturating_add(other.rejected);
        self.unselected = self.unselected.saturating_add(other.unselected);
    }
}

impl Catalog {
    /// What the commits of a job say of rejected rows, ascending by commit. [`standing`] tells which files count.
    pub async fn rejections(&self, job: JobId) -> Result<Vec<Rejection>, CatalogError> {
        self.list(&key::in_rejected(job), key::COMMITS).await
    }

    /// Makes a replay's commit visible, all or nothing, if the job's fence and its counts of replays (`before`) are as
    /// they were in the snapshot that was read before [`rejections`](Self::rejections).
    ///
    /// Safe to call again with the same commit.
    ///
    /// # Errors
    /// As [`commit`](Self::commit); [`CatalogError::Refused`] if `commit` is no replay's.
    pub async fn replay(
        &self,
        commit: &Commit,
        job_fence: u64,
        before: Option<&Revised<ReplayCounts>>,
    ) -> Result<CommitOutcome, CatalogError> {
        let (Some(replay), Some(rejection)) = (&commit.replay, Rejection::of(commit)) else {
            let message = format!("commit `{}` replaces no rejected rows", commit.id);
            return Err(CatalogError::Refused { operation: "replay", message });
        };
        let key = key::commit(commit.table, &commit.id);
        let counts = key::replays(commit.job);
        let writes = vec![
            record::first(&key, &*size::fitting(commit)?)?,
            match before {
                Some(before) => {
                    let mut sum = before.value;
                    sum += replay.counts;
                    record::next(&counts, &sum, before.revision)?
                }
                None => record::first(&counts, &replay.counts)?,
            },
            record::first(&key::rejection(commit.job, &commit.id), &rejection)?,
            fence_is(commit.job, job_fence),
        ];
        let token = format!("commit-{}", commit.id);
        match self.store.transact(&token, writes).await? {
            WriteOutcome::Done => Ok(CommitOutcome::Committed),
            WriteOutcome::ConditionFailed { index: 0, .. } => Ok(CommitOutcome::AlreadyCommitted),
            // The store may name any write whose condition failed: after a repeat, the counts that this commit moved.
            WriteOutcome::ConditionFailed { .. } => Ok(match self.store.get(&key).await? {
                Some(_) => CommitOutcome::AlreadyCommitted,
                None => CommitOutcome::Conflict { stored: BTreeMap::new() },
            }),
        }
    }
}
