//! The settings that topics and the broker have, and their defaults.
//!
//! Clients and tools expect Kafka's names to be there, so the usual ones are. Two have an effect here:
//! `max.message.bytes` on a topic, and what the broker was started with. The rest is checked, kept and shown: nothing
//! expires and nothing is compacted, so `retention.*` and `cleanup.policy` wait for a real broker. What would change
//! records that clients see (`message.timestamp.type=LogAppendTime`) is refused.

use super::node::{NODE_ID, Node};

/// A setting's type, by its number in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean = 1,
    String = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// A topic's setting.
#[derive(Debug)]
pub(crate) struct TopicSetting {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    default: &'static str,
    /// Values that are accepted; empty for all of the kind.
    values: &'static [&'static str],
    pub(crate) documentation: &'static str,
}

const fn setting(name: &'static str, kind: Kind, default: &'static str, documentation: &'static str) -> TopicSetting {
    TopicSetting { name, kind, default, values: &[], documentation }
}

const fn choice(
    name: &'static str,
    default: &'static str,
    values: &'static [&'static str],
    documentation: &'static str,
) -> TopicSetting {
    TopicSetting { name, kind: Kind::String, default, values, documentation }
}

/// All settings of topics, in order of name.
pub(crate) const TOPIC_SETTINGS: &[TopicSetting] = &[
    TopicSetting {
        name: "cleanup.policy",
        kind: Kind::List,
        default: "delete",
        values: &["delete", "compact", "compact,delete", "delete,compact", ""],
        documentation: "no effect: nothing expires or is compacted",
    },
    choice(
        "compression.type",
        "producer",
        &["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"],
        "no effect: batches are stored as produced",
    ),
    setting("delete.retention.ms", Kind::Long, "86400000", "no effect: nothing is compacted"),
    setting("file.delete.delay.ms", Kind::Long, "0", "no effect: files are deleted at once"),
    setting("flush.messages", Kind::Long, "9223372036854775807", "no effect: synced when a segment is full"),
    setting("flush.ms", Kind::Long, "9223372036854775807", "no effect: synced when a segment is full"),
    setting("follower.replication.throttled.replicas", Kind::List, "", "no effect: there is one replica"),
    setting("index.interval.bytes", Kind::Int, "65536", "no effect"),
    setting("leader.replication.throttled.replicas", Kind::List, "", "no effect: there is one replica"),
    setting("local.retention.bytes", Kind::Long, "-2", "no effect: nothing expires"),
    setting("local.retention.ms", Kind::Long, "-2", "no effect: nothing expires"),
    setting("max.compaction.lag.ms", Kind::Long, "9223372036854775807", "no effect: nothing is compacted"),
    setting("max.message.bytes", Kind::Int, MAX_MESSAGE_BYTES, "bytes of the largest record batch"),
    setting("message.timestamp.after.max.ms", Kind::Long, "9223372036854775807", "no effect"),
    setting("message.timestamp.before.max.ms", Kind::Long, "9223372036854775807", "no effect"),
    choice("message.timestamp.type", "CreateTime", &["CreateTime"], "producers set timestamps"),
    setting("min.cleanable.dirty.ratio", Kind::Double, "0.5", "no effect: nothing is compacted"),
    setting("min.compaction.lag.ms", Kind::Long, "0", "no effect: nothing is compacted"),
    setting("min.insync.replicas", Kind::Int, "1", "no effect: there is one replica"),
    setting("preallocate", Kind::Boolean, "false", "no effect"),
    setting("remote.storage.enable", Kind::Boolean, "false", "no effect: there is no remote storage"),
    setting("retention.bytes", Kind::Long, "-1", "no effect: nothing expires"),
    setting("retention.ms", Kind::Long, "-1", "no effect: nothing expires"),
    setting("segment.bytes", Kind::Int, SEGMENT_BYTES, "no effect: set for the whole broker"),
    setting("segment.index.bytes", Kind::Int, "10485760", "no effect"),
    setting("segment.jitter.ms", Kind::Long, "0", "no effect"),
    setting("segment.ms", Kind::Long, "604800000", "no effect: segments are bounded by bytes"),
    setting("unclean.leader.election.enable", Kind::Boolean, "false", "no effect: there is one replica"),
];

// Defaults that the broker's limits give.
const MAX_MESSAGE_BYTES: &str = "{max.message.bytes}";
const SEGMENT_BYTES: &str = "{segment.bytes}";

impl TopicSetting {
    /// The setting of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        TOPIC_SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// The value of a topic that does not set it.
    pub(crate) fn default_on(&self, node: &Node) -> String {
        match self.default {
            MAX_MESSAGE_BYTES => node.limits.batch_bytes.to_string(),
            SEGMENT_BYTES => node.limits.segment_bytes.to_string(),
            fixed => fixed.to_owned(),
        }
    }

    /// What would be accepted instead, if `value` is not.
    pub(crate) fn expected_instead_of(&self, value: &str) -> Option<String> {
        let fits = match self.kind {
            Kind::Boolean => matches!(value, "true" | "false"),
            Kind::Int => value.parse::<i32>().is_ok(),
            Kind::Long => value.parse::<i64>().is_ok(),
            Kind::Double => value.parse::<f64>().is_ok_and(f64::is_finite),
            Kind::String | Kind::List => self.values.is_empty() || self.values.contains(&value),
        };
        if fits {
            return None;
        }
        Some(match self.kind {
            Kind::Boolean => "true or false".to_owned(),
            Kind::Int => "a whole number of 32 bits".to_owned(),
            Kind::Long => "a whole number of 64 bits".to_owned(),
            Kind::Double => "a number".to_owned(),
            Kind::String | Kind::List => self.values.join(", "),
        })
    }
}

/// The broker's settings: name, kind and value. All are fixed at start.
pub(crate) fn broker_settings(node: &Node) -> Vec<(&'static str, Kind, String)> {
    let listener = format!("PLAINTEXT://{}:{}", node.host, node.port);
    vec![
        ("advertised.listeners", Kind::String, listener.clone()),
        ("auto.create.topics.enable", Kind::Boolean, node.auto_create_topics.to_string()),
        ("broker.id", Kind::Int, NODE_ID.to_string()),
        ("compression.type", Kind::String, "producer".to_owned()),
        ("default.replication.factor", Kind::Int, "1".to_owned()),
        ("delete.topic.enable", Kind::Boolean, "true".to_owned()),
        ("group.initial.rebalance.delay.ms", Kind::Int, "0".to_owned()),
        ("listeners", Kind::String, listener),
        ("log.cleanup.policy", Kind::List, "delete".to_owned()),
        ("log.dirs", Kind::String, node.data.display().to_string()),
        ("log.message.timestamp.type", Kind::String, "CreateTime".to_owned()),
        ("log.retention.bytes", Kind::Long, "-1".to_owned()),
        ("log.retention.ms", Kind::Long, "-1".to_owned()),
        ("log.segment.bytes", Kind::Int, node.limits.segment_bytes.to_string()),
        ("max.connections", Kind::Int, node.limits.connections.to_string()),
        ("message.max.bytes", Kind::Int, node.limits.batch_bytes.to_string()),
        ("min.insync.replicas", Kind::Int, "1".to_owned()),
        ("node.id", Kind::Int, NODE_ID.to_string()),
        ("num.partitions", Kind::Int, node.default_partitions.to_string()),
        ("offset.metadata.max.bytes", Kind::Int, super::api::MAX_METADATA_BYTES.to_string()),
        ("offsets.topic.replication.factor", Kind::Int, "1".to_owned()),
        ("process.roles", Kind::List, "broker,controller".to_owned()),
        ("socket.request.max.bytes", Kind::Int, node.limits.frame_bytes.to_string()),
    ]
}
