//! OffsetCommit, OffsetFetch and OffsetDelete: what groups have consumed.

use std::collections::BTreeMap;

use kafka_protocol::{
    ResponseError,
    messages::{
        OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest,
        OffsetFetchResponse,
        offset_commit_request::OffsetCommitRequestPartition,
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic},
        offset_fetch_response::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
            OffsetFetchResponseTopic, OffsetFetchResponseTopics,
        },
    },
};
use uuid::Uuid;

use super::{MAX_METADATA_BYTES, NONE, find_log, find_topic, membership, storage_error, text, topic_name};
use crate::broker::{
    group_offsets::{Committed, OffsetsOfGroup, TopicPartition},
    node::Node,
};

/// First OffsetFetch version that asks for several groups.
const GROUPS_SINCE: i16 = 8;

pub(crate) fn commit(node: &Node, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let key = membership::key(&request.member_id, request.group_instance_id.as_ref());
    let generation = request.generation_id_or_member_epoch;
    let allowed = node.groups.check_commit(&request.group_id, &key, generation);
    let mut committed = Vec::new();
    let mut topics = Vec::new();
    for wanted in request.topics {
        let topic = find_topic(node, &wanted.name, Uuid::nil());
        let mut answered = Vec::new();
        for partition in wanted.partitions {
            let checked =
                allowed.and_then(|()| find_log(&topic, partition.partition_index)).and_then(|_| check(&partition));
            let index = partition.partition_index;
            answered.push((index, checked.as_ref().err().copied()));
            if let Ok(offset) = checked {
                committed.push((TopicPartition { topic: wanted.name.to_string(), partition_index: index }, offset));
            }
        }
        topics.push((wanted.name, answered));
    }
    let stored = node.group_offsets.commit(&request.group_id, committed).map_err(storage_error).err();
    let topics = topics.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, refused)| {
            let error = refused.or(stored).map_or(NONE, |error| error.code());
            OffsetCommitResponsePartition::default().with_partition_index(index).with_error_code(error)
        });
        OffsetCommitResponseTopic::default().with_partitions(partitions.collect()).with_name(name)
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn check(wanted: &OffsetCommitRequestPartition) -> Result<Committed, ResponseError> {
    let metadata = wanted.committed_metadata.as_deref().unwrap_or_default();
    if metadata.len() > MAX_METADATA_BYTES {
        return Err(ResponseError::OffsetMetadataTooLarge);
    }
    Ok(Committed {
        next_offset: wanted.committed_offset,
        leader_epoch: wanted.committed_leader_epoch,
        metadata: metadata.to_owned(),
    })
}

/// What one group is asked about: some source partitions by topic, or all.
type Asked = Option<Vec<(String, Vec<i32>)>>;

/// What is answered: a topic's source partitions, each with its commit if there is one.
type Answered = Vec<(String, Vec<(i32, Option<Committed>)>)>;

pub(crate) fn fetch(node: &Node, request: OffsetFetchRequest, version: i16) -> OffsetFetchResponse {
    if version < GROUPS_SINCE {
        let asked = request
            .topics
            .filter(|topics| version >= 2 || !topics.is_empty())
            .map(|topics| topics.into_iter().map(|topic| (topic.name.to_string(), topic.partition_indexes)).collect());
        let topics = look_up(&node.group_offsets.of_group(&request.group_id), asked);
        return OffsetFetchResponse::default().with_topics(topics.into_iter().map(old_topic).collect());
    }
    let groups = request.groups.into_iter().map(|group| {
        let asked = group
            .topics
            .map(|topics| topics.into_iter().map(|topic| (topic.name.to_string(), topic.partition_indexes)).collect());
        let topics = look_up(&node.group_offsets.of_group(&group.group_id), asked);
        OffsetFetchResponseGroup::default()
            .with_group_id(group.group_id)
            .with_topics(topics.into_iter().map(new_topic).collect())
    });
    OffsetFetchResponse::default().with_groups(groups.collect())
}

fn look_up(offsets: &OffsetsOfGroup, asked: Asked) -> Answered {
    let Some(asked) = asked else {
        let mut topics: BTreeMap<&String, Vec<_>> = BTreeMap::new();
        for (at, committed) in offsets {
            topics.entry(&at.topic).or_default().push((at.partition_index, Some(committed.clone())));
        }
        return topics.into_iter().map(|(topic, partitions)| (topic.clone(), partitions)).collect();
    };
    let look_up_topic = |(topic, indexes): (String, Vec<i32>)| {
        let partitions = indexes.into_iter().map(|partition_index| {
            let at = TopicPartition { topic: topic.clone(), partition_index };
            (partition_index, offsets.get(&at).cloned())
        });
        let partitions = partitions.collect();
        (topic, partitions)
    };
    asked.into_iter().map(look_up_topic).collect()
}

/// What clients read as "nothing committed".
fn nothing() -> Committed {
    Committed { next_offset: -1, leader_epoch: -1, metadata: String::new() }
}

fn old_topic((name, partitions): (String, Vec<(i32, Option<Committed>)>)) -> OffsetFetchResponseTopic {
    let partitions = partitions.into_iter().map(|(index, committed)| {
        let committed = committed.unwrap_or_else(nothing);
        OffsetFetchResponsePartition::default()
            .with_partition_index(index)
            .with_committed_offset(committed.next_offset)
            .with_committed_leader_epoch(committed.leader_epoch)
            .with_metadata(Some(text(committed.metadata)))
    });
    OffsetFetchResponseTopic::default().with_name(topic_name(&name)).with_partitions(partitions.collect())
}

fn new_topic((name, partitions): (String, Vec<(i32, Option<Committed>)>)) -> OffsetFetchResponseTopics {
    let partitions = partitions.into_iter().map(|(index, committed)| {
        let committed = committed.unwrap_or_else(nothing);
        OffsetFetchResponsePartitions::default()
            .with_partition_index(index)
            .with_committed_offset(committed.next_offset)
            .with_committed_leader_epoch(committed.leader_epoch)
            .with_metadata(Some(text(committed.metadata)))
    });
    OffsetFetchResponseTopics::default().with_name(topic_name(&name)).with_partitions(partitions.collect())
}

/// Forgets commits. A group with members keeps all of its commits, whatever it is subscribed to.
pub(crate) fn delete(node: &Node, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let group_id = &*request.group_id;
    let is_used = node.groups.look(group_id, |group| !group.is_idle());
    if is_used.is_none() && !node.group_offsets.has_group(group_id) {
        return OffsetDeleteResponse::default().with_error_code(ResponseError::GroupIdNotFound.code());
    }
    let topics = request.topics.into_iter().map(|wanted| {
        let partitions = wanted.partitions.iter().map(|partition| {
            let at = TopicPartition { topic: wanted.name.to_string(), partition_index: partition.partition_index };
            let deleted = if is_used == Some(true) {
                Err(ResponseError::GroupSubscribedToTopic)
            } else {
                node.group_offsets.forget(group_id, |known| *known == at).map_err(storage_error)
            };
            OffsetDeleteResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(super::code(&deleted))
        });
        let partitions = partitions.collect();
        OffsetDeleteResponseTopic::default().with_name(wanted.name).with_partitions(partitions)
    });
    OffsetDeleteResponse::default().with_topics(topics.collect())
}
