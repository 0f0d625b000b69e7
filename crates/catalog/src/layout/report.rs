//! What maintenance says of a table.

use penstock_kernel::ids::TableId;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::error::CatalogError;
use crate::key;
use crate::record::Record;
use crate::update::Change;

/// How many files a table has, and how large they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFigures {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Commits that are not folded.
    pub commits: u64,
}

/// What a pass over a table came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceReport {
    /// When it ended, milliseconds since the epoch.
    pub at_ms: i64,
    /// What it did, for a person.
    pub did: String,
    /// What is left for the next, for a person; empty if nothing.
    pub next: String,
    /// Before it.
    pub before: TableFigures,
    /// After it.
    pub after: TableFigures,
    /// Why it could not go on, if so.
    pub failure: Option<String>,
    /// The last name of the stretch in which files without a commit were looked for; `None` once all were looked at.
    #[serde(default)]
    pub collected_to: Option<String>,
    /// When that was, milliseconds since the epoch.
    #[serde(default)]
    pub collected_at_ms: i64,
}

impl Record for MaintenanceReport {}

/// How far runs have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    after: Option<TableId>,
}

impl Record for Cursor {}

impl Catalog {
    /// Keeps the report of the latest pass over a table.
    pub async fn report_maintenance(&self, table: TableId, report: &MaintenanceReport) -> Result<(), CatalogError> {
        self.update(&key::maintenance(table), |stored: Option<&MaintenanceReport>| match stored {
            Some(stored) if stored.at_ms > report.at_ms => Change::Leave,
            _ => Change::To(report.clone()),
        })
        .await?;
        Ok(())
    }

    /// The table behind which the next run begins; `None` for the first.
    pub async fn maintenance_cursor(&self) -> Result<Option<TableId>, CatalogError> {
        Ok(self.read::<Cursor>(&key::cursor()).await?.and_then(|read| read.value.after))
    }

    /// Sets it.
    pub async fn set_maintenance_cursor(&self, after: Option<TableId>) -> Result<(), CatalogError> {
        self.update(&key::cursor(), |stored: Option<&Cursor>| match stored {
            Some(stored) if stored.after == after => Change::Leave,
            None if after.is_none() => Change::Leave,
            _ => Change::To(Cursor { after }),
        })
        .await?;
        Ok(())
    }
}
