//! Dropped tables: what is left of them, and how it goes.
//!
//! DROP TABLE removes name and definition, and leaves a note in the same transaction. What commits and manifests named
//! goes later: queries that began before may be reading it still.

use penstock_kernel::table::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::error::CatalogError;
use crate::key;
use crate::layout::GRACE_MS;
use crate::record::Record;
use crate::store::{Action, Condition, Write};

/// A table that is gone, and whose files are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedTable {
    /// As it was.
    pub definition: TableDefinition,
    /// When it was dropped, milliseconds since the epoch.
    pub dropped_at_ms: i64,
}

impl Record for DroppedTable {}

impl DroppedTable {
    pub(crate) fn now(definition: &TableDefinition, dropped_at_ms: i64) -> Self {
        Self { definition: definition.clone(), dropped_at_ms }
    }

    /// Whether no query that began before can be running at `now_ms`.
    pub fn is_due(&self, now_ms: i64) -> bool {
        self.dropped_at_ms.saturating_add(GRACE_MS) <= now_ms
    }
}

impl Catalog {
    /// The dropped tables that something is left of.
    pub async fn dropped_tables(&self) -> Result<Vec<DroppedTable>, CatalogError> {
        self.list(key::CATALOG, key::DROPPED).await
    }

    /// Deletes all items of a dropped table, how many is the answer. Its files must be gone: nothing names them afterwards.
    pub async fn clear_dropped(&self, table: &DroppedTable) -> Result<u64, CatalogError> {
        let id = table.definition.id;
        let items = self.delete_table_items(id).await?;
        self.store.write(Write { key: key::dropped(id), condition: Condition::Always, action: Action::Delete }).await?;
        Ok(items)
    }
}
