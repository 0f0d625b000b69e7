//! What earlier versions wrote stays readable, and what later ones wrote is refused.
//!
//! `data/format_1.json` holds every kind of item and object as the first version wrote them, and is never written anew: when
//! the format changes, the new one gets a file beside it. `PENSTOCK_WRITE_FIXTURE=FILE` has the first test write such a file.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a claim that does not hold panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use penstock_catalog::Catalog;
use penstock_catalog::clock::ManualClock;
use penstock_catalog::commit::{Commit, CommitOutcome, CommittedRange, DataFile, ErrorFile, ProgressMove};
use penstock_catalog::database::Created;
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::{Alteration, Altered, Changed, JobFailure, SourceReport};
use penstock_catalog::layout::{Folded, MaintenanceReport};
use penstock_catalog::rejected::{Replay, ReplayCounts, standing};
use penstock_catalog::removal::Removed;
use penstock_catalog::store::memory::MemoryStore;
use penstock_catalog::store::{Action, Condition, Item, Key, Store, Value, Write};
use penstock_kernel::encode::{ColumnStatistics, StatisticValue};
use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::job::{ColumnItem, JobDefinition, KafkaSource, LoadClauses, StartOffset};
use penstock_kernel::loaded::{LoadStatistics, TablePartition};
use penstock_kernel::partitioning::{PartitionExpression, Partitioning, RangeBound, RangePartition, RangePartitioning};
use penstock_kernel::progress::{ErrorWindow, SourceProgress};
use penstock_kernel::property::JobProperties;
use penstock_kernel::state::{JobEvent, JobState, StateReason};
use penstock_kernel::table::{Column, ColumnType, Distribution, KeyKind, TableDefinition};
use penstock_kernel::usage::Usage;
use penstock_storage::{MemoryVolumes, Volume, Volumes};
use serde::{Deserialize, Serialize};

const NOW_MS: i64 = 1_700_000_000_000;
const FORMAT_1: &str = include_str!("data/format_1.json");

/// A catalog as a file: bodies as text, objects as hexadecimal digits.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Fixture {
    items: Vec<FixtureItem>,
    objects: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct FixtureItem {
    pk: String,
    sk: String,
    numbers: BTreeMap<String, i64>,
    body: String,
}

struct World {
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    volumes: Arc<MemoryVolumes>,
    catalog: Catalog,
}

fn volume(name: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        location: "s3://bucket/path".to_owned(),
        properties: [("aws.s3.region".to_owned(), "us-west-2".to_owned())].into(),
        enabled: true,
        comment: "a comment".to_owned(),
    }
}

impl World {
    fn empty() -> Self {
        let (store, volumes) = (Arc::new(MemoryStore::new()), Arc::new(MemoryVolumes::new()));
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let catalog = Catalog::new(Arc::<MemoryStore>::clone(&store), Arc::<ManualClock>::clone(&clock))
            .with_volumes(Arc::<MemoryVolumes>::clone(&volumes));
        Self { store, clock, volumes, catalog }
    }

    async fn of(fixture: &Fixture) -> Self {
        let world = Self::empty();
        for item in &fixture.items {
            let mut attributes = Item::from([("body".to_owned(), Value::Text(item.body.clone()))]);
            attributes.extend(item.numbers.iter().map(|(name, number)| (name.clone(), Value::Number(*number))));
            let key = Key::new(&item.pk, &item.sk);
            world
                .store
                .write(Write { key, condition: Condition::Absent, action: Action::Put(attributes) })
                .await
                .unwrap();
        }
        let objects = world.volumes.open(&volume("v")).unwrap();
        for (key, hex) in &fixture.objects {
            let bytes: Vec<u8> =
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
            objects.put(&Path::parse(key).unwrap(), bytes.into()).await.unwrap();
        }
        world
    }

    async fn fixture(&self) -> Fixture {
        let mut fixture = Fixture::default();
        for (Key { pk, sk }, item) in self.store.dump() {
            let mut kept = FixtureItem { pk, sk, numbers: BTreeMap::new(), body: String::new() };
            for (name, value) in item {
                match value {
                    Value::Text(text) if name == "body" => kept.body = text,
                    Value::Bytes(bytes) if name == "body" => {
                        kept.body = String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap();
                    }
                    Value::Number(number) => drop(kept.numbers.insert(name, number)),
                    other => panic!("{name}: {other:?}"),
                }
            }
            fixture.items.push(kept);
        }
        let objects = self.volumes.open(&volume("v")).unwrap();
        let listed: Vec<_> = objects.list(None).try_collect().await.unwrap();
        for object in listed {
            let bytes = objects.get(&object.location).await.unwrap().bytes().await.unwrap();
            let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            fixture.objects.insert(object.location.to_string(), hex);
        }
        fixture
    }

    async fn table(&self, database: DatabaseId, name: &str, partitioning: Partitioning) -> TableId {
        let column = |id, name: &str, column_type| Column {
            id,
            name: name.to_owned(),
            column_type,
            nullable: id > 1,
            default: None,
            comment: (id > 1).then(|| "a column".to_owned()),
        };
        let definition = TableDefinition {
            id: TableId(0),
            database,
            name: name.to_owned(),
            columns: vec![
                column(1, "k", ColumnType::BigInt),
                column(2, "v", ColumnType::Varchar(64)),
                column(3, "a", ColumnType::Array(Box::new(ColumnType::Decimal { precision: 20, scale: 2 }))),
            ],
            key_kind: KeyKind::Duplicate,
            key_columns: vec!["k".to_owned()],
            partitioning,
            distribution: Distribution { hash_columns: vec!["k".to_owned()], buckets: Some(4) },
            comment: Some("a table".to_owned()),
            properties: [("replication_num".to_owned(), "1".to_owned())].into(),
            volume: "v".to_owned(),
            created_at_ms: NOW_MS,
        };
        match self.catalog.create_table(definition).await.unwrap() {
            Created::New(table) => table.id,
            Created::Exists(table) => panic!("{table:?}"),
        }
    }

    async fn job(&self, database: DatabaseId, table: TableId, name: &str) -> JobId {
        let definition = JobDefinition {
            id: JobId(0),
            version: 0,
            name: name.to_owned(),
            database,
            table,
            clauses: LoadClauses {
                columns: Some(vec![
                    ColumnItem::Plain("k".to_owned()),
                    ColumnItem::Assignment { name: "v".to_owned(), expression: "upper(k)".to_owned() },
                ]),
                column_separator: Some("|".to_owned()),
                ..LoadClauses::default()
            },
            properties: JobProperties::from_pairs([("format", "json"), ("max_error_number", "7")]).unwrap(),
            source: KafkaSource {
                brokers: vec!["b:9092".to_owned()],
                topic: "t".to_owned(),
                pinned: Some([(0, Some(StartOffset::Beginning)), (1, Some(StartOffset::At(3)))].into()),
                default_start: Some(StartOffset::End),
                registry: None,
                custom: [("group.id".to_owned(), "g".to_owned())].into(),
            },
        };
        match self.catalog.create_job(definition).await.unwrap() {
            Created::New(job) => job.id,
            Created::Exists(job) => panic!("{job:?}"),
        }
    }

    /// Commits 10 offsets of source partition 0: `files`, and two rejected rows if `errors`.
    async fn load(&self, job: JobId, id: &str, files: Vec<DataFile>, errors: bool) {
        let read = self.catalog.job_snapshot(job).await.unwrap().unwrap();
        let before = read.progress.get(&0).cloned();
        let rejected = if errors { 2 } else { 0 };
        let statistics =
            LoadStatistics { records: 9, total: 9, loaded: 9 - rejected, rejected, unselected: 0, received_bytes: 90 };
        let mut after = before.as_ref().map_or_else(progress, |before| before.value.clone());
        let from_offset = after.next_offset;
        after.next_offset += 10;
        after.fence = read.job.fence;
        after.statistics += statistics;
        after.skipped += 1;
        let commit = Commit {
            id: id.to_owned(),
            table: read.job.table,
            job,
            job_version: read.job.version,
            topic: "t".to_owned(),
            files,
            errors: errors.then(|| error_file(id)),
            ranges: vec![CommittedRange {
                source_partition: 0,
                from_offset,
                to_offset: after.next_offset,
                skipped: 1,
                jumped: 0,
                statistics,
            }],
            committed_at_ms: NOW_MS,
            replay: None,
        };
        let moves = [ProgressMove { source_partition: 0, before, after }];
        assert_eq!(self.catalog.commit(&commit, read.job.fence, &moves).await.unwrap(), CommitOutcome::Committed);
    }

    async fn change(&self, job: JobId, event: JobEvent) {
        assert!(matches!(self.catalog.change_job(job, event).await.unwrap(), Changed::Now(_)));
    }

    /// Everything that a catalog can hold, once.
    async fn full() -> Self {
        let world = Self::empty();
        let catalog = &world.catalog;
        catalog.put_volume(&volume("v")).await.unwrap();
        catalog.put_volume(&volume("w")).await.unwrap();
        let Created::New(database) = catalog.create_database("d", Some("v")).await.unwrap() else { panic!() };
        let ranges = world.table(database.id, "ranges", by_range()).await;
        let job = world.job(database.id, ranges, "j").await;
        let report = SourceReport { latest: [(0, 40), (1, 5)].into(), at_ms: NOW_MS };
        catalog.report_source(job, &report, &[(0, 0), (1, 3)].into()).await.unwrap();
        catalog.set_job_mapping(job, "mapping").await.unwrap();
        catalog.begin_window(job, 0).await.unwrap();
        world
            .load(job, "01", vec![file("01a", TablePartition::Named(1)), file("01b", TablePartition::Named(2))], false)
            .await;
        world.load(job, "02", vec![file("02", TablePartition::Named(1))], true).await;
        catalog.record_error_file(job, "rejected/02.parquet").await.unwrap();
        let failure = JobFailure { at_ms: NOW_MS, message: "no".to_owned(), task: "task".to_owned() };
        catalog.record_failure(job, failure, 1).await.unwrap();
        let definition = catalog.job_definition(job, 1).await.unwrap().unwrap();
        let alteration = Alteration { definition, moves: [(0, 25)].into(), forget_mapping: false };
        assert!(matches!(catalog.alter_job(job, &alteration).await.unwrap(), Altered::Now(_)));
        world.replay(job, "03", "02").await;
        let table = catalog.table_by_id(ranges).await.unwrap().unwrap();
        let state = catalog.table_state(&table).await.unwrap();
        assert!(matches!(catalog.fold(&state, &[], false).await.unwrap(), Folded::Now(_)));
        world
            .load(job, "04", vec![file("04a", TablePartition::Named(1)), file("04b", TablePartition::Named(2))], false)
            .await;
        for gone in ["01a", "04a"] {
            let removed = catalog.remove_files(ranges, |file| file.key == gone).await.unwrap();
            assert_eq!(removed, Removed::Files(1));
        }
        let report = MaintenanceReport { at_ms: NOW_MS, did: "folded".to_owned(), ..MaintenanceReport::default() };
        catalog.report_maintenance(ranges, &report).await.unwrap();
        catalog.set_maintenance_cursor(Some(ranges)).await.unwrap();

        let by_value = Partitioning::Automatic(vec![PartitionExpression::Column("v".to_owned())]);
        let automatic = world.table(database.id, "automatic", by_value).await;
        let second = world.job(database.id, automatic, "second").await;
        let values = TablePartition::Values(vec![Some("x".to_owned())]);
        world.load(second, "11", vec![file("11a", values), file("11b", TablePartition::Shared)], false).await;
        world.change(second, JobEvent::Pause(StateReason { code: 100, message: "because".to_owned() })).await;

        let whole = world.table(database.id, "whole", Partitioning::None).await;
        let third = world.job(database.id, whole, "third").await;
        world.load(third, "21", vec![file("21", TablePartition::Whole)], false).await;
        world.change(third, JobEvent::Stop).await;

        world.table(database.id, "gone", Partitioning::None).await;
        catalog.drop_table(database.id, "gone").await.unwrap().unwrap();
        world
    }

    async fn replay(&self, job: JobId, id: &str, of: &str) {
        let read = self.catalog.job_snapshot(job).await.unwrap().unwrap();
        let commit = Commit {
            id: id.to_owned(),
            table: read.job.table,
            job,
            job_version: read.job.version,
            topic: "t".to_owned(),
            files: vec![file(id, TablePartition::Named(2))],
            errors: Some(error_file(id)),
            ranges: Vec::new(),
            committed_at_ms: NOW_MS,
            replay: Some(Replay {
                replaces: vec![of.to_owned()],
                counts: ReplayCounts { replayed: 2, loaded: 1, rejected: 1, unselected: 0 },
            }),
        };
        let outcome = self.catalog.replay(&commit, read.job.fence, read.replays.as_ref()).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
    }

    /// Everything that can be read, in words that no added field changes.
    async fn told(&self) -> Result<Vec<String>, CatalogError> {
        let catalog = &self.catalog;
        let mut told = Vec::new();
        let volumes: Vec<String> = catalog.volumes().await?.into_iter().map(|volume| volume.name).collect();
        told.push(format!("volumes {volumes:?}, default {:?}", catalog.default_volume().await?));
        for database in catalog.databases().await? {
            told.push(format!("database {} {}: volume {:?}", database.id, database.name, database.volume));
            for table in catalog.tables(database.id).await? {
                let types: Vec<String> = table.columns.iter().map(|column| column.column_type.to_string()).collect();
                let partitions: Vec<&str> = table.partitioning.named().into_iter().map(|(_, name)| name).collect();
                told.push(format!("table {} {}: {types:?} {partitions:?}", table.id, table.name));
                for file in catalog.data_files(&table).await? {
                    told.push(format!(
                        "file {} of {:?}: {} rows, {:?}",
                        file.key, file.table_partition, file.rows, file.columns
                    ));
                }
                let commits: Vec<String> =
                    catalog.commits(table.id).await?.into_iter().map(|commit| commit.id).collect();
                told.push(format!("commits {commits:?}"));
                let state = catalog.table_state(&table).await?;
                told.push(format!("maintained: {:?}", state.maintenance.map(|report| report.did)));
            }
            for job in catalog.jobs(database.id).await? {
                told.push(format!(
                    "job {} {} of {}: {} version {} fence {}",
                    job.id, job.name, job.table, job.state, job.version, job.fence
                ));
                told.push(format!("because {:?}", job.reason.map(|reason| reason.to_string())));
                told.push(format!("live {:?}", catalog.live_job(database.id, &job.name).await?.map(|live| live.id)));
                for version in catalog.job_versions(job.id).await? {
                    let source = &version.definition.source;
                    told.push(format!(
                        "version {} reads {} from {:?}",
                        version.definition.version, source.topic, source.pinned
                    ));
                    told.push(format!("begins {:?}", version.beginning.map(|beginning| beginning.sources)));
                }
                let Some(read) = catalog.job_snapshot(job.id).await? else { panic!("job {} is there", job.id) };
                for (source_partition, progress) in read.progress {
                    told.push(format!(
                        "progress {source_partition}: {} {:?}",
                        progress.value.next_offset, progress.value.statistics
                    ));
                }
                told.push(format!("latest {:?}, aborted {}", read.report.latest, read.trouble.aborted_tasks));
                told.push(format!("replays {:?}", read.replays.map(|replays| replays.value)));
                let rejected: Vec<String> =
                    standing(catalog.rejections(job.id).await?).into_iter().map(|rejection| rejection.commit).collect();
                told.push(format!("rejected {rejected:?}"));
                for source in catalog.coverage(job.id).await?.unwrap_or_default() {
                    told.push(format!(
                        "covered {}: {} {:?}",
                        source.source_partition, source.next_offset, source.fault
                    ));
                }
            }
        }
        told.push(format!("cursor {:?}", catalog.maintenance_cursor().await?));
        let dropped: Vec<String> =
            catalog.dropped_tables().await?.into_iter().map(|table| table.definition.name).collect();
        told.push(format!("dropped {dropped:?}"));
        // Gives out an id, which reads the last one; so it comes last.
        catalog.create_database("after", None).await?;
        told.push(format!(
            "the next id is {}",
            catalog.database("after").await?.map(|database| database.id.0).unwrap_or_default()
        ));
        Ok(told)
    }
}

fn by_range() -> Partitioning {
    let partition = |id: u32| RangePartition {
        id,
        name: format!("p{id}"),
        lower: RangeBound(vec![Some(id.to_string())]),
        upper: RangeBound(vec![Some((id + 1).to_string())]),
    };
    Partitioning::Range(RangePartitioning {
        columns: vec!["k".to_owned()],
        partitions: vec![partition(1), partition(2)],
        next_id: 3,
    })
}

fn progress() -> SourceProgress {
    SourceProgress {
        start_offset: 0,
        next_offset: 0,
        fence: 1,
        last_timestamp_ms: Some(NOW_MS),
        max_timestamp_ms: Some(NOW_MS),
        statistics: LoadStatistics::default(),
        skipped: 0,
        committed_tasks: 1,
        empty_tasks: 0,
        execute_ms: 1,
        window: ErrorWindow::default(),
        passed_over: Vec::new(),
        usage: Usage::default(),
    }
}

fn error_file(id: &str) -> ErrorFile {
    ErrorFile { key: format!("rejected/{id}.parquet"), rows: 2, bytes: 10, columns: Vec::new() }
}

/// A file with a bound of every kind.
fn file(key: &str, table_partition: TablePartition) -> DataFile {
    let bounds = [
        StatisticValue::Boolean(true),
        StatisticValue::Integer(i64::MIN),
        StatisticValue::Unscaled("12345678901234567890123".to_owned()),
        StatisticValue::Float(0.1 + 0.2),
        StatisticValue::Text("ä\"\u{0}".to_owned()),
        StatisticValue::TextBound("x".repeat(64)),
    ];
    let columns = (1..).zip(bounds).map(|(column_id, bound)| ColumnStatistics {
        column_id,
        nulls: 1,
        min: Some(bound.clone()),
        max: Some(bound).filter(|_| column_id > 1),
    });
    DataFile {
        key: key.to_owned(),
        table_partition,
        rows: 7,
        bytes: 100,
        columns: columns.collect(),
        crc32c: Some(0xffff_ffff),
        sorted: key.ends_with('b'),
    }
}

fn format_1() -> Fixture {
    serde_json::from_str(FORMAT_1).unwrap()
}

/// What an item is, by its keys without ids and names.
fn kind(item: &FixtureItem) -> String {
    let word = |text: &str| text.split('#').next().unwrap_or_default().to_owned();
    format!("{}/{}", word(&item.pk), word(&item.sk))
}

#[tokio::test]
async fn items_of_the_first_version_are_read_as_it_meant_them() {
    let full = World::full().await;
    if let Ok(path) = std::env::var("PENSTOCK_WRITE_FIXTURE") {
        std::fs::write(path, serde_json::to_string_pretty(&full.fixture().await).unwrap() + "\n").unwrap();
    }
    // Whether there are items of a kind that the first version did not have.
    let kinds = |fixture: &Fixture| fixture.items.iter().map(kind).collect::<BTreeSet<_>>();
    let old = format_1();
    assert!(kinds(&old).len() > 20, "{:?}", kinds(&old));
    assert!(kinds(&old).is_subset(&kinds(&full.fixture().await)), "the world below holds each kind of item");
    let told = World::of(&old).await.told().await.unwrap();
    assert_eq!(told, full.told().await.unwrap());
    let text = told.join("\n");
    for expected in [
        "volumes [\"v\", \"w\"], default Some(\"v\")",
        "file 04b of Named(2)",
        "file 11a of Values([Some(\"x\")])",
        "file 11b of Shared",
        "file 21 of Whole",
        "TextBound(\"xxx",
        "rejected [\"03\"]",
        "covered 0: 35 None",
        "dropped [\"gone\"]",
        &format!("{} version 1", JobState::Paused),
        &format!("{} version 2", JobState::Running),
        &format!("{} version 1", JobState::Stopped),
    ] {
        assert!(text.contains(expected), "expected `{expected}` in\n{text}");
    }
    assert!(!text.contains("file 01a") && !text.contains("file 04a"), "they were removed:\n{text}");
}

#[tokio::test]
async fn writing_goes_on_in_a_catalog_of_the_first_version() {
    let world = World::of(&format_1()).await;
    let catalog = &world.catalog;
    let database = catalog.database("d").await.unwrap().unwrap();
    let job = catalog.live_job(database.id, "j").await.unwrap().unwrap();
    world.load(job.id, "99", vec![file("99", TablePartition::Named(1))], true).await;
    let table = catalog.table_by_id(job.table).await.unwrap().unwrap();
    let state = catalog.table_state(&table).await.unwrap();
    assert!(matches!(catalog.fold(&state, &[], false).await.unwrap(), Folded::Now(_)));
    world.clock.advance(2 * 3_600_000);
    catalog.sweep(&table).await.unwrap();
    let covered = catalog.coverage(job.id).await.unwrap().unwrap();
    assert!(covered.iter().all(|source| source.fault.is_none()), "{covered:?}");
    let keys: BTreeSet<String> = catalog.data_files(&table).await.unwrap().into_iter().map(|file| file.key).collect();
    assert_eq!(keys, ["01b", "02", "03", "04b", "99"].map(str::to_owned).into());
}

#[tokio::test]
async fn item_of_any_kind_that_a_newer_version_wrote_is_refused() {
    let old = format_1();
    let mut refused = 0;
    for place in 0..old.items.len() {
        let mut newer = old.clone();
        let item = &mut newer.items[place];
        item.numbers.insert("format".to_owned(), 2);
        let name = format!("{}/{}", item.pk, item.sk);
        match World::of(&newer).await.told().await {
            Err(CatalogError::Unreadable { key, message }) => {
                assert_eq!(key, name);
                assert!(message.contains("found 2") && message.contains("hint: upgrade"), "{message}");
                refused += 1;
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(refused > 20);
}
