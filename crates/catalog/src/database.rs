//! Databases: names and what they hold.

use penstock_kernel::ids::DatabaseId;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::error::CatalogError;

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its id.
    pub id: DatabaseId,
    /// Its name, case-sensitive.
    pub name: String,
    /// The storage volume that its tables get unless they name one.
    pub volume: Option<String>,
    /// Milliseconds since the epoch.
    pub created_at_ms: i64,
}

/// What came of creating something under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created<T> {
    /// It was created.
    New(T),
    /// The name is in use by this.
    Exists(T),
}

impl Catalog {
    /// Creates a database; one of that name is left as it is.
    pub async fn create_database(&self, _name: &str, _volume: Option<&str>) -> Result<Created<Database>, CatalogError> {
        todo!()
    }

    /// The database of that name.
    pub async fn database(&self, _name: &str) -> Result<Option<Database>, CatalogError> {
        todo!()
    }

    /// All databases, by name.
    pub async fn databases(&self) -> Result<Vec<Database>, CatalogError> {
        todo!()
    }

    /// Removes the database's name. Its tables and jobs are to be ended before. Absent: `false`.
    pub async fn drop_database(&self, _name: &str) -> Result<bool, CatalogError> {
        todo!()
    }
}
