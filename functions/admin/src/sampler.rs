//! A look at a topic without group, commit or effect: what PREVIEW reads, and what ALTER asks about the log.
//!
//! Deployed functions have no Kafka client, since the platform polls for them; a laptop has one. So this is a trait that
//! may be absent.

use std::collections::BTreeMap;

use async_trait::async_trait;
use penstock_kernel::facts::Schemas;
use penstock_kernel::ids::SchemaId;
use penstock_kernel::job::KafkaSource;
use penstock_kernel::registry::SchemaRegistry;

/// A record as it lies in the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampledRecord {
    /// Its source partition.
    pub source_partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers, written by [`Headers::push`](penstock_kernel::batch::Headers::push).
    pub headers: Vec<u8>,
}

/// What a topic holds at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Oldest offset of each source partition; empty if the topic does not exist.
    pub earliest: BTreeMap<i32, i64>,
    /// Offset that the next record of each source partition will get.
    pub latest: BTreeMap<i32, i64>,
    /// Records, ascending by source partition and offset.
    pub records: Vec<SampledRecord>,
}

/// Looks at topics.
#[async_trait]
pub trait Sampler: Send + Sync {
    /// The newest `records` records of each source partition that `source` reads, and where the log begins and ends. With
    /// 0 no record is read.
    ///
    /// # Errors
    /// [`SampleError`]
    async fn sample(&self, source: &KafkaSource, records: u64) -> Result<Sample, SampleError>;

    /// What the registry says of the schemas `ids`, of which sampled records are.
    ///
    /// # Errors
    /// [`SampleError::Unavailable`]
    async fn schemas(&self, registry: &SchemaRegistry, ids: &[SchemaId]) -> Result<Schemas, SampleError>;
}

/// A topic that cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The brokers or the schema registry do not answer: try again.
    #[error("the topic cannot be read: {message}")]
    Unavailable {
        /// What happened.
        message: String,
    },
    /// The definition asks for what the client here cannot do.
    #[error("the topic cannot be read: {message}")]
    Refused {
        /// What it cannot.
        message: String,
    },
}
