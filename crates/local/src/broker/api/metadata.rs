//! Metadata: which topics there are; creates what a client asks for.

use std::sync::Arc;

use kafka_protocol::{
    ResponseError,
    messages::{
        MetadataRequest, MetadataResponse,
        metadata_request::MetadataRequestTopic,
        metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
    },
};

use super::{text, topic_error, topic_name};
use crate::broker::{
    log::LEADER_EPOCH,
    node::{NODE_ID, Node},
    topics::{Topic, TopicError, TopicSettings, is_valid_name},
};

pub(crate) fn metadata(node: &Node, request: MetadataRequest, version: i16) -> MetadataResponse {
    let may_create = node.auto_create_topics && request.allow_auto_topic_creation;
    // version 0 says "all" with an empty list, later ones with none
    let wanted = request.topics.filter(|topics| version > 0 || !topics.is_empty());
    let topics = match wanted {
        None => node.topics.all().iter().map(|topic| describe(topic)).collect(),
        Some(topics) => topics.into_iter().map(|topic| find(node, topic, may_create, version)).collect(),
    };
    let broker = MetadataResponseBroker::default()
        .with_node_id(NODE_ID.into())
        .with_host(text(&*node.host))
        .with_port(node.port);
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(text(&*node.cluster_id)))
        .with_controller_id(NODE_ID.into())
        .with_topics(topics)
}

fn find(node: &Node, wanted: MetadataRequestTopic, may_create: bool, version: i16) -> MetadataResponseTopic {
    let found = match &wanted.name {
        Some(name) if wanted.topic_id.is_nil() => by_name(node, name, may_create),
        _ => node.topics.with_id(&wanted.topic_id).ok_or(ResponseError::UnknownTopicId),
    };
    found.map_or_else(
        |error| {
            // a name became optional in version 12
            let name = wanted.name.or_else(|| (version < 12).then(Default::default));
            MetadataResponseTopic::default()
                .with_error_code(error.code())
                .with_name(name)
                .with_topic_id(wanted.topic_id)
        },
        |topic| describe(&topic),
    )
}

fn by_name(node: &Node, name: &str, may_create: bool) -> Result<Arc<Topic>, ResponseError> {
    if let Some(topic) = node.topics.named(name) {
        return Ok(topic);
    }
    if !is_valid_name(name) {
        return Err(ResponseError::InvalidTopicException);
    }
    if !may_create {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    match node.topics.create(name, i64::from(node.default_partitions), TopicSettings::new()) {
        // somebody else was faster
        Err(TopicError::Exists { .. }) => node.topics.named(name).ok_or(ResponseError::UnknownTopicOrPartition),
        created => created.map_err(|error| topic_error(&error)),
    }
}

fn describe(topic: &Topic) -> MetadataResponseTopic {
    let partitions = (0..).take(topic.partition_count()).map(|partition_index| {
        MetadataResponsePartition::default()
            .with_partition_index(partition_index)
            .with_leader_id(NODE_ID.into())
            .with_leader_epoch(LEADER_EPOCH)
            .with_replica_nodes(vec![NODE_ID.into()])
            .with_isr_nodes(vec![NODE_ID.into()])
    });
    MetadataResponseTopic::default()
        .with_name(Some(topic_name(&topic.name)))
        .with_topic_id(topic.id)
        .with_partitions(partitions.collect())
}
