//! A table whose files can be loaded, maintained and read.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch, StringArray};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use penstock_catalog::Catalog;
use penstock_catalog::clock::{Clock, ManualClock};
use penstock_catalog::commit::{Commit, CommitOutcome, DataFile};
use penstock_catalog::database::Created;
use penstock_catalog::store::Store;
use penstock_catalog::store::memory::MemoryStore;
use penstock_kernel::encode::{WriterOptions, encode};
use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::loaded::TablePartition;
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::table::{Column, ColumnType, Distribution, KeyKind, TableDefinition};
use penstock_maintain::maintainer::{Maintainer, RunReport};
use penstock_storage::{MemoryVolumes, Volume, Volumes};

pub(crate) const NOW_MS: i64 = 1_718_217_653_000;
const HOUR_MS: i64 = 3_600_000;

pub(crate) struct World {
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) maintainer: Maintainer,
    pub(crate) database: DatabaseId,
    pub(crate) table: TableDefinition,
}

fn column(id: u32, name: &str, column_type: ColumnType) -> Column {
    Column { id, name: name.to_owned(), column_type, nullable: true, default: None, comment: None }
}

fn definition(database: DatabaseId) -> TableDefinition {
    TableDefinition {
        id: TableId(0),
        database,
        name: "clicks".to_owned(),
        columns: vec![column(1, "k", ColumnType::BigInt), column(2, "v", ColumnType::Varchar(100))],
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

impl World {
    pub(crate) async fn new() -> Self {
        Self::over(Arc::new(MemoryVolumes::new())).await
    }

    pub(crate) async fn over(volumes: Arc<dyn Volumes>) -> Self {
        Self::on(Arc::new(MemoryStore::new()), volumes).await
    }

    pub(crate) async fn on(store: Arc<dyn Store>, volumes: Arc<dyn Volumes>) -> Self {
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let catalog = Catalog::new(store, Arc::<ManualClock>::clone(&clock));
        let volume = Volume {
            name: "v".to_owned(),
            location: "s3://bucket/path".to_owned(),
            properties: BTreeMap::new(),
            enabled: true,
            comment: String::new(),
        };
        catalog.put_volume(&volume).await.unwrap();
        let Created::New(database) = catalog.create_database("d", None).await.unwrap() else {
            panic!("the catalog was empty")
        };
        let Created::New(table) = catalog.create_table(definition(database.id)).await.unwrap() else {
            panic!("the database was empty")
        };
        let objects = volumes.open(&volume).unwrap();
        let maintainer = Maintainer::new(catalog.clone(), Arc::clone(&volumes));
        let catalog = catalog.with_volumes(volumes);
        Self { catalog, clock, objects, maintainer, database: database.id, table }
    }

    /// Puts a file of these rows, as the load function does.
    pub(crate) async fn put(&self, rows: &[(Option<i64>, &str)]) -> DataFile {
        let keys: Int64Array = rows.iter().map(|row| row.0).collect();
        let values: StringArray = rows.iter().map(|row| Some(row.1)).collect();
        self.put_batch(vec![Arc::new(keys), Arc::new(values)]).await
    }

    pub(crate) async fn put_batch(&self, columns: Vec<arrow_array::ArrayRef>) -> DataFile {
        let batch = RecordBatch::try_new(self.table.arrow_schema(), columns).unwrap();
        let encoded = encode(&batch, &WriterOptions::default()).unwrap();
        let key = format!("table/{}/job-1-v1/0-0-{}.parquet", self.table.id, self.clock.unique());
        let path = Path::from(format!("path/{key}"));
        self.objects.put(&path, encoded.bytes.clone().into()).await.unwrap();
        DataFile {
            key,
            table_partition: TablePartition::Whole,
            rows: encoded.rows,
            bytes: encoded.bytes.len() as u64,
            columns: encoded.columns,
            crc32c: Some(crc32c::crc32c(&encoded.bytes)),
            sorted: false,
        }
    }

    pub(crate) async fn commit(&self, files: Vec<DataFile>) {
        let commit = Commit {
            id: self.clock.unique(),
            table: self.table.id,
            job: JobId(1),
            job_version: 1,
            topic: "t".to_owned(),
            files,
            errors: None,
            ranges: Vec::new(),
            committed_at_ms: self.clock.now_ms(),
            replay: None,
        };
        assert_eq!(self.catalog.commit(&commit, 0, &[]).await.unwrap(), CommitOutcome::Committed);
    }

    pub(crate) async fn load(&self, rows: &[(Option<i64>, &str)]) -> String {
        let file = self.put(rows).await;
        let key = file.key.clone();
        self.commit(vec![file]).await;
        key
    }

    pub(crate) async fn run(&self) -> RunReport {
        self.maintainer.run(i64::MAX).await.unwrap()
    }

    pub(crate) async fn files(&self) -> Vec<DataFile> {
        self.catalog.data_files(&self.table).await.unwrap()
    }

    /// The rows of one file, in its order.
    pub(crate) async fn rows_of(&self, file: &DataFile) -> Vec<(Option<i64>, String)> {
        let path = Path::from(format!("path/{}", file.key));
        let bytes = self.objects.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes.len() as u64, file.bytes);
        assert_eq!(file.crc32c, Some(crc32c::crc32c(&bytes)));
        let mut rows = Vec::new();
        for batch in ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            let keys = batch.column(0).as_primitive::<Int64Type>();
            let values = batch.column(1).as_string::<i32>();
            rows.extend(keys.iter().zip(values.iter().map(|value| value.unwrap().to_owned())));
        }
        assert_eq!(rows.len() as u64, file.rows);
        rows
    }

    /// All rows that a reader sees, sorted.
    pub(crate) async fn rows(&self) -> Vec<(Option<i64>, String)> {
        let mut rows = Vec::new();
        for file in self.files().await {
            rows.extend(self.rows_of(&file).await);
        }
        rows.sort();
        rows
    }

    pub(crate) async fn objects(&self) -> Vec<String> {
        let listed: Vec<_> = self.objects.list(None).try_collect().await.unwrap();
        listed.into_iter().map(|object| object.location.to_string()).collect()
    }

    pub(crate) fn hours_pass(&self, hours: i64) {
        self.clock.advance(hours * HOUR_MS);
    }
}
