//! What the simulation promises of itself: same seed, same trace; planted bugs are found; without them nothing is.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use penstock_simulation::fault::{Fault, Kind, Moment};
use penstock_simulation::schedule::{Action, Attention, JobShape, Said, Settings, Step};
use penstock_simulation::{Bug, Faults, Schedule, all_cores, first_broken, play, play_seed, shrink};

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
    let (mut commits, mut faults) = (0, 0);
    let broken = first_broken(0..SEEDS, None, all_cores(), |counts| {
        commits += counts.commits;
        faults += counts.faults;
    });
    if let Some(seed) = broken {
        panic!("seed {seed}: {:?}", play_seed(seed, None, false).1.violation);
    }
    assert!(commits > 5 * SEEDS && faults > 2 * SEEDS, "{commits} commits and {faults} faults are no test");
}

#[test]
fn every_planted_bug_is_found_within_a_thousand_seeds() {
    for bug in Bug::ALL {
        assert!(first_broken(0..1000, Some(bug), all_cores(), |_| {}).is_some(), "{bug} was not found");
    }
}

#[test]
fn number_of_threads_does_not_matter() {
    let threads = |threads| NonZeroUsize::new(threads).expect("a number of threads");
    let found = |number| first_broken(0..1000, Some(Bug::IgnoresFence), threads(number), |_| {});
    assert_eq!(found(1), found(3));
}

/// A job, and two batches of it.
fn plain(attention: Attention) -> Schedule {
    let shape = JobShape {
        default_start: Some("OFFSET_BEGINNING"),
        pinned: None,
        max_error_number: 1_000_000,
        max_filter_ratio: "1",
    };
    let settings = Settings {
        source_partitions: 3,
        skews_ms: vec![0],
        admin_skew_ms: 0,
        reports: false,
        fault_factor: 0,
        bad_records: 2,
        long: false,
    };
    let poll = |attention| Action::Poll { mapping: 0, process: 0, attention };
    let actions = [
        (0, Action::Produce(0, 12)),
        (0, Action::Produce(1, 12)),
        (0, Action::Say(Said::CreateJob { job: 0, table: 1, shape })),
        (20_000, poll(attention)),
        (40_000, poll(Attention::Waits)),
    ];
    let steps = (1..).zip(actions).map(|(number, (at_ms, action))| Step { number, at_ms, action }).collect();
    Schedule { seed: 5, settings, steps }
}

/// The task of the first batch.
const FIRST_BATCH: u32 = 4;

#[test]
fn a_load_bears_every_fault_at_each_of_its_operations() {
    use Moment::{After, Before};
    let kinds = [
        (Kind::Retried, Before),
        (Kind::Retried, After),
        (Kind::Fails, Before),
        (Kind::Fails, After),
        (Kind::Late(15_000), After),
        (Kind::Late(3_600_000), After),
        (Kind::Refused, Before),
        (Kind::Conflicts, Before),
        (Kind::Overtaken(30_000), After),
        (Kind::Overtaken(3_600_000), After),
        (Kind::Slow(60_000), Before),
        (Kind::Torn(300), Before),
        (Kind::Freezes(3_600_000), Before),
        (Kind::Freezes(3_600_000), After),
        (Kind::Crashes, Before),
        (Kind::Crashes, After),
    ];
    let schedule = plain(Attention::Waits);
    let sound = play(&schedule, Faults::Given(BTreeMap::new()), None, false);
    assert_eq!(sound.violation, None);
    assert!(sound.counts.commits >= 2, "{:?}", sound.counts);
    let places: Vec<_> =
        sound.operations.into_iter().map(|(place, _)| place).filter(|place| place.task == FIRST_BATCH).collect();
    // Its reads, the files of two table partitions, the rejected rows, the commit.
    assert!(places.len() >= 6, "{places:?}");
    for place in places {
        for (kind, moment) in kinds {
            let faults = Faults::Given(BTreeMap::from([(place, Fault { kind, moment })]));
            let played = play(&schedule, faults, None, false);
            assert_eq!(played.violation, None, "{place:?}: {kind:?}, {moment:?}");
            assert_eq!(played.counts.faults, 1);
        }
    }
}

#[test]
fn a_load_may_be_killed_at_any_time() {
    for ms in 0..150 {
        let played = play(&plain(Attention::Kills(ms)), Faults::Given(BTreeMap::new()), None, false);
        assert_eq!(played.violation, None, "killed after {ms} ms");
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
