//! Kafka, S3, DynamoDB and a schema registry: embedded unless given.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use penstock_catalog::store::dynamodb::DynamoSettings;
use penstock_local::broker::{Broker, BrokerConfig, BrokerError};
use penstock_local::data_dir::DataDir;
use penstock_local::dynamodb::{DynamoConfig, DynamoServer};
use penstock_local::registry::{RegistryConfig, RegistryServer};
use penstock_local::s3::{S3Config, S3Server};
use penstock_storage::{BuiltinStorage, Keys};

use super::settings::{EMBEDDED_KEY, Part, ServerSettings, StartError, TUTORIAL_S3};

/// The services that are embedded; those outside have no part here but their address.
pub(super) struct Services {
    broker: Option<Broker>,
    s3: Option<S3Server>,
    dynamodb: Option<DynamoServer>,
    registry: Option<RegistryServer>,
}

impl Services {
    /// Starts what is to be embedded.
    pub(super) async fn start(
        settings: &ServerSettings,
        data: &DataDir,
        told: &impl Fn(&str, &str, &str),
    ) -> Result<Self, StartError> {
        let mut services = Self { broker: None, s3: None, dynamodb: None, registry: None };
        match services.start_each(settings, data, told).await {
            Ok(()) => Ok(services),
            Err(error) => {
                services.shutdown(Duration::ZERO).await;
                Err(error)
            }
        }
    }

    async fn start_each(
        &mut self,
        settings: &ServerSettings,
        data: &DataDir,
        told: &impl Fn(&str, &str, &str),
    ) -> Result<(), StartError> {
        match &settings.kafka {
            Part::Embedded(port) => {
                let mut config = BrokerConfig::new(loopback(*port), data.broker());
                config.default_partitions = settings.kafka_partitions;
                let broker = self.broker.insert(Broker::start(config).await.map_err(broker_error)?);
                told("Kafka broker", &broker.address().to_string(), "any Kafka client; topics are created when used");
            }
            Part::Outside(brokers) => told("Kafka", brokers, "outside"),
        }
        match &settings.s3 {
            Part::Embedded(port) => {
                let config = S3Config {
                    listen: loopback(*port),
                    data: data.objects(),
                    buckets: vec![settings.bucket.clone()],
                    access_key: EMBEDDED_KEY.to_owned(),
                    secret_key: EMBEDDED_KEY.to_owned(),
                };
                let s3 = self.s3.insert(S3Server::start(config).await.map_err(|error| service_error("S3", error))?);
                told("S3", &s3.endpoint(), &format!("bucket {}", settings.bucket));
            }
            Part::Outside(endpoint) => told("S3", endpoint.as_deref().unwrap_or("AWS"), "outside"),
        }
        match &settings.dynamodb {
            Part::Embedded(port) => {
                let config = DynamoConfig { listen: loopback(*port), file: data.dynamodb() };
                let dynamodb = self
                    .dynamodb
                    .insert(DynamoServer::start(config).await.map_err(|error| service_error("DynamoDB", error))?);
                told("DynamoDB", &dynamodb.endpoint(), &format!("table {}", settings.table));
            }
            Part::Outside(endpoint) => told("DynamoDB", endpoint.as_deref().unwrap_or("AWS"), "outside"),
        }
        match &settings.registry {
            Part::Embedded(port) => {
                let config = RegistryConfig { listen: loopback(*port), file: data.schemas() };
                let started = RegistryServer::start(config).await;
                let registry = self.registry.insert(started.map_err(|error| service_error("schema registry", error))?);
                told("Schema registry", &registry.url(), "Avro and JSON Schema");
            }
            Part::Outside(url) => told("Schema registry", url, "outside"),
        }
        Ok(())
    }

    /// Stops what is embedded; acknowledged data is on disk then.
    pub(super) async fn shutdown(self, grace: Duration) {
        let broker = async {
            if let Some(broker) = self.broker {
                broker.shutdown().await;
            }
        };
        let s3 = async {
            if let Some(s3) = self.s3 {
                s3.shutdown(grace).await;
            }
        };
        let dynamodb = async {
            if let Some(dynamodb) = self.dynamodb {
                dynamodb.shutdown(grace).await;
            }
        };
        let registry = async {
            if let Some(registry) = self.registry {
                registry.shutdown(grace).await;
            }
        };
        tokio::join!(broker, s3, dynamodb, registry);
    }

    /// `host:port` of the brokers.
    pub(super) fn kafka(&self, settings: &ServerSettings) -> String {
        match (&settings.kafka, &self.broker) {
            (Part::Outside(brokers), _) => brokers.clone(),
            (Part::Embedded(_), Some(broker)) => broker.address().to_string(),
            (Part::Embedded(port), None) => loopback(*port).to_string(),
        }
    }

    /// Address of the embedded broker.
    pub(super) fn embedded_broker(&self) -> Option<SocketAddr> {
        self.broker.as_ref().map(Broker::address)
    }

    /// Endpoint of S3; `None` for AWS's.
    pub(super) fn s3_endpoint(&self, settings: &ServerSettings) -> Option<String> {
        match &settings.s3 {
            Part::Outside(endpoint) => endpoint.clone(),
            Part::Embedded(_) => self.s3.as_ref().map(S3Server::endpoint),
        }
    }

    /// Whether S3 is embedded, which makes its bucket when it starts.
    pub(super) fn brings_bucket(&self) -> bool {
        self.s3.is_some()
    }

    /// Endpoint of DynamoDB; `None` for AWS's.
    pub(super) fn dynamodb_endpoint(&self, settings: &ServerSettings) -> Option<String> {
        match &settings.dynamodb {
            Part::Outside(endpoint) => endpoint.clone(),
            Part::Embedded(_) => self.dynamodb.as_ref().map(DynamoServer::endpoint),
        }
    }

    /// How to reach S3.
    pub(super) fn storage(&self, settings: &ServerSettings) -> BuiltinStorage {
        let keys = match settings.s3 {
            Part::Embedded(_) => Some(embedded_keys()),
            Part::Outside(_) => settings.keys.clone(),
        };
        let aliases = match settings.s3 {
            Part::Embedded(_) => vec![TUTORIAL_S3.to_owned()],
            Part::Outside(_) => Vec::new(),
        };
        BuiltinStorage { endpoint: self.s3_endpoint(settings), region: settings.region.clone(), keys, aliases }
    }

    /// How to reach DynamoDB.
    pub(super) fn dynamo_settings(&self, settings: &ServerSettings) -> DynamoSettings {
        let keys = match settings.dynamodb {
            Part::Embedded(_) => Some(embedded_keys()),
            Part::Outside(_) => settings.keys.clone(),
        };
        DynamoSettings {
            table: settings.table.clone(),
            region: settings.region.clone(),
            endpoint: self.dynamodb_endpoint(settings),
            keys,
        }
    }
}

/// The embedded services ask nobody who they are, so they listen on loopback wherever the gateway listens.
fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)
}

fn embedded_keys() -> Keys {
    Keys { access_key: EMBEDDED_KEY.to_owned(), secret_key: EMBEDDED_KEY.to_owned(), session_token: None }
}

fn service_error(part: &'static str, error: penstock_local::error::StartError) -> StartError {
    match error {
        penstock_local::error::StartError::Listen { address, source, .. } => StartError::listen(part, address, source),
        other => StartError::Service(other),
    }
}

fn broker_error(error: BrokerError) -> StartError {
    match error {
        BrokerError::AddressInUse { address } => {
            StartError::listen("Kafka broker", address, ErrorKind::AddrInUse.into())
        }
        BrokerError::Listen { address, source } => StartError::listen("Kafka broker", address, source),
        other => StartError::Broker(other),
    }
}
