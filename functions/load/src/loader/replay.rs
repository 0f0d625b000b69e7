//! REPLAY: rejected rows through the job's current version.
//!
//! Piece by piece: some error files are read, the rows that are wanted of them go through the plan, and one commit takes
//! the place of those files: with the rows that fit now, and one error file of those that do not and those that were not
//! wanted. A row is in exactly one place before and after, whatever happens in between:
//!
//! - Nothing is visible before the commit, and all of it is afterwards. A crash leaves files that no commit names.
//! - The commit holds only while the job's fence and its counts of replays are as they were before the error files were
//!   looked up. PAUSE, ALTER, STOP or another replay void it, and the piece begins again, with what is true then.
//! - Batches of the job add error files and take none, so they may commit at any time.
//!
//! A piece that would change nothing commits nothing. Progress, and with it the counts of the first load, stay as they
//! are: the counts of replays tell the difference.

mod piece;

use std::sync::Arc;

use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use penstock_catalog::commit::{Commit, CommitOutcome};
use penstock_catalog::job::JobSnapshot;
use penstock_catalog::rejected::{Rejection, Replay, standing};
use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::JobId;
use penstock_kernel::rejected::{Entry, decode};
use penstock_sql::replay::{ReplayAnswer, ReplayReply, ReplayRequest};

use super::files::{self, Files};
use super::prepared::Prepared;
use super::{Loader, report};
use crate::error::{ErrorKind, LoadError, PutError};
use piece::{Outcome, Piece};

/// Bytes of rows that one commit takes, unless a single file holds more. More means fewer commits and more memory.
const PIECE_BYTES: usize = 16 << 20;

/// Error files that one commit takes the place of: it names them all.
const PIECE_FILES: usize = 500;

impl Loader {
    /// Replays rejected rows of `job` as `request` says, until it is done or its budget is used up.
    ///
    /// Logs what became of it.
    ///
    /// # Errors
    /// [`LoadError`]: what was committed before stays so, and the replay can be asked for again.
    pub async fn replay(&self, job: JobId, request: &ReplayRequest) -> Result<ReplayReply, LoadError> {
        let started_ms = self.now_ms();
        let replayed = self.pieces(job, request, started_ms).await;
        report::replayed(job, &replayed, self.since_ms(started_ms));
        replayed
    }

    /// The same as an answer of the function: what is wrong is for the one who asked, not for the platform.
    pub async fn replay_answer(&self, job: JobId, request: &ReplayRequest) -> ReplayAnswer {
        match self.replay(job, request).await {
            Ok(reply) => ReplayAnswer::Done(reply),
            Err(error) if error.kind() == ErrorKind::Retry => ReplayAnswer::Unavailable { message: one_line(&error) },
            Err(error) => ReplayAnswer::Refused { message: one_line(&error) },
        }
    }

    async fn pieces(&self, job: JobId, request: &ReplayRequest, started_ms: i64) -> Result<ReplayReply, LoadError> {
        let mut reply =
            ReplayReply { after: request.after.clone(), until: request.until.clone(), ..ReplayReply::default() };
        let mut conflicts = 0;
        loop {
            let snapshot = self.catalog.job_snapshot(job).await?.ok_or(LoadError::UnknownJob { job })?;
            let state = snapshot.job.state;
            if state.is_final() {
                return Err(LoadError::Ended { job, state });
            }
            let prepared = self.prepared.get(&snapshot.job, &self.catalog, self.volumes.as_ref()).await?;
            let files = standing(self.catalog.rejections(job).await?);
            let newest = || files.last().map(|file| file.commit.clone()).unwrap_or_default();
            let until = reply.until.get_or_insert_with(newest).clone();
            let left = files
                .into_iter()
                .filter(|file| file.commit <= until && reply.after.as_ref().is_none_or(|after| file.commit > *after));
            let (piece, last) = self.read_piece(&prepared, left, request, started_ms).await?;
            let Some(last) = last else {
                reply.finished = true;
                return Ok(reply);
            };
            if !self.replay_piece(&snapshot, &prepared, piece, &mut reply).await? {
                conflicts += 1;
                if conflicts >= self.settings.max_conflicts {
                    return Err(LoadError::Contended { job, conflicts });
                }
                continue;
            }
            conflicts = 0;
            reply.after = Some(last);
            if self.since_ms(started_ms) >= request.budget_ms {
                return Ok(reply);
            }
        }
    }

    /// The next files' rows, and the last commit that was looked at; `None` if there is none.
    async fn read_piece(
        &self,
        prepared: &Prepared,
        files: impl Iterator<Item = Rejection>,
        request: &ReplayRequest,
        started_ms: i64,
    ) -> Result<(Piece, Option<String>), LoadError> {
        let mut piece = Piece::default();
        let mut last = None;
        for file in files {
            let Some(errors) = &file.errors else {
                continue;
            };
            let spent = last.is_some() && self.since_ms(started_ms) >= request.budget_ms;
            if spent || piece.files() >= PIECE_FILES {
                break;
            }
            let entries = self.read_errors(prepared, &errors.key).await?;
            if entries.iter().any(|entry| request.wants(entry)) {
                if piece.files() > 0 && piece.bytes().saturating_add(piece::bytes(&entries)) > PIECE_BYTES {
                    break;
                }
                piece.add(&file.commit, &errors.key, entries, |entry| request.wants(entry));
            }
            last = Some(file.commit);
        }
        Ok((piece, last))
    }

    async fn read_errors(&self, prepared: &Prepared, relative: &str) -> Result<Vec<Entry>, LoadError> {
        let key = prepared.volume.key(relative)?;
        let failed = |source: PutError| LoadError::Get { key: key.clone(), source };
        let path = Path::parse(&key).map_err(|error| failed(PutError::Store(error.into())))?;
        let get = || async { prepared.store.get(&path).await?.bytes().await };
        let file = files::attempts(&self.settings, self.catalog.clock().as_ref(), &key, get).await.map_err(|(_, error)| failed(error))?;
        decode(file, usize::MAX).map_err(|source| LoadError::ErrorFile { key, source })
    }

    /// Replays one piece; false if others were faster.
    async fn replay_piece(
        &self,
        snapshot: &JobSnapshot,
        prepared: &Arc<Prepared>,
        piece: Piece,
        reply: &mut ReplayReply,
    ) -> Result<bool, LoadError> {
        if piece.files() == 0 {
            return Ok(true);
        }
        let job = &snapshot.job;
        let now_ms = self.now_ms();
        let schemas = self.schemas(prepared, piece.schemas_needed(&prepared.plan)).await?;
        let facts = self.facts(now_ms, schemas);
        let Outcome { batches, remaining, counts, changes } = piece.replayed(&prepared.plan, job.version, &facts)?;
        if changes {
            let mut data_files = Vec::new();
            let mut errors = None;
            for (topic, loaded) in &batches {
                let files = Files {
                    settings: &self.settings,
                    prepared,
                    clock: self.catalog.clock().as_ref(),
                    batch: &piece.place(topic),
                };
                data_files.extend(files.put_rows(loaded).await?);
            }
            if let Some((first, _)) = batches.first()
                && !remaining.is_empty()
            {
                let files = Files {
                    settings: &self.settings,
                    prepared,
                    clock: self.catalog.clock().as_ref(),
                    batch: &piece.place(first),
                };
                errors = Some(files.put_errors(&penstock_kernel::rejected::of_entries(&remaining)).await?);
            }
            let written: u64 = data_files.iter().map(|file| file.rows).sum();
            if written != counts.loaded {
                return Err(LoadError::Miscounted { what: "rows in files", expected: counts.loaded, found: written });
            }
            let commit = Commit {
                id: self.catalog.clock().unique(),
                table: job.table,
                job: job.id,
                job_version: job.version,
                topic: prepared.definition.source.topic.clone(),
                files: data_files,
                errors,
                ranges: Vec::new(),
                committed_at_ms: self.now_ms(),
                replay: Some(Replay { replaces: piece.commits().to_vec(), counts }),
            };
            match self.catalog.replay(&commit, job.fence, snapshot.replays.as_ref()).await? {
                CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => {}
                CommitOutcome::Conflict { .. } => return Ok(false),
            }
            let left = commit.errors.as_ref().map(|file| file.key.as_str());
            self.replaced_error_files(job.id, piece.keys(), left).await;
        }
        reply.replayed += counts.replayed;
        reply.loaded += counts.loaded;
        reply.rejected += counts.rejected;
        reply.unselected += counts.unselected;
        Ok(true)
    }
}
