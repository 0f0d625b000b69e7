//! What a job version needs besides records: its table, its compiled plan, the store of its table's volume.
//!
//! Definitions are immutable, so a compiled version is kept. So are table and volume, for a minute: a batch then costs one
//! read, that of the job. It is safe since DROP TABLE cancels the table's jobs first, which every batch notices, and nothing
//! else changes such a table. One with named partitions changes with ADD and DROP PARTITION, and rows of a partition that is
//! gone would be seen by nobody: it is read for each batch. A volume whose keys changed is read anew once a batch failed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use penstock_catalog::Catalog;
use penstock_catalog::job::Job;
use penstock_expressions::StarRocks;
use penstock_kernel::ids::JobId;
use penstock_kernel::job::JobDefinition;
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::plan::Plan;
use penstock_kernel::table::TableDefinition;
use penstock_storage::{Volume, Volumes};

use crate::error::LoadError;
use penstock_event::HeaderWish;

/// How long table and volume are taken as they were read, milliseconds: most jobs commit several times in it, and changed
/// keys of a volume are noticed within it by jobs whose batches do not fail of the old ones.
const KEPT_MS: i64 = 60_000;

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
    jobs: Mutex<HashMap<JobId, Kept>>,
}

struct Kept {
    prepared: Arc<Prepared>,
    /// When table and volume were read, milliseconds since the epoch; `None` if they are to be read anew.
    read_at_ms: Option<i64>,
}

impl Kept {
    fn is_fresh(&self, job: &Job, now_ms: i64) -> bool {
        let Prepared { definition, table, .. } = self.prepared.as_ref();
        let lasting = matches!(table.partitioning, Partitioning::None | Partitioning::Automatic(_));
        // A clock that went backwards tells nothing.
        let young = self.read_at_ms.is_some_and(|at| (0..KEPT_MS).contains(&now_ms.saturating_sub(at)));
        lasting && young && definition.version == job.version
    }

    fn prepared(&self) -> Arc<Prepared> {
        Arc::clone(&self.prepared)
    }
}

impl PreparedJobs {
    /// The current version of `job`, as it was prepared if neither it nor its table nor the volume changed.
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
        let now_ms = catalog.clock().now_ms();
        let fresh = self.lock().get(&job.id).filter(|kept| kept.is_fresh(job, now_ms)).map(Kept::prepared);
        if let Some(prepared) = fresh {
            return Ok(prepared);
        }
        let Some(table) = catalog.table_by_id(job.table).await? else {
            return Err(LoadError::TableDropped { job: job.id, table: job.table });
        };
        let volume = catalog.volume(&table.volume).await?;
        let volume = volume.ok_or_else(|| LoadError::UnknownVolume { volume: table.volume.clone() })?;
        let unchanged = self
            .prepared(job.id)
            .filter(|known| known.definition.version == job.version && known.table == table && known.volume == volume);
        let prepared = match unchanged {
            Some(prepared) => prepared,
            None => Arc::new(prepare(job, table, volume, catalog, volumes).await?),
        };
        self.lock().insert(job.id, Kept { prepared: Arc::clone(&prepared), read_at_ms: Some(now_ms) });
        Ok(prepared)
    }

    /// Whether the version that was prepared last reads headers; without one, most likely not.
    pub(super) fn header_wish(&self, job: JobId) -> HeaderWish {
        match self.prepared(job) {
            Some(prepared) if prepared.plan.reads_headers() => HeaderWish::Read,
            _ => HeaderWish::Skip,
        }
    }

    /// Forgets a job that does not load.
    pub(super) fn forget(&self, job: JobId) {
        self.lock().remove(&job);
    }

    /// Has table and volume read anew: a batch of the job failed, perhaps of what they were before.
    pub(super) fn doubt(&self, job: JobId) {
        if let Some(kept) = self.lock().get_mut(&job) {
            kept.read_at_ms = None;
        }
    }

    fn prepared(&self, job: JobId) -> Option<Arc<Prepared>> {
        self.lock().get(&job).map(Kept::prepared)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, Kept>> {
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
