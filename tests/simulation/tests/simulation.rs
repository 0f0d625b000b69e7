//! What the simulation promises of itself: same seed, same trace; planted bugs are found; without them nothing is.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use penstock_simulation::{Bug, Faults, Schedule, play, play_seed, shrink};

/// Seeds that a build without optimization plays in bearable time; `./check simulation` plays more.
const SEEDS: u64 = 150;

#[test]
fn same_seed_gives_the_same_trace_byte_for_byte() {
    for seed in 0..10 {
        let (schedule, played) = play_seed(seed, None, true);
        let (again, replayed) = play_seed(seed, None, true);
        assert_eq!(schedule, again);
        assert!(played.trace.len() > 1000, "seed {seed} leaves a trace");
        assert_eq!(played.trace, replayed.trace, "seed {seed}");
    }
}

#[test]
fn faults_given_as_values_play_as_they_were_drawn() {
    for seed in 0..10 {
        let (schedule, drawn) = play_seed(seed, None, true);
        let faults: BTreeMap<_, _> = drawn.faults.iter().map(|placed| (placed.place, placed.fault)).collect();
        let given = play(&schedule, Faults::Given(faults), None, true);
        assert_eq!(drawn.trace, given.trace, "seed {seed}");
    }
}

#[test]
fn nothing_is_found_where_no_bug_is_planted() {
    let mut commits = 0;
    let mut faults = 0;
    for seed in 0..SEEDS {
        let (_, played) = play_seed(seed, None, false);
        if let Some(violation) = played.violation {
            panic!("seed {seed}: {violation}");
        }
        commits += played.counts.commits;
        faults += played.counts.faults;
    }
    assert!(commits > 5 * SEEDS && faults > 2 * SEEDS, "{commits} commits and {faults} faults are no test");
}

#[test]
fn every_planted_bug_is_found() {
    for bug in Bug::ALL {
        let found = (0..1000).find(|seed| play_seed(*seed, Some(bug), false).1.violation.is_some());
        assert!(found.is_some(), "{bug} was not found");
    }
}

#[test]
fn what_breaks_is_made_small_and_still_breaks() {
    let bug = Some(Bug::TrimsOneShort);
    let broken = (0..1000).find_map(|seed| {
        let (schedule, played) = play_seed(seed, bug, false);
        Some((schedule, played.faults, played.violation?))
    });
    let (schedule, faults, violation): (Schedule, _, _) = broken.expect("the bug is found");
    let small = shrink(&schedule, &faults, bug, &violation);
    assert_eq!(small.violation.invariant, violation.invariant);
    // A job, records, and two batches.
    assert!(small.schedule.steps.len() <= 6, "{}", small.schedule);
    let given = small.faults.iter().map(|placed| (placed.place, placed.fault)).collect();
    let again = play(&small.schedule, Faults::Given(given), bug, false);
    assert_eq!(again.violation, Some(small.violation));
}
