//! Definitions, jobs and commits as small as they can be.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_catalog::Catalog;
use penstock_catalog::clock::ManualClock;
use penstock_catalog::commit::{Commit, CommittedRange, DataFile, ProgressMove};
use penstock_catalog::database::Created;
use penstock_catalog::job::{Changed, Job, JobSnapshot};
use penstock_catalog::store::Store;
use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::job::{JobDefinition, KafkaSource, LoadClauses};
use penstock_kernel::loaded::{LoadStatistics, TablePartition};
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::progress::{ErrorWindow, SourceProgress};
use penstock_kernel::property::JobProperties;
use penstock_kernel::state::{JobEvent, StateReason, reason};
use penstock_kernel::table::{Column, ColumnType, Distribution, KeyKind, TableDefinition};
use penstock_kernel::usage::Usage;

pub(crate) const NOW_MS: i64 = 1_700_000_000_000;
pub(crate) const DATABASE: DatabaseId = DatabaseId(1);
pub(crate) const TABLE: TableId = TableId(2);

pub(crate) fn catalog(store: Arc<dyn Store>) -> (Catalog, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW_MS));
    (Catalog::new(store, Arc::<ManualClock>::clone(&clock)), clock)
}

pub(crate) fn table(database: DatabaseId, name: &str) -> TableDefinition {
    TableDefinition {
        id: TableId(0),
        database,
        name: name.to_owned(),
        columns: vec![Column {
            id: 1,
            name: "k".to_owned(),
            column_type: ColumnType::BigInt,
            nullable: false,
            default: None,
            comment: None,
        }],
        key_kind: KeyKind::Duplicate,
        key_columns: vec!["k".to_owned()],
        partitioning: Partitioning::None,
        distribution: Distribution { hash_columns: Vec::new(), buckets: None },
        comment: None,
        properties: BTreeMap::new(),
        volume: "v".to_owned(),
        created_at_ms: NOW_MS,
    }
}

pub(crate) fn definition(name: &str, table: TableId) -> JobDefinition {
    JobDefinition {
        id: JobId(0),
        version: 0,
        name: name.to_owned(),
        database: DATABASE,
        table,
        clauses: LoadClauses::default(),
        properties: JobProperties::default(),
        source: KafkaSource {
            brokers: vec!["localhost:9092".to_owned()],
            topic: "t".to_owned(),
            pinned: None,
            default_start: None,
            registry: None,
            custom: BTreeMap::from([("group.id".to_owned(), "g".to_owned())]),
        },
    }
}

pub(crate) async fn job(catalog: &Catalog) -> Job {
    match catalog.create_job(definition("j", TABLE)).await.unwrap() {
        Created::New(job) => job,
        Created::Exists(job) => panic!("{job:?}"),
    }
}

pub(crate) fn why(code: u32) -> StateReason {
    StateReason { code, message: format!("because of {code}") }
}

pub(crate) fn pause() -> JobEvent {
    JobEvent::Pause(why(reason::MANUAL_PAUSE))
}

pub(crate) async fn change(catalog: &Catalog, id: JobId, event: JobEvent) -> Job {
    match catalog.change_job(id, event).await.unwrap() {
        Changed::Now(job) => job,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn snapshot(catalog: &Catalog, id: JobId) -> JobSnapshot {
    catalog.job_snapshot(id).await.unwrap().unwrap()
}

/// Progress that has come to `next_offset`, from 0.
pub(crate) fn progress(next_offset: i64, fence: u64) -> SourceProgress {
    SourceProgress {
        start_offset: 0,
        next_offset,
        fence,
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

/// Moves a source partition on by `records` from where the snapshot shows it, or from 0.
pub(crate) fn moved(snapshot: &JobSnapshot, source_partition: i32, records: i64) -> ProgressMove {
    let before = snapshot.progress.get(&source_partition).cloned();
    let next_offset = before.as_ref().map_or(0, |before| before.value.next_offset) + records;
    ProgressMove { source_partition, before, after: progress(next_offset, snapshot.job.fence) }
}

/// The commit of these moves, with one file.
pub(crate) fn commit(id: &str, job: &Job, moves: &[ProgressMove]) -> Commit {
    Commit {
        id: id.to_owned(),
        table: job.table,
        job: job.id,
        job_version: job.version,
        topic: "t".to_owned(),
        files: vec![DataFile {
            key: format!("{id}.parquet"),
            table_partition: TablePartition::Whole,
            rows: 1,
            bytes: 100,
            columns: Vec::new(),
            crc32c: None,
            sorted: false,
        }],
        errors: None,
        ranges: moves
            .iter()
            .map(|moved| CommittedRange {
                source_partition: moved.source_partition,
                from_offset: moved.before.as_ref().map_or(0, |before| before.value.next_offset),
                to_offset: moved.after.next_offset,
                skipped: 0,
                jumped: 0,
                statistics: LoadStatistics::default(),
            })
            .collect(),
        committed_at_ms: NOW_MS,
        replay: None,
    }
}
