//! Which records of an event are still to be loaded.
//!
//! Pure: job, progress and event in, a decision out. It alone knows where a source partition starts and what a
//! redelivery means; the loader only acts on it.

use std::collections::BTreeMap;

use penstock_catalog::commit::MAX_COMMIT_SOURCE_PARTITIONS;
use penstock_catalog::job::{Job, JobSnapshot, Revised};
use penstock_kernel::batch::{Batch, Record};
use penstock_kernel::job::{KafkaSource, StartOffset};
use penstock_kernel::progress::{Advance, OffsetRange, OverlappingRanges, SourceProgress, advance};

use penstock_event::Event;

/// What is to be done with an event.
#[derive(Debug, Clone)]
pub(super) struct Selection<'a> {
    /// Records to load now, of at most [`MAX_COMMIT_SOURCE_PARTITIONS`] source partitions.
    pub(super) batch: Batch<'a>,
    /// Where each source partition of `batch` stands.
    pub(super) positions: BTreeMap<i32, Position>,
    /// Further source partitions have records to load.
    pub(super) more: bool,
    /// Records that the job does not read: of source partitions that it does not list, or before its start.
    pub(super) dropped: u64,
    /// The first source partition of which something would be passed over.
    pub(super) gap: Option<Gap>,
    /// The first source partition that tells of a topic created anew.
    pub(super) recreated: Option<Recreated>,
}

/// Where a source partition stands before the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// Its progress; `None` if it has none yet.
    pub(super) before: Option<Revised<SourceProgress>>,
    /// The first offset that belongs to the job.
    pub(super) start_offset: i64,
    /// Where the commit's range begins.
    pub(super) from_offset: i64,
    /// The first offset of it that came, loaded before or not: what lies between it and others that came is not there.
    pub(super) first_offset: i64,
    /// Records dropped because they lie before a start that was found in this event.
    pub(super) before_start: u64,
}

/// Offsets between what the job expects next and what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// The source partition.
    pub(super) source_partition: i32,
    /// The first offset that would be loaded.
    pub(super) first_offset: i64,
    /// What the job expects next.
    pub(super) next_offset: i64,
}

/// A source partition whose offsets began anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recreated {
    /// The source partition.
    pub(super) source_partition: i32,
    /// Last offset delivered below `next_offset`, inclusive.
    pub(super) last_offset: i64,
    /// What the job expected next.
    pub(super) next_offset: i64,
}

/// Decides on `event`.
///
/// | source partition | progress | read from |
/// | --- | --- | --- |
/// | not listed by the job | | never |
/// | listed | some | its `next_offset` |
/// | starts at `OFFSET_BEGINNING` | none | the first offset delivered |
/// | starts at *n* | none | *n* |
/// | starts at `OFFSET_END` | none | the first record that is not older than the job; one without a timestamp is not |
///
/// What was delivered below `next_offset` is a redelivery if its timestamps are no newer than what was committed, else the
/// topic was created anew ([`Recreated`]): a record that was committed is not newer than the newest that was. That holds
/// for a batch that goes on above `next_offset` too, since a topic may outgrow the one before it between two batches.
/// Records before a start that was given as a number, and those that ALTER skipped, may be of any age and tell nothing.
///
/// # Errors
/// [`OverlappingRanges`] never for an [`Event`], whose records are in order and distinct.
pub(super) fn select<'a>(
    event: &'a Event,
    snapshot: &JobSnapshot,
    source: &KafkaSource,
) -> Result<Selection<'a>, OverlappingRanges> {
    let records: Vec<Record<'a>> = event.records().collect();
    let mut selection = Selection {
        batch: Batch { topic: event.topic().to_owned(), records: Vec::new() },
        positions: BTreeMap::new(),
        more: false,
        dropped: 0,
        gap: None,
        recreated: None,
    };
    let mut groups = Vec::new();
    let mut next_offsets = BTreeMap::new();
    let mut ranges = Vec::new();
    for group in records.chunk_by(|one, next| one.source_partition == next.source_partition) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let source_partition = first.source_partition;
        let Some(position) = position(group, snapshot, source) else {
            selection.dropped += count(group);
            continue;
        };
        next_offsets.insert(source_partition, position.from_offset);
        ranges.push(OffsetRange { source_partition, first_offset: first.offset, last_offset: last.offset });
        groups.push((group, position));
    }
    for ((group, position), advance) in groups.into_iter().zip(advance(&next_offsets, &ranges)?) {
        selection.add(group, position, &advance, source, &snapshot.job);
    }
    Ok(selection)
}

impl<'a> Selection<'a> {
    fn add(&mut self, group: &[Record<'a>], position: Position, advance: &Advance, source: &KafkaSource, job: &Job) {
        let below = group.partition_point(|record| record.offset < position.start_offset);
        self.dropped += below as u64; // usize has at most 64 bits
        let (seen, fresh) = group.split_at(group.partition_point(|record| record.offset < advance.load_from));
        if self.recreated.is_none() {
            self.recreated = recreated(seen, &position, advance, source, job);
        }
        let Some(first) = fresh.first() else { return };
        if self.gap.is_none() && position.before.is_some() && first.offset > position.from_offset {
            self.gap = Some(Gap {
                source_partition: advance.source_partition,
                first_offset: first.offset,
                next_offset: position.from_offset,
            });
        }
        if self.positions.len() < MAX_COMMIT_SOURCE_PARTITIONS {
            self.batch.records.extend_from_slice(fresh);
            self.positions.insert(advance.source_partition, position);
        } else {
            self.more = true;
        }
    }
}

/// Where the source partition of `group` stands; `None` if the job reads nothing of `group`.
fn position(group: &[Record<'_>], snapshot: &JobSnapshot, source: &KafkaSource) -> Option<Position> {
    let first = group.first()?;
    let start = source.start_of(first.source_partition)?;
    if let Some(before) = snapshot.progress.get(&first.source_partition) {
        return Some(Position {
            start_offset: before.value.start_offset,
            from_offset: before.value.next_offset,
            before: Some(before.clone()),
            first_offset: first.offset,
            before_start: 0,
        });
    }
    let start_offset = match start {
        StartOffset::Beginning => first.offset,
        StartOffset::At(offset) => offset,
        StartOffset::End => {
            let created_at_ms = snapshot.job.created_at_ms;
            group.iter().find(|record| record.timestamp_ms.is_none_or(|at| at >= created_at_ms))?.offset
        }
    };
    let before_start = group.partition_point(|record| record.offset < start_offset);
    Some(Position {
        before: None,
        start_offset,
        from_offset: start_offset,
        first_offset: first.offset,
        before_start: before_start as u64, // usize has at most 64 bits
    })
}

/// Progress has passed `seen`: is it because offsets began anew?
fn recreated(
    seen: &[Record<'_>],
    position: &Position,
    advance: &Advance,
    source: &KafkaSource,
    job: &Job,
) -> Option<Recreated> {
    let progress = &position.before.as_ref()?.value;
    let start = source.start_of(advance.source_partition)?;
    let committed_ms = match (progress.max_timestamp_ms, start) {
        (Some(committed_ms), _) => committed_ms,
        // The source reported where its oldest record is, and brought an older place before anything was committed. ALTER
        // may have set another start.
        (None, StartOffset::Beginning) if !job.rewound => i64::MIN,
        (None, _) => return None,
    };
    let tells_from = match start {
        StartOffset::At(_) => progress.start_offset,
        // ALTER may have made the mapping anew, which then begins at the oldest record, whatever the start.
        StartOffset::End if job.version > 1 => progress.start_offset,
        StartOffset::Beginning | StartOffset::End => i64::MIN,
    };
    let tells = |offset: i64| offset >= tells_from && !progress.is_passed_over(offset);
    let newest_ms = seen.iter().filter(|record| tells(record.offset)).filter_map(|record| record.timestamp_ms).max()?;
    (newest_ms > committed_ms).then_some(Recreated {
        source_partition: advance.source_partition,
        last_offset: seen.last()?.offset,
        next_offset: progress.next_offset,
    })
}

fn count(records: &[Record<'_>]) -> u64 {
    records.len() as u64 // usize has at most 64 bits
}

#[cfg(test)]
mod tests;
