//! Random deliveries with random faults against a simple model.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::*;
use super::world::{CommitFault, Delivery, PutFault, World, good};

/// One step of a schedule.
#[derive(Debug, Clone)]
enum Step {
    /// Delivers the next records of each source partition, again from `back` records before the acknowledged ones.
    Deliver { back: i64, lengths: Vec<i64> },
    /// Delivers two such batches at once to two loaders that read the same snapshot.
    Race { back: i64, lengths: Vec<i64>, others: Vec<i64> },
    /// The next commit meets this.
    Commit(CommitFault),
    /// The next put meets this.
    Put(PutFault),
    /// PAUSE while the next batch is on its way, then RESUME.
    Pause,
}

fn step() -> impl Strategy<Value = Step> {
    let lengths = || prop::collection::vec(0..6_i64, 3);
    prop_oneof![
        6 => (0..5_i64, lengths()).prop_map(|(back, lengths)| Step::Deliver { back, lengths }),
        2 => (0..5_i64, lengths(), lengths()).prop_map(|(back, lengths, others)| Step::Race { back, lengths, others }),
        1 => prop::sample::select(vec![CommitFault::Down, CommitFault::LostReply, CommitFault::Repeated]).prop_map(Step::Commit),
        1 => prop::sample::select(vec![PutFault::Down, PutFault::LostReply, PutFault::Silent, PutFault::Denied]).prop_map(Step::Put),
        1 => Just(Step::Pause),
    ]
}

/// Offsets of which the log holds no record.
fn gap(source_partition: i32, offset: i64) -> bool {
    (offset + i64::from(source_partition)) % 5 == 3
}

/// Records that are no good.
fn is_bad(source_partition: i32, offset: i64) -> bool {
    (offset * 7 + i64::from(source_partition)) % 11 == 4
}

/// The batch that begins `back` offsets before what is acknowledged, and the acknowledged ends if it succeeds.
fn batch(acknowledged: &[i64], back: i64, lengths: &[i64]) -> (Vec<u8>, Vec<i64>) {
    let mut delivery = Delivery::default();
    let mut ends = acknowledged.to_vec();
    for (source_partition, (end, length)) in (0..).zip(ends.iter_mut().zip(lengths)) {
        let first = (*end - back).max(0);
        let last = (first + length).max(*end);
        for offset in first..last {
            if gap(source_partition, offset) {
                continue;
            }
            delivery = if is_bad(source_partition, offset) {
                delivery.record(source_partition, offset, b"[1]")
            } else {
                delivery.record(source_partition, offset, &good(source_partition, offset))
            };
        }
        *end = last;
    }
    (delivery.json(), ends)
}

async fn play(steps: Vec<Step>) {
    let world = World::with_properties(&[("max_error_number", "1000000")]).await;
    let mut acknowledged = vec![0; 3];
    for step in steps {
        match step {
            Step::Deliver { back, lengths } => {
                let (event, ends) = batch(&acknowledged, back, &lengths);
                if world.load(&event).await.is_ok() {
                    acknowledged = ends;
                }
            }
            Step::Race { back, lengths, others } => {
                let (event, ends) = batch(&acknowledged, back, &lengths);
                let (other_event, other_ends) = batch(&acknowledged, 0, &others);
                // A loader of an empty event reads no snapshot, so nobody may wait for it.
                if !is_empty(&event) && !is_empty(&other_event) {
                    let barrier = Arc::new(tokio::sync::Barrier::new(2));
                    *world.store.meeting.lock().unwrap() = Some((barrier, 2));
                }
                let other = world.another_loader();
                let (one, two) = tokio::join!(world.load(&event), other.load(world.job, &other_event));
                *world.store.meeting.lock().unwrap() = None;
                if one.is_ok() {
                    acknowledged.clone_from(&ends);
                }
                if two.is_ok() {
                    for (end, other) in acknowledged.iter_mut().zip(other_ends) {
                        *end = (*end).max(other);
                    }
                }
            }
            Step::Commit(fault) => world.store.commit_faults.lock().unwrap().push_back(fault),
            Step::Put(fault) => world.objects.put_faults.lock().unwrap().push_back(fault),
            Step::Pause => {
                let other = world.clone();
                *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move {
                    other.pause().await;
                }));
                let (event, ends) = batch(&acknowledged, 0, &[2, 2, 2]);
                if world.load(&event).await.is_ok() {
                    acknowledged = ends;
                }
                if world.store.before_commit.lock().unwrap().take().is_none() {
                    world.change(JobEvent::Resume).await;
                }
            }
        }
        world.ranges_tile().await;
    }
    let rows = world.rows().await;
    assert!(rows.values().all(|times| *times == 1), "a row is there twice: {rows:?}");
    assert!(!rows.keys().any(|(source_partition, offset)| is_bad(*source_partition, *offset)));
    for (source_partition, end) in (0..).zip(&acknowledged) {
        let missing: BTreeSet<_> = (0..*end)
            .filter(|offset| !gap(source_partition, *offset) && !is_bad(source_partition, *offset))
            .filter(|offset| !rows.contains_key(&(source_partition, *offset)))
            .collect();
        assert!(missing.is_empty(), "source partition {source_partition} lost {missing:?}");
    }
}

fn is_empty(event: &[u8]) -> bool {
    kafka::read(event, HeaderWish::Skip).unwrap().is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_acknowledged_record_is_loaded_exactly_once(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(play(steps));
    }
}
