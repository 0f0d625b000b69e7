//! Dropped tables: what is left of them, and how it goes.
//!
//! DROP TABLE removes name and definition, and leaves a note in the same transaction. What commits and manifests named
//! goes later: queries that began before may be reading it still. [`GRACE_MS`] begins when somebody has seen the note: what
//! the statement's clock said tells little, since it may be wrong, or the statement may have stood still for hours before
//! the note was written.

use penstock_kernel::table::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::error::CatalogError;
use crate::key;
use crate::layout::GRACE_MS;
use crate::record::Record;
use crate::store::{Action, Condition, Write};
use crate::update::Change;

/// How long after a table was cleared something of it may still come, milliseconds: an attempt that stood still writes its
/// file, a run of maintenance its report. Attempts take minutes.
pub const STRAGGLERS_MS: i64 = 86_400_000;

/// A table that is gone, and whose files are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedTable {
    /// As it was.
    pub definition: TableDefinition,
    /// When the statement began to write that, milliseconds since the epoch, by its own clock.
    pub dropped_at_ms: i64,
    /// A moment at which the note was there already, milliseconds since the epoch. `None` until somebody who read it
    /// says so ([`Catalog::see_dropped`]).
    #[serde(default)]
    pub seen_at_ms: Option<i64>,
    /// When it was cleared, milliseconds since the epoch. The note stays, so that what came since is cleared too.
    #[serde(default)]
    pub cleared_at_ms: Option<i64>,
}

impl Record for DroppedTable {}

impl DroppedTable {
    pub(crate) fn now(definition: &TableDefinition, dropped_at_ms: i64) -> Self {
        Self { definition: definition.clone(), dropped_at_ms, seen_at_ms: None, cleared_at_ms: None }
    }

    /// Whether it is to be cleared at `now_ms`: no query that began before can be running, and if it was cleared before,
    /// nothing can come any more.
    pub fn is_due(&self, now_ms: i64) -> bool {
        let since = |moment_ms: i64, wait_ms| moment_ms.saturating_add(wait_ms) <= now_ms;
        match self.cleared_at_ms {
            Some(cleared_at_ms) => since(cleared_at_ms, STRAGGLERS_MS),
            None => self.seen_at_ms.is_some_and(|seen_at_ms| since(seen_at_ms, GRACE_MS)),
        }
    }
}

impl Catalog {
    /// The dropped tables that something is left of.
    pub async fn dropped_tables(&self) -> Result<Vec<DroppedTable>, CatalogError> {
        self.list(key::CATALOG, key::DROPPED).await
    }

    /// Remembers that the note of `table`, which the caller has read, is there now: [`DroppedTable::is_due`] counts from the
    /// first time. Safe to call again, also when the table is cleared meanwhile.
    pub async fn see_dropped(&self, table: &DroppedTable) -> Result<(), CatalogError> {
        let now_ms = self.clock.now_ms();
        self.update(&key::dropped(table.definition.id), |stored: Option<&DroppedTable>| match stored {
            Some(stored) if stored.seen_at_ms.is_none() => {
                Change::To(DroppedTable { seen_at_ms: Some(now_ms), ..stored.clone() })
            }
            _ => Change::Leave,
        })
        .await?;
        Ok(())
    }

    /// Deletes all items of a dropped table, how many is the answer. Its files must be gone: nothing names them afterwards.
    /// The first time the note stays for [`STRAGGLERS_MS`].
    pub async fn clear_dropped(&self, table: &DroppedTable) -> Result<u64, CatalogError> {
        let key = key::dropped(table.definition.id);
        let items = self.delete_table_items(table.definition.id).await?;
        if table.cleared_at_ms.is_some() {
            self.store.write(Write { key, condition: Condition::Always, action: Action::Delete }).await?;
            return Ok(items);
        }
        let now_ms = self.clock.now_ms();
        self.update(&key, |stored: Option<&DroppedTable>| match stored {
            Some(stored) if stored.cleared_at_ms.is_none() => {
                Change::To(DroppedTable { cleared_at_ms: Some(now_ms), ..stored.clone() })
            }
            _ => Change::Leave,
        })
        .await?;
        Ok(items)
    }
}
