//! Produce: checks batches and stores them as they are.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        ProduceRequest, ProduceResponse,
        produce_request::PartitionProduceData,
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
    protocol::StrBytes,
};

use super::{NONE, batch_error, find_log, find_topic, log_error, message, text};
use crate::broker::{
    log::{
        Appended, Codec,
        batch::{self, BatchHeader},
    },
    node::Node,
    topics::Topic,
};

/// First version whose clients know zstd.
const ZSTD_SINCE: i16 = 7;

/// A topic's own limit on the bytes of one batch.
const MAX_BATCH_SETTING: &str = "max.message.bytes";

struct NotStored {
    error: ResponseError,
    message: Option<StrBytes>,
}

impl From<ResponseError> for NotStored {
    fn from(error: ResponseError) -> Self {
        Self { error, message: None }
    }
}

pub(crate) fn produce(node: &Node, request: ProduceRequest, version: i16) -> ProduceResponse {
    let refusal = match request.acks {
        _ if request.transactional_id.is_some() => Some(ResponseError::TransactionalIdAuthorizationFailed),
        -1..=1 => None,
        _ => Some(ResponseError::InvalidRequiredAcks),
    };
    let responses = request.topic_data.into_iter().map(|data| {
        let topic = refusal.map_or_else(|| find_topic(node, &data.name, data.topic_id), Err);
        let stored = data.partition_data.into_iter().map(|data| store(node, &topic, data, version));
        TopicProduceResponse::default()
            .with_partition_responses(stored.collect())
            .with_name(data.name)
            .with_topic_id(data.topic_id)
    });
    ProduceResponse::default().with_responses(responses.collect())
}

/// Whether any batch was not stored.
pub(crate) fn is_failed(response: &ProduceResponse) -> bool {
    let mut partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    partitions.any(|partition| partition.error_code != NONE)
}

fn store(
    node: &Node,
    topic: &Result<Arc<Topic>, ResponseError>,
    data: PartitionProduceData,
    version: i16,
) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(data.index).with_log_append_time_ms(-1);
    match try_store(node, topic, data.index, data.records, version) {
        Ok(appended) => response.with_base_offset(appended.base_offset).with_log_start_offset(appended.start_offset),
        Err(NotStored { error, message }) => response
            .with_error_code(error.code())
            .with_error_message(message)
            .with_base_offset(-1)
            .with_log_start_offset(-1),
    }
}

fn try_store(
    node: &Node,
    topic: &Result<Arc<Topic>, ResponseError>,
    partition_index: i32,
    records: Option<Bytes>,
    version: i16,
) -> Result<Appended, NotStored> {
    let log = find_log(topic, partition_index)?;
    let batch = records.unwrap_or_default();
    let header = BatchHeader::parse(&batch)
        .and_then(|header| batch::verify(&header, &batch).map(|()| header))
        .map_err(|error| NotStored { error: batch_error(&error), message: message(&error) })?;
    let setting = topic.as_ref().ok().and_then(|topic| topic.setting(MAX_BATCH_SETTING));
    let most = setting.and_then(|bytes| bytes.parse().ok()).unwrap_or(node.limits.batch_bytes);
    check(&header, most, version)?;
    log.append(&header, &batch).map_err(|error| NotStored { error: log_error(&error), message: message(&error) })
}

/// What Kafka demands of a batch besides its checksum.
fn check(header: &BatchHeader, most_bytes: usize, version: i16) -> Result<(), NotStored> {
    let refused = |error, reason: &str| Err(NotStored { error, message: Some(text(reason)) });
    if header.total_bytes as usize > most_bytes {
        return refused(ResponseError::MessageTooLarge, &format!("batch has more than {most_bytes} bytes"));
    }
    if header.record_count == 0 || header.record_count - 1 != header.last_offset_delta {
        let error = header.count_error();
        return Err(NotStored { error: batch_error(&error), message: message(&error) });
    }
    if header.is_control() {
        return refused(ResponseError::InvalidRecord, "control batches come from brokers only");
    }
    if header.is_transactional() {
        return refused(ResponseError::InvalidTxnState, "transactions are not served");
    }
    if header.is_idempotent() && (header.base_sequence < 0 || header.producer_epoch < 0) {
        return refused(ResponseError::InvalidRecord, "a producer id without epoch or sequence");
    }
    match header.codec() {
        None => refused(ResponseError::UnsupportedCompressionType, "unknown compression"),
        Some(Codec::Zstd) if version < ZSTD_SINCE => {
            refused(ResponseError::UnsupportedCompressionType, "zstd needs Produce version 7")
        }
        Some(_) => Ok(()),
    }
}
