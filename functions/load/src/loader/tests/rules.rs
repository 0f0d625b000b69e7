//! Starts, tolerance, and what a job is told.

use std::sync::atomic::Ordering;

use arrow_array::cast::AsArray;
use penstock_kernel::job::StartOffset;
use penstock_kernel::state::{JobState, reason};

use super::super::*;
use super::world::{Delivery, JobShape, NOW_MS, World, good, places};
use crate::error::ErrorKind;

/// Bad records at these offsets: valid JSON whose `place` is missing.
fn bad(delivery: Delivery, source_partition: i32, offsets: std::ops::Range<i64>) -> Delivery {
    offsets.fold(delivery, |delivery, offset| delivery.record(source_partition, offset, b"{\"site\":\"s\"}"))
}

#[tokio::test]
async fn rejected_rows_go_to_the_error_file_of_their_commit() {
    let world = World::with_properties(&[("max_error_number", "10")]).await;
    let event = Delivery::of(0, 0..1).record(0, 1, b"\xff no json").and(0, 2..3);
    let reply = world.load(&event.json()).await.unwrap();
    assert_eq!((reply.statistics.loaded, reply.statistics.rejected, reply.paused), (2, 1, false));
    world.holds_exactly(places(0, [0, 2])).await;

    let commits = world.commits().await;
    let errors = commits[0].errors.as_ref().unwrap();
    assert_eq!(errors.rows, 1);
    let rows = world.read(&errors.key).await;
    assert_eq!(rows["raw"].as_binary::<i32>().value(0), b"\xff no json");
    assert!(!rows["reason"].as_string::<i32>().value(0).is_empty());
    let told = world.snapshot().await.trouble.error_files;
    assert_eq!(told, std::slice::from_ref(&errors.key));
}

#[tokio::test]
async fn unparsable_record_pauses_a_job_that_wants_it_and_loads_nothing() {
    let properties = [("pause_on_fatal_parse_error", "true"), ("max_error_number", "1000")];
    let world = World::with_properties(&properties).await;
    let event = Delivery::of(1, 4..6).record(1, 6, b"abc").record(1, 7, b"[1]").and(2, 0..1);
    let error = world.load(&event.json()).await.unwrap_err();
    assert!(matches!(error, LoadError::Unparsable { source_partition: 1, offset: 6 }), "{error:?}");
    assert_eq!((error.kind(), error.name()), (ErrorKind::Job, "UnparsableRecord"));
    assert!(world.commits().await.is_empty());
    let snapshot = world.snapshot().await;
    assert!(snapshot.progress.is_empty());
    assert_eq!(snapshot.job.state, JobState::Paused);
    let why = snapshot.job.reason.unwrap();
    assert_eq!(why.code, reason::PARSE_ERROR);
    for part in ["parse error. ", "kafka partition: 1, offset: 6", "'pause_on_fatal_parse_error'", "'TrackingSQL'"] {
        assert!(why.message.contains(part), "{}", why.message);
    }
    // The rows that were refused can be looked at.
    let errors = snapshot.trouble.error_files;
    assert_eq!(world.read(&errors[0]).await.num_rows(), 2);
}

#[tokio::test]
async fn rows_that_do_not_fit_are_no_parse_errors() {
    let properties = [("pause_on_fatal_parse_error", "true"), ("max_error_number", "1000")];
    let world = World::with_properties(&properties).await;
    let reply = world.load(&bad(Delivery::of(0, 0..1), 0, 1..3).json()).await.unwrap();
    assert_eq!((reply.statistics.loaded, reply.statistics.rejected, reply.paused), (1, 2, false));
}

#[tokio::test]
async fn batch_over_the_error_number_is_committed_then_the_job_pauses() {
    let world = World::new().await;
    let event = bad(Delivery::of(0, 0..87), 0, 87..90);
    let reply = world.load(&event.json()).await.unwrap();
    assert!(reply.paused);
    world.holds_exactly(places(0, 0..87)).await;
    let snapshot = world.snapshot().await;
    assert_eq!((snapshot.job.state, snapshot.job.window), (JobState::Paused, 1));
    let why = snapshot.job.reason.unwrap();
    assert_eq!(why.code, reason::TOO_MANY_FAILURE_ROWS);
    assert!(why.message.starts_with("Current error rows: 3 is more than max error num: 0"), "{}", why.message);
    assert_eq!(snapshot.progress[&0].value.next_offset, 90);

    // After RESUME the window is new, and the job goes on behind the batch.
    world.change(JobEvent::Resume).await;
    let reply = world.load(&Delivery::of(0, 90..91).json()).await.unwrap();
    assert!(!reply.paused);
    assert_eq!(world.snapshot().await.job.state, JobState::Running);
}

#[tokio::test]
async fn pause_that_fails_is_made_up_for_by_the_next_batch() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..1).json()).await.unwrap();
    world.store.job_is_stuck.store(true, Ordering::SeqCst);
    let reply = world.load(&bad(Delivery::default(), 0, 1..2).json()).await.unwrap();
    assert!(!reply.paused);
    world.store.job_is_stuck.store(false, Ordering::SeqCst);
    let reply = world.load(&Delivery::of(0, 2..3).json()).await.unwrap();
    assert!(reply.paused);
    let job = world.snapshot().await.job;
    assert_eq!((job.state, job.window), (JobState::Paused, 1));
}

#[tokio::test]
async fn error_number_counts_over_batches_and_source_partitions() {
    let world = World::with_properties(&[("max_error_number", "3")]).await;
    for (source_partition, first, paused) in [(0, 0, false), (1, 0, false), (0, 10, true)] {
        let event = bad(Delivery::default(), source_partition, first..first + 2 - i64::from(source_partition));
        let reply = world.load(&event.json()).await.unwrap();
        assert_eq!(reply.paused, paused, "source partition {source_partition} from {first}");
    }
}

#[tokio::test]
async fn window_that_is_full_is_forgotten() {
    // Ten times the smallest `max_batch_rows` are two million rows: too many to load here, so progress says that they
    // were.
    let world = World::with_properties(&[("max_error_number", "3"), ("max_batch_rows", "200000")]).await;
    let event = bad(Delivery::of(0, 0..1), 0, 1..3);
    world.load(&event.json()).await.unwrap();
    let snapshot = world.snapshot().await;
    let before = snapshot.progress[&0].clone();
    let mut after = before.value.clone();
    after.next_offset += 1;
    after.skipped += 1;
    after.window.total = 2_000_000;
    let commit = Commit {
        id: "filled".into(),
        table: world.table,
        job: world.job,
        job_version: 1,
        topic: "clicks".into(),
        files: vec![],
        errors: None,
        ranges: vec![CommittedRange {
            source_partition: 0,
            from_offset: 3,
            to_offset: 4,
            skipped: 1,
            jumped: 0,
            statistics: LoadStatistics::default(),
        }],
        committed_at_ms: NOW_MS,
        replay: None,
    };
    let moved = penstock_catalog::commit::ProgressMove { source_partition: 0, before: Some(before), after };
    world.catalog.commit(&commit, snapshot.job.fence, &[moved]).await.unwrap();

    // One more rejected row is still borne (3 of 3), and ends the window.
    world.load(&bad(Delivery::default(), 0, 4..5).json()).await.unwrap();
    assert_eq!(world.snapshot().await.job.window, 1);
    // So three more are borne again, and the fourth is not.
    let reply = world.load(&bad(Delivery::default(), 0, 5..8).json()).await.unwrap();
    assert!(!reply.paused);
    let reply = world.load(&bad(Delivery::default(), 0, 8..9).json()).await.unwrap();
    assert!(reply.paused);
    world.ranges_tile().await;
}

#[tokio::test]
async fn batch_over_the_ratio_is_refused_and_the_job_pauses() {
    let world = World::with_properties(&[("max_error_number", "100"), ("max_filter_ratio", "0.01")]).await;
    let event = bad(Delivery::of(0, 0..87), 0, 87..90).json();
    let error = world.load(&event).await.unwrap_err();
    assert!(matches!(error, LoadError::Refused { rejected: 3, considered: 90 }));
    assert_eq!(error.kind(), ErrorKind::Job);
    world.holds_exactly([]).await;
    let snapshot = world.snapshot().await;
    assert_eq!(snapshot.job.state, JobState::Paused);
    let why = snapshot.job.reason.unwrap();
    assert_eq!(why.code, reason::TOO_MANY_FAILURE_ROWS);
    assert!(why.message.starts_with("too many filtered rows"), "{}", why.message);
    assert!(snapshot.progress.is_empty());
    assert_eq!(snapshot.trouble.aborted_tasks, 1);
    // What was refused can be looked at.
    let rows = world.read(&snapshot.trouble.error_files[0]).await;
    assert_eq!(rows.num_rows(), 3);

    // The same records come again, and are refused again.
    world.change(JobEvent::Resume).await;
    assert!(matches!(world.load(&event).await, Err(LoadError::Refused { .. })));
}

#[tokio::test]
async fn batch_without_a_row_to_load_advances() {
    let world = World::with_properties(&[("max_error_number", "10")]).await;
    let reply = world.load(&bad(Delivery::default(), 0, 0..2).json()).await.unwrap();
    assert_eq!((reply.statistics.loaded, reply.files, reply.commits), (0, 0, 1));
    world.holds_exactly([]).await;
    let snapshot = world.snapshot().await;
    let progress = &snapshot.progress[&0].value;
    assert_eq!((progress.next_offset, progress.committed_tasks, progress.empty_tasks), (2, 0, 1));
    let failure = snapshot.trouble.last_failure.unwrap();
    assert_eq!(failure.message, "No rows were imported from upstream");
    assert_eq!(snapshot.trouble.aborted_tasks, 0);
}

#[tokio::test]
async fn pause_between_two_commits_of_an_event_leaves_the_rest() {
    let world = World::new().await;
    let mut event = bad(Delivery::default(), 0, 0..1);
    for source_partition in 1..120 {
        event = event.and(source_partition, 0..1);
    }
    let error = world.load(&event.json()).await.unwrap_err();
    assert!(matches!(error, LoadError::PausedHalfway { .. }));
    assert_eq!(world.rows().await.len(), 96);
    world.change(JobEvent::Resume).await;
    world.load(&event.json()).await.unwrap();
    world.holds_exactly((1..120).map(|source_partition| (source_partition, 0))).await;
}

#[tokio::test]
async fn job_that_starts_at_the_end_loads_what_came_after_it() {
    let world = World::with(JobShape::default()).await;
    let event = Delivery::default()
        .record_at(0, 10, &good(0, 10), Some(NOW_MS - 1))
        .record_at(0, 11, &good(0, 11), Some(NOW_MS))
        .record_at(0, 12, &good(0, 12), Some(NOW_MS - 5))
        .record_at(1, 4, &good(1, 4), Some(NOW_MS - 9));
    let reply = world.load(&event.json()).await.unwrap();
    assert_eq!((reply.dropped, reply.statistics.loaded), (2, 2));
    world.holds_exactly(places(0, [11, 12])).await;
    let progress = world.snapshot().await.progress;
    assert_eq!((progress[&0].value.start_offset, progress[&0].value.skipped), (11, 1));
    assert!(!progress.contains_key(&1));
}

#[tokio::test]
async fn pinned_job_loads_its_source_partitions_from_its_offsets() {
    let pinned = [(0, Some(StartOffset::At(2))), (2, Some(StartOffset::Beginning))];
    let world = World::with(JobShape { pinned: Some(pinned.into()), ..JobShape::default() }).await;
    let event = Delivery::of(0, 0..4).and(1, 0..4).and(2, 5..6).json();
    let reply = world.load(&event).await.unwrap();
    assert_eq!((reply.dropped, reply.seen, reply.statistics.loaded), (6, 0, 3));
    world.holds_exactly([places(0, 2..4), places(2, 5..6)].concat()).await;
    let reply = world.load(&event).await.unwrap();
    assert_eq!((reply.dropped, reply.seen), (6, 3));
    assert!(!world.snapshot().await.progress.contains_key(&1));
}

#[tokio::test]
async fn start_that_the_source_reported_is_kept() {
    let world = World::with(JobShape::default()).await;
    let report = penstock_catalog::job::SourceReport { latest: [(0, 8)].into(), at_ms: NOW_MS };
    world.catalog.report_source(world.job, &report, &[(0, 8)].into()).await.unwrap();
    world.load(&Delivery::of(0, 6..10).json()).await.unwrap();
    world.holds_exactly(places(0, 8..10)).await;
    assert_eq!(world.snapshot().await.progress[&0].value.start_offset, 8);
}

#[tokio::test]
async fn topic_created_anew_pauses_the_job() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..5).json()).await.unwrap();
    let later = Some(NOW_MS + 1_000_000);
    let event = Delivery::default().record_at(0, 0, &good(0, 0), later).record_at(0, 1, &good(0, 1), later);
    let error = world.load(&event.json()).await.unwrap_err();
    assert!(matches!(error, LoadError::TopicRecreated { last_offset: 1, next_offset: 5, .. }));
    let snapshot = world.snapshot().await;
    assert_eq!(snapshot.job.state, JobState::Paused);
    let why = snapshot.job.reason.unwrap();
    assert_eq!(why.code, reason::TASKS_ABORTED);
    assert!(why.message.contains("Consume offset: 5 is greater than the latest offset: 2"), "{}", why.message);
    world.holds_exactly(places(0, 0..5)).await;
}

#[tokio::test]
async fn dropped_table_cancels_the_job() {
    let world = World::new().await;
    world.catalog.drop_table(world.database, "site_clicks").await.unwrap().unwrap();
    let error = world.load(&Delivery::of(0, 0..5).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::TableDropped { .. }));
    let job = world.snapshot().await.job;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(job.reason.unwrap().to_string(), "ErrorReason{errCode = 6, msg='table not exist'}");
}

#[tokio::test]
async fn definition_that_cannot_work_pauses_the_job() {
    let world = World::with_properties(&[("jsonpaths", "[\"$.place\", \"$.x[\"]")]).await;
    let error = world.load(&Delivery::of(0, 0..5).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::Definition { .. }), "{error}");
    let job = world.snapshot().await.job;
    assert_eq!(job.state, JobState::Paused);
    let why = job.reason.unwrap();
    assert_eq!(why.code, reason::INTERNAL);
    assert!(why.message.starts_with("failed to create task: "), "{}", why.message);
}

#[tokio::test]
async fn counts_survive_a_failed_batch_unchanged() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..5).json()).await.unwrap();
    let before = world.snapshot().await.progress;
    world.pause().await;
    world.load(&Delivery::of(0, 5..9).json()).await.unwrap_err();
    world.change(JobEvent::Resume).await;
    let after = world.snapshot().await.progress;
    assert_eq!(before[&0].value.statistics, after[&0].value.statistics);
}
