//! What a run costs where there are many tables and little to do, counted: the table in docs/limits.md.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use penstock_catalog::database::Created;
use penstock_catalog::error::CatalogError;
use penstock_catalog::store::memory::MemoryStore;
use penstock_catalog::store::{Item, Key, Store, Write, WriteOutcome};
use penstock_storage::MemoryVolumes;

use super::world::World;

const TABLES: usize = 1_000;

#[derive(Default)]
struct Counting {
    inner: MemoryStore,
    counts: Mutex<BTreeMap<&'static str, usize>>,
}

impl Counting {
    fn count(&self, kind: &'static str) {
        *self.counts.lock().unwrap().entry(kind).or_default() += 1;
    }

    fn take(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut self.counts.lock().unwrap())
    }
}

#[async_trait]
impl Store for Counting {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        self.count("get");
        self.inner.get(key).await
    }

    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError> {
        self.count("query");
        self.inner.query(pk, prefix).await
    }

    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError> {
        self.count("write");
        self.inner.write(write).await
    }

    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        self.count("transact");
        self.inner.transact(token, writes).await
    }
}

#[tokio::test]
async fn run_costs_one_query_a_table_that_is_not_due() {
    let store = Arc::new(Counting::default());
    let world = World::on(Arc::clone(&store) as Arc<dyn Store>, Arc::new(MemoryVolumes::new())).await;
    for number in 1..TABLES {
        let mut table = world.table.clone();
        table.name = format!("t{number}");
        assert!(matches!(world.catalog.create_table(table).await.unwrap(), Created::New(_)));
    }
    // The first looks for files without a commit, as one an hour does.
    store.take();
    assert_eq!(world.run().await.passes, 1_000);
    let hourly = store.take();
    assert_eq!(hourly, BTreeMap::from([("get", 2 * TABLES + 2), ("query", 3 * TABLES + 3), ("transact", TABLES)]));
    // What was dropped, the databases, their tables; how far the last run came; each table.
    assert_eq!(world.run().await.tables, 1_000);
    assert_eq!(store.take(), BTreeMap::from([("get", 2), ("query", TABLES + 3)]));
    // One that is due adds what it needs, and no other costs more for it.
    for _ in 0..8 {
        world.load(&[(Some(1), "a")]).await;
    }
    store.take();
    assert_eq!(world.run().await.passes, 1);
    let mut due = store.take();
    // As before.
    due.entry("get").and_modify(|gets| *gets -= 2);
    due.entry("query").and_modify(|queries| *queries -= TABLES + 3);
    assert_eq!(due, BTreeMap::from([("get", 4), ("query", 3), ("transact", 3)]));
}
