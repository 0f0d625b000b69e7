//! Which table a name meant the last time: so that a statement begins with the table itself, and its database and name are
//! looked up only if that is not it any more.
//!
//! A table's name and definition never part, and an id is never given twice. So a definition that is there under the id, and
//! says that it is of this name and database, is what looking up the names would have found.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use penstock_kernel::ids::{DatabaseId, TableId};
use penstock_kernel::table::TableDefinition;

/// Names that are remembered; with more, all are forgotten.
const MOST: usize = 10_000;

/// Tables by the names of their databases and their own.
#[derive(Debug, Default)]
pub(crate) struct Names {
    tables: Mutex<HashMap<(String, String), Known>>,
}

/// A table as it was found.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    database: DatabaseId,
    pub(crate) table: TableId,
    /// The name of its storage volume.
    pub(crate) volume: String,
}

impl Known {
    /// Whether the table is still the one of that name.
    pub(crate) fn is(&self, definition: &TableDefinition, name: &str) -> bool {
        definition.database == self.database && definition.name == name && definition.volume == self.volume
    }
}

impl Names {
    pub(crate) fn known(&self, database: &str, name: &str) -> Option<Known> {
        self.tables().get(&(database.to_owned(), name.to_owned())).cloned()
    }

    pub(crate) fn learn(&self, database: &str, definition: &TableDefinition) {
        let mut tables = self.tables();
        if tables.len() >= MOST {
            tables.clear();
        }
        let TableDefinition { database: id, id: table, volume, .. } = definition;
        let known = Known { database: *id, table: *table, volume: volume.clone() };
        tables.insert((database.to_owned(), definition.name.clone()), known);
    }

    pub(crate) fn forget(&self, database: &str, name: &str) {
        self.tables().remove(&(database.to_owned(), name.to_owned()));
    }

    fn tables(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), Known>> {
        // A poisoned lock only means that another thread ended between whole entries.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
