//! One commit of a replay in the making.

use penstock_catalog::commit::{Commit, CommitOutcome, DataFile};
use penstock_catalog::job::JobSnapshot;
use penstock_catalog::rejected::{Replay, ReplayCounts};
use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::rejected::Entry;
use penstock_sql::replay::ReplayRequest;

use super::chunk::{Carried, Chunk, Outcome};
use super::gathered::Gathered;
use super::remaining::Remaining;
use crate::error::LoadError;
use crate::loader::Loader;
use crate::loader::files::Files;
use crate::loader::prepared::Prepared;

/// Data files of one commit, give or take those of the rows that are gathered: it names them all.
const MAX_DATA_FILES: usize = 64;

/// What has become of some rejected rows so far. Nothing of it is visible before the commit.
pub(super) struct Run<'a> {
    loader: &'a Loader,
    snapshot: &'a JobSnapshot,
    prepared: &'a Prepared,
    request: &'a ReplayRequest,
    now_ms: i64,
    /// The first row that is wanted, for the names of files.
    first: Batch<'static>,
    gathered: Gathered,
    data_files: Vec<DataFile>,
    remaining: Remaining,
    carried: Carried,
    counts: ReplayCounts,
    /// Rows that are rejected for the reason that they were rejected for.
    same: u64,
}

/// What became of a run.
pub(super) enum Ended {
    /// Nothing is different.
    Unchanged,
    /// It is visible, by the commit of that id, whose error file has the rows that stay rejected.
    Committed(String),
    /// Others were faster.
    Conflict,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        loader: &'a Loader,
        snapshot: &'a JobSnapshot,
        prepared: &'a Prepared,
        request: &'a ReplayRequest,
    ) -> Self {
        Self {
            loader,
            snapshot,
            prepared,
            request,
            now_ms: loader.now_ms(),
            first: Batch { topic: prepared.definition.source.topic.clone(), records: Vec::new() },
            gathered: Gathered::default(),
            data_files: Vec::new(),
            remaining: Remaining::default(),
            carried: Carried::default(),
            counts: ReplayCounts::default(),
            same: 0,
        }
    }

    /// Whether the commit names as much as it may.
    pub(super) fn is_full(&self) -> bool {
        self.data_files.len() >= MAX_DATA_FILES
    }

    /// Rows that stay rejected, so far.
    pub(super) fn remaining(&self) -> u64 {
        self.remaining.count()
    }

    /// What became of rows that were replayed, so far.
    pub(super) fn counts(&self) -> ReplayCounts {
        self.counts
    }

    /// Puts those rows through the plan that are wanted.
    ///
    /// # Errors
    /// [`LoadError`]
    pub(super) async fn replay(&mut self, rows: Vec<Entry>) -> Result<(), LoadError> {
        let wants = |entry: &Entry| self.request.wants(entry);
        let chunk = Chunk::new(&rows, wants, &self.carried);
        if self.first.records.is_empty() {
            self.first.records.extend(rows.iter().find(|entry| wants(entry)).map(place));
        }
        let plan = &self.prepared.plan;
        let schemas = self.loader.schemas(self.prepared, chunk.schemas_needed(plan)).await?;
        let facts = self.loader.facts(self.now_ms, schemas);
        let Outcome { loaded, remaining, counts, same } = chunk.replayed(plan, self.snapshot.job.version, &facts)?;
        for entry in remaining {
            let key = chunk.key_of(&entry);
            self.remaining.push(entry, key)?;
        }
        let carried = chunk.carry(&rows);
        self.carried = carried;
        self.counts += counts;
        self.same += same;
        for (table_partition, rows) in loaded.into_iter().flat_map(|loaded| loaded.tables) {
            self.gathered.add(table_partition, rows);
        }
        if self.gathered.is_full() { self.put_rows().await } else { Ok(()) }
    }

    /// Leaves rows as they are.
    ///
    /// # Errors
    /// [`LoadError::Encode`]
    pub(super) fn keep(&mut self, rows: Vec<Entry>) -> Result<(), LoadError> {
        let chunk = Chunk::new(&rows, |_| false, &self.carried);
        let carried = chunk.carry(&rows);
        for entry in &rows {
            self.remaining.push(entry.clone(), chunk.key_of(entry))?;
        }
        self.carried = carried;
        Ok(())
    }

    /// Commits what became of the rows, which are all of the error files `keys` of these commits.
    ///
    /// # Errors
    /// [`LoadError`]
    pub(super) async fn end(mut self, commits: &[String], keys: &[String]) -> Result<Ended, LoadError> {
        let ReplayCounts { replayed, loaded, rejected, unselected } = self.counts;
        if self.same == replayed && rejected == replayed && loaded == 0 && unselected == 0 {
            return Ok(Ended::Unchanged);
        }
        self.put_rows().await?;
        let errors = std::mem::take(&mut self.remaining).put(&self.files()).await?;
        let written: u64 = self.data_files.iter().map(|file| file.rows).sum();
        if written != loaded {
            return Err(LoadError::Miscounted { what: "rows in files", expected: loaded, found: written });
        }
        let (job, catalog) = (&self.snapshot.job, &self.loader.catalog);
        let commit = Commit {
            id: catalog.clock().unique(),
            table: job.table,
            job: job.id,
            job_version: job.version,
            topic: self.first.topic,
            files: self.data_files,
            errors,
            ranges: Vec::new(),
            committed_at_ms: self.loader.now_ms(),
            replay: Some(Replay { replaces: commits.to_vec(), counts: self.counts }),
        };
        match catalog.replay(&commit, job.fence, self.snapshot.replays.as_ref()).await? {
            CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => {}
            CommitOutcome::Conflict { .. } => return Ok(Ended::Conflict),
        }
        let left = commit.errors.as_ref().map(|file| file.key.as_str());
        self.loader.replaced_error_files(job.id, keys, left).await;
        Ok(Ended::Committed(commit.id))
    }

    async fn put_rows(&mut self) -> Result<(), LoadError> {
        let tables = self.gathered.take();
        let put = self.files().put_tables(&tables).await?;
        self.data_files.extend(put);
        Ok(())
    }

    fn files(&self) -> Files<'_> {
        Files {
            settings: &self.loader.settings,
            prepared: self.prepared,
            clock: self.loader.catalog.clock().as_ref(),
            batch: &self.first,
        }
    }
}

fn place(entry: &Entry) -> Record<'static> {
    Record {
        source_partition: entry.row.source_partition,
        offset: entry.row.offset,
        timestamp_ms: None,
        key: None,
        value: None,
        headers: Headers::default(),
    }
}
