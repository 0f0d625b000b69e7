//! The model: plain maps that say what must be readable, moved on by each commit that takes place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use penstock_catalog::commit::Commit;
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::loaded::LoadStatistics;

use crate::files::{RejectedRow, Row};
use crate::kafka::Record;

/// Everything that must be so.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) jobs: BTreeMap<JobId, JobModel>,
    /// Commits of each table in the order in which they took place.
    pub(crate) tables: BTreeMap<TableId, Vec<Committed>>,
    /// Rows of all commits, by job and place.
    pub(crate) rows: BTreeSet<(JobId, i64)>,
}

/// A job as it must be.
#[derive(Default)]
pub(crate) struct JobModel {
    pub(crate) sources: BTreeMap<i32, SourceModel>,
    /// The fence under which nothing may be committed any more.
    pub(crate) closed: Option<u64>,
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
    /// Whether a batch of an earlier life landed among those of a later one: it was in flight when the topic was created
    /// anew, and nothing in it tells which of them it is of.
    pub(crate) mixed: bool,
    /// Offsets that ALTER skipped.
    pub(crate) passed: Vec<Range<i64>>,
    /// Committed records: the life of the topic that each is of.
    pub(crate) covered: BTreeMap<i64, u8>,
}

/// A commit that took place.
pub(crate) struct Committed {
    pub(crate) commit: Commit,
    /// Rows by their places, ascending.
    pub(crate) places: Vec<i64>,
    /// How many commits the table had when TRUNCATE took this one's files out, if it did.
    pub(crate) removed_at: Option<usize>,
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
            mixed: false,
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
    /// What must come of `records` if the column `mark` is fed by the key `mark`.
    pub(crate) fn of<'a>(records: impl Iterator<Item = &'a Record>, mark: char) -> Self {
        let mut outcome = Self::default();
        for record in records {
            let value = record.value();
            let (mut loaded, mut rejected) = (0, 0);
            for index in record.rows() {
                let place = record.place(index);
                outcome.rows.push((place, format!("{mark}{place}")));
                loaded += 1;
            }
            if let (Some(index), Some(value)) = (record.rejected(), &value) {
                // Of a value that holds several rows, the row's own part.
                let raw = if record.rows().is_empty() { value } else { value.rsplit(' ').next().unwrap_or(value) };
                outcome.rejected.push((record.source_partition, record.offset, index, raw.as_bytes().to_vec()));
                rejected += 1;
            }
            outcome.statistics += LoadStatistics {
                records: 1,
                total: loaded + rejected,
                loaded,
                rejected,
                unselected: 0,
                received_bytes: value.map_or(0, |value| value.len() as u64), // usize has at most 64 bits
            };
        }
        outcome
    }
}

impl Committed {
    /// Whether readers see its files.
    pub(crate) fn counts(&self) -> bool {
        self.removed_at.is_none()
    }
}

impl Model {
    /// The commits of a table in the order in which they took place.
    pub(crate) fn table(&self, table: TableId) -> &[Committed] {
        self.tables.get(&table).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn source(&self, job: JobId, source_partition: i32) -> Option<&SourceModel> {
        self.jobs.get(&job)?.sources.get(&source_partition)
    }
}
