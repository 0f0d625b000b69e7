//! A table as DataFusion scans it: the files of one list of commits.
//!
//! The list is taken once a statement, so that all mentions of a table see the same rows.

use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Column, DFSchema, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::ObjectStore;
use penstock_catalog::commit::DataFile;
use penstock_kernel::table::TableDefinition;

use crate::adapter::ById;
use crate::cell::described;
use crate::part::Part;
use crate::report::Report;
use crate::{prune, statistics};

/// What the first request to a file asks for: footer and page index of most, and all of a small one. Raising it costs
/// transfer, lowering it a second request a file.
const FOOTER_BYTES: usize = 128 << 10;

/// Files smaller than this on average are small.
const SMALL_FILE_BYTES: u64 = 1 << 20;
/// Small files that are read at once by one scan.
const SMALL_FILES_AT_ONCE: usize = 8;

/// Columns beside those of the filter from which on it pays to read them late.
const LATE_COLUMNS: usize = 5;

/// A volume as one statement reads it.
#[derive(Debug, Clone)]
pub(crate) struct OpenVolume {
    /// What keys begin with in the bucket: empty, or a path that ends with a slash.
    pub(crate) path: String,
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Where the store is registered.
    pub(crate) url: ObjectStoreUrl,
}

/// A table's rows as of one moment.
#[derive(Debug)]
pub(crate) struct CommittedTable {
    schema: SchemaRef,
    parts: Vec<Arc<Part>>,
    /// What files' keys begin with in the bucket: empty, or a path that ends with a slash.
    path: String,
    store: Arc<dyn ObjectStore>,
    url: ObjectStoreUrl,
    adapter: Arc<ById>,
    report: Arc<Report>,
}

impl CommittedTable {
    /// The files lie in `volume`, which is read through `store`, registered under `url`.
    pub(crate) fn new(
        table: &TableDefinition,
        parts: Vec<Arc<Part>>,
        volume: &OpenVolume,
        report: Arc<Report>,
    ) -> Self {
        let OpenVolume { path, store, url } = volume.clone();
        Self { schema: schema(table), parts, path, store, url, adapter: Arc::new(ById::new(table)), report }
    }

    /// How many files there are.
    pub(crate) fn files(&self) -> usize {
        self.parts.iter().map(|part| part.files.len()).sum()
    }

    /// What is true of all files, as the catalog says it.
    pub(crate) fn known(&self) -> Statistics {
        statistics::told(statistics::sum(self.parts.iter().map(|part| part.statistics().as_ref())), &self.schema)
    }

    /// Whether rows are to be chosen by the filter's columns before the others are read. It saves most of a file where few
    /// rows are looked up in a wide table; elsewhere reading all and filtering after takes half the time.
    fn reads_late(&self, projection: Option<&Vec<usize>>, filters: &[Expr]) -> bool {
        let looks_up = |filter: &Expr| match filter {
            Expr::BinaryExpr(BinaryExpr { op: Operator::Eq, .. }) => true,
            Expr::InList(list) => !list.negated,
            _ => false,
        };
        let read = projection.map_or(self.schema.fields().len(), Vec::len);
        let filtered: HashSet<&Column> = filters.iter().flat_map(Expr::column_refs).collect();
        let others = read.saturating_sub(filtered.len());
        filters.iter().any(looks_up) && others >= LATE_COLUMNS && others > filtered.len().saturating_mul(2)
    }

    /// Counts files of a scan that were there, and of them those that were ruled out.
    pub(crate) fn note(&self, all: usize, pruned: usize) {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.report.files.fetch_add(count(all), Ordering::Relaxed);
        self.report.pruned.fetch_add(count(pruned), Ordering::Relaxed);
    }
}

impl CommittedTable {
    /// With other types than those of the table's columns, in the same order and under the same names.
    pub(crate) fn with_schema(self, schema: SchemaRef) -> Self {
        Self { schema, ..self }
    }
}

/// The schema that queries see: names in lower case; every column may be NULL, since older files may lack it.
pub(crate) fn schema(table: &TableDefinition) -> SchemaRef {
    let fields: Vec<Field> = table
        .columns
        .iter()
        .map(|column| {
            let field = described(&column.name.to_lowercase(), &column.column_type, true);
            match field.data_type() {
                // Strings are compared and grouped by it without a copy.
                DataType::Utf8 => field.with_data_type(DataType::Utf8View),
                _ => field,
            }
        })
        .collect();
    Arc::new(Schema::new(fields))
}

#[async_trait]
impl TableProvider for CommittedTable {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // Files, row groups and pages are pruned by them.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut files: Vec<(&Part, &DataFile)> =
            self.parts.iter().flat_map(|part| part.files.iter().map(|file| (part.as_ref(), file))).collect();
        let all = files.len();
        if let Some(filter) = conjunction(filters.to_vec()) {
            let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
            let filter = state.create_physical_expr(filter, &schema)?;
            let mut matching = prune::matching(&filter, &self.parts, &self.schema).into_iter().flatten();
            files.retain(|_| matching.next().unwrap_or(true));
        }
        if let Some(limit) = limit {
            truncate(&mut files, limit);
        }
        self.note(all, all - files.len());
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }

        let partitions = at_once(&files, state.config().target_partitions());
        let fewer = files.len() < all;
        let files: Vec<PartitionedFile> = files
            .into_iter()
            .map(|(part, file)| {
                let key = format!("{}{}", self.path, file.key);
                PartitionedFile::new(key, file.bytes).with_statistics(Arc::new(part.of_file(file)))
            })
            .collect();
        let statistics = if fewer {
            let known = files.iter().filter_map(|file| file.statistics.as_deref());
            statistics::told(statistics::sum(known), &self.schema).to_inexact()
        } else if limit.is_some() {
            self.known().to_inexact()
        } else {
            self.known()
        };
        let group = FileGroup::from(files);
        let footers = state.runtime_env().cache_manager.get_file_metadata_cache();
        let mut options = datafusion::config::TableParquetOptions::new();
        options.global = state.config_options().execution.parquet.clone();
        options.global.pushdown_filters = self.reads_late(projection, filters);
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_metadata_size_hint(FOOTER_BYTES)
            .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(
                Arc::clone(&self.store),
                footers,
            )));
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(group.split_files(partitions))
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_expr_adapter(Some(Arc::<ById>::clone(&self.adapter) as _))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.known())
    }
}

/// How many files are read at once: each takes a request or two, which small ones wait for longer than they take to decode.
fn at_once(files: &[(&Part, &DataFile)], threads: usize) -> usize {
    let bytes = files.iter().fold(0_u64, |sum, (_, file)| sum.saturating_add(file.bytes));
    let small = u64::try_from(files.len()).is_ok_and(|count| bytes / count.max(1) < SMALL_FILE_BYTES);
    if small { threads.max(SMALL_FILES_AT_ONCE).min(files.len()) } else { threads }
}

/// Keeps as many files as give `limit` rows; which rows a LIMIT without ORDER BY gives is open.
fn truncate(files: &mut Vec<(&Part, &DataFile)>, limit: usize) {
    let mut rows = 0_usize;
    let enough = files.iter().position(|(_, file)| {
        rows = rows.saturating_add(usize::try_from(file.rows).unwrap_or(usize::MAX));
        rows >= limit
    });
    if let Some(last) = enough {
        files.truncate(last + 1);
    }
}
