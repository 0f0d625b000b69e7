//! One invocation: an event in, a durable commit or an error out.
//!
//! 1. Read job and progress in one consistent read. A job that does not load fails the batch.
//! 2. Drop what the job does not read or has seen (`selection`).
//! 3. Convert, and decide by the job's tolerance.
//! 4. Put files under keys that no other try uses.
//! 5. Commit files and offsets in one transaction. A lost race begins again at 1, with new files.
//!
//! Success before 5 would lose records; nothing else does. There is no lock and no lease: overlapping, stale and
//! differently cut deliveries meet in the conditions of the transaction. An event of very many source partitions is
//! loaded in several such rounds, each with its own files and commit, and acknowledged after the last.

use std::sync::Arc;
use std::time::Duration;

use penstock_catalog::Catalog;
use penstock_catalog::commit::{Commit, CommitOutcome, CommittedRange};
use penstock_catalog::job::{Job, JobSnapshot};
use penstock_kernel::encode::WriterOptions;
use penstock_kernel::facts::{Facts, Schemas};
use penstock_kernel::ids::{JobId, SchemaId};
use penstock_kernel::loaded::{LoadStatistics, Loaded, RejectedRow};
use penstock_kernel::progress::ErrorWindow;
use penstock_kernel::state::{JobEvent, StateReason};
use penstock_kernel::tolerance::{Tolerance, Verdict, decide};
use penstock_kernel::usage::Usage;
use penstock_storage::Volumes;
use serde::Serialize;

use crate::error::LoadError;
use crate::registry::{Registry, RegistrySettings};
use penstock_event::{Event, HeaderWish, kafka};

mod files;
mod prepared;
mod reasons;
mod replay;
mod report;
mod selection;
mod tally;

use files::Files;
use prepared::{Prepared, PreparedJobs};
use selection::{Gap, Selection, select};
use tally::Spent;

/// Loads batches of any job; one is enough for a process. Cheap calls in parallel are fine.
pub struct Loader {
    catalog: Catalog,
    volumes: Arc<dyn Volumes>,
    settings: LoaderSettings,
    prepared: PreparedJobs,
    registry: Registry,
}

/// How a [`Loader`] works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoaderSettings {
    /// How data files are written.
    pub writer: WriterOptions,
    /// Tries to put one object before the batch fails, at least 1. More ride out a longer outage, and make the
    /// platform wait longer before it hears of one.
    pub put_attempts: u32,
    /// Time for one try. Too short and a slow link never gets a large file through; too long and a dead connection
    /// eats the function's time limit.
    pub put_timeout: Duration,
    /// Pause before the second try; each further one is twice as long.
    pub put_pause: Duration,
    /// Races for progress that a batch may lose before it fails, at least 1. Each costs the conversion once more.
    pub max_conflicts: u32,
    /// How schema registries are asked.
    pub registry: RegistrySettings,
    /// Megabytes of the function, which its usage counts; `None` where nobody says.
    pub memory_mb: Option<u32>,
}

impl Default for LoaderSettings {
    fn default() -> Self {
        Self {
            writer: WriterOptions::default(),
            put_attempts: 4,
            put_timeout: Duration::from_secs(30),
            put_pause: Duration::from_millis(200),
            max_conflicts: 5,
            registry: RegistrySettings::default(),
            memory_mb: None,
        }
    }
}

/// What became of an event that may be acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LoadReply {
    /// Records in the event.
    pub records: u64,
    /// Records of the event that earlier commits had loaded.
    pub seen: u64,
    /// Records that the job does not read: of source partitions that it does not list, or before its start.
    pub dropped: u64,
    /// Counts over what was committed now.
    pub statistics: LoadStatistics,
    /// Ranges committed now, ascending by source partition.
    pub ranges: Vec<CommittedRange>,
    /// Commits made.
    pub commits: u32,
    /// Data files put and committed.
    pub files: u32,
    /// Bytes of those files.
    pub file_bytes: u64,
    /// Whether `max_error_number` paused the job afterwards.
    pub paused: bool,
}

/// What a round came to.
enum Round {
    /// Nothing of the event is left.
    Done,
    /// Further source partitions are left.
    More,
    /// Another invocation was first.
    Conflict,
    /// The job reads headers, which the event was read without.
    Headers,
}

/// What is charged for a round. An invocation is for its first commit, whatever led to it.
#[derive(Debug, Clone, Copy)]
struct Charge {
    /// When it began, milliseconds since the epoch.
    since_ms: i64,
    /// Invocations: 1 or 0.
    invocations: u64,
    /// Bytes of the event, if it is its invocation's.
    event_bytes: u64,
}

impl Loader {
    /// A loader of the jobs in `catalog`.
    pub fn new(catalog: Catalog, volumes: Arc<dyn Volumes>, settings: LoaderSettings) -> Self {
        let registry = Registry::new(settings.registry.clone());
        Self { catalog, volumes, settings, prepared: PreparedJobs::default(), registry }
    }

    /// Loads the Kafka event `event` (JSON as Lambda sends it) for `job`. `Ok` means that every record of it that the
    /// job reads is durably committed, and only then.
    ///
    /// Logs what became of the batch, errors with their causes; callers need not log again. A failure that the job's
    /// owner should see is recorded with the job.
    ///
    /// # Errors
    /// [`LoadError`]: the batch is to come again as a whole. What a part of it committed is skipped then.
    pub async fn load(&self, job: JobId, event: &[u8]) -> Result<LoadReply, LoadError> {
        let started_ms = self.now_ms();
        let result = self.rounds(job, event, started_ms).await;
        let milliseconds = self.since_ms(started_ms);
        match &result {
            Ok(reply) => report::loaded(job, reply, milliseconds),
            Err(error) => {
                self.prepared.doubt(job);
                self.failed(job, error, event.len(), milliseconds).await;
            }
        }
        result
    }

    async fn rounds(&self, job: JobId, event: &[u8], invoked_ms: i64) -> Result<LoadReply, LoadError> {
        let json = event;
        let mut event = kafka::read(json, self.prepared.header_wish(job))?;
        let mut reply = LoadReply {
            records: event.len() as u64, // usize has at most 64 bits
            ..LoadReply::default()
        };
        let mut conflicts = 0;
        let mut began = None;
        while !event.is_empty() {
            let charge = if reply.commits == 0 {
                Charge { since_ms: invoked_ms, invocations: 1, event_bytes: json.len() as u64 } // usize has at most 64 bits
            } else {
                Charge { since_ms: self.now_ms(), invocations: 0, event_bytes: 0 }
            };
            match self.round(job, &event, &mut began, charge, &mut reply).await? {
                Round::Done => break,
                Round::More => {}
                Round::Headers => event = kafka::read(json, HeaderWish::Read)?,
                Round::Conflict => {
                    conflicts += 1;
                    if conflicts >= self.settings.max_conflicts {
                        return Err(LoadError::Contended { job, conflicts });
                    }
                }
            }
        }
        reply.seen = reply.records.saturating_sub(reply.dropped).saturating_sub(reply.statistics.records);
        Ok(reply)
    }

    /// `began` is the version of the job that the invocation began with.
    async fn round(
        &self,
        job: JobId,
        event: &Event,
        began: &mut Option<u32>,
        charge: Charge,
        reply: &mut LoadReply,
    ) -> Result<Round, LoadError> {
        let started_ms = self.now_ms();
        let snapshot = self.catalog.job_snapshot(job).await?.ok_or(LoadError::UnknownJob { job })?;
        let state = snapshot.job.state;
        if !state.loads() {
            self.prepared.forget(job);
            return Err(LoadError::NotLoading { job, state });
        }
        let prepared = self.prepared(&snapshot).await?;
        let source = &prepared.definition.source;
        if event.topic() != source.topic {
            return Err(LoadError::Topic { job, expected: source.topic.clone(), found: event.topic().to_owned() });
        }
        if prepared.plan.reads_headers() && event.headers() == HeaderWish::Skip {
            return Ok(Round::Headers);
        }
        let selection = select(event, &snapshot, source)?;
        reply.dropped = selection.dropped;
        if let Some(recreated) = selection.recreated {
            let reason = reasons::topic_recreated(event.topic(), &recreated);
            self.apply(job, JobEvent::Pause(reason)).await;
            return Err(LoadError::TopicRecreated {
                topic: event.topic().to_owned(),
                source_partition: recreated.source_partition,
                last_offset: recreated.last_offset,
                next_offset: recreated.next_offset,
            });
        }
        let began = *began.get_or_insert(snapshot.job.version);
        if let Some(gap) = selection.gap.filter(|_| is_of_mapping_before(&snapshot.job, began)) {
            let Gap { source_partition, first_offset, next_offset } = gap;
            return Err(LoadError::MovedBack { job, source_partition, first_offset, next_offset });
        }
        if selection.batch.records.is_empty() {
            self.scheduled(&snapshot).await;
            return Ok(Round::Done);
        }
        self.commit(&snapshot, &prepared, &selection, (started_ms, charge), reply).await
    }

    async fn commit(
        &self,
        snapshot: &JobSnapshot,
        prepared: &Prepared,
        selection: &Selection<'_>,
        (started_ms, charge): (i64, Charge),
        reply: &mut LoadReply,
    ) -> Result<Round, LoadError> {
        let job = &snapshot.job;
        let schemas = self.schemas(prepared, prepared.plan.schemas_needed(&selection.batch)).await?;
        let loaded = prepared.plan.load(&selection.batch, &self.facts(started_ms, schemas));
        let files =
            Files { settings: &self.settings, prepared, clock: self.catalog.clock().as_ref(), batch: &selection.batch };
        let verdict = decide(&tolerance(prepared), &loaded.statistics, window(snapshot));
        if let Some((reason, error)) = refusal(prepared, &loaded, &verdict) {
            // The owner needs to see what was refused, but the pause must not wait for a file.
            match files.put_rejected(&loaded.rejected).await {
                Ok(Some(file)) => self.record_error_file(job.id, &file.key).await,
                Ok(None) => {}
                Err(error) => report::undone(job.id, "put the refused rows", &error),
            }
            self.apply(job.id, JobEvent::Pause(reason)).await;
            return Err(error);
        }
        let (data_files, errors) = files.put(&loaded).await?;
        let spent = Spent {
            execute_ms: self.since_ms(started_ms),
            usage: self.usage(charge, &loaded.statistics, data_files.len() + usize::from(errors.is_some())),
        };
        let tally = tally::tally(&loaded, &selection.batch, &selection.positions, &data_files, job, &spent)?;
        let commit = Commit {
            id: self.catalog.clock().unique(),
            table: job.table,
            job: job.id,
            job_version: job.version,
            topic: selection.batch.topic.clone(),
            files: data_files,
            errors,
            ranges: tally.ranges,
            committed_at_ms: self.now_ms(),
            replay: None,
        };
        match self.catalog.commit(&commit, job.fence, &tally.moves).await? {
            CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => {}
            CommitOutcome::Conflict { .. } => return Ok(Round::Conflict),
        }
        reply.count(&commit, &loaded.statistics);
        self.committed(snapshot, &commit, &loaded.statistics).await;
        match verdict {
            Verdict::CommitThenPause { rejected, max_error_number } => {
                let reason = reasons::too_many_errors(rejected, max_error_number);
                // A window that goes on makes the next batch pause, if this one could not.
                if self.apply(job.id, JobEvent::Pause(reason)).await {
                    self.begin_window(snapshot).await;
                    reply.paused = true;
                }
                if selection.more {
                    return Err(LoadError::PausedHalfway { job: job.id });
                }
            }
            Verdict::Tumble => self.begin_window(snapshot).await,
            Verdict::Continue(_) | Verdict::Refuse { .. } => {}
        }
        Ok(if selection.more { Round::More } else { Round::Done })
    }

    /// What a batch used until its commit, without the commit's write units, which the catalog adds.
    fn usage(&self, charge: Charge, statistics: &LoadStatistics, puts: usize) -> Usage {
        let Charge { since_ms, invocations, event_bytes } = charge;
        let milliseconds = self.since_ms(since_ms);
        Usage {
            since_ms,
            until_ms: self.now_ms(),
            records: statistics.records,
            received_bytes: statistics.received_bytes,
            event_bytes,
            invocations,
            milliseconds,
            megabyte_ms: milliseconds.saturating_mul(self.settings.memory_mb.unwrap_or(0).into()),
            puts: puts as u64, // usize has at most 64 bits
            write_units: 0,
        }
    }

    /// Facts for one batch; no other has its seed.
    fn facts(&self, now_ms: i64, schemas: Schemas) -> Facts {
        // No two of these names are alike, so no two seeds are.
        let seed = self.catalog.clock().unique().bytes().fold(0_u128, |seed, byte| seed << 5 ^ u128::from(byte));
        Facts::at(now_ms).with_schemas(schemas).with_seed(seed)
    }

    /// The schemas of these numbers.
    async fn schemas(&self, prepared: &Prepared, ids: Vec<SchemaId>) -> Result<Schemas, LoadError> {
        match &prepared.definition.source.registry {
            Some(registry) if !ids.is_empty() => Ok(self.registry.schemas(registry, &ids).await?),
            _ => Ok(Schemas::default()),
        }
    }

    /// Prepares the job's version; a definition that cannot work pauses the job, a dropped table cancels it.
    async fn prepared(&self, snapshot: &JobSnapshot) -> Result<Arc<Prepared>, LoadError> {
        let job = &snapshot.job;
        let result = self.prepared.get(job, &self.catalog, self.volumes.as_ref()).await;
        match &result {
            Err(LoadError::TableDropped { .. }) => {
                let event = JobEvent::Cancel(reasons::table_dropped());
                self.apply(job.id, event).await;
            }
            Err(LoadError::Definition { source, .. }) => {
                let event = JobEvent::Pause(reasons::wrong_definition(source));
                self.apply(job.id, event).await;
            }
            _ => {}
        }
        result
    }

    fn now_ms(&self) -> i64 {
        self.catalog.clock().now_ms()
    }

    /// 0 if the clock went backwards.
    fn since_ms(&self, started_ms: i64) -> u64 {
        u64::try_from(self.now_ms().saturating_sub(started_ms)).unwrap_or(0)
    }
}

impl LoadReply {
    fn count(&mut self, commit: &Commit, statistics: &LoadStatistics) {
        self.statistics += *statistics;
        self.ranges.extend(commit.ranges.iter().cloned());
        self.commits += 1;
        for file in &commit.files {
            self.files += 1;
            self.file_bytes += file.bytes;
        }
    }
}

/// Whether a batch may come from the mapping that the job had before ALTER moved it back. Where that one stood nobody knows,
/// so that what it brings after a gap must not be taken for what follows: the new mapping brings the gap first.
fn is_of_mapping_before(job: &Job, began: u32) -> bool {
    job.rewound && (job.mapping.is_none() || job.version != began)
}

/// Why nothing of a batch is to be loaded and the job pauses, if so: a record that cannot be parsed where the job does not
/// bear one, or too many rejected rows.
fn refusal(prepared: &Prepared, loaded: &Loaded, verdict: &Verdict) -> Option<(StateReason, LoadError)> {
    if prepared.definition.properties.pause_on_fatal_parse_error()
        && let Some(row) = loaded.rejected.iter().find(RejectedRow::is_fatal_parse_error)
    {
        let error = LoadError::Unparsable { source_partition: row.source_partition, offset: row.offset };
        return Some((reasons::parse_error(&row), error));
    }
    let Verdict::Refuse { rejected, considered } = *verdict else {
        return None;
    };
    Some((reasons::too_many_filtered(rejected, considered), LoadError::Refused { rejected, considered }))
}

fn tolerance(prepared: &Prepared) -> Tolerance {
    let properties = &prepared.definition.properties;
    Tolerance {
        max_error_number: properties.max_error_number(),
        max_filter_ratio: properties.max_filter_ratio(),
        window_rows: properties.max_batch_rows().saturating_mul(10),
    }
}

/// The job's error window: the parts that its source partitions hold, without those of earlier windows.
fn window(snapshot: &JobSnapshot) -> ErrorWindow {
    let number = snapshot.job.window;
    let mut sum = ErrorWindow { number, ..ErrorWindow::default() };
    for progress in snapshot.progress.values() {
        let part = progress.value.window;
        if part.number == number {
            sum.total = sum.total.saturating_add(part.total);
            sum.rejected = sum.rejected.saturating_add(part.rejected);
        }
    }
    sum
}

#[cfg(test)]
mod tests;
