//! What moves a job from state to state.
//!
//! Each event raises the fence, on the job first and then on every progress item. The first stops batches that begin
//! afterwards, and those that would make progress where there is none; the second those in flight, which find the
//! revision changed when they commit. In the other order a batch could slip in between.

use futures::{TryStreamExt, stream};
use penstock_kernel::ids::JobId;
use penstock_kernel::progress::SourceProgress;
use penstock_kernel::state::{JobEvent, JobState, transition};

use super::report::not_begun;
use super::{Changed, Job, JobTrouble, VersionBeginning};
use crate::Catalog;
use crate::error::CatalogError;
use crate::key;
use crate::record;
use crate::store::{Action, Condition, Item, Key, Write, WriteOutcome};
use crate::update::{Change, Race};

/// Progress items written at a time.
const FENCES_AT_ONCE: usize = 16;

impl Catalog {
    /// Applies `event` to the job's state. PAUSE, RESUME, STOP and cancellation raise the fence of the job and of all
    /// its progress before they return, so that no batch in flight commits afterwards; repeating after a failure completes it.
    ///
    /// | event | `reason` | `paused_at_ms` | `ended_at_ms` | last failure |
    /// | --- | --- | --- | --- | --- |
    /// | Scheduled | kept | kept | | kept |
    /// | Pause | set | now | | kept |
    /// | Resume | cleared | cleared | | cleared |
    /// | Stop | cleared | kept | now | kept |
    /// | Cancel | set | kept | now | kept |
    pub async fn change_job(&self, id: JobId, event: JobEvent) -> Result<Changed, CatalogError> {
        let key = key::job(id);
        let mut race = Race::about(&key);
        loop {
            let Some(read) = self.read::<Job>(&key).await? else {
                return Ok(Changed::Missing);
            };
            let job = read.value;
            let state = match transition(job.state, &event) {
                Ok(state) => state,
                Err(illegal) => {
                    // What made it illegal may be this very event, at a try that ended half-way.
                    self.settle(&job).await?;
                    return Ok(Changed::Forbidden(illegal));
                }
            };
            if event == JobEvent::Scheduled && job.state == state {
                return Ok(Changed::Now(job));
            }
            if event == JobEvent::Resume {
                // Batches load again from the moment of the write: what an ALTER left undone must be done before.
                self.settle(&job).await?;
            }
            let job = after(job, state, &event, self.clock.now_ms());
            let mut writes = vec![record::next(&key, &job, read.revision)?];
            if job.state.is_final() {
                writes.push(Write {
                    key: key::live_job(job.database, &job.name),
                    // The name is this job's for as long as it lives, and the revision says that it lived till now.
                    condition: Condition::Always,
                    action: Action::Delete,
                });
            }
            if self.write_once(writes).await? == WriteOutcome::Done {
                if event != JobEvent::Scheduled {
                    self.settle(&job).await?;
                }
                if event == JobEvent::Resume {
                    self.forget_last_failure(id).await?;
                }
                return Ok(Changed::Now(job));
            }
            race.lost(&*self.clock).await?;
        }
    }

    /// Gives every progress item the job's fence, and those that its version's beginning has not reached the offset that it
    /// begins with.
    pub(super) async fn settle(&self, job: &Job) -> Result<(), CatalogError> {
        let items = self.store.query(&key::in_job(job.id), key::PROGRESS).await?;
        let beginning = if job.version > 1 { self.beginning(job.id, job.version).await? } else { None };
        if let Some(beginning) = &beginning {
            for (source_partition, source) in &beginning.sources {
                let key = key::progress(job.id, *source_partition);
                if items.iter().all(|(known, _)| *known != key) {
                    // That another has made it meanwhile is as good.
                    self.store.write(record::first(&key, &not_begun(source.begins, job.fence))?).await?;
                }
            }
        }
        let beginning = beginning.as_ref();
        stream::iter(items.into_iter().map(Ok))
            .try_for_each_concurrent(FENCES_AT_ONCE, |(key, item)| {
                self.raise_progress_fence(key, item, job.fence, beginning)
            })
            .await
    }

    async fn raise_progress_fence(
        &self,
        key: Key,
        item: Item,
        fence: u64,
        beginning: Option<&VersionBeginning>,
    ) -> Result<(), CatalogError> {
        let source = beginning.zip(key::source_partition(&key.sk)).and_then(|(beginning, source_partition)| {
            Some((beginning.fence, beginning.sources.get(&source_partition)?.begins))
        });
        let mut race = Race::about(&key);
        let mut held = Some(item);
        while let Some(item) = held {
            let mut read = record::decode::<SourceProgress>(&key, &item)?;
            if read.value.fence >= fence {
                break;
            }
            if let Some((began, begins)) = source
                && read.value.fence < began
            {
                read.value.move_to(begins);
            }
            read.value.fence = fence;
            match self.store.write(record::next(&key, &read.value, read.revision)?).await? {
                WriteOutcome::Done => break,
                WriteOutcome::ConditionFailed { stored, .. } => held = stored,
            }
            race.lost(&*self.clock).await?;
        }
        Ok(())
    }

    async fn forget_last_failure(&self, id: JobId) -> Result<(), CatalogError> {
        self.update(&key::trouble(id), |trouble: Option<&JobTrouble>| match trouble {
            Some(trouble) if trouble.last_failure.is_some() => {
                Change::To(JobTrouble { last_failure: None, ..trouble.clone() })
            }
            _ => Change::Leave,
        })
        .await?;
        Ok(())
    }
}

fn after(job: Job, state: JobState, event: &JobEvent, now_ms: i64) -> Job {
    let fence = job.fence.saturating_add(1);
    match event {
        JobEvent::Scheduled => Job { state, ..job },
        JobEvent::Pause(reason) => {
            Job { state, fence, reason: Some(reason.clone()), paused_at_ms: Some(now_ms), ..job }
        }
        JobEvent::Resume => Job { state, fence, reason: None, paused_at_ms: None, ..job },
        JobEvent::Stop => Job { state, fence, reason: None, ended_at_ms: Some(now_ms), ..job },
        JobEvent::Cancel(reason) => {
            Job { state, fence, reason: Some(reason.clone()), ended_at_ms: Some(now_ms), ..job }
        }
    }
}
