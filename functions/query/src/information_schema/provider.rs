//! A table whose rows are made when it is scanned.

use std::any::Any;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::filter::Wanted;
use super::{Origin, rows, schema};
use penstock_sql::information_schema::Shape;

/// A table of `information_schema`.
pub(super) struct SchemaTable {
    shape: &'static Shape,
    schema: SchemaRef,
    origin: Origin,
}

impl SchemaTable {
    pub(super) fn new(shape: &'static Shape, origin: Origin) -> Self {
        Self { shape, schema: schema(shape), origin }
    }
}

impl std::fmt::Debug for SchemaTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SchemaTable").field("name", &self.shape.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for SchemaTable {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // They save reading the catalog; rows are filtered all the same.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = Wanted::new(&self.schema, projection, filters);
        let rows = rows(&self.origin, self.shape, &wanted);
        let rows = rows.await.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let table = MemTable::try_new(Arc::clone(&self.schema), vec![vec![rows.batch()?]])?;
        table.scan(state, projection, &[], limit).await
    }
}
