//! A table as DataFusion scans it: the files of one list of commits.
//!
//! The list is taken once a statement, so that all mentions of a table see the same rows.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::ObjectStore;
use penstock_catalog::commit::DataFile;
use penstock_kernel::table::TableDefinition;

use crate::adapter::ById;
use crate::cell::described;
use crate::report::Report;
use crate::{prune, statistics};

/// What the first request to a file asks for: footer and page index of most, and all of a small one. Raising it costs
/// transfer, lowering it a second request a file.
const FOOTER_BYTES: usize = 128 << 10;

/// A table's rows as of one moment.
#[derive(Debug)]
pub(crate) struct CommittedTable {
    schema: SchemaRef,
    /// Full keys in the bucket, sizes and statistics, in the order of commits.
    files: Vec<(String, u64, Arc<Statistics>)>,
    store: Arc<dyn ObjectStore>,
    url: ObjectStoreUrl,
    adapter: Arc<ById>,
    report: Arc<Report>,
}

impl CommittedTable {
    /// `files` are the data files with their full keys in `store`, which is registered under `url`.
    pub(crate) fn new(
        table: &TableDefinition,
        files: Vec<(String, DataFile)>,
        store: Arc<dyn ObjectStore>,
        url: ObjectStoreUrl,
        report: Arc<Report>,
    ) -> Self {
        let files = files
            .into_iter()
            .map(|(key, file)| (key, file.bytes, Arc::new(statistics::of_file(&file, table))))
            .collect();
        Self { schema: schema(table), files, store, url, adapter: Arc::new(ById::new(table)), report }
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
        // Files are pruned by them; rows are filtered by Parquet's reader, where the physical optimizer puts them.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut files: Vec<_> = self.files.iter().collect();
        let all = files.len();
        if let Some(filter) = conjunction(filters.to_vec()) {
            let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
            let filter = state.create_physical_expr(filter, &schema)?;
            let known: Vec<_> = files.iter().map(|(_, _, known)| Arc::clone(known)).collect();
            let mut matching = prune::matching(&filter, &known, &self.schema).into_iter();
            files.retain(|_| matching.next().unwrap_or(true));
        }
        if let Some(limit) = limit {
            truncate(&mut files, limit);
        }
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.report.files.fetch_add(count(all), Ordering::Relaxed);
        self.report.pruned.fetch_add(count(all - files.len()), Ordering::Relaxed);
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }

        let known: Vec<_> = files.iter().map(|(_, _, known)| Arc::clone(known)).collect();
        let mut statistics = statistics::of_files(&known, &self.schema);
        if files.len() < all || limit.is_some() {
            statistics = statistics.to_inexact();
        }
        let group: FileGroup = files
            .into_iter()
            .map(|(key, bytes, known)| PartitionedFile::new(key.clone(), *bytes).with_statistics(Arc::clone(known)))
            .collect::<Vec<_>>()
            .into();
        let footers = state.runtime_env().cache_manager.get_file_metadata_cache();
        let mut options = datafusion::config::TableParquetOptions::new();
        options.global = state.config_options().execution.parquet.clone();
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_metadata_size_hint(FOOTER_BYTES)
            .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(
                Arc::clone(&self.store),
                footers,
            )));
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(group.split_files(state.config().target_partitions()))
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_expr_adapter(Some(Arc::<ById>::clone(&self.adapter) as _))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn statistics(&self) -> Option<Statistics> {
        let known: Vec<_> = self.files.iter().map(|(_, _, known)| Arc::clone(known)).collect();
        Some(statistics::of_files(&known, &self.schema))
    }
}

/// Keeps as many files as give `limit` rows; which rows a LIMIT without ORDER BY gives is open.
fn truncate(files: &mut Vec<&(String, u64, Arc<Statistics>)>, limit: usize) {
    let mut rows = 0_usize;
    let enough = files.iter().position(|(_, _, known)| {
        if let Precision::Exact(count) = known.num_rows {
            rows = rows.saturating_add(count);
        }
        rows >= limit
    });
    if let Some(last) = enough {
        files.truncate(last + 1);
    }
}
