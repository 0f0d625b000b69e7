//! Where a job starts the source partitions that it sees for the first time: pure.

use std::collections::{BTreeMap, BTreeSet};

use penstock_kernel::job::{KafkaSource, StartOffset};

use super::source::Bounds;

/// Source partitions among `fresh` that came after the job was first scheduled, when `known` were there.
pub fn late(fresh: &BTreeSet<i32>, known: &BTreeSet<i32>) -> BTreeSet<i32> {
    // Nothing known: the job is scheduled only now.
    if known.is_empty() { BTreeSet::new() } else { fresh.difference(known).copied().collect() }
}

/// The offset at which the job starts each of `fresh`; those that it does not read are left out.
///
/// | start | offset |
/// | --- | --- |
/// | `OFFSET_BEGINNING` | the oldest that the log has |
/// | `OFFSET_END` | the first written since CREATE |
/// | `OFFSET_END` by default, in a `late` source partition | the oldest: whatever is in it was written since CREATE |
/// | a number | that number |
pub fn starts(
    source: &KafkaSource,
    fresh: &BTreeSet<i32>,
    late: &BTreeSet<i32>,
    bounds: &Bounds,
) -> BTreeMap<i32, i64> {
    let mut starts = BTreeMap::new();
    for source_partition in fresh {
        let by_default = source.default_start.is_none() && source.pinned.is_none();
        let offset = match source.start_of(*source_partition) {
            None => continue,
            Some(StartOffset::At(offset)) => Some(offset),
            Some(StartOffset::Beginning) => bounds.earliest.get(source_partition).copied(),
            Some(StartOffset::End) if by_default && late.contains(source_partition) => {
                bounds.earliest.get(source_partition).copied()
            }
            Some(StartOffset::End) => bounds.since.get(source_partition).copied(),
        };
        if let Some(offset) = offset {
            starts.insert(*source_partition, offset);
        }
    }
    starts
}

/// Where to read on: at the mapping's own position, but never behind what the job still needs. A group that others moved,
/// or that an earlier job left behind, would lose records otherwise.
pub fn not_ahead(positions: &BTreeMap<i32, i64>, needed: &BTreeMap<i32, i64>) -> BTreeMap<i32, i64> {
    positions
        .iter()
        .map(|(source_partition, position)| {
            let needed = needed.get(source_partition).copied().unwrap_or(i64::MAX);
            (*source_partition, (*position).min(needed))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(default_start: Option<StartOffset>, pinned: Option<BTreeMap<i32, Option<StartOffset>>>) -> KafkaSource {
        KafkaSource {
            brokers: vec!["a:9092".to_owned()],
            topic: "t".to_owned(),
            pinned,
            default_start,
            registry: None,
            custom: BTreeMap::new(),
        }
    }

    fn bounds() -> Bounds {
        Bounds { earliest: BTreeMap::from([(0, 10), (1, 20)]), since: BTreeMap::from([(0, 15), (1, 25)]) }
    }

    #[test]
    fn table_of_starts_holds() {
        let both = BTreeSet::from([0, 1]);
        let second = BTreeSet::from([1]);
        let none = BTreeSet::new();
        let beginning = Some(StartOffset::Beginning);
        let end = Some(StartOffset::End);
        let cases = [
            (source(beginning, None), &none, vec![(0, 10), (1, 20)]),
            (source(end, None), &none, vec![(0, 15), (1, 25)]),
            (source(None, None), &none, vec![(0, 15), (1, 25)]),
            (source(None, None), &second, vec![(0, 15), (1, 20)]),
            (source(end, None), &second, vec![(0, 15), (1, 25)]),
            (source(None, Some(BTreeMap::from([(1, Some(StartOffset::At(7)))]))), &none, vec![(1, 7)]),
        ];
        for (source, late, expected) in cases {
            assert_eq!(starts(&source, &both, late, &bounds()).into_iter().collect::<Vec<_>>(), expected, "{source:?}");
        }
    }

    #[test]
    fn nothing_is_late_before_the_first_schedule() {
        let both = BTreeSet::from([0, 1]);
        assert_eq!(late(&both, &BTreeSet::new()), BTreeSet::new());
        assert_eq!(late(&both, &BTreeSet::from([0])), BTreeSet::from([1]));
    }

    #[test]
    fn position_of_the_group_never_skips_what_the_job_needs() {
        let positions = BTreeMap::from([(0, 100), (1, 5), (2, 9)]);
        let needed = BTreeMap::from([(0, 40), (1, 50)]);
        assert_eq!(not_ahead(&positions, &needed), BTreeMap::from([(0, 40), (1, 5), (2, 9)]));
    }
}
