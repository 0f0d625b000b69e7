//! The model: plain maps that say what must be readable, moved on by each commit that takes place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use penstock_catalog::commit::Commit;
use penstock_catalog::rejected::ReplayCounts;
use penstock_catalog::store::Item;
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::loaded::{LoadStatistics, TablePartition};

use crate::files::{RejectedRow, Row};
use crate::kafka::Record;

/// Everything that must be so.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) jobs: BTreeMap<JobId, JobModel>,
    pub(crate) tables: BTreeMap<TableId, TableModel>,
    /// Rows of all commits, by job and place.
    pub(crate) rows: BTreeSet<(JobId, i64)>,
}

/// A job as it must be.
#[derive(Default)]
pub(crate) struct JobModel {
    pub(crate) sources: BTreeMap<i32, SourceModel>,
    /// The fence under which nothing may be committed any more.
    pub(crate) closed: Option<u64>,
    /// What replays have done.
    pub(crate) replays: ReplayCounts,
    /// Whether ALTER has moved it, so that a record may be loaded more than once.
    pub(crate) moved: bool,
}

/// A table as it must be.
#[derive(Default)]
pub(crate) struct TableModel {
    /// Its commits in the order in which they took place.
    pub(crate) commits: Vec<Committed>,
    /// Files that readers saw at any time.
    pub(crate) files: BTreeMap<String, FileModel>,
    /// Those that they see now.
    pub(crate) readable: BTreeSet<String>,
    /// When it was dropped, milliseconds since the epoch.
    pub(crate) dropped_at_ms: Option<i64>,
}

/// A file of a table.
pub(crate) struct FileModel {
    /// Its rows, ascending.
    pub(crate) rows: Vec<Row>,
    /// The commits whose rows they are, by their places in the table's list.
    pub(crate) of: BTreeSet<usize>,
    pub(crate) table_partition: TablePartition,
    /// When readers stopped to see it, milliseconds since the epoch.
    pub(crate) left_at_ms: Option<i64>,
}

/// What a version of a job makes of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The key that feeds the column `mark`.
    pub(crate) mark: char,
    /// Whether the column `place` is fed by a key that is there even in rows that others reject.
    pub(crate) spare: bool,
}

/// Progress as it must be.
pub(crate) struct SourceModel {
    pub(crate) start_offset: i64,
    pub(crate) next_offset: i64,
    pub(crate) statistics: LoadStatistics,
    pub(crate) skipped: u64,
    pub(crate) job_version: u32,
    pub(crate) tasks: u64,
    /// Records that were committed at any time, even if ALTER went back behind them since.
    pub(crate) ever: BTreeMap<i64, u8>,
    /// The latest life of the topic that records were committed of.
    pub(crate) life: u8,
    /// The newest timestamp that was committed.
    pub(crate) newest_ms: i64,
    /// Ranges that commits took with records of an earlier life, after those of a later one: they were in flight when the
    /// topic was created anew, and took the place of what lies there now.
    pub(crate) mixed: Vec<Range<i64>>,
    /// Offsets that ALTER skipped.
    pub(crate) passed: Vec<Range<i64>>,
    /// Committed records: the life of the topic that each is of.
    pub(crate) covered: BTreeMap<i64, u8>,
}

/// A commit that took place.
pub(crate) struct Committed {
    pub(crate) commit: Commit,
    /// Its item, while it is there.
    pub(crate) item: Option<Item>,
    /// Its rows, ascending.
    pub(crate) rows: Vec<Row>,
    /// Its rejected rows.
    pub(crate) rejected: Vec<RejectedRow>,
    /// The commit of the replay that took the place of its rejected rows.
    pub(crate) replaced_by: Option<usize>,
    /// How many commits the table had when TRUNCATE took this one's files out, if it did.
    pub(crate) removed_at: Option<usize>,
    /// When a layout named it first, milliseconds since the epoch.
    pub(crate) folded_at_ms: Option<i64>,
}

/// What must come of records.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) rejected: Vec<RejectedRow>,
    pub(crate) statistics: LoadStatistics,
}

impl SourceModel {
    pub(crate) fn beginning(start_offset: i64) -> Self {
        Self {
            start_offset,
            next_offset: start_offset,
            statistics: LoadStatistics::default(),
            skipped: 0,
            job_version: 0,
            tasks: 0,
            ever: BTreeMap::new(),
            life: 0,
            newest_ms: i64::MIN,
            mixed: Vec::new(),
            passed: Vec::new(),
            covered: BTreeMap::new(),
        }
    }

    /// ALTER has the job go on from `next_offset`.
    pub(crate) fn move_to(&mut self, next_offset: i64) {
        if next_offset > self.next_offset {
            self.skipped += next_offset.abs_diff(self.next_offset);
            self.passed.push(self.next_offset..next_offset);
        } else {
            self.passed.retain_mut(|passed| {
                passed.end = passed.end.min(next_offset);
                !passed.is_empty()
            });
            self.covered.retain(|offset, _| *offset < next_offset);
        }
        self.start_offset = self.start_offset.min(next_offset);
        self.next_offset = next_offset;
    }
}

impl Outcome {
    /// What must come of `records` by a version of that shape.
    pub(crate) fn of<'a>(records: impl Iterator<Item = &'a Record>, shape: Shape) -> Self {
        let mut outcome = Self::default();
        for record in records {
            let (mut loaded, mut rejected) = (0, 0);
            for index in record.rows(shape.spare) {
                outcome.rows.push(shape.row(record.place(index)));
                loaded += 1;
            }
            if let (Some(index), Some(raw)) = (record.rejected(shape.spare), record.raw()) {
                outcome.rejected.push((record.source_partition, record.offset, index, raw));
                rejected += 1;
            }
            outcome.statistics += LoadStatistics {
                records: 1,
                total: loaded + rejected,
                loaded,
                rejected,
                unselected: 0,
                received_bytes: record.value().map_or(0, |value| value.len() as u64), // usize has at most 64 bits
            };
        }
        outcome
    }
}

impl Shape {
    /// The row of that place.
    pub(crate) fn row(self, place: i64) -> Row {
        (place, format!("{}{place}", self.mark))
    }

    /// What becomes of a rejected row that is replayed; `None`: it is rejected again.
    pub(crate) fn replayed(self, (.., index, raw): &RejectedRow) -> Option<Row> {
        if !self.spare || index.is_none() {
            return None;
        }
        let text = std::str::from_utf8(raw).ok()?;
        let (_, rest) = text.split_once(r#""spare":"#)?;
        let digits = rest.split(|other: char| !other.is_ascii_digit()).next()?;
        Some(self.row(digits.parse().ok()?))
    }
}

impl Committed {
    /// Whether readers see its files.
    pub(crate) fn counts(&self) -> bool {
        self.removed_at.is_none()
    }

    /// Its rejected rows count still.
    pub(crate) fn stands(&self) -> bool {
        self.commit.errors.is_some() && self.replaced_by.is_none()
    }
}

impl Model {
    /// The commits of a table in the order in which they took place.
    pub(crate) fn table(&self, table: TableId) -> &[Committed] {
        self.tables.get(&table).map_or(&[], |table| table.commits.as_slice())
    }

    pub(crate) fn source(&self, job: JobId, source_partition: i32) -> Option<&SourceModel> {
        self.jobs.get(&job)?.sources.get(&source_partition)
    }
}
