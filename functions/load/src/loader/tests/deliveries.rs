//! Every record once, however it is delivered and whatever fails.

use penstock_catalog::database::Created;
use penstock_kernel::job::{MetadataItem, StartOffset};
use penstock_kernel::metadata::MetadataField;
use penstock_kernel::state::JobState;

use super::super::*;
use super::world::{CommitFault, Delivery, PutFault, World, places};
use crate::error::{ErrorKind, PutError};

/// Whoever invokes loaders in one process spawns them.
#[tokio::test]
async fn loading_can_be_spawned() {
    let world = World::new().await;
    let loading = async move { world.load(&Delivery::of(0, 0..1).json()).await };
    let reply = tokio::spawn(loading).await.unwrap().unwrap();
    assert_eq!(reply.statistics.loaded, 1);
}

#[tokio::test]
async fn delivered_records_become_rows() {
    let world = World::new().await;
    let reply = world.load(&Delivery::of(0, 0..5).and(1, 7..9).json()).await.unwrap();
    assert_eq!((reply.records, reply.statistics.loaded, reply.commits, reply.files), (7, 7, 1, 1));
    assert_eq!((reply.seen, reply.dropped), (0, 0));
    assert!(reply.file_bytes > 0);
    world.holds_exactly([places(0, 0..5), places(1, 7..9)].concat()).await;

    let snapshot = world.snapshot().await;
    assert_eq!(snapshot.job.state, JobState::Running);
    let (first, second) = (&snapshot.progress[&0].value, &snapshot.progress[&1].value);
    assert_eq!((first.start_offset, first.next_offset, second.start_offset), (0, 5, 7));
    assert_eq!((first.committed_tasks, second.committed_tasks), (1, 0));
    assert_eq!(first.last_timestamp_ms, first.max_timestamp_ms);
    assert!(first.last_timestamp_ms.is_some());
}

#[tokio::test]
async fn file_keys_name_table_job_version_and_first_record() {
    let world = World::new().await;
    let event = Delivery::of(3, 7..9).record(3, 9, b"{}").json();
    world.load(&event).await.unwrap();
    let commits = world.commits().await;
    let file = &commits[0].files[0];
    let prefix = format!("table/{}/job-{}-v1/3-7-", world.table, world.job);
    assert!(file.key.starts_with(&prefix) && file.key.ends_with(".parquet"), "{}", file.key);
    let errors = commits[0].errors.as_ref().unwrap();
    assert!(errors.key.starts_with(&format!("rejected/{}/3-7-", world.job)), "{}", errors.key);
}

#[tokio::test]
async fn duplicate_delivery_loads_no_row() {
    let world = World::new().await;
    let event = Delivery::of(0, 0..5).json();
    world.load(&event).await.unwrap();
    let reply = world.load(&event).await.unwrap();
    assert_eq!((reply.seen, reply.commits, reply.statistics.records), (5, 0, 0));
    world.holds_exactly(places(0, 0..5)).await;
}

#[tokio::test]
async fn overlapping_delivery_loads_the_rest() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..5).json()).await.unwrap();
    let reply = world.load(&Delivery::of(0, 3..8).json()).await.unwrap();
    assert_eq!((reply.seen, reply.statistics.loaded), (2, 3));
    world.holds_exactly(places(0, 0..8)).await;
}

#[tokio::test]
async fn redelivery_cut_differently_loads_each_record_once() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..4).and(1, 0..4).json()).await.unwrap();
    for event in
        [Delivery::of(0, 0..2), Delivery::of(1, 2..6), Delivery::of(0, 2..7).and(1, 0..1), Delivery::of(1, 3..8)]
    {
        world.load(&event.json()).await.unwrap();
    }
    world.holds_exactly([places(0, 0..7), places(1, 0..8)].concat()).await;
}

#[tokio::test]
async fn two_loaders_at_once_load_each_record_once() {
    let world = World::new().await;
    *world.store.meeting.lock().unwrap() = Some((Arc::new(tokio::sync::Barrier::new(2)), 2));
    let other = world.another_loader();
    let (event, longer) = (Delivery::of(0, 0..5).json(), Delivery::of(0, 0..9).json());
    let (one, two) = tokio::join!(world.load(&event), other.load(world.job, &longer));
    let loaded = one.unwrap().statistics.loaded + two.unwrap().statistics.loaded;
    assert_eq!(loaded, 9);
    // Both read the same snapshot, so exactly one lost a race.
    let commits = world.commits().await.len();
    assert_eq!(*world.store.commits_tried.lock().unwrap(), commits + 1);
    world.holds_exactly(places(0, 0..9)).await;
}

#[tokio::test]
async fn loader_that_is_overtaken_before_its_commit_loads_what_is_left() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..2).json()).await.unwrap();
    let other = world.clone();
    *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move {
        let event = Delivery::of(0, 2..6).and(1, 0..1).json();
        other.another_loader().load(other.job, &event).await.unwrap();
    }));
    let reply = world.load(&Delivery::of(0, 2..9).json()).await.unwrap();
    assert_eq!((reply.seen, reply.statistics.loaded, reply.commits), (4, 3, 1));
    world.holds_exactly([places(0, 0..9), places(1, 0..1)].concat()).await;
}

#[tokio::test]
async fn race_that_is_lost_every_time_fails_the_batch() {
    let world = World::new().await;
    let settings = LoaderSettings { max_conflicts: 1, ..LoaderSettings::default() };
    let loader = Loader::new(world.catalog.clone(), Arc::clone(&world.loader.volumes), settings);
    let other = world.clone();
    *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move {
        other.load(&Delivery::of(0, 0..1).json()).await.unwrap();
    }));
    let error = loader.load(world.job, &Delivery::of(0, 0..3).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::Contended { conflicts: 1, .. }));
    assert_eq!(error.kind(), ErrorKind::Retry);
    world.holds_exactly(places(0, 0..1)).await;
}

#[tokio::test]
async fn reply_lost_once_is_no_failure() {
    let world = World::new().await;
    world.store.commit_faults.lock().unwrap().push_back(CommitFault::Repeated);
    let reply = world.load(&Delivery::of(0, 0..5).json()).await.unwrap();
    assert_eq!(reply.statistics.loaded, 5);
    world.holds_exactly(places(0, 0..5)).await;
}

#[tokio::test]
async fn commit_of_unknown_fate_is_not_acknowledged_and_loads_once() {
    for (fault, loaded) in [(CommitFault::LostReply, 0), (CommitFault::Down, 5)] {
        let world = World::new().await;
        world.store.commit_faults.lock().unwrap().push_back(fault);
        let event = Delivery::of(0, 0..5).json();
        let error = world.load(&event).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Retry, "{fault:?}");
        let reply = world.load(&event).await.unwrap();
        assert_eq!(reply.statistics.loaded, loaded, "{fault:?}");
        world.holds_exactly(places(0, 0..5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn put_that_fails_for_a_while_is_repeated() {
    let world = World::new().await;
    let faults = [PutFault::Down, PutFault::Silent, PutFault::LostReply];
    world.objects.put_faults.lock().unwrap().extend(faults);
    world.load(&Delivery::of(0, 0..5).json()).await.unwrap();
    assert_eq!(world.objects.puts.lock().unwrap().len(), 4);
    world.holds_exactly(places(0, 0..5)).await;
}

#[tokio::test(start_paused = true)]
async fn put_that_never_succeeds_fails_the_batch_and_the_owner_sees_it() {
    let world = World::new().await;
    world.objects.put_faults.lock().unwrap().extend([PutFault::Silent; 4]);
    let event = Delivery::of(0, 0..5).json();
    let error = world.load(&event).await.unwrap_err();
    assert!(matches!(&error, LoadError::Put { attempts: 4, source: PutError::Silent { .. }, .. }));
    assert_eq!(error.kind(), ErrorKind::Retry);
    world.holds_exactly([]).await;
    let trouble = world.snapshot().await.trouble;
    assert_eq!(trouble.aborted_tasks, 1);
    assert!(trouble.last_failure.unwrap().message.contains("cannot put"));

    world.load(&event).await.unwrap();
    world.holds_exactly(places(0, 0..5)).await;
}

#[tokio::test]
async fn put_that_is_not_allowed_is_not_repeated() {
    let world = World::new().await;
    world.objects.put_faults.lock().unwrap().push_back(PutFault::Denied);
    let error = world.load(&Delivery::of(0, 0..5).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::Put { attempts: 1, .. }));
    assert_eq!(error.kind(), ErrorKind::Deployment);
    world.holds_exactly([]).await;
}

#[tokio::test]
async fn no_two_tries_share_a_key() {
    let world = World::new().await;
    world.store.commit_faults.lock().unwrap().extend([CommitFault::Down; 3]);
    let event = Delivery::of(0, 0..5).json();
    for _ in 0..3 {
        world.load(&event).await.unwrap_err();
    }
    world.load(&event).await.unwrap();
    let mut puts = world.objects.puts.lock().unwrap().clone();
    puts.sort();
    puts.dedup();
    assert_eq!(puts.len(), 4);
}

#[tokio::test]
async fn paused_job_fails_its_batches_until_it_is_resumed() {
    let world = World::new().await;
    world.pause().await;
    let event = Delivery::of(0, 0..5).json();
    let error = world.load(&event).await.unwrap_err();
    assert!(matches!(error, LoadError::NotLoading { state: JobState::Paused, .. }));
    assert_eq!(error.kind(), ErrorKind::Job);
    world.holds_exactly([]).await;
    world.change(JobEvent::Resume).await;
    world.load(&event).await.unwrap();
    world.holds_exactly(places(0, 0..5)).await;
}

#[tokio::test]
async fn batch_in_flight_does_not_commit_after_pause() {
    // Before its first commit and after one, since the fence stands in job and progress.
    for earlier in [0, 3] {
        let world = World::new().await;
        if earlier > 0 {
            world.load(&Delivery::of(0, 0..earlier).json()).await.unwrap();
        }
        let other = world.clone();
        *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move { other.pause().await }));
        let event = Delivery::of(0, 0..5).json();
        let error = world.load(&event).await.unwrap_err();
        assert!(matches!(error, LoadError::NotLoading { .. }), "{error}");
        world.holds_exactly(places(0, 0..earlier)).await;

        world.change(JobEvent::Resume).await;
        world.load(&event).await.unwrap();
        world.holds_exactly(places(0, 0..5)).await;
    }
}

#[tokio::test]
async fn stopped_job_never_acknowledges() {
    let world = World::new().await;
    world.change(JobEvent::Stop).await;
    let error = world.load(&Delivery::of(0, 0..5).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::NotLoading { state: JobState::Stopped, .. }));
}

#[tokio::test]
async fn gaps_are_skipped_and_counted() {
    let world = World::new().await;
    world.load(&Delivery::of(0, [3, 4, 7]).json()).await.unwrap();
    world.load(&Delivery::of(0, [10, 12]).json()).await.unwrap();
    world.holds_exactly(places(0, [3, 4, 7, 10, 12])).await;
    let progress = &world.snapshot().await.progress[&0].value;
    assert_eq!((progress.start_offset, progress.next_offset, progress.skipped), (3, 13, 5));
}

#[tokio::test]
async fn more_source_partitions_than_a_commit_holds_are_committed_in_turn() {
    let world = World::new().await;
    let event = (0..200).fold(Delivery::default(), |delivery, source_partition| delivery.and(source_partition, 5..7));
    let reply = world.load(&event.json()).await.unwrap();
    assert_eq!((reply.commits, reply.files, reply.ranges.len()), (3, 3, 200));
    let expected: Vec<_> = (0..200).flat_map(|source_partition| places(source_partition, 5..7)).collect();
    world.holds_exactly(expected).await;
}

#[tokio::test]
async fn failure_between_two_commits_of_an_event_loads_the_rest_at_redelivery() {
    let world = World::new().await;
    let event = (0..150).fold(Delivery::default(), |delivery, source_partition| delivery.and(source_partition, 0..1));
    let other = world.clone();
    *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move {
        // The transaction that waits for this goes through, the one after it does not.
        *other.store.before_commit.lock().unwrap() = Some(Box::pin({
            let other = other.clone();
            async move { other.store.commit_faults.lock().unwrap().push_back(CommitFault::Down) }
        }));
    }));
    world.load(&event.json()).await.unwrap_err();
    assert_eq!(world.rows().await.len(), 97);
    let reply = world.load(&event.json()).await.unwrap();
    assert_eq!((reply.seen, reply.statistics.loaded), (97, 53));
    world.holds_exactly((0..150).map(|source_partition| (source_partition, 0))).await;
}

#[tokio::test]
async fn event_that_is_malformed_is_not_acknowledged() {
    let world = World::new().await;
    let error = world.load(br#"{"records":{"clicks-0":[{"topic":"clicks"}]}}"#).await.unwrap_err();
    assert!(matches!(error, LoadError::Event(_)));
    assert!(error.to_string().contains("records[\"clicks-0\"][0]"), "{error}");
}

#[tokio::test]
async fn event_of_another_topic_is_not_acknowledged() {
    let world = World::new().await;
    let event = br#"{"records":{"x":[{"topic":"orders","partition":0,"offset":0}]}}"#;
    let error = world.load(event).await.unwrap_err();
    assert!(matches!(&error, LoadError::Topic { expected, found, .. } if expected == "clicks" && found == "orders"));
}

#[tokio::test]
async fn unknown_job_is_not_acknowledged() {
    let world = World::new().await;
    let error = world.loader.load(JobId(1), &Delivery::of(0, 0..1).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::UnknownJob { .. }));
}

#[tokio::test]
async fn batch_that_begins_further_on_is_loaded_and_the_jump_is_named() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..10).json()).await.unwrap();
    // The log, or whoever delivers, is further on; there is a gap in the batch, which the log has.
    world.load(&Delivery::of(0, 25..30).and(0, 33..35).json()).await.unwrap();
    // What was loaded comes again with what follows, so that all between the two is told to be empty.
    world.load(&Delivery::of(0, [34, 40, 41]).json()).await.unwrap();
    world.holds_exactly([places(0, 0..10), places(0, 25..30), places(0, [33, 34, 40, 41])].concat()).await;
    let covered = world.catalog.coverage(world.job).await.unwrap().unwrap();
    let source = &covered[0];
    assert_eq!((source.skipped, source.jumped, source.jumps.clone()), (15 + 3 + 5, 15, vec![(10, 25)]));
    assert_eq!((source.next_offset, source.fault.as_ref()), (42, None));
}

/// The job of docs/recovery.md.
#[tokio::test]
async fn job_beside_loads_a_gap_alone() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..10).json()).await.unwrap();
    world.load(&Delivery::of(0, 25..30).json()).await.unwrap();
    let mut definition = world.catalog.job_definition(world.job, 1).await.unwrap().unwrap();
    definition.name = "clicks_gap".to_owned();
    definition.clauses.metadata =
        Some(vec![MetadataItem { field: MetadataField::Offset, alias: Some("gap_offset".to_owned()) }]);
    definition.clauses.filter = Some("gap_offset < 25".to_owned());
    definition.source.pinned = Some([(0, Some(StartOffset::At(10)))].into());
    let Created::New(beside) = world.catalog.create_job(definition).await.unwrap() else { panic!("the name was free") };
    world.loader.load(beside.id, &Delivery::of(0, 0..18).json()).await.unwrap();
    let reply = world.loader.load(beside.id, &Delivery::of(0, 18..30).json()).await.unwrap();
    assert_eq!((reply.statistics.loaded, reply.statistics.unselected), (7, 5));
    assert_eq!(world.rows().await, places(0, 0..30).into_iter().map(|place| (place, 1)).collect());
}
