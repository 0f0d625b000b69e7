use proptest::prelude::*;

use super::*;

fn range(source_partition: i32, first_offset: i64, last_offset: i64) -> OffsetRange {
    OffsetRange { source_partition, first_offset, last_offset }
}

#[test]
fn advances_are_those_of_the_table() {
    for (next_offset, load_from, seen, skipped) in [
        (None, 5, 0, 0),
        (Some(5), 5, 0, 0),
        (Some(7), 7, 2, 0),
        (Some(10), 10, 5, 0),
        (Some(12), 12, 5, 0),
        (Some(2), 5, 0, 3),
    ] {
        let next_offsets = next_offset.map(|next| (0, next)).into_iter().collect();
        let expected = Advance { source_partition: 0, load_from, last_offset: 9, seen, skipped };
        assert_eq!(advance(&next_offsets, &[range(0, 5, 9)]), Ok(vec![expected]), "{next_offset:?}");
    }
}

#[test]
fn reversed_range_is_refused() {
    let refused = advance(&BTreeMap::new(), &[range(2, 5, 4)]);
    assert_eq!(refused, Err(OverlappingRanges { source_partition: 2, offset: 5 }));
}

#[test]
fn shared_offset_is_refused_and_shared_numbers_of_two_source_partitions_are_not() {
    let refused = advance(&BTreeMap::new(), &[range(1, 4, 8), range(1, 0, 4)]);
    assert_eq!(refused, Err(OverlappingRanges { source_partition: 1, offset: 4 }));
    assert!(advance(&BTreeMap::new(), &[range(1, 0, 4), range(2, 0, 4)]).is_ok());
}

#[test]
fn ends_of_the_number_line_do_not_overflow() {
    let next_offsets = BTreeMap::from([(0, i64::MAX)]);
    let advances = advance(&next_offsets, &[range(0, i64::MIN, i64::MAX)]).unwrap();
    let [one] = advances.as_slice() else { panic!("one range, one answer") };
    assert_eq!((one.load_from, one.seen), (i64::MAX, u64::MAX));
}

/// Ranges of up to three source partitions that share no offset, in any order.
fn disjoint_ranges() -> impl Strategy<Value = Vec<OffsetRange>> {
    let steps = prop::collection::vec((0_i64..5, 0_i64..5), 0..5);
    prop::collection::vec(steps, 3)
        .prop_map(|source_partitions| {
            let mut ranges = Vec::new();
            for (steps, source_partition) in source_partitions.into_iter().zip(0..) {
                let mut at = 0;
                for (gap, length) in steps {
                    ranges.push(range(source_partition, at + gap, at + gap + length));
                    at += gap + length + 1;
                }
            }
            ranges
        })
        .prop_shuffle()
}

proptest! {
    #[test]
    fn every_delivered_offset_is_either_seen_or_loaded(
        ranges in disjoint_ranges(),
        next_offsets in prop::collection::btree_map(0..3_i32, 0..40_i64, 0..3),
    ) {
        let advances = advance(&next_offsets, &ranges).unwrap();
        prop_assert_eq!(advances.len(), ranges.len());
        for advance in advances {
            let delivered = ranges
                .iter()
                .find(|range| {
                    range.source_partition == advance.source_partition
                        && range.last_offset == advance.last_offset
                })
                .unwrap();
            let next = next_offsets.get(&advance.source_partition).copied().unwrap_or(i64::MIN);
            let offsets = delivered.first_offset..=delivered.last_offset;
            for offset in offsets.clone() {
                prop_assert_eq!(offset >= advance.load_from, offset >= next);
            }
            let seen = offsets.filter(|offset| *offset < next).count();
            prop_assert_eq!(advance.seen, seen as u64);
        }
    }

    #[test]
    fn offsets_passed_tile_the_line(
        ranges in disjoint_ranges(),
        next_offset in 0..40_i64,
    ) {
        let next_offsets = BTreeMap::from([(0, next_offset), (1, next_offset), (2, next_offset)]);
        let mut at = next_offsets.clone();
        for advance in advance(&next_offsets, &ranges).unwrap() {
            if advance.load_from > advance.last_offset {
                prop_assert_eq!(advance.skipped, 0);
                continue;
            }
            let next = at.insert(advance.source_partition, advance.last_offset + 1).unwrap();
            prop_assert_eq!(next + i64::try_from(advance.skipped).unwrap(), advance.load_from);
        }
    }

    #[test]
    fn order_of_ranges_is_irrelevant(ranges in disjoint_ranges(), next_offset in 0..40_i64) {
        let next_offsets = BTreeMap::from([(1, next_offset)]);
        let mut sorted = ranges.clone();
        sorted.sort_by_key(|range| (range.source_partition, range.first_offset));
        prop_assert_eq!(advance(&next_offsets, &ranges), advance(&next_offsets, &sorted));
    }
}
