//! Coverage: whether what a job committed accounts for every offset, and what came of it.
//!
//! A committed range leads from its first offset to the one behind it, and an ALTER that moves a job leads from where the
//! version before ended to where the next begins. Coverage is complete if one walk from the start to `next_offset` takes
//! each of these ways once: then as many ways begin at every offset as end there, but for the two ends. So order does not
//! matter, ranges may be merged where one ends and another begins, and an offset where it does not hold is where a range
//! is missing, or there twice. What is counted must agree, too: in each range, and in sum with what progress counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use penstock_kernel::ids::JobId;
use penstock_kernel::loaded::LoadStatistics;
use penstock_kernel::progress::SourceProgress;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::commit::{CommittedRange, is_none};
use crate::error::CatalogError;
use crate::job::{JobSnapshot, JobVersion};
use crate::update::Race;

/// Committed ranges of one source partition that follow each other, as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveredRange {
    /// The source partition.
    pub source_partition: i32,
    /// Where it begins.
    pub from_offset: i64,
    /// Where it ends (exclusive).
    pub to_offset: i64,
    /// Commits that it is of.
    pub commits: u64,
    /// Offsets that held no record for the job.
    pub skipped: u64,
    /// Those of them that no batch showed to be empty: [`CommittedRange::jumped`].
    #[serde(default, skip_serializing_if = "is_none")]
    pub jumped: u64,
    /// The longest of the ranges that `jumped` counts (ends exclusive), ascending, at most [`MAX_JUMPS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jumps: Vec<(i64, i64)>,
    /// Counts.
    pub statistics: LoadStatistics,
}

/// Jumps that are kept of a source partition: markers of transactions make one of many batches.
pub const MAX_JUMPS: usize = 16;

/// What came of one source partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCoverage {
    /// The source partition.
    pub source_partition: i32,
    /// Where the job began.
    pub start_offset: i64,
    /// Next offset to load (exclusive end of what is accounted for).
    pub next_offset: i64,
    /// The ranges, merged where they follow each other, ascending.
    pub ranges: Vec<CoveredRange>,
    /// Where ALTER moved the job: `next_offset` before and after, and the version that begins there.
    pub moves: Vec<(i64, i64, u32)>,
    /// Counts over all ranges.
    pub statistics: LoadStatistics,
    /// Offsets that held no record for the job: transaction markers, compacted or expired records, gaps.
    pub skipped: u64,
    /// Those of them where a batch began behind the one before, so that nothing shows whether the log has records there.
    pub jumped: u64,
    /// The longest ranges of those (ends exclusive), ascending, at most [`MAX_JUMPS`].
    pub jumps: Vec<(i64, i64)>,
    /// Offsets that ALTER skipped.
    pub passed_over: u64,
    /// What is wrong first, if anything; `None`: every offset is accounted for.
    pub fault: Option<Fault>,
}

/// Why coverage is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No commit has the offsets from the first up to the second (exclusive).
    Missing(i64, i64),
    /// Commits have the offsets from the first up to the second (exclusive) more than once.
    Twice(i64, i64),
    /// A range says more or fewer offsets than its records and gaps are.
    Offsets {
        /// Where it begins.
        from_offset: i64,
        /// Where it ends (exclusive).
        to_offset: i64,
        /// Its records and gaps.
        counted: u64,
    },
    /// The rows of a range are not the sum of those loaded, rejected and unselected.
    Rows {
        /// Where it begins.
        from_offset: i64,
        /// Where it ends (exclusive).
        to_offset: i64,
        /// The rows that it counts.
        total: u64,
        /// Loaded, rejected and unselected rows.
        sum: u64,
    },
    /// Ranges and progress count differently.
    Sum {
        /// What is counted.
        what: &'static str,
        /// Over all ranges.
        ranges: u64,
        /// In the progress.
        progress: u64,
    },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(from, to) => write!(f, "no commit has the offsets [{from}, {to})"),
            Self::Twice(from, to) => write!(f, "commits have the offsets [{from}, {to}) more than once"),
            Self::Offsets { from_offset, to_offset, counted } => {
                write!(f, "the range [{from_offset}, {to_offset}) counts {counted} records and gaps")
            }
            Self::Rows { from_offset, to_offset, total, sum } => write!(
                f,
                "the range [{from_offset}, {to_offset}) counts {total} rows, and {sum} that were loaded, rejected or unselected"
            ),
            Self::Sum { what, ranges, progress } => {
                write!(f, "all ranges together count {ranges} {what}, the job's progress {progress}")
            }
        }
    }
}

impl CoveredRange {
    /// One committed range.
    pub(crate) fn of(range: &CommittedRange) -> Self {
        Self {
            source_partition: range.source_partition,
            from_offset: range.from_offset,
            to_offset: range.to_offset,
            commits: 1,
            skipped: range.skipped,
            jumped: range.jumped,
            jumps: jump(range).into_iter().collect(),
            statistics: range.statistics,
        }
    }

    fn fault(&self) -> Option<Fault> {
        let (from_offset, to_offset) = (self.from_offset, self.to_offset);
        let length = u64::try_from(to_offset.saturating_sub(from_offset)).unwrap_or(0);
        let counted = self.statistics.records.saturating_add(self.skipped);
        if counted != length {
            return Some(Fault::Offsets { from_offset, to_offset, counted });
        }
        let LoadStatistics { total, loaded, rejected, unselected, .. } = self.statistics;
        let sum = loaded.saturating_add(rejected).saturating_add(unselected);
        (sum != total).then_some(Fault::Rows { from_offset, to_offset, total, sum })
    }
}

/// The ranges, ascending, those that follow each other as one. A range that contradicts itself stays by itself, so that it
/// can be named.
pub(crate) fn merged(mut ranges: Vec<CoveredRange>) -> Vec<CoveredRange> {
    ranges.sort_by_key(|range| (range.source_partition, range.from_offset, range.to_offset));
    let mut merged: Vec<CoveredRange> = Vec::new();
    // By source partition and end, the place of a range that may go on there.
    let mut open: BTreeMap<(i32, i64), usize> = BTreeMap::new();
    for range in ranges {
        let (begins, ends) = ((range.source_partition, range.from_offset), (range.source_partition, range.to_offset));
        let sound = range.fault().is_none();
        let place = if sound { open.remove(&begins) } else { None };
        let place = match place.and_then(|place| Some((place, merged.get_mut(place)?))) {
            Some((place, before)) => {
                before.to_offset = range.to_offset;
                before.commits = before.commits.saturating_add(range.commits);
                before.skipped = before.skipped.saturating_add(range.skipped);
                before.jumped = before.jumped.saturating_add(range.jumped);
                before.jumps.extend(range.jumps);
                before.statistics += range.statistics;
                place
            }
            None => {
                merged.push(range);
                merged.len() - 1
            }
        };
        if sound {
            open.insert(ends, place);
        }
    }
    for range in &mut merged {
        range.jumps = longest(std::mem::take(&mut range.jumps));
    }
    merged
}

/// The offsets at the beginning of a committed range that nothing was delivered of.
fn jump(range: &CommittedRange) -> Option<(i64, i64)> {
    (range.jumped > 0).then(|| (range.from_offset, range.from_offset.saturating_add_unsigned(range.jumped)))
}

/// As many of `jumps` as are kept, ascending.
fn longest(mut jumps: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    if jumps.len() > MAX_JUMPS {
        jumps.sort_by_key(|(from, to)| (Reverse(to.saturating_sub(*from)), *from));
        jumps.truncate(MAX_JUMPS);
    }
    jumps.sort_unstable();
    jumps
}

impl Catalog {
    /// What came of every source partition that the job has begun, ascending; `None` if there is no such job.
    ///
    /// The ranges are of the job's table, so nothing is left of a job whose table was dropped.
    ///
    /// # Errors
    /// [`CatalogError::Contended`] if the job is altered all the time.
    pub async fn coverage(&self, job: JobId) -> Result<Option<Vec<SourceCoverage>>, CatalogError> {
        let mut race = Race::about(&crate::key::job(job));
        loop {
            let Some(before) = self.job_snapshot(job).await? else {
                return Ok(None);
            };
            let state = self.table_state_by_id(before.job.table).await?;
            let versions = self.job_versions(job).await?;
            let Some(after) = self.job_snapshot(job).await? else {
                return Ok(None);
            };
            if before.job.version != after.job.version {
                race.lost(&*self.clock).await?;
                continue;
            }
            let folded = state.ledger.coverage.iter().filter(|one| one.job == job).flat_map(|one| one.ranges.clone());
            let live = state.commits.iter().filter(|commit| commit.job == job);
            let ranges = folded.chain(live.flat_map(|commit| commit.ranges.iter().map(CoveredRange::of))).collect();
            return Ok(Some(covered(&before, &after, &versions, merged(ranges))));
        }
    }
}

/// `before` and `after` were read around the ranges: batches may have been committed in between.
fn covered(
    before: &JobSnapshot,
    after: &JobSnapshot,
    versions: &[JobVersion],
    ranges: Vec<CoveredRange>,
) -> Vec<SourceCoverage> {
    let mut by_source: BTreeMap<i32, Vec<CoveredRange>> =
        after.progress.keys().map(|source_partition| (*source_partition, Vec::new())).collect();
    for range in ranges {
        by_source.entry(range.source_partition).or_default().push(range);
    }
    by_source
        .into_iter()
        .map(|(source_partition, ranges)| {
            let of = |snapshot: &JobSnapshot| {
                snapshot.progress.get(&source_partition).map(|progress| progress.value.clone())
            };
            let mut start = None;
            let mut moves = Vec::new();
            for beginning in versions.iter().filter_map(|version| version.beginning.as_ref()) {
                let Some(source) = beginning.sources.get(&source_partition) else {
                    continue;
                };
                match source.ended {
                    None => start = start.or(Some(source.begins)),
                    Some(ended) if ended != source.begins => moves.push((ended, source.begins, beginning.version)),
                    Some(_) => {}
                }
            }
            source_coverage(source_partition, start, moves, of(before), of(after), ranges)
        })
        .collect()
}

fn source_coverage(
    source_partition: i32,
    start: Option<i64>,
    moves: Vec<(i64, i64, u32)>,
    before: Option<SourceProgress>,
    after: Option<SourceProgress>,
    ranges: Vec<CoveredRange>,
) -> SourceCoverage {
    let mut statistics = LoadStatistics::default();
    let mut skipped = 0_u64;
    let mut jumped = 0_u64;
    for range in &ranges {
        statistics += range.statistics;
        skipped = skipped.saturating_add(range.skipped);
        jumped = jumped.saturating_add(range.jumped);
    }
    let jumps = longest(ranges.iter().flat_map(|range| range.jumps.iter().copied()).collect());
    let passed_over =
        moves.iter().map(|(ended, begins, _)| u64::try_from(begins.saturating_sub(*ended)).unwrap_or(0)).sum();
    let first = ranges.iter().map(|range| range.from_offset).min();
    let begun = start.or_else(|| beginning(&moves, &ranges));
    let start_offset = begun.or(after.as_ref().map(|after| after.start_offset)).or(first).unwrap_or(0);
    let least = before.as_ref().map_or(start_offset, |before| before.next_offset);
    let most = after.as_ref().map_or(least, |after| after.next_offset);
    let (next_offset, fault) = walk(start_offset, least..=most.max(least), &moves, &ranges);
    let fault = ranges
        .iter()
        .find_map(CoveredRange::fault)
        .or(fault)
        .or_else(|| sums(&statistics, before.as_ref(), after.as_ref()));
    SourceCoverage {
        source_partition,
        start_offset,
        next_offset,
        ranges,
        moves,
        statistics,
        skipped,
        jumped,
        jumps,
        passed_over,
        fault,
    }
}

/// Where a source partition began that was moved before its beginning was recorded: progress knows only the lowest offset
/// that it has come to since.
fn beginning(moves: &[(i64, i64, u32)], ranges: &[CoveredRange]) -> Option<i64> {
    if moves.is_empty() {
        return None;
    }
    balance(moves, ranges).into_iter().find(|(_, ways)| *ways == 1).map(|(offset, _)| offset)
}

/// By offset: ways that begin there, less those that end there.
fn balance(moves: &[(i64, i64, u32)], ranges: &[CoveredRange]) -> BTreeMap<i64, i64> {
    let mut balance: BTreeMap<i64, i64> = BTreeMap::new();
    let ways = ranges.iter().map(|range| (range.from_offset, range.to_offset));
    for (from, to) in ways.chain(moves.iter().map(|(ended, begins, _)| (*ended, *begins))) {
        *balance.entry(from).or_default() += 1;
        *balance.entry(to).or_default() -= 1;
    }
    balance
}

/// Where the walk ends, and what is wrong with it first.
fn walk(
    start_offset: i64,
    ends: std::ops::RangeInclusive<i64>,
    moves: &[(i64, i64, u32)],
    ranges: &[CoveredRange],
) -> (i64, Option<Fault>) {
    let mut balance = balance(moves, ranges);
    *balance.entry(start_offset).or_default() -= 1;
    let next_offset = match balance.range(ends.clone()).find(|(_, balance)| **balance == -1) {
        Some((offset, _)) => *offset,
        None => *ends.start(),
    };
    *balance.entry(next_offset).or_default() += 1;
    let mut wrong = balance.into_iter().filter(|(_, balance)| *balance != 0);
    let fault = wrong.next().map(|(offset, ways)| {
        let other = wrong.next().map_or(offset, |(other, _)| other);
        if ways < 0 { Fault::Missing(offset, other) } else { Fault::Twice(offset, other) }
    });
    (next_offset, fault)
}

fn sums(statistics: &LoadStatistics, before: Option<&SourceProgress>, after: Option<&SourceProgress>) -> Option<Fault> {
    let least = before.map(|before| before.statistics).unwrap_or_default();
    let most = after.map(|after| after.statistics).unwrap_or_default();
    [
        ("records", statistics.records, least.records, most.records),
        ("rows", statistics.total, least.total, most.total),
        ("loaded rows", statistics.loaded, least.loaded, most.loaded),
        ("rejected rows", statistics.rejected, least.rejected, most.rejected),
        ("unselected rows", statistics.unselected, least.unselected, most.unselected),
    ]
    .into_iter()
    .find(|(_, sum, least, most)| sum < least || sum > most)
    .map(|(what, ranges, _, progress)| Fault::Sum { what, ranges, progress })
}

#[cfg(test)]
mod tests;
