//! What exists, how far it has come, and which files count: databases, tables, volumes, jobs, progress, commits.
//!
//! Everything stands on [`store::Store`], a few conditional operations that DynamoDB offers, so that the commit
//! protocol is one piece of code whichever store it runs on. Reads are consistent always.

pub mod aws;
pub mod clock;
pub mod commit;
pub mod coverage;
pub mod database;
pub mod deployment;
pub mod dropped;
pub mod error;
pub mod job;
pub mod kept;
mod key;
pub mod layout;
mod record;
pub mod rejected;
pub mod removal;
pub mod settings;
pub mod store;
pub mod table;
mod update;
pub mod visible;
pub mod volume;

use std::sync::Arc;

/// The catalog over a store. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) store: Arc<dyn store::Store>,
    pub(crate) clock: Arc<dyn clock::Clock>,
    pub(crate) volumes: Option<Arc<dyn penstock_storage::Volumes>>,
    pub(crate) kept: kept::Kept,
}

impl Catalog {
    /// A catalog over `store`, taking the time from `clock`.
    pub fn new(store: Arc<dyn store::Store>, clock: Arc<dyn clock::Clock>) -> Self {
        Self { store, clock, volumes: None, kept: kept::Kept::default() }
    }

    /// With the object stores that hold manifests: who reads the files of tables needs them.
    #[must_use]
    pub fn with_volumes(self, volumes: Arc<dyn penstock_storage::Volumes>) -> Self {
        Self { volumes: Some(volumes), ..self }
    }

    /// Keeping manifests and ledgers that it has read: for who reads the same tables again and again.
    #[must_use]
    pub fn keeping(self, kept: kept::Kept) -> Self {
        Self { kept, ..self }
    }

    /// The clock it takes the time from.
    pub fn clock(&self) -> &Arc<dyn clock::Clock> {
        &self.clock
    }
}
