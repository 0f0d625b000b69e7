//! A catalog, an object store and loaders over them, which can be told to fail at the moments that matter.
//!
//! What must be readable is said by a model: a set of offsets, each loaded exactly once. Each record's value names its
//! place, so the rows of the files that commits name tell which records they came from.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use penstock_catalog::clock::ManualClock;
use penstock_catalog::commit::Commit;
use penstock_catalog::database::Created;
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::{Changed, JobSnapshot};
use penstock_catalog::store::memory::MemoryStore;
use penstock_catalog::store::{Item, Key, Store, Write, WriteOutcome};
use penstock_kernel::ids::{DatabaseId, TableId};
use penstock_kernel::job::{JobDefinition, KafkaSource, LoadClauses, StartOffset};
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::property::JobProperties;
use penstock_kernel::state::StateReason;
use penstock_kernel::table::{Column, ColumnType, Distribution, KeyKind, TableDefinition};
use penstock_storage::{BUILTIN_VOLUME, StorageError, Volume};
use tokio::sync::Barrier;

use super::super::*;

pub(super) const NOW_MS: i64 = 1_700_000_000_000;
pub(super) const TOPIC: &str = "clicks";

/// What happens at a commit's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitFault {
    /// It does not take place.
    Down,
    /// It takes place, nobody learns of it.
    LostReply,
    /// It takes place, and is sent once more under its token, as a client does that lost the reply.
    Repeated,
}

/// What happens at a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PutFault {
    /// It fails, and may succeed later.
    Down,
    /// It takes place, the answer is an error.
    LostReply,
    /// It never answers.
    Silent,
    /// It is not allowed.
    Denied,
}

type Meanwhile = BoxFuture<'static, ()>;

/// A store in memory with faults.
#[derive(Default)]
pub(super) struct ScriptedStore {
    pub(super) held: MemoryStore,
    pub(super) commit_faults: Mutex<VecDeque<CommitFault>>,
    /// Changes of the job's own item fail.
    pub(super) job_is_stuck: AtomicBool,
    /// Runs once before the next commit's transaction.
    pub(super) before_commit: Mutex<Option<Meanwhile>>,
    /// Readers of a job's snapshot that wait for each other, and how many reads still do.
    pub(super) meeting: Mutex<Option<(Arc<Barrier>, usize)>>,
    pub(super) commits_tried: Mutex<usize>,
    /// Requests by kind.
    pub(super) requests: Mutex<BTreeMap<&'static str, usize>>,
}

impl ScriptedStore {
    fn count(&self, kind: &'static str) {
        *self.requests.lock().unwrap().entry(kind).or_insert(0) += 1;
    }
}

fn unavailable() -> CatalogError {
    CatalogError::Unavailable { operation: "transact", source: "scripted".into() }
}

#[async_trait]
impl Store for ScriptedStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        self.count("get");
        self.held.get(key).await
    }

    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError> {
        self.count("query");
        let items = self.held.query(pk, prefix).await;
        let barrier = if pk.starts_with("job#") {
            let mut meeting = self.meeting.lock().unwrap();
            match meeting.as_mut() {
                Some((barrier, left)) if *left > 0 => {
                    *left -= 1;
                    Some(Arc::clone(barrier))
                }
                _ => None,
            }
        } else {
            None
        };
        if let Some(barrier) = barrier {
            barrier.wait().await;
        }
        items
    }

    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError> {
        self.count("write");
        self.held.write(write).await
    }

    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        self.count("transact");
        let first = writes.first().map_or("", |write| write.key.sk.as_str());
        if first == "job" && self.job_is_stuck.load(Ordering::SeqCst) {
            return Err(unavailable());
        }
        if !first.starts_with("commit#") {
            return self.held.transact(token, writes).await;
        }
        *self.commits_tried.lock().unwrap() += 1;
        let meanwhile = self.before_commit.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        let fault = self.commit_faults.lock().unwrap().pop_front();
        match fault {
            None => self.held.transact(token, writes).await,
            Some(CommitFault::Down) => Err(unavailable()),
            Some(CommitFault::LostReply) => {
                self.held.transact(token, writes).await?;
                Err(unavailable())
            }
            Some(CommitFault::Repeated) => {
                self.held.transact(token, writes.clone()).await?;
                self.held.transact(token, writes).await
            }
        }
    }
}

/// Objects in memory with faults. Puts only; what reads goes straight through.
#[derive(Debug, Default)]
pub(super) struct ScriptedObjects {
    pub(super) held: InMemory,
    pub(super) put_faults: Mutex<VecDeque<PutFault>>,
    pub(super) puts: Mutex<Vec<String>>,
}

impl fmt::Display for ScriptedObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted objects")
    }
}

fn refused(path: &Path, fault: PutFault) -> object_store::Error {
    let source = "scripted".into();
    match fault {
        PutFault::Denied => object_store::Error::PermissionDenied { path: path.to_string(), source },
        _ => object_store::Error::Generic { store: "scripted", source },
    }
}

#[async_trait]
impl ObjectStore for ScriptedObjects {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.puts.lock().unwrap().push(location.to_string());
        let fault = self.put_faults.lock().unwrap().pop_front();
        match fault {
            None => self.held.put_opts(location, payload, options).await,
            Some(PutFault::LostReply) => {
                self.held.put_opts(location, payload, options).await?;
                Err(refused(location, PutFault::LostReply))
            }
            Some(PutFault::Silent) => futures::future::pending().await,
            Some(fault) => Err(refused(location, fault)),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.held.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.held.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.held.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.held.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.held.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.held.copy_opts(from, to, options).await
    }
}

struct OneBucket(Arc<ScriptedObjects>);

impl Volumes for OneBucket {
    fn open(&self, _volume: &Volume) -> Result<Arc<dyn ObjectStore>, StorageError> {
        Ok(self.0.clone())
    }
}

/// How a job differs from one that reads everything from the beginning and bears no rejected row.
#[derive(Debug, Clone, Default)]
pub(super) struct JobShape {
    pub(super) default_start: Option<StartOffset>,
    pub(super) pinned: Option<BTreeMap<i32, Option<StartOffset>>>,
    pub(super) properties: Vec<(&'static str, &'static str)>,
    /// Columns of the table behind `place` and `site`: VARCHAR, named `c0`, `c1` ...
    pub(super) more_columns: u32,
}

/// Everything about one job.
#[derive(Clone)]
pub(super) struct World {
    pub(super) store: Arc<ScriptedStore>,
    pub(super) objects: Arc<ScriptedObjects>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) catalog: Catalog,
    pub(super) loader: Arc<Loader>,
    pub(super) database: DatabaseId,
    pub(super) table: TableId,
    pub(super) job: JobId,
}

impl World {
    /// A job that reads from the beginning.
    pub(super) async fn new() -> Self {
        Self::with(JobShape { default_start: Some(StartOffset::Beginning), ..JobShape::default() }).await
    }

    /// A job that reads from the beginning, with these properties.
    pub(super) async fn with_properties(properties: &[(&'static str, &'static str)]) -> Self {
        Self::with(JobShape {
            default_start: Some(StartOffset::Beginning),
            properties: properties.to_vec(),
            ..JobShape::default()
        })
        .await
    }

    pub(super) async fn with(shape: JobShape) -> Self {
        let store = Arc::new(ScriptedStore::default());
        let objects = Arc::new(ScriptedObjects::default());
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let catalog = Catalog::new(store.clone(), clock.clone());
        catalog.put_volume(&volume()).await.unwrap();
        let Created::New(database) = catalog.create_database("quickstart", None).await.unwrap() else {
            panic!("the catalog was empty")
        };
        let Created::New(table) = catalog.create_table(table(database.id, shape.more_columns)).await.unwrap() else {
            panic!("the database was empty")
        };
        let mut properties = vec![("format", "json")];
        properties.extend(shape.properties);
        let definition = JobDefinition {
            id: JobId(0),
            version: 1,
            name: "clicks".into(),
            database: database.id,
            table: table.id,
            clauses: LoadClauses::default(),
            properties: JobProperties::from_pairs(properties).unwrap(),
            source: KafkaSource {
                brokers: vec!["b:9092".into()],
                topic: TOPIC.into(),
                pinned: shape.pinned,
                default_start: shape.default_start,
                registry: None,
                custom: BTreeMap::new(),
            },
        };
        let Created::New(job) = catalog.create_job(definition).await.unwrap() else { panic!("the database was empty") };
        let world = Self {
            loader: Arc::new(new_loader(&catalog, &objects)),
            store,
            objects,
            clock,
            catalog,
            database: database.id,
            table: table.id,
            job: job.id,
        };
        world.clock.advance(1000);
        world
    }

    /// Another loader over the same catalog, as another instance of the function is.
    pub(super) fn another_loader(&self) -> Loader {
        new_loader(&self.catalog, &self.objects)
    }

    pub(super) async fn load(&self, event: &[u8]) -> Result<LoadReply, LoadError> {
        self.loader.load(self.job, event).await
    }

    pub(super) async fn snapshot(&self) -> JobSnapshot {
        self.catalog.job_snapshot(self.job).await.unwrap().unwrap()
    }

    pub(super) async fn commits(&self) -> Vec<Commit> {
        self.catalog.commits(self.table).await.unwrap()
    }

    pub(super) async fn pause(&self) {
        self.change(JobEvent::Pause(StateReason { code: 100, message: "User root pauses routine load job".into() }))
            .await;
    }

    pub(super) async fn change(&self, event: JobEvent) {
        let changed = self.catalog.change_job(self.job, event).await.unwrap();
        assert!(matches!(changed, Changed::Now(_)), "{changed:?}");
    }

    /// Rows of the files that commits name, by the record they came from, with how often each is there.
    pub(super) async fn rows(&self) -> BTreeMap<(i32, i64), u32> {
        let mut rows = BTreeMap::new();
        for file in self.commits().await.iter().flat_map(|commit| &commit.files) {
            let batch = self.read(&file.key).await;
            assert_eq!(batch.num_rows() as u64, file.rows);
            for place in batch["place"].as_primitive::<Int64Type>().values() {
                *rows.entry(record_of(*place)).or_insert(0) += 1;
            }
        }
        rows
    }

    /// One file, by its key relative to the volume.
    pub(super) async fn read(&self, key: &str) -> RecordBatch {
        let bytes = self.bytes(key).await;
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().with_batch_size(1 << 20);
        let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
        let [batch] = batches.as_slice() else { panic!("a small file is read at once") };
        batch.clone()
    }

    /// One file's bytes.
    pub(super) async fn bytes(&self, key: &str) -> Bytes {
        let path = Path::parse(volume().key(key).unwrap()).unwrap();
        self.objects.held.get(&path).await.unwrap().bytes().await.unwrap()
    }

    /// Puts something else in the place of a file.
    pub(super) async fn overwrite(&self, key: &str, bytes: &'static [u8]) {
        let path = Path::parse(volume().key(key).unwrap()).unwrap();
        self.objects.held.put(&path, bytes.into()).await.unwrap();
    }

    /// Holds what is readable against `expected`, the records to be loaded, and checks that the commits account for
    /// every offset from start to `next_offset`.
    pub(super) async fn holds_exactly(&self, expected: impl IntoIterator<Item = (i32, i64)>) {
        let expected: BTreeMap<_, _> = expected.into_iter().map(|record| (record, 1)).collect();
        assert_eq!(self.rows().await, expected);
        self.ranges_tile().await;
    }

    pub(super) async fn ranges_tile(&self) {
        let mut ranges: BTreeMap<i32, Vec<CommittedRange>> = BTreeMap::new();
        for range in self.commits().await.into_iter().flat_map(|commit| commit.ranges) {
            ranges.entry(range.source_partition).or_default().push(range);
        }
        let progress = self.snapshot().await.progress;
        let sources: BTreeSet<_> = progress.keys().chain(ranges.keys()).copied().collect();
        for source_partition in sources {
            let progress = &progress[&source_partition].value;
            let mut ranges = ranges.remove(&source_partition).unwrap_or_default();
            ranges.sort_by_key(|range| range.from_offset);
            let mut at = progress.start_offset;
            let mut statistics = LoadStatistics::default();
            for range in ranges {
                assert_eq!(range.from_offset, at, "source partition {source_partition}");
                let length = u64::try_from(range.to_offset - range.from_offset).unwrap();
                assert_eq!(range.statistics.records + range.skipped, length);
                at = range.to_offset;
                statistics += range.statistics;
            }
            assert_eq!(at, progress.next_offset, "source partition {source_partition}");
            assert_eq!(statistics, progress.statistics, "source partition {source_partition}");
        }
    }
}

fn new_loader(catalog: &Catalog, objects: &Arc<ScriptedObjects>) -> Loader {
    Loader::new(catalog.clone(), Arc::new(OneBucket(Arc::clone(objects))), LoaderSettings::default())
}

fn volume() -> Volume {
    Volume {
        name: BUILTIN_VOLUME.into(),
        location: "s3://bucket/a path".into(),
        properties: BTreeMap::new(),
        enabled: true,
        comment: String::new(),
    }
}

fn table(database: DatabaseId, more_columns: u32) -> TableDefinition {
    let column = |id, name: &str, column_type, nullable| Column {
        id,
        name: name.into(),
        column_type,
        nullable,
        default: None,
        comment: None,
    };
    let mut columns =
        vec![column(1, "place", ColumnType::BigInt, false), column(2, "site", ColumnType::Varchar(64), true)];
    columns.extend((0..more_columns).map(|n| column(n + 3, &format!("c{n}"), ColumnType::Varchar(1024), true)));
    TableDefinition {
        id: TableId(0),
        database,
        name: "site_clicks".into(),
        columns,
        key_kind: KeyKind::Duplicate,
        key_columns: vec!["place".into()],
        partitioning: Partitioning::None,
        distribution: Distribution { hash_columns: vec!["place".into()], buckets: None },
        comment: None,
        properties: BTreeMap::new(),
        volume: BUILTIN_VOLUME.into(),
        created_at_ms: NOW_MS,
    }
}

const PLACES: i64 = 1 << 40;

fn record_of(place: i64) -> (i32, i64) {
    (i32::try_from(place / PLACES).unwrap(), place % PLACES)
}

/// The value of the record at that place, as a producer would send it.
pub(super) fn good(source_partition: i32, offset: i64) -> Bytes {
    let place = i64::from(source_partition) * PLACES + offset;
    format!("{{\"place\":{place},\"site\":\"s\"}}").into()
}

/// An event in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Delivery(Vec<serde_json::Value>);

impl Delivery {
    /// Good records at these offsets of one source partition.
    pub(super) fn of(source_partition: i32, offsets: impl IntoIterator<Item = i64>) -> Self {
        Self::default().and(source_partition, offsets)
    }

    /// And these too.
    pub(super) fn and(self, source_partition: i32, offsets: impl IntoIterator<Item = i64>) -> Self {
        offsets
            .into_iter()
            .fold(self, |delivery, offset| delivery.record(source_partition, offset, &good(source_partition, offset)))
    }

    /// And one record of that value, made at the time that its offset suggests.
    pub(super) fn record(self, source_partition: i32, offset: i64, value: &[u8]) -> Self {
        self.record_at(source_partition, offset, value, Some(NOW_MS + 2000 + offset))
    }

    /// And one record of that value and timestamp.
    pub(super) fn record_at(
        mut self,
        source_partition: i32,
        offset: i64,
        value: &[u8],
        timestamp_ms: Option<i64>,
    ) -> Self {
        self.0.push(serde_json::json!({
            "topic": TOPIC, "partition": source_partition, "offset": offset,
            "timestamp": timestamp_ms, "timestampType": "CREATE_TIME",
            "value": base64_simd::STANDARD.encode_to_string(value), "headers": [] }));
        self
    }

    /// And that key of the last record.
    pub(super) fn key(mut self, key: &[u8]) -> Self {
        if let Some(record) = self.0.last_mut() {
            record["key"] = base64_simd::STANDARD.encode_to_string(key).into();
        }
        self
    }

    /// The event's JSON.
    pub(super) fn json(&self) -> Vec<u8> {
        serde_json::json!({ "eventSource": "aws:kafka", "records": { "all": self.0 } }).to_string().into_bytes()
    }
}

/// Places of one source partition.
pub(super) fn places(source_partition: i32, offsets: impl IntoIterator<Item = i64>) -> Vec<(i32, i64)> {
    offsets.into_iter().map(|offset| (source_partition, offset)).collect()
}
