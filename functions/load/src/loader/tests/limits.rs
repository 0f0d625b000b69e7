//! Batches that touch as much as they can: each is committed, since a batch whose commit is too long would come again for
//! ever.

use penstock_catalog::commit::MAX_COMMIT_SOURCE_PARTITIONS;
use penstock_kernel::job::StartOffset;
use penstock_kernel::loaded::TablePartition;
use penstock_kernel::partitioning::{
    MAX_AUTOMATIC_FILES, MAX_NAMED_PARTITIONS, PartitionExpression, Partitioning, RangeBound, RangePartition,
    RangePartitioning,
};

use super::world::{Delivery, JobShape, World, places};

/// A record of that place with texts that statistics hold whole, and JSON writes at six times their length.
fn wide(place: i64, fields: i64) -> Vec<u8> {
    let mut record = serde_json::json!({ "place": place, "site": "s" });
    for field in 0..fields {
        let text = format!("{field:04}{}", "\u{1}".repeat(60));
        record[format!("c{field}")] = text.into();
    }
    record.to_string().into_bytes()
}

#[tokio::test]
async fn event_of_a_thousand_source_partitions_is_committed_into_a_very_wide_table() {
    let world = World::with(JobShape {
        default_start: Some(StartOffset::Beginning),
        more_columns: 1_500,
        ..JobShape::default()
    })
    .await;
    let places = 1 << 40;
    let mut event = Delivery::default();
    for source_partition in 0..1_000 {
        // The first of each commit's source partitions has all fields.
        let fields = if source_partition % 97 == 0 { 1_400 } else { 0 };
        event = event.record(source_partition, 5, &wide(i64::from(source_partition) * places + 5, fields));
    }
    let event = event.json();
    for _ in 0..2 {
        let reply = world.load(&event).await.unwrap();
        assert_eq!(reply.records, 1_000);
    }
    world.holds_exactly((0..1_000).map(|source_partition| (source_partition, 5))).await;
    let commits = world.commits().await;
    assert_eq!(commits.len(), 1_000_usize.div_ceil(MAX_COMMIT_SOURCE_PARTITIONS));
    assert!(commits.iter().all(|commit| commit.files.len() == 1));
}

#[tokio::test]
async fn batch_of_every_table_partition_is_one_commit() {
    let world = World::with_properties(&[]).await;
    let partition = |id: u32| RangePartition {
        id,
        name: format!("p{id}"),
        lower: RangeBound(vec![Some((id * 10).to_string())]),
        upper: RangeBound(vec![Some((id * 10 + 10).to_string())]),
    };
    let last = u32::try_from(MAX_NAMED_PARTITIONS).unwrap();
    let ranges = RangePartitioning {
        columns: vec!["place".to_owned()],
        partitions: (0..last).map(partition).collect(),
        next_id: last,
    };
    let after = Partitioning::Range(ranges);
    assert!(world.catalog.set_partitioning(world.table, &Partitioning::None, &after).await.unwrap());
    let reply = world.load(&Delivery::of(0, (0..i64::from(last)).map(|id| id * 10)).json()).await.unwrap();
    assert_eq!((reply.commits, reply.files, reply.statistics.rejected), (1, last, 0));
    world.holds_exactly(places(0, (0..i64::from(last)).map(|id| id * 10))).await;
}

#[tokio::test]
async fn batch_of_automatic_partitions_of_control_characters_is_one_commit() {
    let world = World::new().await;
    let by_site = Partitioning::Automatic(vec![PartitionExpression::Column("site".to_owned())]);
    assert!(world.catalog.set_partitioning(world.table, &Partitioning::None, &by_site).await.unwrap());
    let mut event = Delivery::default();
    for offset in 0..400_i64 {
        // Some are as long as a value with a file of its own may be, the others far too long once they are written.
        let length = if offset < 300 { 42 } else { 246 };
        let site = format!("{offset:04}{}", "\u{1}".repeat(length));
        let record = serde_json::json!({ "place": offset, "site": site }).to_string();
        event = event.record(0, offset, record.as_bytes());
    }
    let reply = world.load(&event.json()).await.unwrap();
    assert_eq!((reply.commits, reply.statistics.loaded), (1, 400));
    world.holds_exactly(places(0, 0..400)).await;
    let files = &world.commits().await[0].files;
    assert_eq!(files.len(), MAX_AUTOMATIC_FILES + 1);
    assert_eq!(files.iter().filter(|file| file.table_partition == TablePartition::Shared).count(), 1);
}

#[tokio::test]
async fn values_of_250_control_characters_do_not_make_a_commit_too_long() {
    let world = World::new().await;
    let by_site = Partitioning::Automatic(vec![PartitionExpression::Column("site".to_owned())]);
    assert!(world.catalog.set_partitioning(world.table, &Partitioning::None, &by_site).await.unwrap());
    let mut event = Delivery::default();
    for offset in 0..400_i64 {
        let site = format!("{offset:04}{}", "\u{1}".repeat(246));
        let record = serde_json::json!({ "place": offset, "site": site }).to_string();
        event = event.record(0, offset, record.as_bytes());
    }
    let reply = world.load(&event.json()).await.unwrap();
    assert_eq!((reply.commits, reply.files, reply.statistics.loaded), (1, 1, 400));
    world.holds_exactly(places(0, 0..400)).await;
}
