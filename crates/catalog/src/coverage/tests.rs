use super::*;

fn range(from_offset: i64, to_offset: i64) -> CoveredRange {
    let records = to_offset.abs_diff(from_offset);
    let statistics = LoadStatistics { records, total: records, loaded: records, ..LoadStatistics::default() };
    CoveredRange {
        source_partition: 0,
        from_offset,
        to_offset,
        commits: 1,
        skipped: 0,
        jumped: 0,
        jumps: Vec::new(),
        statistics,
    }
}

fn walked(start: i64, end: i64, moves: &[(i64, i64, u32)], ranges: &[(i64, i64)]) -> Option<Fault> {
    let ranges = merged(ranges.iter().map(|(from, to)| range(*from, *to)).collect());
    walk(start, end..=end, moves, &ranges).1
}

#[test]
fn ranges_in_any_order_tile() {
    assert_eq!(walked(5, 30, &[], &[(20, 30), (5, 10), (10, 20)]), None);
    assert_eq!(walked(5, 5, &[], &[]), None);
}

#[test]
fn first_hole_and_first_overlap_are_named() {
    assert_eq!(walked(0, 40, &[], &[(0, 10), (20, 30), (35, 40)]), Some(Fault::Missing(10, 20)));
    assert_eq!(walked(0, 40, &[], &[(10, 40)]), Some(Fault::Missing(0, 10)));
    assert_eq!(walked(0, 40, &[], &[(0, 30)]), Some(Fault::Missing(30, 40)));
    assert_eq!(walked(0, 40, &[], &[(0, 30), (20, 40)]), Some(Fault::Twice(20, 30)));
    assert_eq!(walked(0, 20, &[], &[(0, 10), (0, 10), (10, 20)]), Some(Fault::Twice(0, 10)));
    assert_eq!(walked(0, 10, &[], &[(0, 20)]), Some(Fault::Twice(10, 20)));
}

#[test]
fn offsets_that_alter_repeats_or_skips_are_accounted_for() {
    assert_eq!(walked(0, 100, &[(50, 20, 2)], &[(0, 50), (20, 50), (50, 100)]), None);
    assert_eq!(walked(0, 100, &[(50, 80, 2)], &[(0, 50), (80, 100)]), None);
    assert_eq!(walked(10, 5, &[(30, 5, 2)], &[(10, 30)]), None);
    assert_eq!(walked(0, 100, &[(50, 20, 2)], &[(0, 50), (50, 100)]), Some(Fault::Missing(20, 50)));
}

#[test]
fn merging_keeps_what_is_wrong() {
    let whole = merged((0..100).rev().map(|at| range(at * 10, at * 10 + 10)).collect());
    assert_eq!(
        whole.iter().map(|one| (one.from_offset, one.to_offset, one.commits)).collect::<Vec<_>>(),
        [(0, 1000, 100)]
    );
    let mut wrong = range(10, 20);
    wrong.statistics.records = 9;
    let merged = merged(vec![range(0, 10), wrong, range(20, 30)]);
    assert_eq!(merged.len(), 3);
    assert_eq!(
        merged.iter().find_map(CoveredRange::fault),
        Some(Fault::Offsets { from_offset: 10, to_offset: 20, counted: 9 })
    );
}

#[test]
fn edited_count_is_named() {
    let mut edited = range(0, 10);
    edited.statistics.loaded = 9;
    assert_eq!(edited.fault(), Some(Fault::Rows { from_offset: 0, to_offset: 10, total: 10, sum: 9 }));
}

#[test]
fn longest_jumps_are_kept_and_all_are_counted() {
    let most = i64::try_from(MAX_JUMPS).unwrap();
    let mut ranges = Vec::new();
    let mut at = 0;
    // One offset before every batch, as markers of transactions are, and now and then more.
    for number in 0..3 * most {
        let length = if number % 3 == 1 { 100 + number } else { 1 };
        let mut one = range(at, at + length + 10);
        one.statistics = LoadStatistics { records: 10, total: 10, loaded: 10, ..LoadStatistics::default() };
        (one.skipped, one.jumped) = (length.unsigned_abs(), length.unsigned_abs());
        one.jumps = vec![(at, at + length)];
        ranges.push(one);
        at += length + 10;
    }
    let expected: Vec<(i64, i64)> =
        ranges.iter().flat_map(|one| one.jumps.clone()).filter(|(from, to)| to - from > 1).collect();
    let jumped = ranges.iter().map(|one| one.jumped).sum::<u64>();
    // Folded bit by bit, as maintenance does.
    let mut folded = Vec::new();
    for range in ranges {
        folded.push(range);
        folded = merged(folded);
    }
    let [whole] = folded.as_slice() else { panic!("{folded:?}") };
    assert_eq!((whole.jumps.clone(), whole.jumped, whole.fault()), (expected, jumped, None));
}
