//! How far a job has come in each source partition, and what a redelivered or overlapping batch adds to that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::loaded::LoadStatistics;
use crate::usage::Usage;

/// A job's progress in one source partition. Advances only together with the commit of what it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceProgress {
    /// Where the job began: the first offset that belongs to it.
    pub start_offset: i64,
    /// Next offset to load (exclusive end of what is committed); `start_offset` before the first commit.
    pub next_offset: i64,
    /// Version of the fence under which it was last written; a writer with an older one is refused.
    pub fence: u64,
    /// Timestamp of the last committed record, milliseconds.
    pub last_timestamp_ms: Option<i64>,
    /// Largest timestamp of any committed record, milliseconds.
    pub max_timestamp_ms: Option<i64>,
    /// Counts over all commits.
    pub statistics: LoadStatistics,
    /// Offsets passed that held no record for us: gaps in the log, and records before the start.
    pub skipped: u64,
    /// Commits that loaded at least one row and were led by this source partition (its lowest one leads a commit).
    pub committed_tasks: u64,
    /// Batches led by this source partition that were accepted but had no row to load.
    pub empty_tasks: u64,
    /// Time spent in loading those, milliseconds.
    pub execute_ms: u64,
    /// The part of the job's error window that this source partition holds.
    pub window: ErrorWindow,
    /// Ranges `[from, to)` that ALTER skipped, the latest ones. Records in them were never loaded, so their timestamps
    /// tell nothing about a topic made anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<(i64, i64)>,
    /// What the batches used that this source partition led; empty before any version counted it.
    #[serde(default, skip_serializing_if = "Usage::is_empty")]
    pub usage: Usage,
}

/// Ranges of [`SourceProgress::passed_over`] that are kept.
const PASSED_OVER: usize = 32;

impl SourceProgress {
    /// Moves to `next_offset`: back, so that what lies between is loaded again, or on, so that it is skipped and counted
    /// as such. Counts of what was loaded stay.
    pub fn move_to(&mut self, next_offset: i64) {
        if next_offset > self.next_offset {
            self.skipped = self.skipped.saturating_add(next_offset.abs_diff(self.next_offset));
            self.passed_over.push((self.next_offset, next_offset));
            let too_many = self.passed_over.len().saturating_sub(PASSED_OVER);
            self.passed_over.drain(..too_many);
        }
        self.start_offset = self.start_offset.min(next_offset);
        self.next_offset = next_offset;
    }

    /// Whether ALTER skipped this offset.
    pub fn is_passed_over(&self, offset: i64) -> bool {
        self.passed_over.iter().any(|(from, to)| (*from..*to).contains(&offset))
    }
}

/// Rows counted towards `max_error_number` since the window began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorWindow {
    /// The window these counts belong to; counts of another window are void.
    pub number: u64,
    /// Rows seen, unselected ones included.
    pub total: u64,
    /// Rows rejected.
    pub rejected: u64,
}

/// A contiguous claim of a delivered batch on one source partition; both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetRange {
    /// The source partition.
    pub source_partition: i32,
    /// First offset delivered.
    pub first_offset: i64,
    /// Last offset delivered, inclusive.
    pub last_offset: i64,
}

/// What a delivered range means for the progress of its source partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advance {
    /// The source partition.
    pub source_partition: i32,
    /// First offset still to be loaded; records below are trimmed. Above `last_offset` if all were seen.
    pub load_from: i64,
    /// Last offset delivered, inclusive.
    pub last_offset: i64,
    /// Delivered offsets that earlier commits have passed.
    pub seen: u64,
    /// Length of the gap between `next_offset` and the first delivered offset; 0 without a `next_offset`.
    pub skipped: u64,
}

/// Two ranges of one source partition share an offset, or a range ends before it begins: the event is malformed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ranges of source partition {source_partition} overlap or are reversed at offset {offset}")]
pub struct OverlappingRanges {
    /// The source partition.
    pub source_partition: i32,
    /// First offset of the offending range.
    pub offset: i64,
}

/// Decides which records of `ranges` are still to be loaded.
///
/// `next_offsets` holds one exclusive `next_offset` per source partition; an absent one means that nothing was
/// committed. `ranges` are in any order, and the answer has one entry for each, in the order of source partition and
/// first offset; each stands on those before it. A gap is allowed, since topics are compacted and records expire; its
/// length is [`Advance::skipped`].
///
/// | stored `next_offset` | delivered | `load_from` | `seen` | `skipped` |
/// | --- | --- | --- | --- | --- |
/// | none | 5 to 9 | 5 | 0 | 0 |
/// | 5 | 5 to 9 | 5 | 0 | 0 |
/// | 7 | 5 to 9 | 7 | 2 | 0 |
/// | 10 | 5 to 9 | 10 | 5 | 0 |
/// | 12 | 5 to 9 | 12 | 5 | 0 |
/// | 2 | 5 to 9 | 5 | 0 | 3 |
///
/// # Errors
/// [`OverlappingRanges`] if two ranges of one source partition share an offset.
pub fn advance(next_offsets: &BTreeMap<i32, i64>, ranges: &[OffsetRange]) -> Result<Vec<Advance>, OverlappingRanges> {
    let mut ranges = ranges.to_vec();
    ranges.sort_unstable_by_key(|range| (range.source_partition, range.first_offset));
    let mut before: Option<OffsetRange> = None;
    // Next offset of the source partition at hand, as it will be once the ranges before are loaded.
    let mut position = None;
    let mut advances = Vec::with_capacity(ranges.len());
    for range in ranges {
        let OffsetRange { source_partition, first_offset, last_offset } = range;
        let same = before.filter(|before| before.source_partition == source_partition);
        if last_offset < first_offset || same.is_some_and(|same| first_offset <= same.last_offset) {
            return Err(OverlappingRanges { source_partition, offset: first_offset });
        }
        if same.is_none() {
            position = next_offsets.get(&source_partition).copied();
        }
        let next_offset = position.unwrap_or(first_offset);
        let length = last_offset.abs_diff(first_offset).saturating_add(1);
        advances.push(Advance {
            source_partition,
            load_from: first_offset.max(next_offset),
            last_offset,
            seen: if next_offset > first_offset { next_offset.abs_diff(first_offset).min(length) } else { 0 },
            skipped: if first_offset > next_offset { first_offset.abs_diff(next_offset) } else { 0 },
        });
        position = Some(next_offset.max(last_offset.saturating_add(1)));
        before = Some(range);
    }
    Ok(advances)
}

#[cfg(test)]
mod tests;
