//! The invariants that are about what is stored, checked after every step in which anything was stored.
//!
//! Commits are read through the very code that queries take their files from, so a reader between any two steps is part of
//! every check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use penstock_catalog::Catalog;
use penstock_catalog::commit::{Commit, CommittedRange};
use penstock_catalog::job::JobSnapshot;
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::loaded::LoadStatistics;

use crate::bucket::Bucket;
use crate::database::{Change, Database};
use crate::files;
use crate::kafka::{Record, Topic};
use crate::mapping::Delivery;
use crate::model::{Committed, Model, Outcome, SourceModel};
use crate::ready;
use crate::violation::Invariant::{
    CommitsStay, CountersAreSums, FencesHold, FilesAreThere, RangesTile, RowsAreTheModels, StatisticsAreTrue,
};
use crate::violation::{Violation, broken};

/// Looks at what is stored, and moves the model on.
pub(crate) struct Checker {
    pub(crate) model: Model,
    catalog: Catalog,
    database: Arc<Database>,
    bucket: Arc<Bucket>,
    /// Objects that commits name, as they were when the commit took place.
    files: BTreeMap<String, Bytes>,
    /// Tasks that changed jobs, tables or definitions.
    pub(crate) effective: BTreeSet<u32>,
    /// TRUNCATE by its task: the table, and how many commits it had when the statement began.
    pub(crate) truncates: BTreeMap<u32, (TableId, usize)>,
}

/// The path of the builtin volume.
pub(crate) const VOLUME_PATH: &str = "data";

impl Checker {
    /// `catalog` reads `database` without a network between.
    pub(crate) fn new(catalog: Catalog, database: Arc<Database>, bucket: Arc<Bucket>) -> Self {
        Self {
            model: Model::default(),
            catalog,
            database,
            bucket,
            files: BTreeMap::new(),
            effective: BTreeSet::new(),
            truncates: BTreeMap::new(),
        }
    }

    /// Checks what changed since the last call.
    pub(crate) fn check(&mut self, topic: &Topic, deliveries: &BTreeMap<u32, Delivery>) -> Result<(), Violation> {
        let changes = self.database.take_changes();
        for change in &changes {
            self.changed(change, topic, deliveries)?;
        }
        for key in self.bucket.take_changes() {
            if self.files.get(&key).is_some_and(|known| self.bucket.object(&key).as_ref() != Some(known)) {
                return broken(FilesAreThere, format!("`{key}` was changed after its commit"));
            }
        }
        Ok(())
    }

    fn changed(
        &mut self,
        change: &Change,
        topic: &Topic,
        deliveries: &BTreeMap<u32, Delivery>,
    ) -> Result<(), Violation> {
        let mut jobs = BTreeSet::new();
        let mut tables = BTreeSet::new();
        let mut begun = BTreeSet::new();
        for key in &change.keys {
            let number = |prefix| key.pk.strip_prefix(prefix).and_then(|number| number.parse().ok());
            if let Some(job) = number("job#").map(JobId) {
                jobs.insert(job);
            } else if let Some(table) = number("table#").map(TableId) {
                tables.insert(table);
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
        for table in tables {
            self.commits(table, change.task, topic, deliveries)?;
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

    /// The commits of `table` are those that are known, and maybe one by `task`.
    fn commits(
        &mut self,
        table: TableId,
        task: u32,
        topic: &Topic,
        deliveries: &BTreeMap<u32, Delivery>,
    ) -> Result<(), Violation> {
        let commits = match ready(self.catalog.commits(table)) {
            Some(Ok(commits)) => commits,
            other => return broken(CommitsStay, format!("commits of table {table} cannot be read: {other:?}")),
        };
        let mut found: BTreeMap<String, Commit> =
            commits.into_iter().map(|commit| (commit.id.clone(), commit)).collect();
        for known in self.model.table(table) {
            let id = &known.commit.id;
            if found.remove(id).as_ref() != Some(&known.commit) {
                return broken(CommitsStay, format!("commit {id} is gone or changed"));
            }
        }
        found.into_values().try_for_each(|commit| self.committed(commit, task, topic, deliveries))?;
        self.visible(table, task)
    }

    /// A query sees the files of those commits that count, and no others; TRUNCATE takes all out that it has met.
    fn visible(&mut self, table: TableId, task: u32) -> Result<(), Violation> {
        let files = ready(async {
            match self.catalog.table_by_id(table).await? {
                Some(definition) => self.catalog.data_files(&definition).await.map(Some),
                None => Ok(None),
            }
        });
        let files = match files {
            Some(Ok(Some(files))) => files,
            // Nobody sees anything of a dropped table.
            Some(Ok(None)) => return Ok(()),
            other => return broken(CommitsStay, format!("files of table {table} cannot be listed: {other:?}")),
        };
        let mut seen: BTreeSet<&str> = files.iter().map(|file| file.key.as_str()).collect();
        if seen.len() != files.len() {
            return broken(RowsAreTheModels, format!("table {table} lists a file twice"));
        }
        let truncated = self.truncates.get(&task).filter(|(truncated, _)| *truncated == table).map(|(_, had)| *had);
        let commits = self.model.tables.entry(table).or_default();
        let count = commits.len();
        for (place, known) in commits.iter_mut().enumerate() {
            let id = &known.commit.id;
            let listed = known.commit.files.iter().filter(|file| seen.remove(file.key.as_str())).count();
            let whole = listed == known.commit.files.len();
            match truncated {
                _ if listed == 0 && known.commit.files.is_empty() => {}
                Some(_) if known.counts() && listed == 0 => known.removed_at = Some(count),
                Some(had) if known.counts() && place < had => {
                    return broken(RowsAreTheModels, format!("TRUNCATE of table {table} left commit {id}"));
                }
                _ if known.counts() == whole && (whole || listed == 0) => {}
                _ => return broken(RowsAreTheModels, format!("table {table} lists {listed} files of commit {id}")),
            }
        }
        match seen.pop_first() {
            Some(stray) => broken(RowsAreTheModels, format!("table {table} lists `{stray}`, which is of no commit")),
            None => Ok(()),
        }
    }

    /// A commit took place.
    fn committed(
        &mut self,
        commit: Commit,
        task: u32,
        topic: &Topic,
        deliveries: &BTreeMap<u32, Delivery>,
    ) -> Result<(), Violation> {
        let id = commit.id.clone();
        let Some(delivery) = deliveries.get(&task).filter(|delivery| delivery.job == commit.job) else {
            return broken(RowsAreTheModels, format!("commit {id} of job {} is of no delivery", commit.job));
        };
        let snapshot = self.snapshot(commit.job)?;
        let fence = snapshot.job.fence;
        let job = self.model.jobs.entry(commit.job).or_default();
        if job.closed == Some(fence) {
            let state = snapshot.job.state;
            return broken(FencesHold, format!("commit {id} of job {} which is {state}", commit.job));
        }
        let mark = self.mark(&commit)?;
        let mut expected = Outcome::default();
        for range in &commit.ranges {
            let job = self.model.jobs.entry(commit.job).or_default();
            let source =
                job.sources.entry(range.source_partition).or_insert_with(|| SourceModel::beginning(range.from_offset));
            let outcome = moved(source, range, &commit, delivery, topic, mark)?;
            expected.rows.extend(outcome.rows);
            expected.rejected.extend(outcome.rejected);
            expected.statistics += outcome.statistics;
        }
        let leader = commit.ranges.first().map(|range| range.source_partition);
        let sources = self.model.jobs.get_mut(&commit.job).map(|job| &mut job.sources);
        if let Some(source) = leader.and_then(|leader| sources?.get_mut(&leader)) {
            source.tasks += 1;
        }
        self.content(&commit, &mut expected)?;
        let mut places: Vec<i64> = expected.rows.iter().map(|(place, _)| *place).collect();
        places.sort_unstable();
        for place in &places {
            if !self.model.rows.insert((commit.job, *place)) {
                return broken(RowsAreTheModels, format!("commit {id} holds the row {place:#x} a second time"));
            }
        }
        self.model.tables.entry(commit.table).or_default().push(Committed { commit, places, removed_at: None });
        Ok(())
    }

    /// The key that feeds the column `mark` in the commit's version of its job.
    fn mark(&self, commit: &Commit) -> Result<char, Violation> {
        let definition = ready(self.catalog.job_definition(commit.job, commit.job_version));
        match definition {
            Some(Ok(Some(definition))) => Ok(if definition.properties.jsonpaths().contains("$.b") { 'b' } else { 'a' }),
            other => broken(RowsAreTheModels, format!("the version of commit {} cannot be read: {other:?}", commit.id)),
        }
    }

    /// The commit's files hold what is expected, and its statistics say so.
    fn content(&mut self, commit: &Commit, expected: &mut Outcome) -> Result<(), Violation> {
        let id = &commit.id;
        let mut rows = Vec::new();
        for file in &commit.files {
            let bytes = self.file(id, &file.key, file.bytes)?;
            let read =
                files::rows(&bytes).or_else(|error| broken(FilesAreThere, format!("`{}`: {error}", file.key)))?;
            let statistics = files::statistics(&read);
            if file.rows != read.len() as u64 || file.columns != statistics {
                let found =
                    format!("`{}`: {} rows {:?}, the file has {statistics:?}", file.key, file.rows, file.columns);
                return broken(StatisticsAreTrue, found);
            }
            rows.extend(read);
        }
        rows.sort_unstable();
        expected.rows.sort_unstable();
        if rows != expected.rows {
            return broken(RowsAreTheModels, format!("commit {id}: expected {:?}, found {rows:?}", expected.rows));
        }
        let rejected = match &commit.errors {
            Some(file) => {
                let bytes = self.file(id, &file.key, file.bytes)?;
                let rows = files::rejected(&bytes);
                rows.or_else(|error| broken(FilesAreThere, format!("`{}`: {error}", file.key)))?
            }
            None => Vec::new(),
        };
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

    /// A file that the commit names.
    fn file(&mut self, commit: &str, key: &str, length: u64) -> Result<Bytes, Violation> {
        let full = format!("{VOLUME_PATH}/{key}");
        let Some(bytes) = self.bucket.object(&full) else {
            return broken(FilesAreThere, format!("commit {commit} names `{key}`, which is missing"));
        };
        if bytes.len() as u64 != length {
            let found = format!("commit {commit} names {length} bytes of `{key}`, it has {}", bytes.len());
            return broken(FilesAreThere, found);
        }
        self.files.insert(full, bytes.clone());
        Ok(bytes)
    }

    /// Progress of the job is what its commits make of it.
    fn job(&mut self, id: JobId) -> Result<(), Violation> {
        let snapshot = self.snapshot(id)?;
        let job = self.model.jobs.entry(id).or_default();
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
    mark: char,
) -> Result<Outcome, Violation> {
    let CommittedRange { source_partition, from_offset, to_offset, skipped, statistics } = range;
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
    let outcome = Outcome::of(records.iter().copied(), mark);
    let length = to_offset.abs_diff(*from_offset);
    if *statistics != outcome.statistics || statistics.records + skipped != length {
        let found = format!("{}: expected {:?}, found {statistics:?}, {skipped} skipped", place(), outcome.statistics);
        return broken(CountersAreSums, found);
    }
    if commit.job_version < source.job_version {
        let found = format!("{}: version {} after version {}", place(), commit.job_version, source.job_version);
        return broken(FencesHold, found);
    }
    for record in &records {
        source.mixed |= record.life < source.life;
        source.life = source.life.max(record.life);
    }
    source.ever.extend(records.iter().map(|record| (record.offset, record.life)));
    source.covered.extend(records.iter().map(|record| (record.offset, record.life)));
    source.job_version = commit.job_version;
    source.next_offset = *to_offset;
    source.skipped += skipped;
    source.statistics += LoadStatistics { ..*statistics };
    Ok(outcome)
}
