//! DeleteRecords, DescribeLogDirs and OffsetForLeaderEpoch: a log's ends and its size.

use std::{collections::BTreeMap, sync::Arc};

use kafka_protocol::{
    ResponseError,
    messages::{
        DeleteRecordsRequest, DeleteRecordsResponse, DescribeLogDirsRequest, DescribeLogDirsResponse,
        OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
        delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult},
        describe_log_dirs_response::{DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic},
        offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult},
    },
};
use uuid::Uuid;

use super::{check_epoch, find_log, find_topic, log_error, text, topic_name};
use crate::broker::{
    log::{LEADER_EPOCH, PartitionLog},
    node::Node,
    topics::Topic,
};

/// Stands for the high watermark in DeleteRecords.
const ALL: i64 = -1;

pub(crate) fn delete(node: &Node, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let topics = request.topics.into_iter().map(|wanted| {
        let topic = find_topic(node, &wanted.name, Uuid::nil());
        let partitions = wanted.partitions.iter().map(|partition| {
            let start =
                find_log(&topic, partition.partition_index).and_then(|log| delete_before(&log, partition.offset));
            let result = DeleteRecordsPartitionResult::default().with_partition_index(partition.partition_index);
            match start {
                Ok(start_offset) => result.with_low_watermark(start_offset),
                Err(error) => result.with_low_watermark(-1).with_error_code(error.code()),
            }
        });
        let partitions = partitions.collect();
        DeleteRecordsTopicResult::default().with_name(wanted.name).with_partitions(partitions)
    });
    DeleteRecordsResponse::default().with_topics(topics.collect())
}

fn delete_before(log: &PartitionLog, offset: i64) -> Result<i64, ResponseError> {
    let offset = if offset == ALL { log.bounds().high_watermark } else { offset };
    log.delete_before(offset).map_err(|error| log_error(&error))
}

pub(crate) fn describe_log_dirs(node: &Node, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
    let wanted: BTreeMap<String, Vec<i32>> = match request.topics {
        None => node.topics.all().into_iter().map(|topic| (topic.name.clone(), indexes(&topic))).collect(),
        Some(topics) => topics.into_iter().map(|topic| (topic.topic.to_string(), topic.partitions)).collect(),
    };
    let topics = wanted.into_iter().filter_map(|(name, indexes)| {
        let topic = node.topics.named(&name)?;
        let partitions = indexes.into_iter().filter_map(|index| {
            let size = i64::try_from(topic.log(index)?.stored_bytes()).unwrap_or(i64::MAX);
            Some(DescribeLogDirsPartition::default().with_partition_index(index).with_partition_size(size))
        });
        Some(DescribeLogDirsTopic::default().with_name(topic_name(&name)).with_partitions(partitions.collect()))
    });
    let result = DescribeLogDirsResult::default()
        .with_log_dir(text(node.data.display().to_string()))
        .with_topics(topics.collect())
        .with_total_bytes(-1)
        .with_usable_bytes(-1);
    DescribeLogDirsResponse::default().with_results(vec![result])
}

fn indexes(topic: &Arc<Topic>) -> Vec<i32> {
    (0..).take(topic.partition_count()).collect()
}

/// Where an epoch ends. There is one epoch, so that is the high watermark.
pub(crate) fn end_of_epoch(node: &Node, request: OffsetForLeaderEpochRequest) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|wanted| {
        let topic = find_topic(node, &wanted.topic, Uuid::nil());
        let partitions = wanted.partitions.iter().map(|partition| {
            let log = find_log(&topic, partition.partition)
                .and_then(|log| check_epoch(partition.current_leader_epoch).map(|()| log));
            let end = EpochEndOffset::default().with_partition(partition.partition);
            match log {
                Ok(log) if partition.leader_epoch == LEADER_EPOCH => {
                    end.with_leader_epoch(LEADER_EPOCH).with_end_offset(log.bounds().high_watermark)
                }
                Ok(_) => end.with_leader_epoch(-1).with_end_offset(-1),
                Err(error) => end.with_error_code(error.code()).with_leader_epoch(-1).with_end_offset(-1),
            }
        });
        let partitions = partitions.collect();
        OffsetForLeaderTopicResult::default().with_topic(wanted.topic).with_partitions(partitions)
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}
