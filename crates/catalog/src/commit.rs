//! Commits: files and the offsets they come from, made visible together.

use std::collections::BTreeMap;

use penstock_kernel::encode::ColumnStatistics;
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::loaded::{LoadStatistics, TablePartition};
use penstock_kernel::progress::SourceProgress;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::error::CatalogError;
use crate::job::Revised;

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
}

/// A file of rejected rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFile {
    /// Key relative to the volume's location.
    pub key: String,
    /// Rows in it, at least 1.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
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

/// Most source partitions of one commit: one write of a transaction is the commit, one may check the job's fence.
pub const MAX_COMMIT_SOURCE_PARTITIONS: usize = 98;

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

impl Catalog {
    /// Makes `commit` visible and moves progress, all or nothing. `job_fence` is the fence read with the progress.
    ///
    /// Retries lost replies by itself with one stable token. Safe to call again with the same commit.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`] if it remains unknown whether it happened; the batch must not be acknowledged then.
    pub async fn commit(&self, _commit: &Commit, _job_fence: u64, _moves: &[ProgressMove]) -> Result<CommitOutcome, CatalogError> {
        todo!()
    }

    /// All commits of a table, ascending by id.
    pub async fn commits(&self, _table: TableId) -> Result<Vec<Commit>, CatalogError> {
        todo!()
    }
}
