//! A catalog and object stores in memory, and a query engine over them that counts what it reads.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use penstock_catalog::Catalog;
use penstock_catalog::clock::Clock;
use penstock_catalog::commit::{Commit, CommitOutcome, DataFile, ErrorFile};
use penstock_catalog::database::{Created, Database};
use penstock_catalog::job::Job;
use penstock_catalog::rejected::{Replay, ReplayCounts};
use penstock_catalog::store::memory::MemoryStore;
use penstock_kernel::encode::{WriterOptions, encode};
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::job::{JobDefinition, KafkaSource, LoadClauses};
use penstock_kernel::loaded::{RejectedRow, TablePartition};
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::property::JobProperties;
use penstock_kernel::rejected::to_columns;
use penstock_kernel::table::{Column, ColumnType, Distribution, KeyKind, TableDefinition};
use penstock_query::{Query, QuerySettings};
use penstock_sql::error::SqlError;
use penstock_sql::request::{SessionContext, SqlRequest};
use penstock_sql::result::{Cell, CellType};
use penstock_storage::{MemoryVolumes, StorageError, Volume, Volumes};

/// 2024-06-11 12:00:00 UTC.
pub(crate) const NOW_MS: i64 = 1_718_107_200_000;

struct FixedClock {
    made: AtomicUsize,
}

impl Clock for FixedClock {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }

    fn unique(&self) -> String {
        format!("{:026}", self.made.fetch_add(1, Ordering::SeqCst))
    }
}

/// Reads of data files, seen from outside of the query engine.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// Keys in the order of requests.
    pub(crate) keys: Mutex<Vec<String>>,
    /// Whether every request fails from now on.
    pub(crate) broken: AtomicBool,
}

impl Reads {
    fn note(&self, key: &Path) -> Result<()> {
        self.keys.lock().unwrap().push(key.to_string());
        if self.broken.load(Ordering::SeqCst) {
            let source = "connection refused by 10.0.0.7:9000 with secret AKIASECRET".into();
            return Err(object_store::Error::Generic { store: "S3", source });
        }
        Ok(())
    }

    /// How many requests there were since the last call, and how many files they were for.
    pub(crate) fn take(&self) -> (usize, usize) {
        let mut keys = std::mem::take(&mut *self.keys.lock().unwrap());
        let requests = keys.len();
        keys.sort();
        keys.dedup();
        (requests, keys.len())
    }
}

struct Counted {
    store: Arc<dyn ObjectStore>,
    reads: Arc<Reads>,
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted")
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted")
    }
}

#[async_trait]
impl ObjectStore for Counted {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.reads.note(location)?;
        self.store.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.reads.note(location)?;
        self.store.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        panic!("nothing may list the store")
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        panic!("nothing may list the store")
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

pub(crate) struct CountedVolumes {
    volumes: MemoryVolumes,
    reads: Arc<Reads>,
}

impl Volumes for CountedVolumes {
    fn open(&self, volume: &Volume) -> std::result::Result<Arc<dyn ObjectStore>, StorageError> {
        let store = self.volumes.open(volume)?;
        Ok(Arc::new(Counted { store, reads: Arc::clone(&self.reads) }))
    }
}

/// A query's answer, whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) titles: Vec<String>,
    pub(crate) types: Vec<CellType>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Answer {
    /// Rows as text, NULL as `NULL`; sorted, since without ORDER BY no order is promised.
    pub(crate) fn sorted(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.sort();
        lines
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.iter().map(show).collect::<Vec<_>>().join("|")).collect()
    }
}

fn show(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Integer(value) => value.to_string(),
        Cell::Unsigned(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Binary(bytes) => format!("{bytes:?}"),
    }
}

pub(crate) struct World {
    pub(crate) catalog: Catalog,
    pub(crate) query: Query,
    pub(crate) reads: Arc<Reads>,
    pub(crate) volumes: Arc<CountedVolumes>,
    volume: Volume,
    pub(crate) session: SessionContext,
}

impl World {
    /// Database `quickstart` without a table, which the session uses.
    pub(crate) async fn empty() -> Self {
        Self::with(QuerySettings::default()).await
    }

    pub(crate) async fn with(settings: QuerySettings) -> Self {
        // Shown only if the test fails.
        let _ = tracing_subscriber::fmt().with_test_writer().with_ansi(false).try_init();
        let catalog = Catalog::new(Arc::new(MemoryStore::new()), Arc::new(FixedClock { made: AtomicUsize::new(0) }));
        let volume = Volume {
            name: "builtin_storage_volume".to_owned(),
            location: "s3://starrocks/data".to_owned(),
            properties: BTreeMap::new(),
            enabled: true,
            comment: String::new(),
        };
        catalog.put_volume(&volume).await.unwrap();
        catalog.create_database("quickstart", None).await.unwrap();
        let reads = Arc::new(Reads::default());
        let volumes = Arc::new(CountedVolumes { volumes: MemoryVolumes::new(), reads: Arc::clone(&reads) });
        let query = Query::new(catalog.clone(), Arc::clone(&volumes) as Arc<dyn Volumes>, settings).unwrap();
        let session = SessionContext { database: Some("quickstart".to_owned()), ..SessionContext::default() };
        Self { catalog, query, reads, volumes, volume, session }
    }

    /// The tutorial's table with its five rows, in one file.
    pub(crate) async fn tutorial() -> Self {
        let world = Self::empty().await;
        let table = world.site_clicks("site_clicks").await;
        world
            .load_clicks(
                &table,
                &[
                    (4607, "https://www.starrocks.io/blog", 1_718_031_441),
                    (1575, "https://www.starrocks.io/", 1_718_031_523),
                    (2398, "https://docs.starrocks.io/", 1_718_033_630),
                    (3741, "https://www.starrocks.io/product/community", 1_718_030_845),
                    (4792, "https://www.starrocks.io/", 1_718_033_413),
                ],
            )
            .await;
        world
    }

    pub(crate) async fn site_clicks(&self, name: &str) -> TableDefinition {
        let columns =
            [("uid", ColumnType::BigInt), ("site", ColumnType::Varchar(65_533)), ("vtime", ColumnType::BigInt)];
        self.table(name, &columns).await
    }

    pub(crate) async fn load_clicks(&self, table: &TableDefinition, rows: &[(i64, &str, i64)]) {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
        ];
        self.load(table, columns).await;
    }

    pub(crate) async fn database(&self) -> Database {
        self.catalog.database("quickstart").await.unwrap().unwrap()
    }

    pub(crate) async fn table(&self, name: &str, columns: &[(&str, ColumnType)]) -> TableDefinition {
        let columns = (1..).zip(columns).map(|(id, (name, column_type))| Column {
            id,
            name: (*name).to_owned(),
            column_type: column_type.clone(),
            nullable: true,
            default: None,
            comment: Some(format!("the {name}")),
        });
        let columns: Vec<Column> = columns.collect();
        let definition = TableDefinition {
            id: TableId(0),
            database: self.database().await.id,
            name: name.to_owned(),
            key_kind: KeyKind::Duplicate,
            key_columns: vec![columns[0].name.clone()],
            columns,
            partitioning: Partitioning::None,
            distribution: Distribution { hash_columns: vec![], buckets: None },
            comment: Some("clicks".to_owned()),
            properties: BTreeMap::new(),
            volume: self.volume.name.clone(),
            created_at_ms: NOW_MS,
        };
        match self.catalog.create_table(definition).await.unwrap() {
            Created::New(table) => table,
            Created::Exists(_) => panic!("table {name} exists"),
        }
    }

    /// One commit with one file of these columns.
    pub(crate) async fn load(&self, table: &TableDefinition, columns: Vec<ArrayRef>) {
        let batch = RecordBatch::try_new(table.arrow_schema(), columns).unwrap();
        let encoded = encode(&batch, &WriterOptions::default()).unwrap();
        let id = self.catalog.clock().unique();
        let key = format!("table/{}/{id}.parquet", table.id);
        let store = self.volumes.open(&self.volume).unwrap();
        store.put(&Path::from(self.volume.key(&key).unwrap()), encoded.bytes.clone().into()).await.unwrap();
        let commit = Commit {
            id,
            table: table.id,
            job: JobId(1),
            job_version: 1,
            topic: "test2".to_owned(),
            files: vec![DataFile {
                key,
                table_partition: TablePartition::Whole,
                rows: encoded.rows,
                bytes: encoded.bytes.len() as u64,
                columns: encoded.columns,
                crc32c: None,
                sorted: false,
            }],
            errors: None,
            ranges: vec![],
            committed_at_ms: NOW_MS,
            replay: None,
        };
        self.catalog.commit(&commit, 0, &[]).await.unwrap();
    }

    /// A job of this name on the table.
    pub(crate) async fn job(&self, name: &str, table: &TableDefinition) -> Job {
        let definition = JobDefinition {
            id: JobId(0),
            version: 0,
            name: name.to_owned(),
            database: table.database,
            table: table.id,
            clauses: LoadClauses::default(),
            properties: JobProperties::default(),
            source: KafkaSource {
                brokers: vec!["b:9092".to_owned()],
                topic: "test2".to_owned(),
                pinned: None,
                default_start: None,
                custom: BTreeMap::new(),
                registry: None,
            },
        };
        match self.catalog.create_job(definition).await.unwrap() {
            Created::New(job) => job,
            Created::Exists(_) => panic!("job {name} exists"),
        }
    }

    /// A file of rejected rows of these offsets and raw bytes.
    pub(crate) async fn error_file(&self, job: &Job, rows: &[(i64, &[u8])]) -> ErrorFile {
        let rows: Vec<RejectedRow> = rows
            .iter()
            .map(|(offset, raw)| RejectedRow {
                source_partition: 0,
                offset: *offset,
                index: (offset % 2 == 0).then_some(0),
                column: Some("uid".to_owned()),
                reason: format!("Value '{offset}' is out of range."),
                raw: raw.to_vec(),
                whole: true,
                key: None,
                timestamp_ms: Some(NOW_MS),
            })
            .collect();
        let encoded = encode(&to_columns("test2", &rows, 1, NOW_MS), &WriterOptions::default()).unwrap();
        let key = format!("rejected/{}/0-0-{}.parquet", job.id, self.catalog.clock().unique());
        let store = self.volumes.open(&self.volume).unwrap();
        store.put(&Path::from(self.volume.key(&key).unwrap()), encoded.bytes.clone().into()).await.unwrap();
        self.catalog.record_error_file(job.id, &key).await.unwrap();
        ErrorFile { key, rows: encoded.rows, bytes: encoded.bytes.len() as u64, columns: encoded.columns }
    }

    /// A commit of rejected rows only.
    pub(crate) async fn reject(&self, job: &Job, rows: &[(i64, &[u8])]) -> Commit {
        let commit = Commit {
            id: self.catalog.clock().unique(),
            table: job.table,
            job: job.id,
            job_version: 1,
            topic: "test2".to_owned(),
            files: vec![],
            errors: Some(self.error_file(job, rows).await),
            ranges: vec![],
            committed_at_ms: NOW_MS,
            replay: None,
        };
        self.catalog.commit(&commit, job.fence, &[]).await.unwrap();
        commit
    }

    /// A replay of `replaced` that leaves `left` rejected.
    pub(crate) async fn replay(&self, job: &Job, replaced: &[&Commit], left: &[(i64, &[u8])]) {
        let errors = if left.is_empty() { None } else { Some(self.error_file(job, left).await) };
        let replaces: Vec<String> = replaced.iter().map(|commit| commit.id.clone()).collect();
        let commit = Commit {
            id: self.catalog.clock().unique(),
            errors,
            replay: Some(Replay { replaces, counts: ReplayCounts::default() }),
            ..replaced[0].clone()
        };
        let replays = self.catalog.job_snapshot(job.id).await.unwrap().unwrap().replays;
        let outcome = self.catalog.replay(&commit, job.fence, replays.as_ref()).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
    }

    /// Removes all objects, as if someone had done so by hand.
    pub(crate) async fn remove_objects(&self) {
        let store = self.volumes.volumes.open(&self.volume).unwrap();
        let keys: Vec<_> = store.list(None).map(|meta| meta.unwrap().location).collect().await;
        for key in keys {
            store.delete(&key).await.unwrap();
        }
    }

    pub(crate) fn request(&self, sql: &str) -> SqlRequest {
        SqlRequest { sql: sql.to_owned(), session: self.session.clone() }
    }

    pub(crate) async fn run(&self, sql: &str) -> std::result::Result<Answer, SqlError> {
        let mut rows = self.query.run(self.request(sql)).await?;
        let (titles, types) = rows.columns.drain(..).map(|column| (column.name, column.cell_type)).unzip();
        let mut all = Vec::new();
        while let Some(chunk) = rows.chunks.next().await {
            all.extend(chunk?);
        }
        Ok(Answer { titles, types, rows: all })
    }

    /// The answer's rows as text, in order.
    pub(crate) async fn lines(&self, sql: &str) -> Vec<String> {
        match self.run(sql).await {
            Ok(answer) => answer.lines(),
            Err(error) => panic!("{sql}: {error}"),
        }
    }

    /// The only cell of the answer.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let lines = self.lines(sql).await;
        assert_eq!(lines.len(), 1, "{sql}: {lines:?}");
        lines.into_iter().next().unwrap()
    }

    pub(crate) async fn error(&self, sql: &str) -> SqlError {
        match self.run(sql).await {
            Ok(answer) => panic!("{sql}: {answer:?}"),
            Err(error) => error,
        }
    }
}
