//! What statements cost in a catalog of 10,000 tables and 1,000 jobs, counted: the table in docs/limits.md.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use penstock_catalog::database::Created;
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::SourceReport;
use penstock_catalog::store::memory::MemoryStore;
use penstock_catalog::store::{Item, Key, Store, Value, Write, WriteOutcome};
use penstock_kernel::state::JobEvent;

use super::parts::{Fixture, JOB, NOW_MS, TABLE};

const TABLES: usize = 10_000;
const JOBS: usize = 1_000;
/// Jobs that have ended.
const ENDED: usize = 300;
const SOURCE_PARTITIONS: i32 = 1_000;

/// Bytes of one answer to a query; a longer one takes several requests.
const PAGE_BYTES: usize = 1 << 20;

/// Counts requests as DynamoDB does.
#[derive(Default)]
struct Counting {
    inner: MemoryStore,
    counts: Mutex<BTreeMap<&'static str, usize>>,
}

impl Counting {
    fn count(&self, kind: &'static str, count: usize) {
        *self.counts.lock().unwrap().entry(kind).or_default() += count;
    }
}

fn bytes(item: &Item) -> usize {
    let value = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Number(_) => 8,
        Value::Bytes(bytes) => bytes.len(),
    };
    item.iter().map(|(name, held)| name.len() + value(held)).sum()
}

#[async_trait]
impl Store for Counting {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        self.count("get", 1);
        self.inner.get(key).await
    }

    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError> {
        let found = self.inner.query(pk, prefix).await?;
        let length: usize = found.iter().map(|(key, item)| key.pk.len() + key.sk.len() + bytes(item)).sum();
        self.count("query", length / PAGE_BYTES + 1);
        Ok(found)
    }

    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError> {
        self.count("write", 1);
        self.inner.write(write).await
    }

    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        self.count("transact", 1);
        self.inner.transact(token, writes).await
    }
}

/// `t0` to `t9999`, of which the first thousand have the jobs `j0` to `j999`; `j0` has 1,000 source partitions. Jobs
/// `e0` to `e299` have ended.
async fn large(store: &Arc<Counting>) -> Fixture {
    let fixture = Fixture::over(Arc::clone(store) as Arc<dyn Store>).await;
    fixture.done("CREATE DATABASE quickstart").await;
    fixture.uses("quickstart").await;
    fixture.done(TABLE).await;
    fixture.done(JOB).await;
    let catalog = &fixture.catalog;
    let job = fixture.job("clicks").await;
    let database = job.database;
    let sample = catalog.table(database, "site_clicks").await.unwrap().unwrap();
    let mut tables = Vec::new();
    for number in 0..TABLES {
        let mut table = sample.clone();
        table.name = format!("t{number}");
        let Created::New(table) = catalog.create_table(table).await.unwrap() else { panic!("it is new") };
        tables.push(table.id);
    }
    let sample = catalog.job_definition(job.id, 1).await.unwrap().unwrap();
    let named = (0..JOBS)
        .map(|number| (format!("j{number}"), number))
        .chain((0..ENDED).map(|number| (format!("e{number}"), 0)));
    for (name, table) in named {
        let mut definition = sample.clone();
        definition.table = tables[table];
        definition.source.pinned = None;
        definition.name = name.clone();
        let Created::New(job) = catalog.create_job(definition).await.unwrap() else { panic!("it is new") };
        catalog.set_job_mapping(job.id, &format!("mapping-{}", job.id)).await.unwrap();
        if name.starts_with('e') {
            catalog.change_job(job.id, JobEvent::Stop).await.unwrap();
            continue;
        }
        let starts: BTreeMap<i32, i64> =
            (0..if name == "j0" { SOURCE_PARTITIONS } else { 3 }).map(|at| (at, 0)).collect();
        let report = SourceReport { latest: starts.clone(), at_ms: NOW_MS };
        catalog.report_source(job.id, &report, &starts).await.unwrap();
    }
    fixture
}

/// Of each statement, in this order.
const COSTS: [(&str, &str); 26] = [
    ("(start of penstock up)", "2002 get, 2 query"),
    ("SHOW DATABASES", "1 query"),
    ("SHOW TABLES", "1 get, 1 query"),
    ("SHOW TABLE STATUS LIKE 't5000'", "2 get, 2 query"),
    ("DESC t5000", "3 get"),
    ("SHOW CREATE TABLE t5000", "3 get"),
    ("SHOW FILES FROM t5000", "4 get, 1 query"),
    ("SHOW MAINTENANCE", "1 get, 10002 query"),
    ("SHOW ROUTINE LOAD", "3004 get, 1003 query"),
    ("SHOW ALL ROUTINE LOAD", "3604 get, 1303 query"),
    ("SHOW ROUTINE LOAD FOR j500", "5 get, 2 query"),
    ("SHOW ROUTINE LOAD FOR j0", "5 get, 2 query"),
    ("SHOW ROUTINE LOAD COVERAGE FOR j500", "3 get, 5 query"),
    ("SHOW ROUTINE LOAD VERSIONS FOR j500", "3 get, 3 query"),
    ("SHOW CREATE ROUTINE LOAD j500", "5 get"),
    ("CREATE TABLE n (k int) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k)", "4 get, 2 transact"),
    ("CREATE JOB", "7 get, 3 transact"),
    ("PAUSE ROUTINE LOAD FOR j500", "4 get, 1 query, 1 transact, 3 write"),
    ("ALTER ROUTINE LOAD FOR j500 PROPERTIES ('max_error_number' = '3')", "7 get, 4 query, 1 transact"),
    ("RESUME ROUTINE LOAD FOR j500", "8 get, 2 query, 1 transact, 3 write"),
    ("STOP ROUTINE LOAD FOR j500", "5 get, 1 query, 1 transact, 3 write"),
    ("PAUSE ROUTINE LOAD FOR j0", "4 get, 1 query, 1 transact, 1000 write"),
    ("ALTER ROUTINE LOAD FOR j0 PROPERTIES ('max_error_number' = '3')", "7 get, 4 query, 1 transact, 1000 write"),
    ("RESUME ROUTINE LOAD FOR j0", "8 get, 2 query, 1 transact, 1000 write"),
    ("TRUNCATE TABLE t600", "3 get, 1 query"),
    ("DROP TABLE t600", "2007 get, 3 query, 2 transact, 3 write"),
];

#[tokio::test]
async fn statements_cost_what_the_docs_say() {
    let store = Arc::new(Counting::default());
    let fixture = large(&store).await;
    let mut found = Vec::new();
    for (sql, _) in COSTS {
        store.counts.lock().unwrap().clear();
        match sql {
            "(start of penstock up)" => fixture.admin.restore_mappings().await.unwrap(),
            sql => {
                let response =
                    fixture.run(&sql.replace("CREATE JOB", &JOB.replace("quickstart.clicks", "another"))).await;
                assert!(!matches!(response, penstock_sql::request::SqlResponse::Error(_)), "{sql}: {response:?}");
            }
        }
        let counts = store.counts.lock().unwrap().clone();
        let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        found.push((sql, counts.join(", ")));
    }
    let expected: Vec<(&str, String)> = COSTS.iter().map(|(sql, costs)| (*sql, (*costs).to_owned())).collect();
    assert_eq!(found, expected, "{found:#?}");
}
