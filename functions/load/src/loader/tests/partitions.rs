//! Tables that are divided: a file a table partition, in one commit.

use std::collections::{BTreeMap, BTreeSet};

use penstock_kernel::loaded::TablePartition;
use penstock_kernel::partitioning::{
    MAX_AUTOMATIC_FILES, PartitionExpression, Partitioning, RangeBound, RangePartition, RangePartitioning,
};

use super::world::{CommitFault, Delivery, PutFault, World, places};

fn by_site() -> Partitioning {
    Partitioning::Automatic(vec![PartitionExpression::Column("site".to_owned())])
}

/// Places below 100, and from 100 to 199.
fn by_place() -> Partitioning {
    let bound = |text: &str| RangeBound(vec![Some(text.to_owned())]);
    Partitioning::Range(RangePartitioning {
        columns: vec!["place".to_owned()],
        partitions: vec![
            RangePartition { id: 4, name: "low".to_owned(), lower: RangeBound::default(), upper: bound("100") },
            RangePartition { id: 7, name: "high".to_owned(), lower: bound("100"), upper: bound("200") },
        ],
        next_id: 8,
    })
}

async fn divided(partitioning: Partitioning) -> World {
    let world = World::with_properties(&[("max_error_number", "100")]).await;
    assert!(world.catalog.set_partitioning(world.table, &Partitioning::None, &partitioning).await.unwrap());
    world
}

fn site(offset: i64, site: &str) -> Vec<u8> {
    serde_json::json!({ "place": offset, "site": site }).to_string().into_bytes()
}

#[tokio::test]
async fn each_table_partition_has_a_file_of_its_own_in_one_commit() {
    let world = divided(by_place()).await;
    let reply = world.load(&Delivery::of(0, [1, 150, 99, 199, 250]).json()).await.unwrap();
    assert_eq!((reply.commits, reply.files, reply.statistics.loaded, reply.statistics.rejected), (1, 2, 4, 1));
    let commits = world.commits().await;
    let files: Vec<_> = commits[0].files.iter().map(|file| (file.table_partition.clone(), file.rows)).collect();
    assert_eq!(files, [(TablePartition::Named(4), 2), (TablePartition::Named(7), 2)]);
    let prefix = format!("table/{}/job-{}-v1/partition-4/0-1-", world.table, world.job);
    assert!(commits[0].files[0].key.starts_with(&prefix), "{}", commits[0].files[0].key);
    assert!(commits[0].files.iter().all(|file| file.columns.len() == 2));
    world.holds_exactly(places(0, [1, 150, 99, 199])).await;
}

#[tokio::test]
async fn values_of_records_do_not_lead_a_key_astray() {
    let world = divided(by_site()).await;
    let sites = ["../../../other", "a/b", "", ".", "ä", "x\u{0}y", "c:\\d", "a%2fb", "ok"];
    let mut delivery = Delivery::default();
    for (offset, value) in (0..).zip(sites) {
        delivery = delivery.record(0, offset, &site(offset, value));
    }
    world.load(&delivery.json()).await.unwrap();
    let commits = world.commits().await;
    assert_eq!(commits[0].files.len(), sites.len());
    let prefix = format!("table/{}/job-{}-v1/", world.table, world.job);
    let mut folders = BTreeSet::new();
    for file in &commits[0].files {
        let rest = file.key.strip_prefix(&prefix).expect("below the job's folder");
        let (folder, name) = rest.split_once('/').expect("a folder a partition");
        assert!(folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{folder}");
        assert!(!name.contains('/'));
        folders.insert(folder.to_owned());
    }
    assert_eq!(folders.len(), sites.len());
    assert!(folders.contains("pok"));
    world.holds_exactly(places(0, 0..9)).await;
}

#[tokio::test]
async fn very_many_values_give_a_bounded_commit() {
    let world = divided(by_site()).await;
    let mut delivery = Delivery::default();
    for offset in 0..5000 {
        delivery = delivery.record(0, offset, &site(offset, &format!("site-{offset}-{}", "x".repeat(40))));
    }
    let reply = world.load(&delivery.json()).await.unwrap();
    assert_eq!(reply.files as usize, MAX_AUTOMATIC_FILES + 1);
    world.holds_exactly(places(0, 0..5000)).await;
    let files = &world.commits().await[0].files;
    let shared: Vec<_> = files.iter().filter(|file| file.table_partition == TablePartition::Shared).collect();
    assert_eq!(shared[0].rows as usize, 5000 - MAX_AUTOMATIC_FILES);
    assert!(files.iter().all(|file| !file.columns.is_empty()), "statistics to prune by");
}

#[tokio::test]
async fn rows_are_there_once_whatever_fails() {
    let world = divided(by_place()).await;
    let event = Delivery::of(0, [1, 2, 150]).json();
    world.store.commit_faults.lock().unwrap().extend([CommitFault::Down, CommitFault::LostReply]);
    world.objects.put_faults.lock().unwrap().extend([PutFault::Down, PutFault::LostReply]);
    for _ in 0..3 {
        let _ = world.load(&event).await;
    }
    world.load(&event).await.unwrap();
    world.holds_exactly(places(0, [1, 2, 150])).await;
}

#[tokio::test]
async fn rows_committed_after_a_removal_stay() {
    let world = divided(by_place()).await;
    world.load(&Delivery::of(0, [1, 150]).json()).await.unwrap();
    let (catalog, table) = (world.catalog.clone(), world.table);
    // The batch is in flight while the table is emptied.
    *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move {
        catalog.remove_files(table, |_| true).await.unwrap();
    }));
    world.load(&Delivery::of(0, [151, 160]).json()).await.unwrap();
    let definition = world.catalog.table_by_id(table).await.unwrap().unwrap();
    let mut rows: BTreeMap<TablePartition, u64> = BTreeMap::new();
    for file in world.catalog.data_files(&definition).await.unwrap() {
        *rows.entry(file.table_partition).or_default() += file.rows;
    }
    assert_eq!(rows, BTreeMap::from([(TablePartition::Named(7), 2)]));
    world.ranges_tile().await;
}

#[tokio::test]
async fn a_partition_added_takes_the_rows_of_the_next_batch() {
    let world = divided(by_place()).await;
    world.load(&Delivery::of(0, [250]).json()).await.unwrap();
    let mut after = by_place();
    if let Partitioning::Range(range) = &mut after {
        range.partitions.push(RangePartition {
            id: 8,
            name: "higher".to_owned(),
            lower: RangeBound(vec![Some("200".to_owned())]),
            upper: RangeBound(vec![None]),
        });
    }
    assert!(world.catalog.set_partitioning(world.table, &by_place(), &after).await.unwrap());
    world.load(&Delivery::of(0, [251]).json()).await.unwrap();
    world.holds_exactly(places(0, [251])).await;
}
