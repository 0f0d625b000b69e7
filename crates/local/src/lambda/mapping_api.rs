//! The Lambda API's event source mappings, onto the emulation: what the built admin function steers its mappings with.
//!
//! The API carries no `property.*` of a job, since on AWS secrets and networks stand in their place; here they are taken
//! from the job's definition.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use penstock_admin::mapping::{MappingError, MappingId, MappingSpec, MappingStart, Mappings};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, ApiError, of_json};
use super::api::{body, existing, function_name};
use super::invoke::{alias_of, job_of};
use super::{Host, Steered};
use crate::esm::Esm;
use crate::esm::store::Mapping;

/// Answers a request below `event-source-mappings`.
pub(super) async fn route(
    host: &Arc<Host>,
    method: &Method,
    path: &[&str],
    query: &BTreeMap<String, String>,
    request: Request<Incoming>,
) -> Result<Answer, ApiError> {
    let Some(Steered { esm, .. }) = host.mappings.get() else {
        return Err(ApiError::Service("event source mappings are not ready yet".to_owned()));
    };
    match (method, path) {
        (&Method::POST, []) => create(host, esm, body(request).await?).await,
        (&Method::GET, []) => list(host, esm, query).await,
        (&Method::GET, [id]) => {
            let mapping = found(esm, id).await?;
            Ok(of_json(StatusCode::OK, &shape(host, &mapping, None)))
        }
        (&Method::PUT, [id]) => update(host, esm, id, body(request).await?).await,
        (&Method::DELETE, [id]) => {
            let mapping = found(esm, id).await?;
            esm.delete(&mapping.id, mapping.spec.job).await.map_err(refused)?;
            Ok(of_json(StatusCode::ACCEPTED, &shape(host, &mapping, Some("Deleting"))))
        }
        _ => Err(ApiError::NotFound(format!("{method} is not emulated here"))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    function_name: String,
    #[serde(default)]
    topics: Vec<String>,
    enabled: Option<bool>,
    batch_size: Option<u32>,
    maximum_batching_window_in_seconds: Option<u32>,
    starting_position: Option<String>,
    starting_position_timestamp: Option<f64>,
    event_source_arn: Option<String>,
    self_managed_event_source: Option<SelfManagedSource>,
    self_managed_kafka_event_source_config: Option<GroupConfig>,
    amazon_managed_kafka_event_source_config: Option<GroupConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SelfManagedSource {
    #[serde(default)]
    endpoints: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupConfig {
    consumer_group_id: Option<String>,
}

async fn create(host: &Arc<Host>, esm: &Esm, create: Create) -> Result<Answer, ApiError> {
    let wrong = |message: &str| ApiError::InvalidParameter(message.to_owned());
    let function = existing(host, function_name(&create.function_name))?;
    let job = function.alias.as_deref().and_then(job_of);
    let job = job.ok_or_else(|| wrong("FunctionName: expected an alias of the form `<function>:job-<id>`"))?;
    if host.aliases.get(&alias_of(job)).is_none() {
        return Err(ApiError::NotFound(format!(
            "Function not found: {}",
            host.arn(&function.name, Some(&alias_of(job)))
        )));
    }
    let [topic] = create.topics.as_slice() else {
        return Err(wrong("Topics: expected exactly one topic"));
    };
    let start = match (create.starting_position.as_deref(), create.starting_position_timestamp) {
        (Some("TRIM_HORIZON"), _) => MappingStart::TrimHorizon,
        (Some("AT_TIMESTAMP"), Some(seconds)) => MappingStart::AtTimestamp(milliseconds(seconds)),
        (Some("AT_TIMESTAMP"), None) => {
            return Err(wrong("StartingPositionTimestamp: expected with AT_TIMESTAMP"));
        }
        (other, _) => {
            return Err(ApiError::InvalidParameter(format!(
                "StartingPosition: expected TRIM_HORIZON or AT_TIMESTAMP, found `{}`",
                other.unwrap_or("")
            )));
        }
    };
    let definition = esm.definition(job).await.map_err(|error| ApiError::Service(error.to_string()))?;
    let definition = definition.ok_or_else(|| ApiError::InvalidParameter(format!("job {job} does not exist")))?;
    let given = create
        .self_managed_event_source
        .and_then(|mut source| source.endpoints.remove("KAFKA_BOOTSTRAP_SERVERS"))
        .unwrap_or_default();
    let brokers = match (given.is_empty(), create.event_source_arn) {
        (false, None) => given,
        // The cluster of an ARN is whichever the job names: there is no MSK here to ask.
        (true, Some(_)) => definition.source.brokers.clone(),
        _ => {
            return Err(wrong("expected either EventSourceArn or SelfManagedEventSource"));
        }
    };
    let group = create
        .self_managed_kafka_event_source_config
        .or(create.amazon_managed_kafka_event_source_config)
        .and_then(|config| config.consumer_group_id);
    let spec = MappingSpec {
        job,
        group_id: group.unwrap_or_else(crate::esm::uuid),
        brokers,
        topic: topic.clone(),
        start,
        batch_size: create.batch_size.unwrap_or(100),
        window_seconds: create.maximum_batching_window_in_seconds.unwrap_or(0),
        // The API has no such setting for Kafka: as many as one poller has.
        concurrency: 5,
        custom: definition.source.custom,
    };
    if let Some(mapping) = esm.list().await.into_iter().find(|mapping| mapping.spec.job == job) {
        return Err(ApiError::Conflict(format!(
            "The event source and function (\" {} \") provided mapping already exists. Please update or delete the \
             existing mapping with UUID {}",
            host.arn(&function.name, Some(&alias_of(job))),
            mapping.id.0
        )));
    }
    let id = esm.create(&spec).await.map_err(refused)?;
    if create.enabled == Some(false) {
        esm.set_enabled(&id, false).await.map_err(refused)?;
    }
    let mapping = found(esm, &id.0).await?;
    Ok(of_json(StatusCode::ACCEPTED, &shape(host, &mapping, Some("Creating"))))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    enabled: Option<bool>,
    batch_size: Option<u32>,
    maximum_batching_window_in_seconds: Option<u32>,
}

async fn update(host: &Arc<Host>, esm: &Esm, id: &str, update: Update) -> Result<Answer, ApiError> {
    let mapping = found(esm, id).await?;
    let spec = MappingSpec {
        batch_size: update.batch_size.unwrap_or(mapping.spec.batch_size),
        window_seconds: update.maximum_batching_window_in_seconds.unwrap_or(mapping.spec.window_seconds),
        ..mapping.spec.clone()
    };
    if spec != mapping.spec {
        esm.update(&mapping.id, &spec).await.map_err(refused)?;
    }
    if let Some(enabled) = update.enabled {
        esm.set_enabled(&mapping.id, enabled).await.map_err(refused)?;
    }
    let mapping = found(esm, id).await?;
    Ok(of_json(StatusCode::ACCEPTED, &shape(host, &mapping, None)))
}

async fn list(host: &Arc<Host>, esm: &Esm, query: &BTreeMap<String, String>) -> Result<Answer, ApiError> {
    let wanted = query.get("FunctionName").map(|name| function_name(name));
    let mappings: Vec<Value> = esm
        .list()
        .await
        .iter()
        .filter(|mapping| {
            let alias = wanted.as_ref().and_then(|wanted| wanted.alias.as_deref());
            alias.is_none_or(|alias| alias == alias_of(mapping.spec.job))
        })
        .map(|mapping| shape(host, mapping, None))
        .collect();
    Ok(of_json(StatusCode::OK, &json!({ "EventSourceMappings": mappings })))
}

async fn found(esm: &Esm, id: &str) -> Result<Mapping, ApiError> {
    let missing = || ApiError::NotFound("The resource you requested does not exist.".to_owned());
    esm.get(&MappingId(id.to_owned())).await.ok_or_else(missing)
}

fn refused(error: MappingError) -> ApiError {
    match error {
        MappingError::Refused { message } => ApiError::InvalidParameter(message),
        other => ApiError::Service(other.to_string()),
    }
}

fn shape(host: &Host, mapping: &Mapping, state: Option<&str>) -> Value {
    let spec = &mapping.spec;
    let load_function = host.mappings.get().map_or("", |steered| &steered.load_function);
    let (position, timestamp) = match spec.start {
        MappingStart::TrimHorizon => ("TRIM_HORIZON", Value::Null),
        MappingStart::AtTimestamp(timestamp_ms) => ("AT_TIMESTAMP", json!(seconds(timestamp_ms))),
    };
    let mut shape = json!({
        "UUID": mapping.id.0,
        "StartingPosition": position,
        "BatchSize": spec.batch_size,
        "MaximumBatchingWindowInSeconds": spec.window_seconds,
        "FunctionArn": host.arn(load_function, Some(&alias_of(spec.job))),
        "LastModified": seconds(mapping.modified_at_ms),
        "LastProcessingResult": "No records processed",
        "State": state.unwrap_or(if mapping.enabled { "Enabled" } else { "Disabled" }),
        "StateTransitionReason": "USER_INITIATED",
        "Topics": [spec.topic],
        "SelfManagedEventSource": { "Endpoints": { "KAFKA_BOOTSTRAP_SERVERS": spec.brokers } },
        "SelfManagedKafkaEventSourceConfig": { "ConsumerGroupId": spec.group_id },
    });
    if let (Value::Object(fields), false) = (&mut shape, timestamp.is_null()) {
        fields.insert("StartingPositionTimestamp".to_owned(), timestamp);
    }
    shape
}

/// Seconds, as the API's times are: with a fraction. Exact for any time of this era.
fn seconds(milliseconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit 53 bits for 285,000 years")]
    let milliseconds = milliseconds as f64;
    milliseconds / 1000.0
}

fn milliseconds(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates")]
    let milliseconds = (seconds * 1000.0).round() as i64;
    milliseconds
}
