//! ListOffsets: offsets by time.

use kafka_protocol::{
    ResponseError,
    messages::{
        ListOffsetsRequest, ListOffsetsResponse,
        list_offsets_request::ListOffsetsPartition,
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
    },
};
use uuid::Uuid;

use super::{check_epoch, find_log, find_topic, log_error};
use crate::broker::{
    log::{LEADER_EPOCH, PartitionLog, RecordTime},
    node::Node,
};

// Times that stand for something else.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
/// The first record that is not only in remote storage, of which there is none.
const EARLIEST_LOCAL: i64 = -4;
/// The last record in remote storage.
const LATEST_REMOTE: i64 = -5;

const NOWHERE: RecordTime = RecordTime { offset: -1, timestamp_ms: -1 };

/// First version whose answers have a leader epoch.
const EPOCH_SINCE: i16 = 4;

pub(crate) fn list_offsets(node: &Node, request: ListOffsetsRequest, version: i16) -> ListOffsetsResponse {
    let topics = request.topics.into_iter().map(|wanted| {
        let topic = find_topic(node, &wanted.name, Uuid::nil());
        let partitions = wanted.partitions.iter().map(|partition| {
            let found = find_log(&topic, partition.partition_index).and_then(|log| find(&log, partition));
            let response = ListOffsetsPartitionResponse::default().with_partition_index(partition.partition_index);
            match found {
                Ok(found) => response
                    .with_offset(found.offset)
                    .with_timestamp(found.timestamp_ms)
                    .with_leader_epoch(if found == NOWHERE || version < EPOCH_SINCE { -1 } else { LEADER_EPOCH }),
                Err(error) => response.with_error_code(error.code()),
            }
        });
        let partitions = partitions.collect();
        ListOffsetsTopicResponse::default().with_name(wanted.name).with_partitions(partitions)
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

fn find(log: &PartitionLog, wanted: &ListOffsetsPartition) -> Result<RecordTime, ResponseError> {
    check_epoch(wanted.current_leader_epoch)?;
    let at = |offset| RecordTime { offset, timestamp_ms: -1 };
    let found = match wanted.timestamp {
        LATEST => return Ok(at(log.bounds().high_watermark)),
        EARLIEST | EARLIEST_LOCAL => return Ok(at(log.bounds().start_offset)),
        LATEST_REMOTE => return Ok(NOWHERE),
        MAX_TIMESTAMP => log.latest_time(),
        timestamp_ms if timestamp_ms >= 0 => log.first_since(timestamp_ms),
        _ => return Err(ResponseError::InvalidRequest),
    };
    Ok(found.map_err(|error| log_error(&error))?.unwrap_or(NOWHERE))
}
