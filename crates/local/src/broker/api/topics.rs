//! CreateTopics, DeleteTopics and CreatePartitions.

use std::collections::BTreeSet;

use kafka_protocol::{
    ResponseError,
    messages::{
        BrokerId, CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
        DeleteTopicsRequest, DeleteTopicsResponse,
        create_partitions_request::CreatePartitionsTopic,
        create_partitions_response::CreatePartitionsTopicResult,
        create_topics_request::CreatableTopic,
        create_topics_response::{CreatableTopicConfigs, CreatableTopicResult},
        delete_topics_request::DeleteTopicState,
        delete_topics_response::DeletableTopicResult,
    },
    protocol::StrBytes,
};
use uuid::Uuid;

use super::{configs, find_topic, message, storage_error, text, topic_error, topic_name};
use crate::broker::{
    node::{NODE_ID, Node},
    topics::{TopicError, TopicSettings},
};

/// First CreateTopics version whose answer describes the topic.
const DESCRIBED_SINCE: i16 = 5;

/// An error code with its explanation.
type Refusal = (ResponseError, Option<StrBytes>);

pub(crate) fn create(node: &Node, request: CreateTopicsRequest, version: i16) -> CreateTopicsResponse {
    let mut names = BTreeSet::new();
    let twice: BTreeSet<_> =
        request.topics.iter().filter(|topic| !names.insert(&topic.name)).map(|topic| topic.name.clone()).collect();
    let topics = request.topics.into_iter().map(|wanted| {
        let created = if twice.contains(&wanted.name) {
            Err((ResponseError::InvalidRequest, Some(text("topic is named twice"))))
        } else {
            create_one(node, &wanted, request.validate_only)
        };
        let result = CreatableTopicResult::default().with_name(wanted.name);
        match created {
            Ok(created) if version >= DESCRIBED_SINCE => result
                .with_topic_id(created.id)
                .with_num_partitions(created.partitions)
                .with_replication_factor(1)
                .with_configs(Some(describe_settings(node, &created.settings))),
            Ok(_) => result,
            Err((error, message)) => result
                .with_error_code(error.code())
                .with_error_message(message)
                .with_num_partitions(-1)
                .with_replication_factor(-1)
                .with_configs(None),
        }
    });
    CreateTopicsResponse::default().with_topics(topics.collect())
}

struct Created {
    id: Uuid,
    partitions: i32,
    settings: TopicSettings,
}

fn create_one(node: &Node, wanted: &CreatableTopic, validate_only: bool) -> Result<Created, Refusal> {
    let partitions = partitions_wanted(node, wanted)?;
    let mut settings = TopicSettings::new();
    for config in &wanted.configs {
        let value = config.value.as_deref().unwrap_or_default();
        configs::check_topic_setting(&config.name, value)?;
        settings.insert(config.name.to_string(), value.to_owned());
    }
    if validate_only {
        node.topics.check_new(&wanted.name, i64::from(partitions)).map_err(|error| refusal(&error))?;
        return Ok(Created { id: Uuid::nil(), partitions, settings });
    }
    let topic = node.topics.create(&wanted.name, i64::from(partitions), settings.clone());
    let topic = topic.map_err(|error| refusal(&error))?;
    Ok(Created { id: topic.id, partitions, settings })
}

/// How many source partitions: a number, the default, or one for each replica list, which must name this node only.
fn partitions_wanted(node: &Node, wanted: &CreatableTopic) -> Result<i32, Refusal> {
    if wanted.assignments.is_empty() {
        if !matches!(wanted.replication_factor, -1 | 1) {
            let reason = format!("replication factor: expected 1, found {}", wanted.replication_factor);
            return Err((ResponseError::InvalidReplicationFactor, Some(text(reason))));
        }
        return Ok(if wanted.num_partitions == -1 { node.default_partitions } else { wanted.num_partitions });
    }
    let replicas_fit = wanted.assignments.iter().all(|assignment| *assignment.broker_ids == [BrokerId(NODE_ID)]);
    let indexes: BTreeSet<_> = wanted.assignments.iter().map(|assignment| assignment.partition_index).collect();
    let count = i32::try_from(wanted.assignments.len()).unwrap_or(i32::MAX);
    let is_numbered = indexes.into_iter().eq(0..count);
    if wanted.num_partitions != -1 || wanted.replication_factor != -1 {
        let reason = "replica lists exclude a number of partitions and a replication factor";
        return Err((ResponseError::InvalidRequest, Some(text(reason))));
    }
    if !replicas_fit || !is_numbered {
        let reason = format!("replica lists: expected partitions 0, 1, ... on broker {NODE_ID}");
        return Err((ResponseError::InvalidReplicaAssignment, Some(text(reason))));
    }
    Ok(count)
}

fn describe_settings(node: &Node, settings: &TopicSettings) -> Vec<CreatableTopicConfigs> {
    let described = configs::topic_values(node, settings).into_iter().map(|value| {
        CreatableTopicConfigs::default()
            .with_name(text(value.name))
            .with_value(Some(text(value.value)))
            .with_config_source(value.source)
    });
    described.collect()
}

fn refusal(error: &TopicError) -> Refusal {
    (topic_error(error), message(error))
}

pub(crate) fn delete(node: &Node, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let by_name = request
        .topic_names
        .into_iter()
        .map(|name| DeleteTopicState::default().with_name(Some(name)).with_topic_id(Uuid::nil()));
    let responses = by_name.chain(request.topics).map(|wanted| delete_one(node, wanted));
    DeleteTopicsResponse::default().with_responses(responses.collect())
}

fn delete_one(node: &Node, wanted: DeleteTopicState) -> DeletableTopicResult {
    let name = wanted.name.as_deref().map_or("", |name| name);
    let result = DeletableTopicResult::default().with_topic_id(wanted.topic_id);
    let topic = match find_topic(node, name, wanted.topic_id) {
        Ok(topic) => topic,
        Err(error) => return result.with_error_code(error.code()).with_name(wanted.name),
    };
    let deleted = node
        .topics
        .delete(&topic)
        .map_err(|error| refusal(&error))
        .and_then(|()| node.group_offsets.forget_topic(&topic.name).map_err(|error| (storage_error(error), None)));
    let result = result.with_topic_id(topic.id).with_name(Some(topic_name(&topic.name)));
    match deleted {
        Ok(()) => result,
        Err((error, message)) => result.with_error_code(error.code()).with_error_message(message),
    }
}

pub(crate) fn create_partitions(node: &Node, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let results = request.topics.into_iter().map(|wanted| {
        let grown = grow(node, &wanted, request.validate_only);
        let result = CreatePartitionsTopicResult::default().with_name(wanted.name);
        match grown {
            Ok(()) => result,
            Err((error, message)) => result.with_error_code(error.code()).with_error_message(message),
        }
    });
    CreatePartitionsResponse::default().with_results(results.collect())
}

fn grow(node: &Node, wanted: &CreatePartitionsTopic, validate_only: bool) -> Result<(), Refusal> {
    let topic = find_topic(node, &wanted.name, Uuid::nil()).map_err(|error| (error, None))?;
    let count = i64::from(wanted.count);
    let target = node.topics.check_grown(&topic, count).map_err(|error| refusal(&error))?;
    if let Some(assignments) = &wanted.assignments {
        let is_one_each = assignments.len() == target.saturating_sub(topic.partition_count());
        if !is_one_each || assignments.iter().any(|assignment| *assignment.broker_ids != [BrokerId(NODE_ID)]) {
            let reason = format!("replica lists: expected one for each new partition, on broker {NODE_ID}");
            return Err((ResponseError::InvalidReplicaAssignment, Some(text(reason))));
        }
    }
    if validate_only { Ok(()) } else { node.topics.grow(&topic, count).map_err(|error| refusal(&error)) }
}
