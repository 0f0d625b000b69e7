//! The invariants that are about what is stored, checked after every step in which anything was stored.
//!
//! Commits are read through the very code that queries take their files from, so a reader between any two steps is part of
//! every check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use penstock_catalog::Catalog;
use penstock_catalog::commit::{Commit, CommittedRange, DataFile};
use penstock_catalog::job::JobSnapshot;
use penstock_catalog::layout::GRACE_MS;
use penstock_catalog::rejected::{Rejection, ReplayCounts, standing};
use penstock_catalog::store::{Item, Key};
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::loaded::LoadStatistics;

use crate::bucket::Bucket;
use crate::database::{Change, Database};
use crate::files::{self, Row};
use crate::kafka::{Record, Topic};
use crate::mapping::Delivery;
use crate::model::{Committed, Model, Outcome, Shape, SourceModel};
use crate::net::Net;
use crate::ready;
use crate::schedule::Wanted;
use crate::violation::Invariant::{
    CommitsStay, CountersAreSums, FencesHold, FilesAreThere, RangesTile, RejectedAreOnce, RowsAreTheModels,
    StatisticsAreTrue,
};
use crate::violation::{Violation, broken};

/// Looks at what is stored, and moves the model on.
pub(crate) struct Checker {
    pub(crate) model: Model,
    pub(crate) catalog: Catalog,
    pub(crate) database: Arc<Database>,
    pub(crate) bucket: Arc<Bucket>,
    net: Arc<Net>,
    /// Objects that the catalog named, as they were then, and when nothing named them any more.
    objects: BTreeMap<String, Object>,
    /// Tasks that changed jobs, tables or definitions.
    pub(crate) effective: BTreeSet<u32>,
    /// TRUNCATE by its task: the table, and how many commits it had when the statement began.
    pub(crate) truncates: BTreeMap<u32, (TableId, usize)>,
    /// REPLAY by its task: which rows.
    pub(crate) replays: BTreeMap<u32, Wanted>,
    /// Objects that running queries have still to read, by task.
    pub(crate) needed: BTreeMap<u32, Arc<Mutex<BTreeSet<String>>>>,
    /// Rejections of a job are to be looked at.
    rejections: BTreeSet<JobId>,
}

/// An object that the catalog names, or named.
struct Object {
    bytes: Bytes,
    left_at_ms: Option<i64>,
}

/// How long what nobody names any more must be there still, whatever the clocks of those who clean up say: far above what a
/// query takes.
pub(crate) const LEAST_GRACE_MS: i64 = GRACE_MS - 600_000;

/// The path of the builtin volume.
pub(crate) const VOLUME_PATH: &str = "data";

impl Checker {
    /// `catalog` reads `database` without a network between.
    pub(crate) fn new(catalog: Catalog, database: Arc<Database>, bucket: Arc<Bucket>, net: Arc<Net>) -> Self {
        Self {
            model: Model::default(),
            catalog,
            database,
            bucket,
            net,
            objects: BTreeMap::new(),
            effective: BTreeSet::new(),
            truncates: BTreeMap::new(),
            replays: BTreeMap::new(),
            needed: BTreeMap::new(),
            rejections: BTreeSet::new(),
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.net.now_ms()
    }

    /// Checks what changed since the last call.
    pub(crate) fn check(&mut self, topic: &Topic, deliveries: &BTreeMap<u32, Delivery>) -> Result<(), Violation> {
        let changes = self.database.take_changes();
        for change in &changes {
            self.changed(change, topic, deliveries)?;
        }
        let rejections = std::mem::take(&mut self.rejections);
        rejections.into_iter().try_for_each(|job| self.rejected(job))?;
        self.bucket.take_changes().into_iter().try_for_each(|key| self.object_changed(&key))
    }

    /// What the catalog names never changes, and goes only long after nothing names it any more.
    fn object_changed(&self, key: &str) -> Result<(), Violation> {
        let found = self.bucket.object(key);
        if found.is_none() {
            for (task, needed) in &self.needed {
                let needed = needed.lock().unwrap_or_else(PoisonError::into_inner);
                if needed.contains(key) {
                    return broken(FilesAreThere, format!("`{key}` was deleted while #{task} needs it"));
                }
            }
        }
        let Some(known) = self.objects.get(key) else { return Ok(()) };
        match (found, known.left_at_ms) {
            (Some(found), _) if found == known.bytes => Ok(()),
            (Some(_), _) => broken(FilesAreThere, format!("`{key}` was changed after its commit")),
            (None, Some(left_at_ms)) if self.now_ms() - left_at_ms >= LEAST_GRACE_MS => Ok(()),
            (None, Some(left_at_ms)) => {
                let age_ms = self.now_ms() - left_at_ms;
                broken(FilesAreThere, format!("`{key}` was deleted {age_ms} ms after it was replaced"))
            }
            (None, None) => broken(FilesAreThere, format!("`{key}` was deleted, and the catalog names it")),
        }
    }

    /// Nothing names these objects any more.
    pub(crate) fn unnamed(&mut self, keys: impl Iterator<Item = String>) {
        let now_ms = self.now_ms();
        for key in keys {
            if let Some(object) = self.objects.get_mut(&format!("{VOLUME_PATH}/{key}")) {
                object.left_at_ms.get_or_insert(now_ms);
            }
        }
    }

    fn changed(
        &mut self,
        change: &Change,
        topic: &Topic,
        deliveries: &BTreeMap<u32, Delivery>,
    ) -> Result<(), Violation> {
        let mut jobs = BTreeSet::new();
        let mut tables: BTreeMap<TableId, Vec<&Key>> = BTreeMap::new();
        let mut begun = BTreeSet::new();
        for key in &change.keys {
            let number = |prefix| key.pk.strip_prefix(prefix).and_then(|number| number.parse().ok());
            if let Some(job) = number("job#").map(JobId) {
                jobs.insert(job);
            } else if let Some(table) = number("table#").map(TableId) {
                // What was done last, and items of folds that no layout names, are of no effect.
                if key.sk != "maintenance" && !key.sk.starts_with("fold#") {
                    tables.entry(table).or_default().push(key);
                }
            } else if let Some(job) = number("rejected#").map(JobId) {
                self.rejections.insert(job);
            }
            if key.sk.starts_with("beginning#")
                && let Some(job) = number("job_versions#").map(JobId)
            {
                begun.insert(job);
            }
            let parts = ["job", "definition", "version#", "removal#"];
            if parts.iter().any(|part| key.sk.starts_with(part)) {
                self.effective.insert(change.task);
            }
        }
        for job in begun {
            self.altered(job)?;
        }
        for (table, keys) in tables {
            self.table(table, change.task, &keys, topic, deliveries)?;
        }
        jobs.into_iter().try_for_each(|job| self.job(job))
    }

    /// A version of the job began where its record says, and what lies behind that is to be loaded again.
    fn altered(&mut self, id: JobId) -> Result<(), Violation> {
        let versions = match ready(self.catalog.job_versions(id)) {
            Some(Ok(versions)) => versions,
            other => return broken(RangesTile, format!("versions of job {id} cannot be read: {other:?}")),
        };
        let Some(beginning) = versions.into_iter().next_back().and_then(|version| version.beginning) else {
            return broken(RangesTile, format!("job {id} does not say where its version begins"));
        };
        let Model { jobs, rows, .. } = &mut self.model;
        let job = jobs.entry(id).or_default();
        job.moved |= beginning.sources.values().any(|source| source.ended.is_some_and(|ended| ended != source.begins));
        for (source_partition, begins) in beginning.sources {
            let known = job.sources.get(&source_partition).map(|source| source.next_offset);
            // What has begun by a report has loaded nothing, and no commit told of it.
            if known.is_some() && begins.ended != known {
                let found = format!("job {id}, source partition {source_partition}: {begins:?} after {known:?}");
                return broken(RangesTile, found);
            }
            let source = job.sources.entry(source_partition).or_insert_with(|| {
                let mut source = SourceModel::beginning(begins.ended.unwrap_or(begins.begins));
                if begins.ended.is_none() {
                    source.passed.push(i64::MIN..begins.begins);
                }
                source
            });
            source.move_to(begins.begins);
            rows.retain(|(job, place)| {
                let (of, offset) = Record::of_place(*place);
                *job != id || of != i64::from(source_partition) || offset < begins.begins
            });
        }
        Ok(())
    }

    /// A commit took place; it is the next of its table.
    pub(crate) fn committed(
        &mut self,
        commit: Commit,
        item: Option<Item>,
        task: u32,
        topic: &Topic,
        deliveries: &BTreeMap<u32, Delivery>,
    ) -> Result<(), Violation> {
        let id = commit.id.clone();
        let snapshot = self.snapshot(commit.job)?;
        let state = snapshot.job.state;
        let job = self.model.jobs.entry(commit.job).or_default();
        // Rejected rows of a PAUSED job may be replayed.
        if job.closed == Some(snapshot.job.fence) && (commit.replay.is_none() || state.is_final()) {
            return broken(FencesHold, format!("commit {id} of job {} which is {state}", commit.job));
        }
        let shape = self.shape(&commit)?;
        let mut expected = match commit.replay {
            Some(_) => self.replayed(&commit, task, shape)?,
            None => self.moved(&commit, task, shape, topic, deliveries)?,
        };
        self.content(&commit, &mut expected)?;
        // A record is loaded again where ALTER moved back, and its rejected rows may be replayed besides.
        let again = commit.replay.is_some() && self.model.jobs.get(&commit.job).is_some_and(|job| job.moved);
        for (place, _) in expected.rows.iter().filter(|_| !again) {
            if !self.model.rows.insert((commit.job, *place)) {
                return broken(RowsAreTheModels, format!("commit {id} holds the row {place:#x} a second time"));
            }
        }
        if Rejection::of(&commit).is_some() {
            self.rejections.insert(commit.job);
        }
        let table = self.model.tables.entry(commit.table).or_default();
        table.commits.push(Committed {
            commit,
            item,
            rows: expected.rows,
            rejected: expected.rejected,
            replaced_by: None,
            removed_at: None,
            folded_at_ms: None,
        });
        Ok(())
    }

    /// Progress moves by the ranges of a batch's commit, and this must have come of it.
    fn moved(
        &mut self,
        commit: &Commit,
        task: u32,
        shape: Shape,
        topic: &Topic,
        deliveries: &BTreeMap<u32, Delivery>,
    ) -> Result<Outcome, Violation> {
        let Some(delivery) = deliveries.get(&task).filter(|delivery| delivery.job == commit.job) else {
            return broken(RowsAreTheModels, format!("commit {} of job {} is of no delivery", commit.id, commit.job));
        };
        let mut expected = Outcome::default();
        let job = self.model.jobs.entry(commit.job).or_default();
        for range in &commit.ranges {
            let source =
                job.sources.entry(range.source_partition).or_insert_with(|| SourceModel::beginning(range.from_offset));
            let outcome = moved(source, range, commit, delivery, topic, shape)?;
            expected.rows.extend(outcome.rows);
            expected.rejected.extend(outcome.rejected);
            expected.statistics += outcome.statistics;
        }
        let leader = commit.ranges.first().and_then(|range| job.sources.get_mut(&range.source_partition));
        if let Some(source) = leader {
            source.tasks += 1;
        }
        Ok(expected)
    }

    /// A replay takes the place of rejected rows that count still, and this must have come of them.
    fn replayed(&mut self, commit: &Commit, task: u32, shape: Shape) -> Result<Outcome, Violation> {
        let Some(replay) = &commit.replay else { return Ok(Outcome::default()) };
        let Some(wanted) = self.replays.get(&task).copied() else {
            return broken(RejectedAreOnce, format!("commit {} is of no replay", commit.id));
        };
        let mut expected = Outcome::default();
        let mut counts = ReplayCounts::default();
        let commits = &mut self.model.tables.entry(commit.table).or_default().commits;
        let next = commits.len();
        for id in &replay.replaces {
            let known = commits.iter_mut().find(|known| known.commit.id == *id && known.commit.job == commit.job);
            let Some(known) = known.filter(|known| known.stands()) else {
                let found = format!("commit {} replays the rejected rows of {id}, which do not count", commit.id);
                return broken(RejectedAreOnce, found);
            };
            known.replaced_by = Some(next);
            for rejected in &known.rejected {
                if !wanted.wants(rejected.0) {
                    expected.rejected.push(rejected.clone());
                    continue;
                }
                counts.replayed += 1;
                match shape.replayed(rejected) {
                    Some(row) => {
                        counts.loaded += 1;
                        expected.rows.push(row);
                    }
                    None => {
                        counts.rejected += 1;
                        expected.rejected.push(rejected.clone());
                    }
                }
            }
        }
        if replay.counts != counts || !commit.ranges.is_empty() {
            let found = format!("commit {}: expected {counts:?}, found {:?}", commit.id, replay.counts);
            return broken(CountersAreSums, found);
        }
        self.model.jobs.entry(commit.job).or_default().replays += counts;
        Ok(expected)
    }

    /// Of each rejected row that was not replayed, whoever asks finds one, and of no other.
    fn rejected(&self, id: JobId) -> Result<(), Violation> {
        let mut expected: Vec<&str> = Vec::new();
        for table in self.model.tables.values() {
            let standing = table.commits.iter().filter(|known| known.commit.job == id && known.stands());
            expected.extend(standing.map(|known| known.commit.id.as_str()));
        }
        expected.sort_unstable();
        let found = match ready(self.catalog.rejections(id)) {
            Some(Ok(found)) => standing(found),
            other => return broken(RejectedAreOnce, format!("rejections of job {id} cannot be read: {other:?}")),
        };
        let mut found: Vec<&str> = found.iter().map(|one| one.commit.as_str()).collect();
        found.sort_unstable();
        if found != expected {
            return broken(RejectedAreOnce, format!("job {id}: expected those of {expected:?}, found {found:?}"));
        }
        Ok(())
    }

    /// What the commit's version of its job makes of records.
    fn shape(&self, commit: &Commit) -> Result<Shape, Violation> {
        let definition = ready(self.catalog.job_definition(commit.job, commit.job_version));
        match definition {
            Some(Ok(Some(definition))) => {
                let paths = definition.properties.jsonpaths();
                let mark = if paths.contains("$.b") { 'b' } else { 'a' };
                Ok(Shape { mark, spare: paths.contains("$.spare") })
            }
            other => broken(RowsAreTheModels, format!("the version of commit {} cannot be read: {other:?}", commit.id)),
        }
    }

    /// The commit's files hold what is expected, and its statistics say so.
    fn content(&mut self, commit: &Commit, expected: &mut Outcome) -> Result<(), Violation> {
        let id = &commit.id;
        let mut rows = Vec::new();
        for file in &commit.files {
            rows.extend(self.data_file(file)?);
        }
        rows.sort_unstable();
        expected.rows.sort_unstable();
        if rows != expected.rows {
            return broken(RowsAreTheModels, format!("commit {id}: expected {:?}, found {rows:?}", expected.rows));
        }
        let mut rejected = match &commit.errors {
            Some(file) => {
                let bytes = self.file(&file.key, file.bytes)?;
                let rows = files::rejected(&bytes);
                rows.or_else(|error| broken(FilesAreThere, format!("`{}`: {error}", file.key)))?
            }
            None => Vec::new(),
        };
        if commit.replay.is_some() {
            // In the order of the offsets then, whichever commit they came with.
            rejected.sort_unstable();
            expected.rejected.sort_unstable();
        }
        if rejected != expected.rejected {
            let found = format!("commit {id}: expected the rejected rows {:?}, found {rejected:?}", expected.rejected);
            return broken(RowsAreTheModels, found);
        }
        let named = commit.errors.as_ref().map_or(0, |file| file.rows);
        if named != rejected.len() as u64 {
            return broken(StatisticsAreTrue, format!("commit {id} names {named} rejected rows of {}", rejected.len()));
        }
        Ok(())
    }

    /// The rows of a file that the catalog names, ascending; what it says of the file is true.
    pub(crate) fn data_file(&mut self, file: &DataFile) -> Result<Vec<Row>, Violation> {
        let bytes = self.file(&file.key, file.bytes)?;
        let mut rows =
            files::rows(&bytes).or_else(|error| broken(FilesAreThere, format!("`{}`: {error}", file.key)))?;
        let statistics = files::statistics(&rows);
        if file.rows != rows.len() as u64 || file.columns != statistics {
            let found = format!("`{}`: {} rows {:?}, the file has {statistics:?}", file.key, file.rows, file.columns);
            return broken(StatisticsAreTrue, found);
        }
        if file.crc32c.is_some_and(|crc32c| crc32c != crc32c::crc32c(&bytes)) {
            return broken(StatisticsAreTrue, format!("`{}` has another checksum than the catalog says", file.key));
        }
        if file.sorted && !rows.is_sorted_by_key(|(place, _)| *place) {
            return broken(StatisticsAreTrue, format!("`{}` is not sorted", file.key));
        }
        rows.sort_unstable();
        Ok(rows)
    }

    /// An object that the catalog names.
    fn file(&mut self, key: &str, length: u64) -> Result<Bytes, Violation> {
        let full = format!("{VOLUME_PATH}/{key}");
        let Some(bytes) = self.bucket.object(&full) else {
            return broken(FilesAreThere, format!("the catalog names `{key}`, which is missing"));
        };
        if bytes.len() as u64 != length {
            let found = format!("the catalog names {length} bytes of `{key}`, it has {}", bytes.len());
            return broken(FilesAreThere, found);
        }
        self.objects.insert(full, Object { bytes: bytes.clone(), left_at_ms: None });
        Ok(bytes)
    }

    /// Progress of the job is what its commits make of it.
    fn job(&mut self, id: JobId) -> Result<(), Violation> {
        let snapshot = self.snapshot(id)?;
        let job = self.model.jobs.entry(id).or_default();
        let replays = snapshot.replays.as_ref().map(|read| read.value).unwrap_or_default();
        if replays != job.replays {
            let found = format!("job {id}: replays came to {:?}, found {replays:?}", job.replays);
            return broken(CountersAreSums, found);
        }
        for (source_partition, progress) in &snapshot.progress {
            let progress = &progress.value;
            let place = || format!("job {id}, source partition {source_partition}");
            let source =
                job.sources.entry(*source_partition).or_insert_with(|| SourceModel::beginning(progress.start_offset));
            if (progress.start_offset, progress.next_offset) != (source.start_offset, source.next_offset) {
                let found = format!(
                    "{}: commits cover {} to {}, progress says {} to {}",
                    place(),
                    source.start_offset,
                    source.next_offset,
                    progress.start_offset,
                    progress.next_offset
                );
                return broken(RangesTile, found);
            }
            // Records before a start that was found in an event are counted with the gaps.
            let before_start = progress.skipped.checked_sub(source.skipped);
            let tasks = progress.committed_tasks + progress.empty_tasks;
            if progress.statistics != source.statistics || before_start.is_none() || tasks != source.tasks {
                let found = format!(
                    "{}: expected {:?}, {} skipped, {} tasks, found {:?}, {} skipped, {tasks} tasks",
                    place(),
                    source.statistics,
                    source.skipped,
                    source.tasks,
                    progress.statistics,
                    progress.skipped,
                );
                return broken(CountersAreSums, found);
            }
            if progress.fence > snapshot.job.fence {
                let found = format!("{}: fence {} is above the job's {}", place(), progress.fence, snapshot.job.fence);
                return broken(FencesHold, found);
            }
        }
        Ok(())
    }

    /// A job as it is stored.
    pub(crate) fn snapshot(&self, job: JobId) -> Result<JobSnapshot, Violation> {
        match ready(self.catalog.job_snapshot(job)) {
            Some(Ok(Some(snapshot))) => Ok(snapshot),
            other => broken(CommitsStay, format!("job {job} cannot be read: {other:?}")),
        }
    }
}

/// Moves `source` by a range of `commit`, and says what must have come of it.
fn moved(
    source: &mut SourceModel,
    range: &CommittedRange,
    commit: &Commit,
    delivery: &Delivery,
    topic: &Topic,
    shape: Shape,
) -> Result<Outcome, Violation> {
    let CommittedRange { source_partition, from_offset, to_offset, skipped, jumped, statistics } = range;
    let place = || format!("commit {}, source partition {source_partition}, {from_offset} to {to_offset}", commit.id);
    if *from_offset != source.next_offset || to_offset <= from_offset {
        return broken(RangesTile, format!("{}: expected to go on from {}", place(), source.next_offset));
    }
    let within = |offset: i64| (*from_offset..*to_offset).contains(&offset);
    let of_source = || delivery.records.iter().filter(|record| record.source_partition == *source_partition);
    let records: Vec<_> = of_source().filter(|record| within(record.offset)).collect();
    let last = of_source().map(|record| record.offset).max();
    if last.map(|last| last + 1) != Some(*to_offset) {
        return broken(RangesTile, format!("{}: the delivery ends at {last:?}", place()));
    }
    if let Some(log) = topic.log(*source_partition) {
        let there = log.from(*from_offset).filter(|record| within(record.offset));
        let same_life = |record: &&&Record| records.iter().any(|known| known.life == record.life);
        for record in there.filter(|record| same_life(&record)) {
            if !records.contains(&record) {
                return broken(RangesTile, format!("{}: passes over the record at {}", place(), record.offset));
            }
        }
    }
    let outcome = Outcome::of(records.iter().copied(), shape);
    let length = to_offset.abs_diff(*from_offset);
    if *statistics != outcome.statistics || statistics.records + skipped != length {
        let found = format!("{}: expected {:?}, found {statistics:?}, {skipped} skipped", place(), outcome.statistics);
        return broken(CountersAreSums, found);
    }
    let first = of_source().map(|record| record.offset).min().unwrap_or(*from_offset);
    if *jumped != u64::try_from(first - from_offset).unwrap_or(0) {
        let found = format!("{}: the delivery begins at {first}, found {jumped} offsets before it", place());
        return broken(CountersAreSums, found);
    }
    if commit.job_version < source.job_version {
        let found = format!("{}: version {} after version {}", place(), commit.job_version, source.job_version);
        return broken(FencesHold, found);
    }
    if records.iter().any(|record| record.life < source.life) {
        source.mixed.push(*from_offset..*to_offset);
    }
    for record in &records {
        source.life = source.life.max(record.life);
        source.newest_ms = source.newest_ms.max(record.timestamp_ms);
    }
    source.ever.extend(records.iter().map(|record| (record.offset, record.life)));
    source.covered.extend(records.iter().map(|record| (record.offset, record.life)));
    source.job_version = commit.job_version;
    source.next_offset = *to_offset;
    source.skipped += skipped;
    source.statistics += LoadStatistics { ..*statistics };
    Ok(outcome)
}
