//! What the tests stand on: an admin over memory, mappings that remember, and short ways to say and read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use penstock_admin::Admin;
use penstock_admin::builtin::ensure_builtin_volume;
use penstock_admin::mapping::{MappingError, MappingId, MappingSpec, Mappings};
use penstock_catalog::Catalog;
use penstock_catalog::clock::ManualClock;
use penstock_catalog::commit::{Commit, CommitOutcome, CommittedRange, DataFile, ProgressMove};
use penstock_catalog::job::{Job, SourceReport};
use penstock_catalog::store::Store;
use penstock_catalog::store::memory::MemoryStore;
use penstock_kernel::ids::JobId;
use penstock_kernel::loaded::{LoadStatistics, TablePartition};
use penstock_sql::error::SqlError;
use penstock_sql::request::{SessionContext, SqlRequest, SqlResponse};
use penstock_sql::result::Cell;
use penstock_storage::{BuiltinStorage, Keys};

/// 2024-06-12 18:40:53 UTC
pub(crate) const NOW_MS: i64 = 1_718_217_653_000;

pub(crate) const TABLE: &str = "CREATE TABLE site_clicks (
    `uid` bigint NOT NULL COMMENT \"uid\",
    `site` string NOT NULL COMMENT \"site url\",
    `vtime` bigint NOT NULL COMMENT \"vtime\"
)
DISTRIBUTED BY HASH(`uid`)
PROPERTIES(\"replication_num\"=\"1\")";

pub(crate) const JOB: &str = r#"CREATE ROUTINE LOAD quickstart.clicks ON site_clicks
PROPERTIES
(
    "format" = "JSON",
    "jsonpaths" ="[\"$.uid\",\"$.site\",\"$.vtime\"]"
)
FROM KAFKA
(
    "kafka_broker_list" = "redpanda:29092",
    "kafka_topic" = "test2",
    "kafka_partitions" = "0",
    "kafka_offsets" = "OFFSET_BEGINNING"
)"#;

/// The calls that fail, by how they begin, and with what.
type Failing = (&'static str, fn() -> MappingError);

/// Remembers what was asked, and fails on demand.
#[derive(Default)]
pub(crate) struct Remembering {
    pub(crate) calls: Mutex<Vec<String>>,
    pub(crate) specs: Mutex<Vec<MappingSpec>>,
    /// Calls that begin so fail so.
    fails: Mutex<Option<Failing>>,
}

impl Remembering {
    /// Every call that begins with `call` fails from now on; all, if that is empty.
    pub(crate) fn fail(&self, call: &'static str, error: fn() -> MappingError) {
        *self.fails.lock().unwrap() = Some((call, error));
    }

    pub(crate) fn recover(&self) {
        *self.fails.lock().unwrap() = None;
    }

    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn called(&self, call: String) -> Result<(), MappingError> {
        let fails = *self.fails.lock().unwrap();
        let error = fails.filter(|(begin, _)| call.starts_with(begin));
        self.calls.lock().unwrap().push(call);
        error.map_or(Ok(()), |(_, error)| Err(error()))
    }
}

pub(crate) fn unavailable() -> MappingError {
    MappingError::Unavailable { source: "connection refused".into() }
}

pub(crate) fn refuses() -> MappingError {
    MappingError::Refused { message: "no such subnet".to_owned() }
}

#[async_trait]
impl Mappings for Remembering {
    fn check(&self, spec: &MappingSpec) -> Result<(), MappingError> {
        match spec.custom.get("refused.here") {
            Some(value) => Err(MappingError::Refused { message: format!("no {value} here") }),
            None => Ok(()),
        }
    }

    async fn create(&self, spec: &MappingSpec) -> Result<MappingId, MappingError> {
        self.specs.lock().unwrap().push(spec.clone());
        self.called(format!("create {}", spec.job))?;
        let version = spec.group_id.rsplit_once("-v").map(|(_, version)| format!("-v{version}"));
        Ok(MappingId(format!("mapping-{}{}", spec.job, version.unwrap_or_default())))
    }

    async fn set_enabled(&self, mapping: &MappingId, enabled: bool) -> Result<(), MappingError> {
        self.called(format!("{} {}", if enabled { "enable" } else { "disable" }, mapping.0))
    }

    async fn update(&self, mapping: &MappingId, spec: &MappingSpec) -> Result<(), MappingError> {
        self.specs.lock().unwrap().push(spec.clone());
        self.called(format!("update {}", mapping.0))
    }

    async fn delete(&self, mapping: &MappingId, job: JobId) -> Result<(), MappingError> {
        self.called(format!("delete `{}` of {job}", mapping.0))
    }
}

pub(crate) struct Fixture {
    pub(crate) admin: Admin,
    pub(crate) catalog: Catalog,
    pub(crate) mappings: Arc<Remembering>,
    pub(crate) clock: Arc<ManualClock>,
    session: Mutex<SessionContext>,
}

/// Rows of text with their titles.
pub(crate) struct Shown {
    pub(crate) titles: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Shown {
    pub(crate) fn cell(&self, row: usize, title: &str) -> &str {
        let column = self.titles.iter().position(|known| known == title).expect(title);
        &self.rows[row][column]
    }

    pub(crate) fn column(&self, title: &str) -> Vec<&str> {
        (0..self.rows.len()).map(|row| self.cell(row, title)).collect()
    }
}

pub(crate) fn rows(response: &SqlResponse) -> Vec<Vec<String>> {
    let SqlResponse::Rows(set) = response else { panic!("no rows: {response:?}") };
    let text = |cell: &Cell| match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Text(text) => text.clone(),
        other => panic!("not a text: {other:?}"),
    };
    set.rows.iter().map(|row| row.iter().map(text).collect()).collect()
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new())).await
    }

    pub(crate) async fn over(store: Arc<dyn Store>) -> Self {
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let catalog = Catalog::new(store, clock.clone());
        let storage = BuiltinStorage {
            endpoint: Some("http://127.0.0.1:9000".to_owned()),
            region: "us-east-1".to_owned(),
            keys: Some(Keys { access_key: "AAAA".to_owned(), secret_key: "BBBB".to_owned(), session_token: None }),
            aliases: vec!["minio:9000".to_owned()],
        };
        ensure_builtin_volume(&catalog, "starrocks", &storage).await.unwrap();
        let mappings = Arc::new(Remembering::default());
        let admin = Admin::new(catalog.clone(), mappings.clone());
        Self { admin, catalog, mappings, clock, session: Mutex::default() }
    }

    /// With the tutorial's database, in use, and its table.
    pub(crate) async fn with_table() -> Self {
        let fixture = Self::new().await;
        fixture.done("CREATE DATABASE quickstart").await;
        fixture.uses("quickstart").await;
        fixture.done(TABLE).await;
        fixture
    }

    /// With the tutorial's job as well.
    pub(crate) async fn with_job() -> Self {
        let fixture = Self::with_table().await;
        fixture.done(JOB).await;
        fixture
    }

    pub(crate) async fn run(&self, sql: &str) -> SqlResponse {
        let session = self.session.lock().unwrap().clone();
        self.admin.run(SqlRequest { sql: sql.to_owned(), session }).await
    }

    pub(crate) async fn done(&self, sql: &str) {
        let response = self.run(sql).await;
        assert!(matches!(response, SqlResponse::Done { .. }), "{sql}: {response:?}");
    }

    pub(crate) async fn uses(&self, database: &str) {
        match self.run(&format!("USE `{database}`")).await {
            SqlResponse::Done { database: Some(database), .. } => {
                self.session.lock().unwrap().database = Some(database);
            }
            other => panic!("USE {database}: {other:?}"),
        }
    }

    pub(crate) async fn show(&self, sql: &str) -> Shown {
        let response = self.run(sql).await;
        let SqlResponse::Rows(set) = &response else { panic!("{sql}: {response:?}") };
        let titles = set.columns.iter().map(|column| column.name.clone()).collect();
        Shown { titles, rows: rows(&response) }
    }

    pub(crate) async fn refused(&self, sql: &str) -> SqlError {
        match self.run(sql).await {
            SqlResponse::Error(error) => error,
            other => panic!("{sql}: {other:?}"),
        }
    }

    pub(crate) async fn job(&self, name: &str) -> Job {
        let database = self.catalog.database("quickstart").await.unwrap().unwrap();
        let jobs = self.catalog.jobs(database.id).await.unwrap();
        jobs.into_iter().rfind(|job| job.name == name).expect(name)
    }

    /// Tells the catalog what whoever polls has seen: where source partitions start, and their high watermarks.
    pub(crate) async fn scheduled(&self, job: &str, starts: &[(i32, i64)], latest: &[(i32, i64)]) {
        let report = SourceReport { latest: latest.iter().copied().collect(), at_ms: NOW_MS };
        let starts: BTreeMap<i32, i64> = starts.iter().copied().collect();
        let id = self.job(job).await.id;
        self.catalog.report_source(id, &report, &starts).await.unwrap();
    }

    /// Commits `rows` rows of `bytes` bytes in all, next in the source partition.
    pub(crate) async fn loaded(&self, job: &str, source_partition: i32, rows: u64, bytes: u64) {
        let job = self.job(job).await;
        let snapshot = self.catalog.job_snapshot(job.id).await.unwrap().unwrap();
        let before = snapshot.progress[&source_partition].clone();
        let mut after = before.value.clone();
        after.next_offset += i64::try_from(rows).unwrap();
        let statistics = LoadStatistics {
            records: rows,
            total: rows,
            loaded: rows,
            rejected: 0,
            unselected: 0,
            received_bytes: bytes,
        };
        after.statistics.records += rows;
        after.statistics.total += rows;
        after.statistics.loaded += rows;
        after.statistics.received_bytes += bytes;
        after.committed_tasks += 1;
        after.execute_ms += 519;
        after.last_timestamp_ms = Some(1_718_217_035_111);
        let commit = Commit {
            id: self.clock_unique(),
            table: job.table,
            job: job.id,
            job_version: job.version,
            topic: "test2".to_owned(),
            files: vec![DataFile {
                key: "table/1/a.parquet".to_owned(),
                table_partition: TablePartition::Whole,
                rows,
                bytes: 1000,
                columns: Vec::new(),
                crc32c: None,
                sorted: false,
            }],
            errors: None,
            ranges: vec![CommittedRange {
                source_partition,
                from_offset: before.value.next_offset,
                to_offset: after.next_offset,
                skipped: 0,
                jumped: 0,
                statistics,
            }],
            committed_at_ms: NOW_MS,
            replay: None,
        };
        let moved = ProgressMove { source_partition, before: Some(before), after };
        let outcome = self.catalog.commit(&commit, snapshot.job.fence, &[moved]).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
    }

    fn clock_unique(&self) -> String {
        self.catalog.clock().unique()
    }
}
