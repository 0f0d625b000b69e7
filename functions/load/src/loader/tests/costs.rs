//! What a batch costs, counted: one read and one transaction of the catalog, one put a file.

use std::collections::BTreeMap;

use penstock_catalog::job::Changed;
use penstock_kernel::job::StartOffset;
use penstock_kernel::partitioning::{Partitioning, RangeBound, RangePartition, RangePartitioning};

use super::super::*;
use super::world::{Delivery, JobShape, PutFault, World, good, places};

/// Requests that `event` takes, by kind, and puts.
async fn costs(world: &World, event: &[u8]) -> (BTreeMap<&'static str, usize>, usize) {
    world.store.requests.lock().unwrap().clear();
    world.objects.puts.lock().unwrap().clear();
    let _ = world.load(event).await;
    (world.store.requests.lock().unwrap().clone(), world.objects.puts.lock().unwrap().len())
}

#[tokio::test]
async fn commit_costs_one_read_one_transaction_and_one_put() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..5).json()).await.unwrap();
    for round in 1..5 {
        let (from, to) = (round * 5, round * 5 + 5);
        let event = Delivery::of(0, from..to).and(1, from..to).and(7, from..to).json();
        assert_eq!(costs(&world, &event).await, (BTreeMap::from([("query", 1), ("transact", 1)]), 1), "{round}");
    }
    // What was delivered before costs the read that tells so.
    assert_eq!(costs(&world, &Delivery::of(0, 0..25).json()).await, (BTreeMap::from([("query", 1)]), 0));
}

/// A full event: as many records of 1 kB in 30 fields as Lambda hands over at most, of so many source partitions.
fn full_event(round: i64, source_partitions: i32) -> Vec<u8> {
    let mut delivery = Delivery::default();
    let each = 4_200 / i64::from(source_partitions);
    for source_partition in 0..source_partitions {
        for offset in round * each..(round + 1) * each {
            let mut value = good(source_partition, offset).to_vec();
            value.pop();
            for column in 0..28 {
                value.extend(format!(",\"c{column}\":\"value {column} of {offset:014}\"").bytes());
            }
            value.push(b'}');
            delivery = delivery.record(source_partition, offset, &value);
        }
    }
    delivery.json()
}

#[tokio::test]
async fn full_event_takes_one_put_one_transaction_and_twelve_write_units_at_most() {
    let shape = || JobShape { default_start: Some(StartOffset::Beginning), more_columns: 28, ..JobShape::default() };
    for source_partitions in [1, 2, 4] {
        let world = World::with(shape()).await;
        // A job's first records move it to RUNNING, once.
        world.load(&Delivery::of(9, [0]).json()).await.unwrap();
        let mut before = used(&world).await;
        for round in 0..2 {
            let event = full_event(round, source_partitions);
            assert!((5_900_000..6_291_456).contains(&event.len()), "{}", event.len());
            let (requests, puts) = costs(&world, &event).await;
            assert_eq!((requests.get("query"), requests.get("transact"), puts), (Some(&1), Some(&1), 1));
            let used = used(&world).await;
            assert_eq!((used.invocations - before.invocations, used.puts - before.puts), (1, 1));
            assert_eq!(used.event_bytes - before.event_bytes, event.len() as u64);
            let units = used.write_units - before.write_units;
            println!("{source_partitions} source partitions, 30 columns, round {round}: {units} write units");
            assert!((4..=12).contains(&units), "{units}");
            before = used;
        }
    }
}

/// What the job's batches used.
async fn used(world: &World) -> Usage {
    let mut sum = Usage::default();
    for progress in world.catalog.job_snapshot(world.job).await.unwrap().unwrap().progress.values() {
        sum.add(&progress.value.usage);
    }
    sum
}

#[tokio::test]
async fn batches_count_what_they_used_and_redeliveries_do_not() {
    let world = World::new().await;
    for event in [Delivery::of(0, 0..5).and(1, 0..5), Delivery::of(1, 5..9), Delivery::of(0, 0..5)] {
        world.load(&event.json()).await.unwrap();
        world.clock.advance(1_000);
    }
    let used = used(&world).await;
    assert_eq!((used.invocations, used.puts, used.records), (2, 2, 14));
    assert_eq!(used.until_ms - used.since_ms, 1_000);
    assert_eq!(
        (used.milliseconds, used.megabyte_ms),
        (0, 0),
        "the clock stood still, and nobody says what memory there is"
    );
}

#[tokio::test]
async fn each_file_is_put_once_and_table_partitions_are_read_anew() {
    let world = World::new().await;
    let partition = |id: u32| RangePartition {
        id,
        name: format!("p{id}"),
        lower: RangeBound(vec![Some((id * 10).to_string())]),
        upper: RangeBound(vec![Some((id * 10 + 10).to_string())]),
    };
    let ranges = RangePartitioning {
        columns: vec!["place".to_owned()],
        partitions: (0..9).map(partition).collect(),
        next_id: 9,
    };
    let after = Partitioning::Range(ranges);
    assert!(world.catalog.set_partitioning(world.table, &Partitioning::None, &after).await.unwrap());
    world.load(&Delivery::of(0, [1]).json()).await.unwrap();
    let costs = costs(&world, &Delivery::of(0, 10..90).json()).await;
    // The table, which ADD and DROP PARTITION change, and its volume.
    assert_eq!(costs, (BTreeMap::from([("get", 2), ("query", 1), ("transact", 1)]), 8));
}

#[tokio::test]
async fn table_and_volume_are_read_once_a_minute_and_after_a_failure() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..1).json()).await.unwrap();
    let reads = |costs: &BTreeMap<&'static str, usize>| costs.get("get").copied().unwrap_or(0);
    world.clock.advance(59_999);
    assert_eq!(reads(&costs(&world, &Delivery::of(0, 1..2).json()).await.0), 0);
    world.clock.advance(1);
    assert_eq!(reads(&costs(&world, &Delivery::of(0, 2..3).json()).await.0), 2);
    assert_eq!(reads(&costs(&world, &Delivery::of(0, 3..4).json()).await.0), 0);
    world.objects.put_faults.lock().unwrap().push_back(PutFault::Denied);
    costs(&world, &Delivery::of(0, 4..5).json()).await;
    assert_eq!(reads(&costs(&world, &Delivery::of(0, 4..5).json()).await.0), 2, "the volume's keys may have changed");
    world.holds_exactly(places(0, 0..5)).await;
}

#[tokio::test]
async fn what_is_kept_of_a_table_does_not_outlive_its_job() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..5).json()).await.unwrap();
    // As DROP TABLE does: jobs first.
    let gone = JobEvent::Cancel(penstock_kernel::state::StateReason { code: 6, message: "table not exist".to_owned() });
    assert!(matches!(world.catalog.change_job(world.job, gone).await.unwrap(), Changed::Now(_)));
    world.catalog.drop_table(world.database, "site_clicks").await.unwrap().unwrap();
    let error = world.load(&Delivery::of(0, 5..9).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::NotLoading { .. }), "{error}");
}
