//! Databases: names and what they hold.

use penstock_kernel::ids::DatabaseId;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::error::CatalogError;
use crate::key;
use crate::record::{self, Record};
use crate::store::{Action, Write, WriteOutcome};
use crate::update::Race;

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

impl Record for Database {}

impl Catalog {
    /// Creates a database; one of that name is left as it is.
    pub async fn create_database(&self, name: &str, volume: Option<&str>) -> Result<Created<Database>, CatalogError> {
        let key = key::database(name);
        let mut race = Race::about(&key);
        loop {
            if let Some(database) = self.database(name).await? {
                return Ok(Created::Exists(database));
            }
            let database = Database {
                id: DatabaseId(self.next_id().await?),
                name: name.to_owned(),
                volume: volume.map(str::to_owned),
                created_at_ms: self.clock.now_ms(),
            };
            let write = record::first(&key, &database)?;
            if self.write_once(vec![write]).await? == WriteOutcome::Done {
                return Ok(Created::New(database));
            }
            race.lost(&*self.clock).await?;
        }
    }

    /// The database of that name.
    pub async fn database(&self, name: &str) -> Result<Option<Database>, CatalogError> {
        Ok(self.read(&key::database(name)).await?.map(|read| read.value))
    }

    /// All databases, by name.
    pub async fn databases(&self) -> Result<Vec<Database>, CatalogError> {
        self.list(key::CATALOG, key::DATABASES).await
    }

    /// Removes the database's name. Its tables and jobs are to be ended before. Absent: `false`.
    pub async fn drop_database(&self, name: &str) -> Result<bool, CatalogError> {
        let key = key::database(name);
        let mut race = Race::about(&key);
        while let Some(read) = self.read::<Database>(&key).await? {
            let delete =
                Write { key: key.clone(), condition: record::unchanged(read.revision), action: Action::Delete };
            if self.write_once(vec![delete]).await? == WriteOutcome::Done {
                return Ok(true);
            }
            race.lost(&*self.clock).await?;
        }
        Ok(false)
    }
}
