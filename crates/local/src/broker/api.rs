//! The APIs, a file for each family: a decoded request in, a response out.
//!
//! Only joining, syncing and fetching wait for others and are `async`; the rest runs where it may wait for files.

pub(super) mod cluster;
pub(super) mod configs;
pub(super) mod fetch;
pub(super) mod groups;
pub(super) mod list_offsets;
pub(super) mod membership;
pub(super) mod metadata;
pub(super) mod offsets;
pub(super) mod produce;
pub(super) mod producer;
pub(super) mod records;
pub(super) mod topics;
pub(super) mod versions;

use std::sync::Arc;

use kafka_protocol::{ResponseError, messages::TopicName, protocol::StrBytes};
use penstock_kernel::error_chain::one_line;
use uuid::Uuid;

use super::{
    log::{BatchError, Codec, LEADER_EPOCH, LogError, PartitionLog, batch::BatchHeader},
    node::Node,
    producers::SequenceError,
    topics::{Topic, TopicError},
};

/// Largest metadata that a group may commit with an offset.
pub(super) const MAX_METADATA_BYTES: usize = 4_096;

/// Success, where a response has an error code.
const NONE: i16 = 0;

fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

/// The error chain as one line, for the protocol's error messages.
fn message(error: &dyn std::error::Error) -> Option<StrBytes> {
    Some(text(one_line(error)))
}

/// The code of an outcome.
fn code<T>(outcome: &Result<T, ResponseError>) -> i16 {
    outcome.as_ref().map_or_else(|error| error.code(), |_| NONE)
}

/// A topic as old and new versions name it: by name, or by id if there is one.
fn find_topic(node: &Node, name: &str, id: Uuid) -> Result<Arc<Topic>, ResponseError> {
    if id.is_nil() {
        node.topics.named(name).ok_or(ResponseError::UnknownTopicOrPartition)
    } else {
        node.topics.with_id(&id).ok_or(ResponseError::UnknownTopicId)
    }
}

/// The log of one source partition of a topic that was found, or not.
fn find_log(
    topic: &Result<Arc<Topic>, ResponseError>,
    partition_index: i32,
) -> Result<Arc<PartitionLog>, ResponseError> {
    let topic = topic.as_ref().map_err(|error| *error)?;
    topic.log(partition_index).ok_or(ResponseError::UnknownTopicOrPartition)
}

fn log_error(error: &LogError) -> ResponseError {
    match error {
        LogError::Sequence(SequenceError::OutOfOrder { .. }) => ResponseError::OutOfOrderSequenceNumber,
        LogError::Sequence(SequenceError::Fenced { .. }) => ResponseError::InvalidProducerEpoch,
        LogError::OutOfRange { .. } => ResponseError::OffsetOutOfRange,
        LogError::Deleted => ResponseError::UnknownTopicOrPartition,
        LogError::Io(error) => {
            tracing::error!(%error, "log file");
            ResponseError::KafkaStorageError
        }
    }
}

fn batch_error(error: &BatchError) -> ResponseError {
    match error {
        BatchError::Magic { .. } => ResponseError::UnsupportedForMessageFormat,
        BatchError::Short { .. } | BatchError::Length { .. } | BatchError::Checksum { .. } => {
            ResponseError::CorruptMessage
        }
        BatchError::Count { .. } => ResponseError::InvalidRecord,
    }
}

fn topic_error(error: &TopicError) -> ResponseError {
    match error {
        TopicError::Name { .. } => ResponseError::InvalidTopicException,
        TopicError::Exists { .. } => ResponseError::TopicAlreadyExists,
        TopicError::Unknown { .. } => ResponseError::UnknownTopicOrPartition,
        TopicError::Partitions { .. } | TopicError::NotMore { .. } => ResponseError::InvalidPartitions,
        TopicError::Io(_) | TopicError::Recovery(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "topic files");
            ResponseError::KafkaStorageError
        }
    }
}

/// Clients that know of leader epochs say which they expect; there has only ever been one.
fn check_epoch(expected: i32) -> Result<(), ResponseError> {
    if expected <= LEADER_EPOCH { Ok(()) } else { Err(ResponseError::UnknownLeaderEpoch) }
}

/// Whether the first of these batches is compressed in a way that clients of this Fetch version do not know.
fn needs_newer_fetch(batches: &[u8], version: i16) -> bool {
    const ZSTD_SINCE: i16 = 10;
    version < ZSTD_SINCE && BatchHeader::parse(batches).is_ok_and(|header| header.codec() == Some(Codec::Zstd))
}

fn storage_error(error: std::io::Error) -> ResponseError {
    tracing::error!(%error, "broker files");
    ResponseError::KafkaStorageError
}
