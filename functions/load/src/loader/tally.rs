//! What a loaded batch does to progress: the ranges of its commit, and each source partition's next state.
//!
//! Pure. It trusts nobody's sums: a commit whose counts do not account for every record and every row is refused, since
//! advancing over a row that is in no file would lose it for ever.

use std::collections::BTreeMap;

use penstock_catalog::commit::{CommittedRange, DataFile, ProgressMove};
use penstock_catalog::job::Job;
use penstock_kernel::batch::Batch;
use penstock_kernel::loaded::{LoadStatistics, Loaded, RangeOutcome};
use penstock_kernel::progress::{ErrorWindow, SourceProgress};
use penstock_kernel::usage::Usage;

use super::selection::Position;
use crate::error::LoadError;

/// What a commit does to its source partitions, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) ranges: Vec<CommittedRange>,
    pub(super) moves: Vec<ProgressMove>,
}

/// What a batch took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Time for loading it, milliseconds.
    pub(super) execute_ms: u64,
    /// What a bill counts.
    pub(super) usage: Usage,
}

/// Tallies `loaded`. The lowest source partition leads the commit: it counts the task and what it took.
///
/// # Errors
/// [`LoadError::Miscounted`] if counts, files and positions contradict each other.
pub(super) fn tally(
    loaded: &Loaded,
    batch: &Batch<'_>,
    positions: &BTreeMap<i32, Position>,
    files: &[DataFile],
    job: &Job,
    spent: &Spent,
) -> Result<Tally, LoadError> {
    check(loaded, batch, positions.len(), files)?;
    let mut tally = Tally { ranges: Vec::with_capacity(positions.len()), moves: Vec::with_capacity(positions.len()) };
    for ((source_partition, position), outcome) in positions.iter().zip(&loaded.ranges) {
        if *source_partition != outcome.source_partition {
            return Err(LoadError::Miscounted {
                what: "source partition",
                expected: source_partition.unsigned_abs().into(),
                found: outcome.source_partition.unsigned_abs().into(),
            });
        }
        let to_offset = outcome.last_offset.saturating_add(1);
        let length = u64::try_from(to_offset.saturating_sub(position.from_offset)).unwrap_or(0);
        let skipped = length.checked_sub(outcome.statistics.records).ok_or(LoadError::Miscounted {
            what: "records of a range",
            expected: length,
            found: outcome.statistics.records,
        })?;
        tally.ranges.push(CommittedRange {
            source_partition: *source_partition,
            from_offset: position.from_offset,
            to_offset,
            skipped,
            // None, where what came begins below the range.
            jumped: u64::try_from(position.first_offset.saturating_sub(position.from_offset)).unwrap_or(0),
            statistics: outcome.statistics,
        });
        let mut after = next(position, outcome, job);
        after.next_offset = to_offset;
        after.skipped = after.skipped.saturating_add(skipped);
        if tally.moves.is_empty() {
            let tasks = if loaded.statistics.loaded > 0 { &mut after.committed_tasks } else { &mut after.empty_tasks };
            *tasks = tasks.saturating_add(1);
            after.execute_ms = after.execute_ms.saturating_add(spent.execute_ms);
            after.usage.add(&spent.usage);
        }
        tally.moves.push(ProgressMove { source_partition: *source_partition, before: position.before.clone(), after });
    }
    Ok(tally)
}

fn next(position: &Position, outcome: &RangeOutcome, job: &Job) -> SourceProgress {
    let statistics = &outcome.statistics;
    let mut after = match &position.before {
        Some(before) => before.value.clone(),
        None => SourceProgress {
            start_offset: position.start_offset,
            next_offset: position.start_offset,
            fence: job.fence,
            last_timestamp_ms: None,
            max_timestamp_ms: None,
            statistics: LoadStatistics::default(),
            skipped: position.before_start,
            committed_tasks: 0,
            empty_tasks: 0,
            execute_ms: 0,
            window: ErrorWindow::default(),
            passed_over: Vec::new(),
            usage: Usage::default(),
        },
    };
    after.fence = job.fence;
    after.last_timestamp_ms = outcome.last_timestamp_ms.or(after.last_timestamp_ms);
    after.max_timestamp_ms = after.max_timestamp_ms.max(outcome.max_timestamp_ms);
    after.statistics += *statistics;
    if after.window.number != job.window {
        after.window = ErrorWindow { number: job.window, ..ErrorWindow::default() };
    }
    after.window.total = after.window.total.saturating_add(statistics.total);
    after.window.rejected = after.window.rejected.saturating_add(statistics.rejected);
    after
}

fn check(loaded: &Loaded, batch: &Batch<'_>, source_partitions: usize, files: &[DataFile]) -> Result<(), LoadError> {
    let statistics = &loaded.statistics;
    let mut sum = LoadStatistics::default();
    for range in &loaded.ranges {
        sum += range.statistics;
    }
    // usize has at most 64 bits
    expect("source partitions", source_partitions as u64, loaded.ranges.len() as u64)?;
    expect("records", batch.records.len() as u64, statistics.records)?;
    expect("records of all ranges", statistics.records, sum.records)?;
    expect("loaded rows of all ranges", statistics.loaded, sum.loaded)?;
    expect("rejected rows of all ranges", statistics.rejected, sum.rejected)?;
    expect("rejected rows", statistics.rejected, loaded.rejected.len() as u64)?;
    expect("rows in files", statistics.loaded, files.iter().map(|file| file.rows).sum())?;
    expect("rows", statistics.total, statistics.loaded + statistics.rejected + statistics.unselected)
}

fn expect(what: &'static str, expected: u64, found: u64) -> Result<(), LoadError> {
    if expected == found { Ok(()) } else { Err(LoadError::Miscounted { what, expected, found }) }
}

#[cfg(test)]
mod tests;
