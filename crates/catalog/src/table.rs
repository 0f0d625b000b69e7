//! Tables: definitions by name and by id.

use penstock_kernel::ids::{DatabaseId, TableId};
use penstock_kernel::table::TableDefinition;

use crate::Catalog;
use crate::database::Created;
use crate::error::CatalogError;

impl Catalog {
    /// Stores a definition under its database and name; `definition.id` is set by the catalog. One of that name is left.
    pub async fn create_table(&self, _definition: TableDefinition) -> Result<Created<TableDefinition>, CatalogError> {
        todo!()
    }

    /// The table of that name in the database.
    pub async fn table(&self, _database: DatabaseId, _name: &str) -> Result<Option<TableDefinition>, CatalogError> {
        todo!()
    }

    /// The table of that id; `None` once dropped.
    pub async fn table_by_id(&self, _id: TableId) -> Result<Option<TableDefinition>, CatalogError> {
        todo!()
    }

    /// All tables of a database, by name.
    pub async fn tables(&self, _database: DatabaseId) -> Result<Vec<TableDefinition>, CatalogError> {
        todo!()
    }

    /// Removes name and definition; its commits stay for the collector. Absent: `None`.
    pub async fn drop_table(&self, _database: DatabaseId, _name: &str) -> Result<Option<TableDefinition>, CatalogError> {
        todo!()
    }
}
