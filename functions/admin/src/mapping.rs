//! Event source mappings: what makes Kafka batches arrive at a job. One a job, with a consumer group of its own.
//!
//! The trait is what AWS Lambda offers and what the laptop's emulation offers too; `admin` knows no other difference.

use async_trait::async_trait;
use penstock_kernel::ids::JobId;
use serde::{Deserialize, Serialize};

pub mod lambda;

/// Names an event source mapping; Lambda's UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MappingId(pub String);

/// What a mapping is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingSpec {
    /// The job whose records it brings.
    pub job: JobId,
    /// Consumer group.
    pub group_id: String,
    /// `host:port` each.
    pub brokers: Vec<String>,
    /// The one topic.
    pub topic: String,
    /// Where the group starts if it has committed nothing.
    pub start: MappingStart,
    /// Records a batch holds at most, 1 to 10,000.
    pub batch_size: u32,
    /// Seconds that a batch may wait for more records, 0 to 300.
    pub window_seconds: u32,
    /// Batches that may be in flight at a time, at least 1; a platform that scales by itself takes no notice.
    #[serde(default = "one")]
    pub concurrency: u32,
    /// `property.*` of the job, for security settings.
    pub custom: std::collections::BTreeMap<String, String>,
}

/// Of mappings that were kept before there was a choice.
fn one() -> u32 {
    1
}

impl MappingSpec {
    /// Whether a mapping of this spec has to be made anew to be one of `other`: its group and its cluster are fixed.
    pub fn needs_another_mapping(&self, other: &Self) -> bool {
        let cluster = |spec: &Self| spec.custom.get(CLUSTER_ARN).cloned();
        self.group_id != other.group_id
            || self.brokers != other.brokers
            || self.topic != other.topic
            || cluster(self) != cluster(other)
    }
}

/// The `property.*` that names an Amazon MSK cluster.
pub const CLUSTER_ARN: &str = "aws.msk.cluster.arn";

/// Where a consumer group starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingStart {
    /// At the oldest record (TRIM_HORIZON).
    TrimHorizon,
    /// At the first record with at least this timestamp, milliseconds since the epoch (AT_TIMESTAMP).
    AtTimestamp(i64),
}

/// Creates and steers mappings. Every method may be repeated: what is already so is success.
#[async_trait]
pub trait Mappings: Send + Sync {
    /// Refuses what cannot work here, before anything is stored or made of it.
    fn check(&self, spec: &MappingSpec) -> Result<(), MappingError>;
    /// Creates the mapping, enabled, and whatever it invokes (the job's alias). Repeated for the same job: the same id.
    /// A mapping of the job with another group, other brokers or another topic is removed first: this one takes its place.
    async fn create(&self, spec: &MappingSpec) -> Result<MappingId, MappingError>;
    /// Starts or stops polling. A batch in flight may still end.
    async fn set_enabled(&self, mapping: &MappingId, enabled: bool) -> Result<(), MappingError>;
    /// Applies a changed batch size, window, concurrency or security; group, brokers and topic are as they were.
    async fn update(&self, mapping: &MappingId, spec: &MappingSpec) -> Result<(), MappingError>;
    /// Ends polling for good and removes mapping and alias; one that is gone already is success. `mapping` is empty if
    /// none is known of the job.
    async fn delete(&self, mapping: &MappingId, job: JobId) -> Result<(), MappingError>;
}

/// A mapping could not be made or steered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// The service does not answer, or asks to wait: try again.
    #[error("the event source mapping service does not answer")]
    Unavailable {
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service refuses the request: the definition or a setting must change.
    #[error("the event source mapping is refused: {message}")]
    Refused {
        /// In the service's words.
        message: String,
    },
}
