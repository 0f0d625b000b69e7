//! DescribeConfigs, AlterConfigs and IncrementalAlterConfigs: settings of topics and of the broker.

use kafka_protocol::{
    ResponseError,
    messages::{
        AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
        IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, alter_configs_response,
        describe_configs_request::DescribeConfigsResource,
        describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym},
        incremental_alter_configs_response,
    },
    protocol::StrBytes,
};
use uuid::Uuid;

use super::{NONE, find_topic, message, text, topic_error};
use crate::broker::{
    node::{NODE_ID, Node},
    settings::{Kind, TOPIC_SETTINGS, TopicSetting, broker_settings},
    topics::TopicSettings,
};

// Kinds of resources.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;

// Where a value comes from.
const SET_ON_TOPIC: i8 = 1;
const SET_AT_START: i8 = 4;
const DEFAULT: i8 = 5;

// What an incremental change does.
const SET: i8 = 0;
const DELETE: i8 = 1;

/// An error code with its explanation.
type Refusal = (ResponseError, Option<StrBytes>);

/// A setting with its value and origin.
pub(super) struct Value {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) source: i8,
    default: String,
    kind: Kind,
    documentation: &'static str,
}

/// All settings of a topic that sets `settings`.
pub(super) fn topic_values(node: &Node, settings: &TopicSettings) -> Vec<Value> {
    let value = |setting: &'static TopicSetting| {
        let default = setting.default_on(node);
        let (value, source) = match settings.get(setting.name) {
            Some(value) => (value.clone(), SET_ON_TOPIC),
            None => (default.clone(), DEFAULT),
        };
        let TopicSetting { name, kind, documentation, .. } = *setting;
        Value { name, value, source, default, kind, documentation }
    };
    TOPIC_SETTINGS.iter().map(value).collect()
}

fn broker_values(node: &Node) -> Vec<Value> {
    let values = broker_settings(node).into_iter().map(|(name, kind, value)| Value {
        name,
        default: value.clone(),
        value,
        source: SET_AT_START,
        kind,
        documentation: "",
    });
    values.collect()
}

/// Whether a topic may set this.
pub(super) fn check_topic_setting(name: &str, value: &str) -> Result<(), Refusal> {
    let refused = |reason: String| Err((ResponseError::InvalidConfig, Some(text(reason))));
    let Some(setting) = TopicSetting::named(name) else {
        return refused(format!("unknown topic setting `{name}`"));
    };
    match setting.expected_instead_of(value) {
        Some(expected) => refused(format!("topic setting `{name}`: expected {expected}, found `{value}`")),
        None => Ok(()),
    }
}

pub(crate) fn describe(node: &Node, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let results = request.resources.into_iter().map(|resource| {
        let values = values_of(node, &resource);
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name);
        match values {
            Err((error, message)) => result.with_error_code(error.code()).with_error_message(message),
            Ok(values) => {
                let wanted = |name: &str| {
                    resource.configuration_keys.as_ref().is_none_or(|keys| keys.iter().any(|key| **key == *name))
                };
                let values = values.into_iter().filter(|value| wanted(value.name));
                let described =
                    values.map(|value| describe_value(value, request.include_synonyms, request.include_documentation));
                result.with_configs(described.collect())
            }
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn values_of(node: &Node, resource: &DescribeConfigsResource) -> Result<Vec<Value>, Refusal> {
    match resource.resource_type {
        TOPIC => {
            let topic = find_topic(node, &resource.resource_name, Uuid::nil()).map_err(|error| (error, None))?;
            Ok(topic_values(node, &topic.settings()))
        }
        BROKER if resource.resource_name.is_empty() => Ok(Vec::new()),
        BROKER if *resource.resource_name == *NODE_ID.to_string() => Ok(broker_values(node)),
        BROKER => Err((ResponseError::InvalidRequest, Some(text(format!("expected broker {NODE_ID}"))))),
        other => Err((ResponseError::InvalidRequest, Some(text(format!("resource type {other} has no settings"))))),
    }
}

fn describe_value(value: Value, with_synonyms: bool, with_documentation: bool) -> DescribeConfigsResourceResult {
    let synonym = |value: &str, source, name| {
        DescribeConfigsSynonym::default().with_name(text(name)).with_value(Some(text(value))).with_source(source)
    };
    let mut synonyms = Vec::new();
    if with_synonyms {
        synonyms.push(synonym(&value.value, value.source, value.name));
        if value.source == SET_ON_TOPIC {
            synonyms.push(synonym(&value.default, DEFAULT, value.name));
        }
    }
    let documentation = (with_documentation && !value.documentation.is_empty()).then(|| text(value.documentation));
    DescribeConfigsResourceResult::default()
        .with_name(text(value.name))
        .with_value(Some(text(value.value)))
        .with_read_only(value.source == SET_AT_START)
        .with_config_source(value.source)
        .with_synonyms(synonyms)
        .with_config_type(value.kind as i8)
        .with_documentation(documentation)
}

/// Replaces all settings of topics.
pub(crate) fn alter(node: &Node, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let responses = request.resources.into_iter().map(|resource| {
        let settings = resource
            .configs
            .into_iter()
            .map(|config| (config.name.to_string(), config.value.map(|value| value.to_string()).unwrap_or_default()));
        let settings: TopicSettings = settings.collect();
        let altered = change(node, resource.resource_type, &resource.resource_name, request.validate_only, |own| {
            *own = settings;
            Ok(())
        });
        let (error, message) = outcome(altered);
        alter_configs_response::AlterConfigsResourceResponse::default()
            .with_error_code(error)
            .with_error_message(message)
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name)
    });
    AlterConfigsResponse::default().with_responses(responses.collect())
}

/// Changes the named settings of topics only.
pub(crate) fn alter_incrementally(
    node: &Node,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let responses = request.resources.into_iter().map(|resource| {
        let configs = resource.configs;
        let altered = change(node, resource.resource_type, &resource.resource_name, request.validate_only, |own| {
            for config in configs {
                match config.config_operation {
                    SET => {
                        let value = config.value.map(|value| value.to_string()).unwrap_or_default();
                        own.insert(config.name.to_string(), value);
                    }
                    DELETE => {
                        own.remove(&*config.name);
                    }
                    _ => {
                        let reason = "values can be set and deleted, not appended or subtracted";
                        return Err((ResponseError::InvalidConfig, Some(text(reason))));
                    }
                }
            }
            Ok(())
        });
        let (error, message) = outcome(altered);
        incremental_alter_configs_response::AlterConfigsResourceResponse::default()
            .with_error_code(error)
            .with_error_message(message)
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name)
    });
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

fn change(
    node: &Node,
    resource_type: i8,
    name: &str,
    validate_only: bool,
    change: impl FnOnce(&mut TopicSettings) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    if resource_type != TOPIC {
        return Err((ResponseError::InvalidRequest, Some(text("only topics have settings that can change"))));
    }
    let topic = find_topic(node, name, Uuid::nil()).map_err(|error| (error, None))?;
    let mut settings = topic.settings();
    change(&mut settings)?;
    for (name, value) in &settings {
        check_topic_setting(name, value)?;
    }
    if validate_only {
        return Ok(());
    }
    node.topics.set(&topic, |own| *own = settings).map_err(|error| (topic_error(&error), message(&error)))
}

fn outcome(altered: Result<(), Refusal>) -> (i16, Option<StrBytes>) {
    match altered {
        Ok(()) => (NONE, None),
        Err((error, message)) => (error.code(), message),
    }
}
