//! What a job version needs besides records: its table, its compiled plan, the store of its table's volume.
//!
//! Definitions are immutable, so a compiled version is kept. Table and volume are read for each batch all the same: that
//! is how a dropped table is noticed, and a changed one takes effect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use penstock_catalog::Catalog;
use penstock_catalog::job::Job;
use penstock_expressions::StarRocks;
use penstock_kernel::ids::JobId;
use penstock_kernel::job::JobDefinition;
use penstock_kernel::plan::Plan;
use penstock_kernel::table::TableDefinition;
use penstock_storage::{Volume, Volumes};

use crate::error::LoadError;
use penstock_event::HeaderWish;

/// A job version, ready to load.
pub(super) struct Prepared {
    pub(super) definition: JobDefinition,
    pub(super) table: TableDefinition,
    pub(super) plan: Plan,
    pub(super) volume: Volume,
    pub(super) store: Arc<dyn ObjectStore>,
}

/// The last version of each job that was prepared.
#[derive(Default)]
pub(super) struct PreparedJobs {
    jobs: Mutex<HashMap<JobId, Arc<Prepared>>>,
}

impl PreparedJobs {
    /// The current version of `job`, from the cache if neither it nor its table changed.
    ///
    /// # Errors
    /// [`LoadError::TableDropped`], [`LoadError::UnknownVersion`], [`LoadError::Definition`],
    /// [`LoadError::UnknownVolume`], [`LoadError::Storage`], [`LoadError::Catalog`]
    pub(super) async fn get(
        &self,
        job: &Job,
        catalog: &Catalog,
        volumes: &dyn Volumes,
    ) -> Result<Arc<Prepared>, LoadError> {
        let Some(table) = catalog.table_by_id(job.table).await? else {
            return Err(LoadError::TableDropped { job: job.id, table: job.table });
        };
        // Read each time too: its keys may have been changed.
        let volume = catalog.volume(&table.volume).await?;
        let volume = volume.ok_or_else(|| LoadError::UnknownVolume { volume: table.volume.clone() })?;
        let cached = self.cached(job.id).filter(|cached| {
            cached.definition.version == job.version && cached.table == table && cached.volume == volume
        });
        if let Some(cached) = cached {
            return Ok(cached);
        }
        let prepared = Arc::new(prepare(job, table, volume, catalog, volumes).await?);
        self.lock().insert(job.id, Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Whether the version that was prepared last reads headers; without one, most likely not.
    pub(super) fn header_wish(&self, job: JobId) -> HeaderWish {
        match self.cached(job) {
            Some(prepared) if prepared.plan.reads_headers() => HeaderWish::Read,
            _ => HeaderWish::Skip,
        }
    }

    /// Forgets a job that does not load.
    pub(super) fn forget(&self, job: JobId) {
        self.lock().remove(&job);
    }

    fn cached(&self, job: JobId) -> Option<Arc<Prepared>> {
        self.lock().get(&job).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, Arc<Prepared>>> {
        // Poison only means that another thread ended while it held the lock; entries are whole always.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn prepare(
    job: &Job,
    table: TableDefinition,
    volume: Volume,
    catalog: &Catalog,
    volumes: &dyn Volumes,
) -> Result<Prepared, LoadError> {
    let definition = catalog.job_definition(job.id, job.version).await?;
    let definition = definition.ok_or(LoadError::UnknownVersion { job: job.id, version: job.version })?;
    let plan = Plan::compile(&definition, &table, &StarRocks).map_err(|source| LoadError::Definition {
        job: job.id,
        version: job.version,
        source,
    })?;
    let store = volumes.open(&volume)?;
    Ok(Prepared { definition, table, plan, volume, store })
}
