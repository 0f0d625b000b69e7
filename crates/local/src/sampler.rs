//! [`Sampler`] over the Kafka client: the newest records of a topic, for PREVIEW, and the ends of its log, for ALTER.
//!
//! A consumer of its own for each look, with source partitions assigned by hand and nothing committed: whatever group the
//! job has, nobody sees a member of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use penstock_admin::mapping::{MappingSpec, MappingStart};
use penstock_admin::sampler::{Sample, SampleError, SampledRecord, Sampler};
use penstock_kernel::error_chain::one_line;
use penstock_kernel::facts::Schemas;
use penstock_kernel::ids::{JobId, SchemaId};
use penstock_kernel::job::KafkaSource;
use penstock_kernel::registry::SchemaRegistry;
use penstock_load::registry::{Registry, RegistrySettings};

use crate::esm::aliased;
use crate::esm::security;
use crate::esm::source::{Source, SourceError};

/// How long a look may take after the log's ends are known.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of values that a look holds at most; what does not fit is left out, newest first kept by source partition.
const MOST_BYTES: usize = 64 << 20;

/// Looks at topics through the Kafka client.
#[derive(Debug)]
pub struct KafkaSampler {
    broker_aliases: Vec<(String, String)>,
    registry: Registry,
}

impl KafkaSampler {
    /// With brokers of jobs' lists, as written there, and what to connect to instead.
    pub fn new(broker_aliases: Vec<(String, String)>) -> Self {
        Self { broker_aliases, registry: Registry::new(RegistrySettings::default()) }
    }
}

#[async_trait]
impl Sampler for KafkaSampler {
    async fn sample(&self, source: &KafkaSource, records: u64) -> Result<Sample, SampleError> {
        security::check(&source.custom).map_err(|message| SampleError::Refused { message })?;
        let (source, aliases) = (source.clone(), self.broker_aliases.clone());
        let looked = tokio::task::spawn_blocking(move || look(&source, &aliases, records)).await;
        looked.map_err(|error| SampleError::Unavailable { message: error.to_string() })?.map_err(|error| match error {
            SourceError::Setting { .. } | SourceError::Client { .. } => {
                SampleError::Refused { message: error.to_string() }
            }
            error => SampleError::Unavailable { message: error.to_string() },
        })
    }

    async fn schemas(&self, registry: &SchemaRegistry, ids: &[SchemaId]) -> Result<Schemas, SampleError> {
        let asked = self.registry.schemas(registry, ids).await;
        asked.map_err(|error| SampleError::Unavailable { message: one_line(&error) })
    }
}

fn look(job: &KafkaSource, aliases: &[(String, String)], records: u64) -> Result<Sample, SourceError> {
    let spec = MappingSpec {
        job: JobId(0),
        // The client wants a group's name; it neither joins nor asks for it.
        group_id: format!("{}-preview", job.group_id()),
        brokers: job.brokers.clone(),
        topic: job.topic.clone(),
        start: MappingStart::TrimHorizon,
        batch_size: 1,
        window_seconds: 0,
        concurrency: 1,
        custom: job.custom.clone(),
    };
    let source = Source::open(&spec, &aliased(&job.brokers, aliases))?;
    let mut latest = source.observe()?.latest;
    latest.retain(|source_partition, _| job.start_of(*source_partition).is_some());
    let read: BTreeSet<i32> = latest.keys().copied().collect();
    let earliest = source.bounds(&read, 0)?.earliest;
    let records = if records == 0 { Vec::new() } else { newest(&source, &earliest, &latest, records)? };
    Ok(Sample { earliest, latest, records })
}

/// The records of the last `count` offsets of each source partition; offsets without a record make them fewer.
fn newest(
    source: &Source,
    earliest: &BTreeMap<i32, i64>,
    latest: &BTreeMap<i32, i64>,
    count: u64,
) -> Result<Vec<SampledRecord>, SourceError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let from: BTreeMap<i32, i64> = latest
        .iter()
        .map(|(source_partition, end)| {
            let first = earliest.get(source_partition).copied().unwrap_or_default();
            (*source_partition, first.max(end.saturating_sub(count)))
        })
        .filter(|(source_partition, begin)| latest.get(source_partition).is_some_and(|end| begin < end))
        .collect();
    let mut records = Vec::new();
    let mut missing: BTreeSet<i32> = from.keys().copied().collect();
    source.assign(&from)?;
    let deadline = Instant::now() + PATIENCE;
    let (mut bytes, mut idle) = (0, 0);
    // A log may end with records that the client passes over (markers of transactions): a while without any is the end.
    while !missing.is_empty() && Instant::now() < deadline && bytes < MOST_BYTES && idle < 10 {
        let Some(record) = source.poll_raw(Duration::from_millis(200)) else {
            idle += 1;
            continue;
        };
        idle = 0;
        let end = latest.get(&record.source_partition).copied().unwrap_or_default();
        if record.offset + 1 >= end {
            missing.remove(&record.source_partition);
        }
        if record.offset < end {
            bytes += record.value.as_ref().map_or(0, Vec::len);
            records.push(record);
        }
    }
    records.sort_by_key(|record| (record.source_partition, record.offset));
    Ok(records)
}
