//! Event source mappings emulated: what AWS Lambda does between a Kafka topic and a function, on a laptop.
//!
//! Delivered at least once and in order within a source partition; a batch is retried whole until it succeeds; the group's
//! position moves only then. What AWS leaves open is played on the safe side: see [`batch`] for records too long for an
//! event, [`event`] for null headers. It is not a place to decide what is loaded: exactly once is the loader's.

pub mod backoff;
pub mod batch;
mod begin;
mod delivery;
pub mod event;
mod poller;
mod reader;
pub mod security;
mod session;
pub mod source;
pub mod starts;
pub mod store;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use penstock_admin::mapping::{MappingError, MappingId, MappingSpec, Mappings};
use penstock_catalog::Catalog;
use penstock_catalog::error::CatalogError;
use penstock_kernel::ids::JobId;
use penstock_kernel::job::JobDefinition;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

pub(crate) use self::session::aliased;

use self::backoff::Backoff;
use self::event::EventSource;
use self::poller::{Order, Shared};
use self::store::{Mapping, MappingFiles};
use crate::error::StartError;
use crate::invoke::Invoke;

/// Settings of the emulation.
#[derive(Debug, Clone)]
pub struct EsmSettings {
    /// Brokers of a job's list, as written there, and what to connect to instead.
    pub broker_aliases: Vec<(String, String)>,
    /// Which kind of cluster the events say they come from.
    pub event_source: EventSource,
    /// Where mappings are kept.
    pub directory: PathBuf,
    /// Waits between the tries of a failed batch.
    pub backoff: Backoff,
}

/// The emulation. Dropped without [`shutdown`](Self::shutdown), it stops at once.
pub struct Esm {
    shared: Arc<Shared>,
    files: MappingFiles,
    mappings: Mutex<BTreeMap<MappingId, Running>>,
}

struct Running {
    mapping: Mapping,
    orders: watch::Sender<Order>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Esm {
    /// Starts with the mappings that are kept; enabled ones poll from now on.
    ///
    /// # Errors
    /// [`StartError::Data`] if the directory cannot be read.
    pub async fn start(settings: EsmSettings, catalog: Catalog, invoke: Arc<dyn Invoke>) -> Result<Self, StartError> {
        const SERVICE: &str = "event source mapping";
        let files = MappingFiles::open(&settings.directory)
            .map_err(|source| StartError::data(SERVICE, &settings.directory, source))?;
        let kept = files.load().map_err(|(path, source)| StartError::data(SERVICE, path, source))?;
        let shared = Arc::new(Shared {
            catalog,
            invoke,
            broker_aliases: settings.broker_aliases,
            event_source: settings.event_source,
            backoff: settings.backoff,
        });
        let mappings = kept.into_iter().map(|mapping| (mapping.id.clone(), start(&shared, mapping))).collect();
        Ok(Self { shared, files, mappings: Mutex::new(mappings) })
    }

    /// All mappings, in order of id.
    pub async fn list(&self) -> Vec<Mapping> {
        self.mappings.lock().await.values().map(|running| running.mapping.clone()).collect()
    }

    /// A mapping.
    pub async fn get(&self, id: &MappingId) -> Option<Mapping> {
        self.mappings.lock().await.get(id).map(|running| running.mapping.clone())
    }

    /// The current definition of a job.
    pub(crate) async fn definition(&self, job: JobId) -> Result<Option<JobDefinition>, CatalogError> {
        let Some(snapshot) = self.shared.catalog.job_snapshot(job).await? else {
            return Ok(None);
        };
        self.shared.catalog.job_definition(job, snapshot.job.version).await
    }

    /// Stops polling, lets batches in flight end for at most `grace`, and cuts off the rest: they come again after the
    /// next start. Mappings stay as they are.
    pub async fn shutdown(&self, grace: Duration) {
        let mut running: Vec<Running> = std::mem::take(&mut *self.mappings.lock().await).into_values().collect();
        for mapping in &running {
            mapping.orders.send_modify(|order| order.enabled = false);
        }
        // A disabled mapping waits for orders; this tells it that none will come.
        let deadline = tokio::time::Instant::now() + grace;
        for mapping in &mut running {
            let (orders, _) = watch::channel(mapping.orders.borrow().clone());
            drop(std::mem::replace(&mut mapping.orders, orders));
            let _ = tokio::time::timeout_at(deadline, &mut mapping.task).await;
        }
    }

    async fn remove(&self, mappings: &mut BTreeMap<MappingId, Running>, id: &MappingId) -> Result<(), MappingError> {
        let files = self.files.clone();
        let removed = {
            let id = id.clone();
            tokio::task::spawn_blocking(move || files.remove(&id)).await
        };
        removed.map_err(io::Error::other).flatten().map_err(unavailable)?;
        if let Some(mut running) = mappings.remove(id) {
            running.orders.send_modify(|order| order.enabled = false);
            // Let a batch in flight end by itself: the poller ends once nobody can give it orders.
            running.task = tokio::spawn(async {});
        }
        Ok(())
    }

    async fn save(&self, mapping: Mapping) -> Result<(), MappingError> {
        let files = self.files.clone();
        let saved = tokio::task::spawn_blocking(move || files.save(&mapping)).await;
        saved.map_err(io::Error::other).flatten().map_err(unavailable)
    }

    /// Changes a mapping, on disk first.
    async fn change(
        &self,
        id: &MappingId,
        change: impl FnOnce(&mut Mapping) -> Result<(), MappingError> + Send,
    ) -> Result<(), MappingError> {
        let mut mappings = self.mappings.lock().await;
        let Some(running) = mappings.get_mut(id) else {
            return Err(MappingError::Refused { message: format!("there is no event source mapping `{}`", id.0) });
        };
        let mut mapping = running.mapping.clone();
        change(&mut mapping)?;
        if mapping != running.mapping {
            mapping.modified_at_ms = self.shared.catalog.clock().now_ms();
            self.save(mapping.clone()).await?;
            running.mapping = mapping;
        }
        running.orders.send_modify(|order| {
            order.spec = running.mapping.spec.clone();
            order.enabled = running.mapping.enabled;
            order.nudges += 1;
        });
        Ok(())
    }
}

fn start(shared: &Arc<Shared>, mapping: Mapping) -> Running {
    let order = Order { spec: mapping.spec.clone(), enabled: mapping.enabled, nudges: 0 };
    let (orders, receiver) = watch::channel(order);
    let task = tokio::spawn(poller::run(Arc::clone(shared), receiver));
    Running { mapping, orders, task }
}

#[async_trait]
impl Mappings for Esm {
    fn check(&self, spec: &MappingSpec) -> Result<(), MappingError> {
        check(spec)
    }

    async fn create(&self, spec: &MappingSpec) -> Result<MappingId, MappingError> {
        check(spec)?;
        let mut mappings = self.mappings.lock().await;
        if let Some(running) = mappings.values().find(|running| running.mapping.spec.job == spec.job) {
            let id = running.mapping.id.clone();
            if !running.mapping.spec.needs_another_mapping(spec) {
                return Ok(id);
            }
            self.remove(&mut mappings, &id).await?;
        }
        if let Some(other) = mappings.values().find(|running| running.mapping.spec.group_id == spec.group_id) {
            return Err(MappingError::Refused {
                message: format!(
                    "consumer group `{}` is used by the mapping of job {}",
                    spec.group_id, other.mapping.spec.job
                ),
            });
        }
        let mapping = Mapping {
            format: 1,
            id: MappingId(uuid()),
            spec: spec.clone(),
            enabled: true,
            modified_at_ms: self.shared.catalog.clock().now_ms(),
        };
        self.save(mapping.clone()).await?;
        let id = mapping.id.clone();
        mappings.insert(id.clone(), start(&self.shared, mapping));
        Ok(id)
    }

    async fn set_enabled(&self, mapping: &MappingId, enabled: bool) -> Result<(), MappingError> {
        self.change(mapping, |mapping| {
            mapping.enabled = enabled;
            Ok(())
        })
        .await
    }

    async fn update(&self, mapping: &MappingId, spec: &MappingSpec) -> Result<(), MappingError> {
        check(spec)?;
        self.change(mapping, |mapping| {
            let fixed = mapping.spec.job == spec.job
                && mapping.spec.topic == spec.topic
                && mapping.spec.group_id == spec.group_id;
            if !fixed {
                return Err(MappingError::Refused {
                    message: "job, topic and consumer group of an event source mapping cannot change".to_owned(),
                });
            }
            mapping.spec = MappingSpec { start: mapping.spec.start, ..spec.clone() };
            Ok(())
        })
        .await
    }

    async fn delete(&self, mapping: &MappingId, job: JobId) -> Result<(), MappingError> {
        let mut mappings = self.mappings.lock().await;
        let of_job = mappings.values().find(|running| running.mapping.spec.job == job);
        // One that was made and never remembered.
        let id = of_job.map_or_else(|| mapping.clone(), |running| running.mapping.id.clone());
        self.remove(&mut mappings, &id).await
    }
}

/// What AWS checks of a mapping, and what the Kafka client here cannot do.
fn check(spec: &MappingSpec) -> Result<(), MappingError> {
    let refused = |message: String| Err(MappingError::Refused { message });
    if !(1..=10_000).contains(&spec.batch_size) {
        return refused(format!("batch size: expected 1 to 10000, found `{}`", spec.batch_size));
    }
    if spec.window_seconds > 300 {
        return refused(format!("batching window: expected 0 to 300 seconds, found `{}`", spec.window_seconds));
    }
    if spec.brokers.is_empty() || spec.topic.is_empty() || spec.group_id.is_empty() {
        return refused("brokers, topic and consumer group must be given".to_owned());
    }
    security::check(&spec.custom).map_err(|message| MappingError::Refused { message })
}

fn unavailable(source: io::Error) -> MappingError {
    MappingError::Unavailable { source: Box::new(source) }
}

/// A random UUID, version 4.
pub(crate) fn uuid() -> String {
    let bits = (rand::random::<u128>() & !(0xF << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let mut uuid = String::with_capacity(36);
    for (index, digit) in hex.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}

#[cfg(test)]
mod tests;
