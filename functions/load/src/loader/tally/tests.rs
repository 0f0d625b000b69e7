use penstock_catalog::job::Revised;
use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::loaded::{RejectedRows, TablePartition};
use penstock_kernel::state::JobState;

use super::*;

fn job(fence: u64, window: u64) -> Job {
    Job {
        id: JobId(1),
        name: "clicks".into(),
        database: DatabaseId(1),
        table: TableId(1),
        state: JobState::Running,
        reason: None,
        version: 1,
        fence,
        window,
        mapping: None,
        rewound: false,
        created_at_ms: 0,
        paused_at_ms: None,
        ended_at_ms: None,
    }
}

fn counts(loaded: u64, rejected: u64) -> LoadStatistics {
    LoadStatistics {
        records: loaded + rejected,
        total: loaded + rejected,
        loaded,
        rejected,
        unselected: 0,
        received_bytes: 10,
    }
}

/// Five records of source partition 0 at offsets 2 to 6 and two of source partition 1 at 8 and 9.
struct Case {
    loaded: Loaded,
    batch: Batch<'static>,
    positions: BTreeMap<i32, Position>,
    files: Vec<DataFile>,
    job: Job,
}

fn case() -> Case {
    let record = |source_partition, offset| Record {
        source_partition,
        offset,
        timestamp_ms: None,
        key: None,
        value: None,
        headers: Headers::default(),
    };
    let outcome = |source_partition, first_offset, last_offset, statistics| RangeOutcome {
        source_partition,
        first_offset,
        last_offset,
        max_timestamp_ms: Some(50),
        last_timestamp_ms: Some(40),
        statistics,
    };
    let mut statistics = counts(7, 0);
    statistics.received_bytes = 20;
    let mut records: Vec<_> = (2..7).map(|offset| record(0, offset)).collect();
    records.extend([record(1, 8), record(1, 9)]);
    let position = |from_offset| Position {
        before: None,
        start_offset: from_offset,
        from_offset,
        first_offset: from_offset,
        before_start: 0,
    };
    Case {
        loaded: Loaded {
            tables: Vec::new(),
            rejected: RejectedRows::default(),
            statistics,
            ranges: vec![outcome(0, 2, 6, counts(5, 0)), outcome(1, 8, 9, counts(2, 0))],
        },
        batch: Batch { topic: "t".into(), records },
        positions: [(0, position(0)), (1, position(8))].into(),
        files: vec![DataFile {
            key: "k".into(),
            table_partition: TablePartition::Whole,
            rows: 7,
            bytes: 100,
            columns: Vec::new(),
            crc32c: None,
            sorted: false,
        }],
        job: job(4, 2),
    }
}

impl Case {
    fn tally(&self) -> Result<Tally, LoadError> {
        tally(
            &self.loaded,
            &self.batch,
            &self.positions,
            &self.files,
            &self.job,
            &Spent { execute_ms: 30, ..Spent::default() },
        )
    }
}

#[test]
fn first_commit_makes_progress_from_the_start() {
    let tally = case().tally().unwrap();
    let [first, second] = tally.ranges.as_slice() else { panic!("two source partitions, two ranges") };
    assert_eq!((first.from_offset, first.to_offset, first.skipped), (0, 7, 2));
    assert_eq!((second.from_offset, second.to_offset, second.skipped), (8, 10, 0));
    let after = &tally.moves[0].after;
    assert_eq!((after.start_offset, after.next_offset, after.skipped, after.fence), (0, 7, 2, 4));
    assert_eq!((after.last_timestamp_ms, after.max_timestamp_ms), (Some(40), Some(50)));
    assert_eq!((after.window.number, after.window.total), (2, 5));
    assert_eq!(after.statistics, counts(5, 0));
}

#[test]
fn lowest_source_partition_leads() {
    let tally = case().tally().unwrap();
    let (first, second) = (&tally.moves[0].after, &tally.moves[1].after);
    assert_eq!((first.committed_tasks, first.empty_tasks, first.execute_ms), (1, 0, 30));
    assert_eq!((second.committed_tasks, second.empty_tasks, second.execute_ms), (0, 0, 0));
}

#[test]
fn later_commit_adds_to_progress() {
    let mut case = case();
    let mut value = case.tally().unwrap().moves[0].after.clone();
    value.next_offset = 2;
    value.max_timestamp_ms = Some(60);
    let before = Revised { value, revision: 9 };
    let position = case.positions.get_mut(&0).unwrap();
    position.before = Some(before.clone());
    position.from_offset = 2;
    case.job = job(5, 3);
    let tally = case.tally().unwrap();
    let moved = &tally.moves[0];
    assert_eq!(moved.before, Some(before));
    assert_eq!((moved.after.fence, moved.after.committed_tasks, moved.after.execute_ms), (5, 2, 60));
    assert_eq!((moved.after.last_timestamp_ms, moved.after.max_timestamp_ms), (Some(40), Some(60)));
    assert_eq!(moved.after.statistics.loaded, 10);
    // Counts of the window before are void.
    assert_eq!((moved.after.window.number, moved.after.window.total), (3, 5));
}

#[test]
fn counts_that_would_hide_a_row_are_refused() {
    type Spoil = fn(&mut Case);
    let spoil: [(&str, Spoil); 7] = [
        ("rows in files", |case| case.files[0].rows = 6),
        ("records", |case| case.batch.records.truncate(6)),
        ("records of all ranges", |case| case.loaded.ranges[1].statistics.records = 1),
        ("loaded rows of all ranges", |case| case.loaded.ranges[1].statistics.loaded = 1),
        ("source partitions", |case| {
            case.loaded.ranges.pop();
        }),
        ("source partition", |case| case.loaded.ranges[1].source_partition = 2),
        ("records of a range", |case| case.loaded.ranges[0].last_offset = 3),
    ];
    for (what, spoil) in spoil {
        let mut case = case();
        spoil(&mut case);
        match case.tally() {
            Err(LoadError::Miscounted { what: found, .. }) => assert_eq!(found, what),
            other => panic!("{what}: {other:?}"),
        }
    }
}
