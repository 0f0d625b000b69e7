//! The Kafka client of one mapping. Every call but [`Source::poll`] asks the cluster and blocks until it answers or
//! [`TIMEOUT`] has passed: call them where blocking is allowed.
//!
//! Source partitions are assigned by hand and positions committed by hand; the consumer group only keeps positions. So a
//! mapping's position moves when its batches have succeeded and never otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use penstock_admin::mapping::{MappingSpec, MappingStart};
use penstock_admin::sampler::SampledRecord;
use penstock_kernel::batch::Headers as RecordHeaders;
use penstock_kernel::security::is_secret;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{IsError, KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message, Timestamp};
use rdkafka::types::RDKafkaConfRes;
use rdkafka::{Offset, TopicPartitionList};

use super::event::{EncodedRecord, RecordView, TimestampType};

/// How long the cluster may take to answer a question.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// Settings that the mapping depends on; `property.*` cannot change them.
const FIXED: [(&str, &str); 6] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // A position that the log no longer has: go on at the oldest record; the loader accounts for the gap.
    ("auto.offset.reset", "earliest"),
    ("enable.partition.eof", "false"),
    ("allow.auto.create.topics", "false"),
    // An emulated mapping is one member whatever its group holds.
    ("group.protocol", "classic"),
];

/// Settings that `property.*` may change: small waits, since a laptop wants its record now, and bounded memory.
const DEFAULTS: [(&str, &str); 10] = [
    ("client.id", "penstock"),
    ("fetch.wait.max.ms", "100"),
    ("fetch.queue.backoff.ms", "20"),
    ("fetch.error.backoff.ms", "200"),
    ("fetch.max.bytes", "16777216"),
    ("queued.min.messages", "20000"),
    ("queued.max.messages.kbytes", "8192"),
    ("reconnect.backoff.max.ms", "2000"),
    ("topic.metadata.refresh.interval.ms", "30000"),
    ("socket.connection.setup.timeout.ms", "5000"),
];

/// Properties of a job that mean something to Penstock, or that a mapping sets itself.
const NOT_PASSED: [&str; 4] = ["group.id", "bootstrap.servers", "metadata.broker.list", "kafka_default_offsets"];

/// A consumer with what it needs to know of its mapping.
pub struct Source {
    consumer: BaseConsumer<Context>,
    topic: String,
    start: MappingStart,
    brokers: String,
}

/// What is known of the topic at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// High watermark of each source partition; empty if the topic does not exist.
    pub latest: BTreeMap<i32, i64>,
}

/// Where the source partitions of a job lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Oldest offset that the log has.
    pub earliest: BTreeMap<i32, i64>,
    /// First offset with a timestamp of at least the one asked for, or the offset of the next record if there is none.
    pub since: BTreeMap<i32, i64>,
}

impl Source {
    /// A consumer for `spec`. Connects later; no broker has to answer now.
    ///
    /// # Errors
    /// [`SourceError::Setting`] for a `property.*` whose value Kafka's client refuses; unknown ones are passed over with a
    /// warning, since they may mean something to others.
    pub fn open(spec: &MappingSpec, brokers: &[String]) -> Result<Self, SourceError> {
        let mut config = ClientConfig::new();
        // Levels are sorted out where the lines arrive.
        config.set_log_level(RDKafkaLogLevel::Info);
        config.extend(DEFAULTS.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for (name, value) in super::security::client_settings(&spec.custom) {
            if NOT_PASSED.contains(&name.as_str()) {
                continue;
            }
            config.set(name, value);
        }
        config.extend(FIXED.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let brokers = brokers.join(",");
        config.set("bootstrap.servers", &brokers).set("group.id", &spec.group_id);
        loop {
            match config.create_with_context(Context::default()) {
                Ok(consumer) => {
                    return Ok(Self { consumer, topic: spec.topic.clone(), start: spec.start, brokers });
                }
                Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _))
                    if config.get(&name).is_some() =>
                {
                    tracing::warn!(job = %spec.job, property = name, "property unknown to the Kafka client is passed over");
                    config.remove(&name);
                }
                Err(KafkaError::ClientConfig(_, message, name, _)) => {
                    // The client repeats the value.
                    let message = if is_secret(&name) { "its value makes no sense".to_owned() } else { message };
                    return Err(SourceError::Setting { name, message });
                }
                Err(source) => {
                    return Err(SourceError::Client { source: Box::new(source) });
                }
            }
        }
    }

    /// The source partitions of the topic and their high watermarks. Never creates the topic.
    pub fn observe(&self) -> Result<Observation, SourceError> {
        let source_partitions = self.source_partitions()?;
        let observation = self.latest(&source_partitions)?;
        // It answers: what a connection complained of before says nothing about the next failure.
        self.last_error().take();
        Ok(observation)
    }

    /// Their high watermarks alone: one request to each broker.
    pub fn latest(&self, source_partitions: &BTreeSet<i32>) -> Result<Observation, SourceError> {
        Ok(Observation { latest: self.list_offsets(source_partitions, Offset::End)? })
    }

    /// Oldest offsets, and first offsets at or after `since_ms`.
    pub fn bounds(&self, source_partitions: &BTreeSet<i32>, since_ms: i64) -> Result<Bounds, SourceError> {
        Ok(Bounds {
            earliest: self.list_offsets(source_partitions, Offset::Beginning)?,
            since: self.since(source_partitions, since_ms)?,
        })
    }

    /// Where the mapping reads on: at the group's position, else where the mapping starts. Source partitions in `late`
    /// came after the mapping had started; they start at the oldest record.
    pub fn positions(
        &self,
        source_partitions: &BTreeSet<i32>,
        late: &BTreeSet<i32>,
    ) -> Result<BTreeMap<i32, i64>, SourceError> {
        let mut list = TopicPartitionList::new();
        for source_partition in source_partitions {
            list.add_partition(&self.topic, *source_partition);
        }
        let committed = self.consumer.committed_offsets(list, TIMEOUT).map_err(|source| self.failed(source))?;
        let mut positions = BTreeMap::new();
        for element in committed.elements() {
            element.error().map_err(|source| self.failed(source))?;
            if let Offset::Offset(next_offset) = element.offset() {
                positions.insert(element.partition(), next_offset);
            }
        }
        let fresh: BTreeSet<i32> = source_partitions
            .iter()
            .copied()
            .filter(|source_partition| !positions.contains_key(source_partition))
            .collect();
        let (beginning, since): (BTreeSet<i32>, BTreeSet<i32>) = match self.start {
            MappingStart::TrimHorizon => (fresh, BTreeSet::new()),
            MappingStart::AtTimestamp(_) => {
                fresh.into_iter().partition(|source_partition| late.contains(source_partition))
            }
        };
        positions.extend(self.list_offsets(&beginning, Offset::Beginning)?);
        if let MappingStart::AtTimestamp(timestamp_ms) = self.start {
            positions.extend(self.since(&since, timestamp_ms)?);
        }
        Ok(positions)
    }

    /// Reads these source partitions too, from these offsets on.
    pub fn assign(&self, positions: &BTreeMap<i32, i64>) -> Result<(), SourceError> {
        self.consumer.incremental_assign(&self.list(positions)?).map_err(|source| self.failed(source))
    }

    /// Stops reading a source partition until [`resume`](Self::resume), which goes on after the last record that was read.
    pub fn pause(&self, source_partition: i32) -> Result<(), SourceError> {
        self.consumer.pause(&self.list(&BTreeMap::from([(source_partition, 0)]))?).map_err(|source| self.failed(source))
    }

    /// Reads a paused source partition again.
    pub fn resume(&self, source_partition: i32) -> Result<(), SourceError> {
        self.consumer
            .resume(&self.list(&BTreeMap::from([(source_partition, 0)]))?)
            .map_err(|source| self.failed(source))
    }

    /// Moves the group's positions.
    pub fn commit(&self, next_offsets: &BTreeMap<i32, i64>) -> Result<(), SourceError> {
        self.consumer.commit(&self.list(next_offsets)?, CommitMode::Sync).map_err(|source| self.failed(source))
    }

    /// The next record, if one comes within `wait`. Troubles of the client come in between; it goes on by itself.
    pub fn poll(&self, wait: Duration) -> Option<EncodedRecord> {
        match self.consumer.poll(wait)? {
            Ok(message) => Some(encode(&message, &self.topic)),
            Err(error) => {
                tracing::debug!(%error, topic = self.topic, "kafka client reports");
                None
            }
        }
    }

    /// The next record as it lies in the topic. As [`poll`](Self::poll).
    pub fn poll_raw(&self, wait: Duration) -> Option<SampledRecord> {
        match self.consumer.poll(wait)? {
            Ok(message) => Some(SampledRecord {
                source_partition: message.partition(),
                offset: message.offset(),
                timestamp_ms: message.timestamp().to_millis().filter(|timestamp_ms| *timestamp_ms >= 0),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers: headers_of(&message).into_iter().fold(Vec::new(), |mut encoded, (name, value)| {
                    RecordHeaders::push(&mut encoded, name, value);
                    encoded
                }),
            }),
            Err(error) => {
                tracing::debug!(%error, topic = self.topic, "kafka client reports");
                None
            }
        }
    }

    fn source_partitions(&self) -> Result<BTreeSet<i32>, SourceError> {
        let metadata =
            self.consumer.fetch_metadata(Some(&self.topic), TIMEOUT).map_err(|source| self.failed(source))?;
        let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == self.topic) else {
            return Ok(BTreeSet::new());
        };
        match topic.error() {
            None => Ok(topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect()),
            Some(code) if RDKafkaErrorCode::from(code) == RDKafkaErrorCode::UnknownTopicOrPartition => {
                Ok(BTreeSet::new())
            }
            Some(code) if code.is_error() => Err(self.failed(KafkaError::MetadataFetch(code.into()))),
            Some(_) => Ok(BTreeSet::new()),
        }
    }

    fn since(&self, source_partitions: &BTreeSet<i32>, since_ms: i64) -> Result<BTreeMap<i32, i64>, SourceError> {
        let mut found = self.list_offsets(source_partitions, Offset::Offset(since_ms.max(0)))?;
        let beyond: BTreeSet<i32> = source_partitions
            .iter()
            .copied()
            .filter(|source_partition| !found.contains_key(source_partition))
            .collect();
        found.extend(self.list_offsets(&beyond, Offset::End)?);
        Ok(found)
    }

    /// Asks for the offsets that `at` stands for: a timestamp, the beginning or the end, which the protocol numbers as
    /// the client numbers its offsets. Source partitions without an answer are left out.
    fn list_offsets(&self, source_partitions: &BTreeSet<i32>, at: Offset) -> Result<BTreeMap<i32, i64>, SourceError> {
        if source_partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut list = TopicPartitionList::new();
        for source_partition in source_partitions {
            list.add_partition_offset(&self.topic, *source_partition, at).map_err(|source| self.failed(source))?;
        }
        let answer = match self.consumer.offsets_for_times(list, TIMEOUT) {
            Err(error) if is_absent(&error) => return Ok(BTreeMap::new()),
            answer => answer.map_err(|source| self.failed(source))?,
        };
        let mut offsets = BTreeMap::new();
        for element in answer.elements() {
            match element.error() {
                Err(error) if is_absent(&error) => continue,
                known => known.map_err(|source| self.failed(source))?,
            }
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert(element.partition(), offset);
            }
        }
        Ok(offsets)
    }

    fn list(&self, offsets: &BTreeMap<i32, i64>) -> Result<TopicPartitionList, SourceError> {
        let mut list = TopicPartitionList::new();
        for (source_partition, offset) in offsets {
            list.add_partition_offset(&self.topic, *source_partition, Offset::Offset(*offset))
                .map_err(|source| self.failed(source))?;
        }
        Ok(list)
    }

    fn last_error(&self) -> MutexGuard<'_, Option<String>> {
        let context = self.consumer.context();
        context.last_error.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, source: KafkaError) -> SourceError {
        // An error of the connection says more than the timeout of the question that met it.
        let reason = self.last_error().take();
        SourceError::Cluster { brokers: self.brokers.clone(), reason, source: Box::new(source) }
    }
}

/// Whether the cluster says that topic or source partition do not exist.
fn is_absent(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
        )
    )
}

/// The headers of a message in order. The client panics on a name that is not UTF-8; such a record goes on without headers.
fn headers_of<'a>(message: &'a BorrowedMessage<'_>) -> Vec<(&'a str, Option<&'a [u8]>)> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        message
            .headers()
            .map(|headers| headers.iter().map(|header| (header.key, header.value)).collect())
            .unwrap_or_default()
    }))
    .unwrap_or_default()
}

fn encode(message: &BorrowedMessage<'_>, topic: &str) -> EncodedRecord {
    let (timestamp_ms, timestamp_type) = match message.timestamp() {
        Timestamp::CreateTime(timestamp_ms) => (timestamp_ms, TimestampType::CreateTime),
        Timestamp::LogAppendTime(timestamp_ms) => (timestamp_ms, TimestampType::LogAppendTime),
        Timestamp::NotAvailable => (-1, TimestampType::None),
    };
    let headers = headers_of(message);
    RecordView {
        source_partition: message.partition(),
        offset: message.offset(),
        timestamp_ms,
        timestamp_type,
        key: message.key(),
        value: message.payload(),
        headers,
    }
    .encode(topic)
}

/// Sends the client's log lines to ours, and remembers its last error.
#[derive(Debug, Default)]
struct Context {
    last_error: Mutex<Option<String>>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            // A broker that is away makes a line for each try; the mapping says it once, in its own words.
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning if matches!(facility, "FAIL" | "ERROR") => {
                tracing::debug!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
                tracing::warn!(target: "librdkafka", facility, "{message}");
            }
            _ => tracing::debug!(target: "librdkafka", facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, "{reason}");
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
    }
}

impl ConsumerContext for Context {}

/// The cluster cannot be used as the job defines it, or not now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A `property.*` has a value that makes no sense: the definition must change.
    #[error("property `{name}` is refused by the Kafka client: {message}")]
    Setting {
        /// Its name, without `property.`.
        name: String,
        /// What the client says.
        message: String,
    },
    /// The client cannot be made: a combination of properties that it does not support.
    #[error("the Kafka client cannot be made: {source}")]
    Client {
        /// What it says.
        source: Box<KafkaError>,
    },
    /// The cluster does not answer, or answers an error: try again.
    #[error("brokers `{brokers}` cannot serve the job: {}", reason.clone().unwrap_or_else(|| source.to_string()))]
    Cluster {
        /// The brokers as they are reached, aliases applied.
        brokers: String,
        /// What the connection last complained of.
        reason: Option<String>,
        /// What the question got.
        source: Box<KafkaError>,
    },
}
