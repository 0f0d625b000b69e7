//! Claims on removals: readers see all of one or nothing, and what is committed afterwards stays.

use std::sync::Arc;

use penstock_catalog::Catalog;
use penstock_catalog::commit::{CommitOutcome, DataFile};
use penstock_catalog::database::Created;
use penstock_catalog::removal::Removed;
use penstock_catalog::store::Store;
use penstock_kernel::ids::TableId;
use penstock_kernel::loaded::TablePartition;
use penstock_kernel::partitioning::{Partitioning, RangeBound, RangePartition, RangePartitioning};
use penstock_kernel::table::TableDefinition;

use super::sample::{self, DATABASE, catalog, commit, job, moved, snapshot};

type Held = Arc<dyn Store>;

fn range(ids: &[u32]) -> Partitioning {
    let partition = |id: u32| RangePartition {
        id,
        name: format!("p{id}"),
        lower: RangeBound(vec![Some(id.to_string())]),
        upper: RangeBound(vec![Some((id + 1).to_string())]),
    };
    Partitioning::Range(RangePartitioning {
        columns: vec!["a".to_owned()],
        partitions: ids.iter().copied().map(partition).collect(),
        next_id: 99,
    })
}

/// A table with partitions 1 and 2, and a job.
async fn table(catalog: &Catalog) -> TableDefinition {
    job(catalog).await;
    let definition = TableDefinition { partitioning: range(&[1, 2]), ..sample::table(DATABASE, "t") };
    match catalog.create_table(definition).await.unwrap() {
        Created::New(table) => table,
        Created::Exists(table) => panic!("{table:?}"),
    }
}

/// Commits one file a table partition, under keys `<id>-<place>`.
async fn load(catalog: &Catalog, table: TableId, id: &str, homes: &[u32]) {
    let job = catalog.jobs(DATABASE).await.unwrap()[0].id;
    let read = snapshot(catalog, job).await;
    let moves = [moved(&read, 0, 10)];
    let mut commit = commit(id, &read.job, &moves);
    commit.table = table;
    let file = |(place, home): (usize, &u32)| DataFile {
        key: format!("{id}-{place}"),
        table_partition: TablePartition::Named(*home),
        rows: 1,
        bytes: 1,
        columns: Vec::new(),
        crc32c: None,
        sorted: false,
    };
    commit.files = homes.iter().enumerate().map(file).collect();
    assert_eq!(catalog.commit(&commit, read.job.fence, &moves).await.unwrap(), CommitOutcome::Committed);
}

async fn seen(catalog: &Catalog, table: TableId) -> Vec<String> {
    let table = catalog.table_by_id(table).await.unwrap().unwrap();
    catalog.data_files(&table).await.unwrap().into_iter().map(|file| file.key).collect()
}

pub(crate) async fn removed_files_are_not_seen_and_later_ones_are(store: Held) {
    let (catalog, _) = catalog(store);
    let table = table(&catalog).await.id;
    load(&catalog, table, "05", &[1, 2]).await;
    load(&catalog, table, "06", &[1]).await;
    assert_eq!(seen(&catalog, table).await, ["05-0", "05-1", "06-0"]);
    assert_eq!(catalog.remove_files(table, |_| true).await.unwrap(), Removed::Files(3));
    assert_eq!(seen(&catalog, table).await, [""; 0]);
    // A batch in flight made its id before, and commits after.
    load(&catalog, table, "04", &[2]).await;
    load(&catalog, table, "07", &[1]).await;
    assert_eq!(seen(&catalog, table).await, ["04-0", "07-0"]);
    assert_eq!(catalog.commits(table).await.unwrap().len(), 4, "commits are facts about offsets, and stay");
}

pub(crate) async fn removal_of_some_files_leaves_the_others(store: Held) {
    let (catalog, _) = catalog(store);
    let table = table(&catalog).await.id;
    load(&catalog, table, "01", &[1, 2]).await;
    load(&catalog, table, "02", &[2]).await;
    let first = |file: &DataFile| file.table_partition == TablePartition::Named(1);
    assert_eq!(catalog.remove_files(table, first).await.unwrap(), Removed::Files(1));
    assert_eq!(seen(&catalog, table).await, ["01-1", "02-0"]);
    assert_eq!(catalog.remove_files(table, first).await.unwrap(), Removed::Files(0));
    assert_eq!(catalog.remove_files(table, |_| true).await.unwrap(), Removed::Files(2));
    assert_eq!(seen(&catalog, table).await, [""; 0]);
}

pub(crate) async fn removal_from_a_dropped_table_says_so(store: Held) {
    let (catalog, _) = catalog(store);
    let table = table(&catalog).await;
    load(&catalog, table.id, "01", &[1]).await;
    catalog.drop_table(table.database, &table.name).await.unwrap();
    assert_eq!(catalog.remove_files(table.id, |_| true).await.unwrap(), Removed::TableGone);
}

pub(crate) async fn files_of_a_dropped_partition_are_not_seen(store: Held) {
    let (catalog, _) = catalog(store);
    let table = table(&catalog).await;
    load(&catalog, table.id, "01", &[1, 2]).await;
    assert!(catalog.set_partitioning(table.id, &table.partitioning, &range(&[2])).await.unwrap());
    // A batch in flight knew the partition still.
    load(&catalog, table.id, "02", &[1]).await;
    assert_eq!(seen(&catalog, table.id).await, ["01-1"]);
}

pub(crate) async fn of_racing_changes_of_a_table_one_wins(store: Held) {
    let (catalog, _) = catalog(store);
    let table = table(&catalog).await;
    let (one, other) = (range(&[1, 2, 3]), range(&[1, 2, 4]));
    let (first, second) = tokio::join!(
        catalog.set_partitioning(table.id, &table.partitioning, &one),
        catalog.set_partitioning(table.id, &table.partitioning, &other)
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first != second, "{first} {second}");
    let stored = catalog.table_by_id(table.id).await.unwrap().unwrap();
    assert_eq!(stored.partitioning, if first { one } else { other });
    assert!(!catalog.set_partitioning(TableId(1), &table.partitioning, &range(&[1])).await.unwrap());
}
