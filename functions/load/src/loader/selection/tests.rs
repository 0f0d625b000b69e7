use penstock_catalog::job::{Job, JobTrouble, SourceReport};
use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::loaded::LoadStatistics;
use penstock_kernel::progress::ErrorWindow;
use penstock_kernel::state::JobState;
use penstock_kernel::usage::Usage;

use super::*;
use penstock_event::{HeaderWish, kafka};

const CREATED_MS: i64 = 1_000_000;

fn snapshot(progress: &[(i32, i64, i64, Option<i64>)]) -> JobSnapshot {
    JobSnapshot {
        job: Job {
            id: JobId(1),
            name: "clicks".into(),
            database: DatabaseId(1),
            table: TableId(1),
            state: JobState::Running,
            reason: None,
            version: 1,
            fence: 1,
            window: 0,
            mapping: None,
            rewound: false,
            created_at_ms: CREATED_MS,
            paused_at_ms: None,
            ended_at_ms: None,
        },
        progress: progress
            .iter()
            .map(|(source_partition, start_offset, next_offset, max_timestamp_ms)| {
                let value = SourceProgress {
                    start_offset: *start_offset,
                    next_offset: *next_offset,
                    fence: 1,
                    last_timestamp_ms: None,
                    max_timestamp_ms: *max_timestamp_ms,
                    statistics: LoadStatistics::default(),
                    skipped: 0,
                    committed_tasks: 0,
                    empty_tasks: 0,
                    execute_ms: 0,
                    window: ErrorWindow::default(),
                    passed_over: Vec::new(),
                    usage: Usage::default(),
                };
                (*source_partition, Revised { value, revision: 1 })
            })
            .collect(),
        report: SourceReport::default(),
        trouble: JobTrouble::default(),
        replays: None,
    }
}

fn source(default_start: StartOffset, pinned: Option<&[(i32, Option<StartOffset>)]>) -> KafkaSource {
    KafkaSource {
        brokers: vec!["b:9092".into()],
        topic: "t".into(),
        pinned: pinned.map(|pinned| pinned.iter().copied().collect()),
        default_start: Some(default_start),
        registry: None,
        custom: BTreeMap::new(),
    }
}

/// Source partition, offset, timestamp.
fn event(records: &[(i32, i64, Option<i64>)]) -> Event {
    let records: Vec<_> = records
        .iter()
        .map(|(partition, offset, timestamp)| {
            serde_json::json!({ "topic": "t", "partition": partition, "offset": offset, "timestamp": timestamp })
        })
        .collect();
    let json = serde_json::json!({ "records": { "all": records } }).to_string();
    kafka::read(json.as_bytes(), HeaderWish::Skip).unwrap()
}

fn offsets(selection: &Selection<'_>) -> Vec<(i32, i64)> {
    selection.batch.records.iter().map(|record| (record.source_partition, record.offset)).collect()
}

#[test]
fn first_records_start_where_the_job_says() {
    let old = Some(CREATED_MS - 1);
    let new = Some(CREATED_MS);
    let event = event(&[(0, 5, old), (0, 6, new), (0, 7, old), (0, 8, None)]);
    for (start, start_offset, loaded, dropped) in [
        (StartOffset::Beginning, 5, vec![5, 6, 7, 8], 0),
        (StartOffset::At(7), 7, vec![7, 8], 2),
        (StartOffset::At(3), 3, vec![5, 6, 7, 8], 0),
        (StartOffset::End, 6, vec![6, 7, 8], 1),
    ] {
        let snapshot = snapshot(&[]);
        let source = source(start, None);
        let selection = select(&event, &snapshot, &source).unwrap();
        let found: Vec<i64> = offsets(&selection).into_iter().map(|(_, offset)| offset).collect();
        assert_eq!(found, loaded, "{start:?}");
        assert_eq!(selection.dropped, dropped, "{start:?}");
        let position = &selection.positions[&0];
        assert_eq!((position.start_offset, position.from_offset), (start_offset, start_offset), "{start:?}");
        assert_eq!(position.before_start, dropped, "{start:?}");
        assert_eq!(position.before, None);
    }
}

#[test]
fn records_older_than_a_job_that_starts_at_the_end_are_dropped() {
    let event = event(&[(0, 5, Some(CREATED_MS - 2)), (0, 6, Some(CREATED_MS - 1))]);
    let selection = select(&event, &snapshot(&[]), &source(StartOffset::End, None)).unwrap();
    assert_eq!(offsets(&selection), []);
    assert_eq!((selection.dropped, selection.recreated), (2, None));
}

#[test]
fn start_past_the_event_drops_all_of_it() {
    let event = event(&[(0, 5, None)]);
    let selection = select(&event, &snapshot(&[]), &source(StartOffset::At(9), None)).unwrap();
    assert_eq!((offsets(&selection), selection.dropped, selection.more), (vec![], 1, false));
}

#[test]
fn unlisted_source_partitions_are_dropped() {
    let event = event(&[(0, 1, None), (1, 1, None), (2, 1, None)]);
    let source = source(StartOffset::End, Some(&[(1, Some(StartOffset::Beginning))]));
    let snapshot = snapshot(&[(2, 0, 0, None)]);
    let selection = select(&event, &snapshot, &source).unwrap();
    assert_eq!(offsets(&selection), [(1, 1)]);
    assert_eq!(selection.dropped, 2);
}

#[test]
fn what_progress_has_passed_is_trimmed() {
    let event = event(&[(0, 4, None), (0, 5, None), (1, 4, None), (2, 9, None)]);
    let snapshot = snapshot(&[(0, 0, 5, None), (1, 0, 5, None), (2, 3, 5, None)]);
    let selection = select(&event, &snapshot, &source(StartOffset::End, None)).unwrap();
    assert_eq!(offsets(&selection), [(0, 5), (2, 9)]);
    assert_eq!(selection.positions[&2].from_offset, 5);
    assert_eq!((selection.dropped, selection.recreated), (0, None));
}

#[test]
fn newer_timestamps_below_progress_tell_of_a_new_topic() {
    let progress = [(0, 0, 100, Some(5000))];
    let found = |records: &[(i32, i64, Option<i64>)]| {
        let event = event(records);
        let source = source(StartOffset::Beginning, None);
        select(&event, &snapshot(&progress), &source).unwrap().recreated
    };
    let expected = Recreated { source_partition: 0, last_offset: 1, next_offset: 100 };
    assert_eq!(found(&[(0, 0, Some(4000)), (0, 1, Some(5001))]), Some(expected.clone()));
    // Another source partition with records to load does not hide it.
    assert_eq!(found(&[(0, 0, Some(4000)), (0, 1, Some(5001)), (1, 7, None)]), Some(expected));
    assert_eq!(found(&[(0, 0, Some(5000)), (0, 1, None)]), None);
    // An overlap with what is to be loaded is an ordinary redelivery.
    assert_eq!(found(&[(0, 98, Some(5000)), (0, 100, Some(6001))]), None);
    // Unless what was loaded is newer now: the topic has outgrown the one before it.
    let outgrown = Recreated { source_partition: 0, last_offset: 98, next_offset: 100 };
    assert_eq!(found(&[(0, 98, Some(6000)), (0, 100, Some(6001))]), Some(outgrown));
}

#[test]
fn records_before_a_reported_beginning_tell_of_a_new_topic() {
    let found = |start: StartOffset| {
        let event = event(&[(0, 3, Some(1)), (0, 7, Some(2))]);
        select(&event, &snapshot(&[(0, 5, 5, None)]), &source(start, None)).unwrap().recreated
    };
    let expected = Recreated { source_partition: 0, last_offset: 3, next_offset: 5 };
    assert_eq!(found(StartOffset::Beginning), Some(expected));
    assert_eq!(found(StartOffset::End), None);
    assert_eq!(found(StartOffset::At(5)), None);
}

#[test]
fn records_before_a_chosen_start_tell_nothing_of_the_topic() {
    let event = event(&[(0, 3, Some(9000))]);
    let snapshot = snapshot(&[(0, 10, 100, Some(5000))]);
    let recreated = |start| select(&event, &snapshot, &source(start, None)).unwrap().recreated;
    assert_eq!(recreated(StartOffset::At(10)), None);
    assert!(recreated(StartOffset::End).is_some());
}

#[test]
fn nothing_committed_yet_tells_nothing_of_the_topic() {
    let event = event(&[(0, 3, Some(9000))]);
    let snapshot = snapshot(&[(0, 10, 10, None)]);
    let selection = select(&event, &snapshot, &source(StartOffset::End, None)).unwrap();
    assert_eq!((selection.recreated, selection.dropped), (None, 1));
}

#[test]
fn no_more_source_partitions_are_taken_than_a_commit_holds() {
    let records: Vec<_> = (0..200).map(|source_partition| (source_partition, 1, None)).collect();
    let event = event(&records);
    let source = source(StartOffset::Beginning, None);
    let first = select(&event, &snapshot(&[]), &source).unwrap();
    assert_eq!((first.positions.len(), first.more), (97, true));
    assert_eq!(offsets(&first).last(), Some(&(96, 1)));
    let passed: Vec<_> = (0..196).map(|source_partition| (source_partition, 1, 2, None)).collect();
    let last = select(&event, &snapshot(&passed), &source).unwrap();
    assert_eq!((last.positions.len(), last.more), (4, false));
}
