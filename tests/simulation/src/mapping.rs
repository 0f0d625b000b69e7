//! Event source mappings as they are simulated: a consumer group's positions, and batches cut as chance has it.
//!
//! What the platform promises is kept (per source partition one batch at a time and owner, positions move after success
//! only), and what it does not promise is broken where a schedule says so: a batch cut differently, come again, abandoned
//! while it runs, delivered by an owner who lost its source partition.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use penstock_admin::mapping::{MappingError, MappingId, MappingSpec, MappingStart, Mappings};
use penstock_kernel::ids::JobId;

use crate::client::{Heard, ask};
use crate::dice::Dice;
use crate::fault::Operation;
use crate::kafka::{Record, Topic};
use crate::net::Net;

/// A mapping.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    pub(crate) spec: MappingSpec,
    pub(crate) enabled: bool,
    /// Next offsets of the consumer group.
    positions: BTreeMap<i32, i64>,
    /// Source partitions with a batch in flight, and whose it is.
    in_flight: BTreeMap<i32, u32>,
}

/// Records on their way to a job.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) job: JobId,
    pub(crate) records: Vec<Record>,
    /// Positions after success; empty if the sender does not own the source partitions.
    next_offsets: BTreeMap<i32, i64>,
}

/// The service with all mappings.
#[derive(Default)]
pub(crate) struct Pollers {
    mappings: Mutex<BTreeMap<JobId, Mapping>>,
}

impl Pollers {
    /// Every job that has a mapping, ascending.
    pub(crate) fn jobs(&self) -> Vec<JobId> {
        self.mappings().keys().copied().collect()
    }

    pub(crate) fn get(&self, job: JobId) -> Option<Mapping> {
        self.mappings().get(&job).cloned()
    }

    /// Cuts the next batch of a job and marks it as in flight for `task`. `needed` are the next offsets of the job, known where
    /// mappings report: what it has not begun is not delivered then, and what it needs is not passed over. `all`: of every source
    /// partition that has something; else of some. `None` if there is nothing to deliver.
    pub(crate) fn cut(
        &self,
        job: JobId,
        task: u32,
        topic: &Topic,
        needed: Option<&BTreeMap<i32, i64>>,
        all: bool,
        dice: &mut Dice,
    ) -> Option<Delivery> {
        let mut mappings = self.mappings();
        let mapping = mappings.get_mut(&job).filter(|mapping| mapping.enabled)?;
        let mut delivery = Delivery { job, records: Vec::new(), next_offsets: BTreeMap::new() };
        let all = all || dice.chance(600_000);
        for (source_partition, log) in topic.logs() {
            let limit = dice.between(1, 7);
            let wanted = all || dice.chance(500_000);
            if mapping.in_flight.contains_key(&source_partition) || !wanted {
                continue;
            }
            // What was never delivered has no position, and no owner who could lose it.
            let needed = match needed.map(|needed| needed.get(&source_partition)) {
                None => i64::MAX,
                Some(None) => continue,
                Some(Some(needed)) => *needed,
            };
            let position = mapping.positions.entry(source_partition).or_insert_with(|| match mapping.spec.start {
                MappingStart::TrimHorizon => log.start_offset(),
                MappingStart::AtTimestamp(timestamp_ms) => log.since(timestamp_ms),
            });
            // Kept, so that strays do not come from behind what was never delivered.
            *position = (*position).min(needed);
            let position = *position;
            let mut next_offset = None;
            for record in log.from(position).take(usize::try_from(limit).unwrap_or(1)) {
                delivery.records.push(*record);
                next_offset = Some(record.offset + 1);
            }
            if let Some(next_offset) = next_offset {
                delivery.next_offsets.insert(source_partition, next_offset);
                mapping.in_flight.insert(source_partition, task);
            }
        }
        (!delivery.records.is_empty()).then_some(delivery)
    }

    /// Cuts a batch around the positions for an owner who lost its source partitions, or a poller that lost its place: up
    /// to `back` offsets before them and a few after. Whatever becomes of it moves no position.
    pub(crate) fn stray(&self, job: JobId, topic: &Topic, back: i64, dice: &mut Dice) -> Option<Delivery> {
        let mappings = self.mappings();
        let mapping = mappings.get(&job)?;
        let mut delivery = Delivery { job, records: Vec::new(), next_offsets: BTreeMap::new() };
        for (source_partition, log) in topic.logs() {
            let limit = dice.between(1, 9);
            if let Some(position) = mapping.positions.get(&source_partition)
                && dice.chance(700_000)
            {
                let from = position.saturating_sub(back).max(0);
                delivery.records.extend(log.from(from).take(usize::try_from(limit).unwrap_or(1)));
            }
        }
        (!delivery.records.is_empty()).then_some(delivery)
    }

    /// Whoever had batches in flight has lost its source partitions.
    pub(crate) fn rebalance(&self, job: JobId) {
        if let Some(mapping) = self.mappings().get_mut(&job) {
            mapping.in_flight.clear();
        }
    }

    /// A task's invocation ended: its source partitions are free, and if it succeeded the positions move.
    pub(crate) fn ended(&self, delivery: &Delivery, task: u32, succeeded: bool) {
        let mut mappings = self.mappings();
        let Some(mapping) = mappings.get_mut(&delivery.job) else { return };
        for (source_partition, next_offset) in &delivery.next_offsets {
            // Another owner since: Kafka refuses the commit of a member of an older generation.
            if mapping.in_flight.get(source_partition) == Some(&task) {
                mapping.in_flight.remove(source_partition);
                if succeeded {
                    mapping.positions.insert(*source_partition, *next_offset);
                }
            }
        }
    }

    /// The topic was deleted: with it go the group's positions, and members find nothing of what they had.
    pub(crate) fn topic_deleted(&self) {
        for mapping in self.mappings().values_mut() {
            mapping.positions.clear();
            mapping.in_flight.clear();
        }
    }

    fn mappings(&self) -> MutexGuard<'_, BTreeMap<JobId, Mapping>> {
        self.mappings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create(&self, spec: MappingSpec) -> MappingId {
        let job = spec.job;
        let mut mappings = self.mappings();
        // One with another group takes the place of the one that is there.
        if mappings.get(&job).is_none_or(|known| known.spec.needs_another_mapping(&spec)) {
            let fresh = Mapping { spec, enabled: true, positions: BTreeMap::new(), in_flight: BTreeMap::new() };
            mappings.insert(job, fresh);
        }
        id(job)
    }

    fn change(&self, mapping: &MappingId, change: impl FnOnce(&mut Mapping)) -> Result<(), MappingError> {
        let mut mappings = self.mappings();
        match mappings.values_mut().find(|known| id(known.spec.job) == *mapping) {
            Some(mapping) => {
                change(mapping);
                Ok(())
            }
            None => Err(MappingError::Refused { message: format!("there is no mapping `{}`", mapping.0) }),
        }
    }
}

fn id(job: JobId) -> MappingId {
    MappingId(format!("mapping-{job}"))
}

/// A client of the service: what `admin` steers mappings with.
pub(crate) struct PollersClient {
    net: Arc<Net>,
    pollers: Arc<Pollers>,
}

impl PollersClient {
    pub(crate) fn new(net: Arc<Net>, pollers: Arc<Pollers>) -> Self {
        Self { net, pollers }
    }

    async fn ask<T: Send + 'static>(
        &self,
        what: String,
        apply: impl Fn(&Pollers) -> Result<T, MappingError> + Clone + Send + 'static,
    ) -> Result<T, MappingError> {
        let pollers = Arc::clone(&self.pollers);
        match ask(&self.net, Operation::Mapping, what, move |_| apply(&pollers)).await {
            Heard::Answer(answer) => answer,
            Heard::Nothing | Heard::Refused | Heard::Conflict => {
                Err(MappingError::Unavailable { source: "no answer".into() })
            }
        }
    }
}

#[async_trait]
impl Mappings for PollersClient {
    fn check(&self, _: &MappingSpec) -> Result<(), MappingError> {
        Ok(())
    }

    async fn create(&self, spec: &MappingSpec) -> Result<MappingId, MappingError> {
        let wanted = spec.clone();
        self.ask(format!("create mapping of job {}", spec.job), move |pollers| Ok(pollers.create(wanted.clone()))).await
    }

    async fn set_enabled(&self, mapping: &MappingId, enabled: bool) -> Result<(), MappingError> {
        let wanted = mapping.clone();
        let what = format!("{} {}", if enabled { "enable" } else { "disable" }, mapping.0);
        self.ask(what, move |pollers| pollers.change(&wanted, |mapping| mapping.enabled = enabled)).await
    }

    async fn update(&self, mapping: &MappingId, spec: &MappingSpec) -> Result<(), MappingError> {
        let (wanted, spec) = (mapping.clone(), spec.clone());
        let change = move |pollers: &Pollers| pollers.change(&wanted, |mapping| mapping.spec = spec.clone());
        self.ask(format!("update {}", mapping.0), change).await
    }

    async fn delete(&self, _: &MappingId, job: JobId) -> Result<(), MappingError> {
        let delete = move |pollers: &Pollers| {
            pollers.mappings().remove(&job);
            Ok(())
        };
        self.ask(format!("delete mapping of job {job}"), delete).await
    }
}
