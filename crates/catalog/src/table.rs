//! Tables: definitions by name and by id.
//!
//! The name points to the id and the definition lies under the id, so that what holds an id (a job, a commit) never
//! meets a younger table of the same name.

use penstock_kernel::ids::{DatabaseId, TableId};
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::table::TableDefinition;

use crate::Catalog;
use crate::database::Created;
use crate::dropped::DroppedTable;
use crate::error::CatalogError;
use crate::key;
use crate::record::{self, Record};
use crate::store::{Action, Condition, Write, WriteOutcome};
use crate::update::{Change, Race};

impl Record for TableId {}
impl Record for TableDefinition {}

impl Catalog {
    /// Stores a definition under its database and name; `definition.id` is set by the catalog. One of that name is left.
    pub async fn create_table(
        &self,
        mut definition: TableDefinition,
    ) -> Result<Created<TableDefinition>, CatalogError> {
        let name = key::table_name(definition.database, &definition.name);
        let mut race = Race::about(&name);
        loop {
            if let Some(table) = self.table(definition.database, &definition.name).await? {
                return Ok(Created::Exists(table));
            }
            definition.id = TableId(self.next_id().await?);
            let writes =
                vec![record::first(&name, &definition.id)?, record::first(&key::table(definition.id), &definition)?];
            if self.write_once(writes).await? == WriteOutcome::Done {
                return Ok(Created::New(definition));
            }
            race.lost(&*self.clock).await?;
        }
    }

    /// The table of that name in the database.
    pub async fn table(&self, database: DatabaseId, name: &str) -> Result<Option<TableDefinition>, CatalogError> {
        match self.read::<TableId>(&key::table_name(database, name)).await? {
            Some(id) => self.table_by_id(id.value).await,
            None => Ok(None),
        }
    }

    /// The table of that id; `None` once dropped.
    pub async fn table_by_id(&self, id: TableId) -> Result<Option<TableDefinition>, CatalogError> {
        Ok(self.read(&key::table(id)).await?.map(|read| read.value))
    }

    /// All tables of a database, by name.
    pub async fn tables(&self, database: DatabaseId) -> Result<Vec<TableDefinition>, CatalogError> {
        let ids: Vec<TableId> = self.list(&key::in_database(database), key::TABLES).await?;
        self.read_all(ids.into_iter().map(key::table).collect()).await
    }

    /// The names of all tables of a database and their ids, by name: one query, however long definitions are.
    pub async fn table_names(&self, database: DatabaseId) -> Result<Vec<(String, TableId)>, CatalogError> {
        let mut names = Vec::new();
        for (key, item) in self.store.query(&key::in_database(database), key::TABLES).await? {
            let name = key.sk.strip_prefix(key::TABLES).unwrap_or_default().to_owned();
            names.push((name, record::decode(&key, &item)?.value));
        }
        Ok(names)
    }

    /// Divides the table anew if it is divided as `before` says, and answers whether it is `after` that now holds. Files of
    /// table partitions that `after` does not have are not seen any more.
    pub async fn set_partitioning(
        &self,
        table: TableId,
        before: &Partitioning,
        after: &Partitioning,
    ) -> Result<bool, CatalogError> {
        let stored = self
            .update(&key::table(table), |stored: Option<&TableDefinition>| match stored {
                Some(stored) if stored.partitioning == *before => {
                    Change::To(TableDefinition { partitioning: after.clone(), ..stored.clone() })
                }
                _ => Change::Leave,
            })
            .await?;
        Ok(stored.is_some_and(|stored| stored.partitioning == *after))
    }

    /// Removes name and definition; what is left of it is for [`clear_dropped`](Self::clear_dropped). Absent: `None`.
    pub async fn drop_table(&self, database: DatabaseId, name: &str) -> Result<Option<TableDefinition>, CatalogError> {
        let name_key = key::table_name(database, name);
        let mut race = Race::about(&name_key);
        while let Some(table) = self.table(database, name).await? {
            // A table's name and definition never part, so the definition says whether the name still means it.
            let writes = vec![
                Write { key: key::table(table.id), condition: Condition::Equals(Vec::new()), action: Action::Delete },
                Write { key: name_key.clone(), condition: Condition::Always, action: Action::Delete },
                record::first(&key::dropped(table.id), &DroppedTable::now(&table, self.clock.now_ms()))?,
            ];
            if self.write_once(writes).await? == WriteOutcome::Done {
                return Ok(Some(table));
            }
            race.lost(&*self.clock).await?;
        }
        Ok(None)
    }
}
