//! Event source mappings of AWS Lambda, or of what speaks its API.
//!
//! Each job has an alias of the load function, `job-<id>`, and one mapping on that alias: the event does not say which
//! mapping sent it, the invoked alias does. Everything is looked up before it is made, so that a repeat finds what an
//! attempt with a lost reply has made.

mod access;
mod client;
mod failure;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::DateTime;
use aws_sdk_lambda::types::{
    AmazonManagedKafkaEventSourceConfig, EndPointType, EventSourceMappingConfiguration, EventSourcePosition,
    SelfManagedEventSource, SelfManagedKafkaEventSourceConfig, SourceAccessConfiguration, SourceAccessType,
};
use penstock_kernel::ids::JobId;
use penstock_storage::Keys;

use super::{CLUSTER_ARN, MappingError, MappingId, MappingSpec, MappingStart, Mappings};
use failure::{Failure, classify};

/// Where Lambda is, and how mappings reach brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaSettings {
    /// `http://host:port` of a Lambda API that is not AWS's; `None`: AWS's in the region.
    pub endpoint: Option<String>,
    /// AWS region.
    pub region: String,
    /// `None`: the credentials of the environment, as the AWS SDK finds them.
    pub keys: Option<Keys>,
    /// Name or ARN of the load function.
    pub load_function: String,
    /// ARN of the Amazon MSK cluster that jobs read; `None`: the brokers that each job names.
    pub cluster_arn: Option<String>,
    /// How mappings reach the brokers: network and authentication.
    pub source_access: Vec<SourceAccess>,
}

/// One way in which mappings reach brokers; Lambda's `SourceAccessConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAccess {
    /// What it is, such as `VPC_SUBNET`.
    pub kind: SourceAccessType,
    /// A subnet, security group or secret; empty for kinds that need none.
    pub uri: String,
}

impl SourceAccess {
    /// `None` if Lambda knows no such kind.
    pub fn new(kind: &str, uri: &str) -> Option<Self> {
        let kind = SourceAccessType::try_parse(kind).ok()?;
        Some(Self { kind, uri: uri.to_owned() })
    }
}

/// Attempts at a change while the mapping is still busy with the one before.
const ATTEMPTS: u32 = 20;

/// Time between them, unless told otherwise.
const PAUSE: Duration = Duration::from_secs(1);

/// [`Mappings`] of AWS Lambda.
#[derive(Debug, Clone)]
pub struct LambdaMappings {
    client: Client,
    settings: LambdaSettings,
    pause: Duration,
}

impl LambdaMappings {
    /// With a client of its own. Reaches for nothing yet: a wrong setting shows at the first request.
    pub async fn connect(settings: LambdaSettings) -> Self {
        Self { client: client::client(&settings).await, settings, pause: PAUSE }
    }

    /// With another pause between attempts at a mapping that is still busy with an earlier change. A longer one asks
    /// less often, a shorter one gives up sooner.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The job's alias, made if it is not there.
    async fn ensure_alias(&self, job: JobId) -> Result<String, MappingError> {
        let created = self
            .client
            .create_alias()
            .function_name(&self.settings.load_function)
            .name(alias(job))
            .function_version("$LATEST")
            .send()
            .await;
        let arn = match created {
            Ok(alias) => alias.alias_arn,
            Err(error) => match classify(error) {
                Failure::Exists => self.alias_arn(job).await?,
                failure => return Err(failure.into_error()),
            },
        };
        arn.ok_or_else(|| MappingError::Refused { message: format!("alias {} has no ARN", alias(job)) })
    }

    /// The ARN of the job's alias, if there is one.
    async fn alias_arn(&self, job: JobId) -> Result<Option<String>, MappingError> {
        let found = self.client.get_alias().function_name(&self.settings.load_function).name(alias(job)).send().await;
        match found {
            Ok(alias) => Ok(alias.alias_arn),
            Err(error) => match classify(error) {
                Failure::Missing(_) => Ok(None),
                failure => Err(failure.into_error()),
            },
        }
    }

    /// The mappings on an alias that are not on their way out.
    async fn mappings_of(&self, alias_arn: &str) -> Result<Vec<EventSourceMappingConfiguration>, MappingError> {
        let mut mappings = self.all_mappings_of(alias_arn).await?;
        mappings.retain(|mapping| !is_on_its_way_out(mapping));
        Ok(mappings)
    }

    async fn all_mappings_of(&self, alias_arn: &str) -> Result<Vec<EventSourceMappingConfiguration>, MappingError> {
        let listed = self.client.list_event_source_mappings().function_name(alias_arn).send().await;
        match listed {
            Ok(list) => Ok(list.event_source_mappings.unwrap_or_default()),
            Err(error) => match classify(error) {
                Failure::Missing(_) => Ok(Vec::new()),
                failure => Err(failure.into_error()),
            },
        }
    }

    /// The alias's mapping as `spec` wants it; others, which an ALTER left behind, are removed.
    async fn existing(&self, alias_arn: &str, spec: &MappingSpec) -> Result<Existing, MappingError> {
        let mut existing = Existing::None;
        for mapping in self.all_mappings_of(alias_arn).await? {
            if is_on_its_way_out(&mapping) {
                existing.or(Existing::Leaving);
                continue;
            }
            let fits = is_of(&mapping, spec);
            match mapping.uuid {
                Some(id) if fits => existing.or(Existing::Fits(MappingId(id))),
                Some(id) => {
                    self.delete_mapping(&id).await?;
                    existing.or(Existing::Leaving);
                }
                None => {}
            }
        }
        Ok(existing)
    }

    /// The cluster that the job reads, if it is Amazon MSK's.
    fn cluster<'a>(&'a self, spec: &'a MappingSpec) -> Option<&'a str> {
        spec.custom.get(CLUSTER_ARN).or(self.settings.cluster_arn.as_ref()).map(String::as_str)
    }

    async fn create_mapping(&self, alias_arn: &str, spec: &MappingSpec) -> Result<MappingId, Failure> {
        let request = self
            .client
            .create_event_source_mapping()
            .function_name(alias_arn)
            .enabled(true)
            .topics(&spec.topic)
            .batch_size(bounded(spec.batch_size))
            .maximum_batching_window_in_seconds(bounded(spec.window_seconds))
            .set_source_access_configurations(
                self.source_access(spec).map_err(|error| Failure::Refused(error.to_string()))?,
            );
        let request = match spec.start {
            MappingStart::TrimHorizon => request.starting_position(EventSourcePosition::TrimHorizon),
            MappingStart::AtTimestamp(milliseconds) => request
                .starting_position(EventSourcePosition::AtTimestamp)
                .starting_position_timestamp(DateTime::from_millis(milliseconds)),
        };
        let request = match self.cluster(spec) {
            Some(arn) => request.event_source_arn(arn).amazon_managed_kafka_event_source_config(
                AmazonManagedKafkaEventSourceConfig::builder().consumer_group_id(&spec.group_id).build(),
            ),
            None => request
                .self_managed_event_source(
                    SelfManagedEventSource::builder()
                        .endpoints(EndPointType::KafkaBootstrapServers, bootstrap(spec).to_vec())
                        .build(),
                )
                .self_managed_kafka_event_source_config(
                    SelfManagedKafkaEventSourceConfig::builder().consumer_group_id(&spec.group_id).build(),
                ),
        };
        let created = request.send().await.map_err(classify)?;
        created.uuid.map(MappingId).ok_or_else(|| Failure::Refused("the mapping has no id".to_owned()))
    }

    fn source_access(&self, spec: &MappingSpec) -> Result<Option<Vec<SourceAccessConfiguration>>, MappingError> {
        let access = access::of(spec, &self.settings.source_access, self.settings.cluster_arn.is_some())?;
        let access: Vec<SourceAccessConfiguration> = access
            .iter()
            .map(|access| {
                let uri = (!access.uri.is_empty()).then(|| access.uri.clone());
                SourceAccessConfiguration::builder().r#type(access.kind.clone()).set_uri(uri).build()
            })
            .collect();
        Ok((!access.is_empty()).then_some(access))
    }

    /// Fails if the mapping reads other brokers than `spec` names: Lambda cannot change them.
    async fn check_brokers(&self, mapping: &MappingId, spec: &MappingSpec) -> Result<(), MappingError> {
        if self.cluster(spec).is_some() {
            return Ok(());
        }
        let found = self.client.get_event_source_mapping().uuid(&mapping.0).send().await;
        let found = found.map_err(|error| classify(error).into_error())?;
        let endpoints = found.self_managed_event_source.and_then(|source| source.endpoints);
        let brokers = endpoints.as_ref().and_then(|all| all.get(&EndPointType::KafkaBootstrapServers));
        match brokers {
            Some(brokers) if *brokers != bootstrap(spec) => Err(MappingError::Refused {
                message: format!(
                    "its brokers are fixed: expected {}, found {}; stop the job and create another",
                    brokers.join(","),
                    bootstrap(spec).join(",")
                ),
            }),
            _ => Ok(()),
        }
    }

    async fn delete_mapping(&self, mapping: &str) -> Result<(), MappingError> {
        let delete = || async {
            let deleted = self.client.delete_event_source_mapping().uuid(mapping).send().await;
            deleted.map(|_| ()).map_err(classify)
        };
        match self.while_busy(delete).await {
            Err(Failure::Missing(_)) => Ok(()),
            other => other.map_err(Failure::into_error),
        }
    }

    /// Repeats a change for as long as the mapping is busy with an earlier one.
    async fn while_busy<T, F>(&self, mut change: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut attempts = 1;
        loop {
            match change().await {
                Err(Failure::Busy(_)) if attempts < ATTEMPTS => tokio::time::sleep(self.pause).await,
                outcome => return outcome,
            }
            attempts += 1;
        }
    }
}

#[async_trait]
impl Mappings for LambdaMappings {
    fn check(&self, spec: &MappingSpec) -> Result<(), MappingError> {
        access::of(spec, &self.settings.source_access, self.settings.cluster_arn.is_some()).map(|_| ())
    }

    async fn create(&self, spec: &MappingSpec) -> Result<MappingId, MappingError> {
        let alias_arn = self.ensure_alias(spec.job).await?;
        let mut attempts = 1;
        let mut refused = false;
        loop {
            match self.existing(&alias_arn, spec).await? {
                Existing::Fits(mapping) => return Ok(mapping),
                // What it delivers still must not be taken for what the new one brings.
                Existing::Leaving => {}
                Existing::None => match self.create_mapping(&alias_arn, spec).await {
                    Ok(mapping) => return Ok(mapping),
                    // An attempt whose reply was lost has made it, or one that is on its way out stands in the way still.
                    Err(Failure::Exists) if !refused => refused = true,
                    Err(Failure::Exists) => {
                        let message =
                            format!("another mapping reads topic `{}` with the same consumer group", spec.topic);
                        return Err(MappingError::Refused { message });
                    }
                    Err(failure) => return Err(failure.into_error()),
                },
            }
            if attempts >= ATTEMPTS {
                return Err(MappingError::Unavailable { source: "the mapping before is still being removed".into() });
            }
            tokio::time::sleep(self.pause).await;
            attempts += 1;
        }
    }

    async fn set_enabled(&self, mapping: &MappingId, enabled: bool) -> Result<(), MappingError> {
        let update = || async {
            let updated = self.client.update_event_source_mapping().uuid(&mapping.0).enabled(enabled).send().await;
            updated.map(|_| ()).map_err(classify)
        };
        self.while_busy(update).await.map_err(Failure::into_error)
    }

    async fn update(&self, mapping: &MappingId, spec: &MappingSpec) -> Result<(), MappingError> {
        self.check_brokers(mapping, spec).await?;
        // What a job says nothing of stays as the mapping was made.
        let access = if names_security(spec) { self.source_access(spec)? } else { None };
        let update = || async {
            let request = self
                .client
                .update_event_source_mapping()
                .uuid(&mapping.0)
                .batch_size(bounded(spec.batch_size))
                .maximum_batching_window_in_seconds(bounded(spec.window_seconds))
                .set_source_access_configurations(access.clone());
            request.send().await.map(|_| ()).map_err(classify)
        };
        self.while_busy(update).await.map_err(Failure::into_error)
    }

    async fn delete(&self, mapping: &MappingId, job: JobId) -> Result<(), MappingError> {
        if !mapping.0.is_empty() {
            self.delete_mapping(&mapping.0).await?;
        }
        let Some(alias_arn) = self.alias_arn(job).await? else {
            return Ok(());
        };
        // One that was made and never remembered.
        for other in self.mappings_of(&alias_arn).await?.into_iter().filter_map(|other| other.uuid) {
            self.delete_mapping(&other).await?;
        }
        let deleted =
            self.client.delete_alias().function_name(&self.settings.load_function).name(alias(job)).send().await;
        match deleted.map_err(classify) {
            Ok(_) | Err(Failure::Missing(_)) => Ok(()),
            Err(failure) => Err(failure.into_error()),
        }
    }
}

/// What an alias has.
enum Existing {
    /// The mapping that is wanted.
    Fits(MappingId),
    /// One that is on its way out: it may deliver still.
    Leaving,
    /// Nothing.
    None,
}

impl Existing {
    /// What is wanted counts more than what is leaving, and the first of two counts.
    fn or(&mut self, other: Self) {
        if matches!((&*self, &other), (Self::None, _) | (Self::Leaving, Self::Fits(_))) {
            *self = other;
        }
    }
}

fn is_on_its_way_out(mapping: &EventSourceMappingConfiguration) -> bool {
    mapping.state.as_deref() == Some("Deleting")
}

/// Whether a mapping has the group, the topic and the brokers of `spec`; what it does not say is taken to be so.
fn is_of(mapping: &EventSourceMappingConfiguration, spec: &MappingSpec) -> bool {
    let managed = mapping.amazon_managed_kafka_event_source_config.as_ref();
    let own = mapping.self_managed_kafka_event_source_config.as_ref();
    let group =
        managed.and_then(|config| config.consumer_group_id()).or(own.and_then(|config| config.consumer_group_id()));
    let endpoints = mapping.self_managed_event_source.as_ref().and_then(|source| source.endpoints.as_ref());
    let brokers = endpoints.and_then(|all| all.get(&EndPointType::KafkaBootstrapServers));
    group.is_none_or(|group| group == spec.group_id)
        && brokers.is_none_or(|brokers| *brokers == bootstrap(spec))
        && (mapping.topics().is_empty() || mapping.topics().contains(&spec.topic))
}

/// The brokers that a mapping is given: Lambda takes ten, and any of a cluster names the others.
fn bootstrap(spec: &MappingSpec) -> &[String] {
    spec.brokers.get(..10).unwrap_or(&spec.brokers)
}

fn names_security(spec: &MappingSpec) -> bool {
    spec.custom.keys().any(|key| ["security.", "sasl.", "ssl.", "aws."].iter().any(|part| key.starts_with(part)))
}

/// The name of a job's alias.
pub fn alias(job: JobId) -> String {
    format!("job-{job}")
}

/// Lambda's numbers are signed.
fn bounded(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
