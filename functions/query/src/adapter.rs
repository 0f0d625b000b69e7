//! Columns of a file matched to the table's by their ids.
//!
//! Names in files are as they were when the file was written, and queries see them in lower case; only ids stay. A column
//! that a file does not have yet is NULL in all of its rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use penstock_kernel::table::TableDefinition;

/// Metadata of a field that the Parquet reader takes from the file's field id.
const FIELD_ID: &str = "PARQUET:field_id";

/// Adapts expressions on a table to its files.
#[derive(Debug)]
pub(crate) struct ById {
    /// Name within queries, by column id.
    names: HashMap<u32, String>,
}

impl ById {
    pub(crate) fn new(table: &TableDefinition) -> Self {
        Self { names: table.columns.iter().map(|column| (column.id, column.name.to_lowercase())).collect() }
    }

    /// The name within queries of a file's column; `None` if the table does not have it any more.
    fn name(&self, field: &Field) -> Option<String> {
        match field.metadata().get(FIELD_ID).and_then(|id| id.parse().ok()) {
            Some(id) => self.names.get(&id).cloned(),
            // Written by someone else: its name is all there is.
            None => Some(field.name().to_lowercase()),
        }
    }
}

impl PhysicalExprAdapterFactory for ById {
    fn create(&self, logical: SchemaRef, physical: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let renamed: Vec<Field> = physical
            .fields()
            .iter()
            .enumerate()
            // No column is called like this, so nothing can mean a column that was dropped.
            .map(|(index, field)| {
                field.as_ref().clone().with_name(self.name(field).unwrap_or(format!("\0dropped {index}")))
            })
            .collect();
        let inner = DefaultPhysicalExprAdapterFactory.create(logical, Arc::new(Schema::new(renamed)))?;
        Ok(Arc::new(Adapter { inner, physical }))
    }
}

#[derive(Debug)]
struct Adapter {
    inner: Arc<dyn PhysicalExprAdapter>,
    physical: SchemaRef,
}

impl PhysicalExprAdapter for Adapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        // The Parquet reader looks columns up by the file's own names.
        let own_name = |expr: Arc<dyn PhysicalExpr>| {
            let Some(column) = expr.as_any().downcast_ref::<Column>() else {
                return Ok(Transformed::no(expr));
            };
            Ok(match self.physical.fields().get(column.index()) {
                Some(field) => {
                    Transformed::yes(Arc::new(Column::new(field.name(), column.index())) as Arc<dyn PhysicalExpr>)
                }
                None => Transformed::no(expr),
            })
        };
        self.inner.rewrite(expr)?.transform_up(own_name).data()
    }
}
