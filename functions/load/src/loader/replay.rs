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
//! Memory is bounded, however many rows a file has and however large they are: rows go through the plan chunk by chunk.
//! A large file of which there was time for a part only is committed with the rest as it was, and the next piece begins
//! behind the rows that have been replayed.
//!
//! A piece that would change nothing commits nothing. Progress, and with it the counts of the first load, stay as they
//! are: the counts of replays tell the difference.

mod chunk;
mod gathered;
mod piece;
mod remaining;
mod run;

use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use penstock_catalog::job::JobSnapshot;
use penstock_catalog::rejected::{Rejection, standing};
use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::JobId;
use penstock_kernel::rejected::{DecodeError, Entries, Entry};
use penstock_sql::replay::{ReplayAnswer, ReplayReply, ReplayRequest, Resume};

use super::files;
use super::prepared::Prepared;
use super::{Loader, report};
use crate::error::{ErrorKind, LoadError, PutError};
use piece::{Added, Piece};
use run::{Ended, Run};

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
        let ReplayRequest { after, until, resume, .. } = request.clone();
        let mut reply = ReplayReply { after, until, resume, ..ReplayReply::default() };
        let is_over = || self.since_ms(started_ms) >= request.budget_ms;
        let mut conflicts = 0;
        loop {
            let snapshot = self.catalog.job_snapshot(job).await?.ok_or(LoadError::UnknownJob { job })?;
            let state = snapshot.job.state;
            if state.is_final() {
                return Err(LoadError::Ended { job, state });
            }
            let prepared = self.prepared.get(&snapshot.job, &self.catalog, self.volumes.as_ref()).await?;
            let left = Left::of(standing(self.catalog.rejections(job).await?), &mut reply);
            if left.is_empty() {
                reply.finished = true;
                return Ok(reply);
            }
            if self.piece(&snapshot, &prepared, left, request, &is_over, &mut reply).await? {
                conflicts = 0;
                if is_over() {
                    return Ok(reply);
                }
            } else {
                conflicts += 1;
                if conflicts >= self.settings.max_conflicts {
                    return Err(LoadError::Contended { job, conflicts });
                }
            }
        }
    }

    /// Replays some of what is left; false if others were faster.
    async fn piece(
        &self,
        snapshot: &JobSnapshot,
        prepared: &Prepared,
        left: Left,
        request: &ReplayRequest,
        is_over: &(dyn Fn() -> bool + Sync),
        reply: &mut ReplayReply,
    ) -> Result<bool, LoadError> {
        let mut piece = Piece::default();
        let mut after = reply.after.clone();
        let mut begun = 0;
        if let Some((file, rows)) = left.begun {
            self.add(prepared, &mut piece, &file, |_| true).await?;
            begun = rows;
        } else {
            for file in left.files {
                if piece.files() >= piece::MAX_FILES || after != reply.after && is_over() {
                    break;
                }
                let added = self.add(prepared, &mut piece, &file, |entry| request.wants(entry)).await?;
                if added == Added::No {
                    break;
                }
                after = Some(file.commit);
                if added == Added::Alone {
                    break;
                }
            }
        }
        let mut run = Run::new(self, snapshot, prepared, request);
        while begun > 0 {
            let rows = piece.next(begun).map_err(|source| wrong_file(prepared, &piece, source))?;
            if rows.is_empty() {
                break;
            }
            begun = begun.saturating_sub(rows.len() as u64); // usize has at most 64 bits
            run.keep(rows)?;
        }
        // Rows that stay rejected of those that were replayed, if there is no time or room for the others.
        let mut stopped = None;
        let mut is_first = true;
        loop {
            let rows = piece.next(u64::MAX).map_err(|source| wrong_file(prepared, &piece, source))?;
            if rows.is_empty() {
                break;
            }
            if stopped.is_none() && !is_first && piece.files() == 1 && (run.is_full() || is_over()) {
                stopped = Some(run.remaining());
            }
            is_first = false;
            match stopped {
                Some(_) => run.keep(rows)?,
                None => run.replay(rows).await?,
            }
        }
        let counts = run.counts();
        let holder = match run.end(piece.commits(), piece.keys()).await? {
            Ended::Conflict => return Ok(false),
            Ended::Committed(commit) => Some(commit),
            Ended::Unchanged => piece.commits().first().cloned(),
        };
        reply.after = after;
        reply.resume = holder.zip(stopped).map(|(commit, rows)| Resume { commit, rows });
        reply.replayed += counts.replayed;
        reply.loaded += counts.loaded;
        reply.rejected += counts.rejected;
        reply.unselected += counts.unselected;
        Ok(true)
    }

    /// Adds a file to `piece`, if there is room for it.
    async fn add(
        &self,
        prepared: &Prepared,
        piece: &mut Piece,
        file: &Rejection,
        wants: impl Fn(&Entry) -> bool,
    ) -> Result<Added, LoadError> {
        let Some(errors) = &file.errors else {
            return Ok(Added::Yes);
        };
        let key = prepared.volume.key(&errors.key)?;
        let failed = |source: PutError| LoadError::Get { key: key.clone(), source };
        let path = Path::parse(&key).map_err(|error| failed(PutError::Store(error.into())))?;
        let get = || async { prepared.store.get(&path).await?.bytes().await };
        let bytes = files::attempts(&self.settings, self.catalog.clock().as_ref(), &key, get)
            .await
            .map_err(|(_, error)| failed(error))?;
        let added = Entries::of(bytes).and_then(|entries| piece.add(&file.commit, &errors.key, entries, wants));
        added.map_err(|source| LoadError::ErrorFile { key, source })
    }
}

fn wrong_file(prepared: &Prepared, piece: &Piece, source: DecodeError) -> LoadError {
    // Only of a file that is alone are rows read this late.
    let relative = piece.keys().first().map_or("", String::as_str);
    let key = prepared.volume.key(relative).unwrap_or_else(|_| relative.to_owned());
    LoadError::ErrorFile { key, source }
}

/// Error files that are to be replayed.
struct Left {
    /// One that was begun, and how many of its rows are done with.
    begun: Option<(Rejection, u64)>,
    /// The others, ascending by commit.
    files: Vec<Rejection>,
}

impl Left {
    /// What of `standing` is left behind what `reply` says; where the replay ends is said there, if it was not.
    fn of(standing: Vec<Rejection>, reply: &mut ReplayReply) -> Self {
        let newest = || standing.last().map(|file| file.commit.clone()).unwrap_or_default();
        let until = reply.until.get_or_insert_with(newest).clone();
        let after = reply.after.clone();
        let mut left = Self { begun: None, files: Vec::new() };
        for file in standing {
            match &reply.resume {
                Some(resume) if resume.commit == file.commit => left.begun = Some((file, resume.rows)),
                _ if file.commit <= until && after.as_ref().is_none_or(|after| file.commit > *after) => {
                    left.files.push(file);
                }
                _ => {}
            }
        }
        left
    }

    fn is_empty(&self) -> bool {
        self.begun.is_none() && self.files.is_empty()
    }
}
