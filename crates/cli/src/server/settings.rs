//! What the server is told, where it listens, and what keeps it from starting.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use penstock_catalog::error::CatalogError;
use penstock_local::broker::BrokerError;
use penstock_local::data_dir::DataDirError;
use penstock_storage::{Keys, StorageError};

use super::services::Services;
use crate::args::{BrokerAlias, ServerArgs, UpArgs};

/// The broker as the tutorial names it.
const TUTORIAL_BROKER: &str = "redpanda:29092";
/// S3 as StarRocks' quick start names it; it stands for the embedded one.
pub(super) const TUTORIAL_S3: &str = "minio:9000";
/// Keys of the embedded S3, which listens on loopback and is no secret.
pub(super) const EMBEDDED_KEY: &str = "penstock";

/// What the server is told.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    pub(super) data: Option<PathBuf>,
    pub(super) bind: IpAddr,
    pub(super) password: Option<String>,
    pub(super) mysql_port: u16,
    pub(super) kafka: Part<u16, String>,
    pub(super) kafka_partitions: i32,
    pub(super) s3: Part<u16, Option<String>>,
    pub(super) dynamodb: Part<u16, Option<String>>,
    pub(super) registry: Part<u16, String>,
    pub(super) bucket: String,
    pub(super) table: String,
    pub(super) region: String,
    /// Keys for outside S3 and DynamoDB; `None`: whatever any AWS client would find.
    pub(super) keys: Option<Keys>,
    pub(super) aliases: Vec<BrokerAlias>,
    pub(super) functions: Option<PathBuf>,
}

/// A service that is embedded on a port, or outside.
#[derive(Debug, Clone)]
pub(super) enum Part<Port, Outside> {
    Embedded(Port),
    Outside(Outside),
}

impl ServerSettings {
    /// Everything embedded.
    ///
    /// # Errors
    /// [`StartError::PasswordNeeded`] if others could reach the server without one.
    pub fn embedded(args: &ServerArgs) -> Result<Self, StartError> {
        if !args.bind.is_loopback() && args.password.as_deref().unwrap_or_default().is_empty() {
            return Err(StartError::PasswordNeeded { address: args.bind });
        }
        Ok(Self {
            data: args.data.clone(),
            bind: args.bind,
            password: args.password.clone().filter(|password| !password.is_empty()),
            mysql_port: args.mysql_port,
            kafka: Part::Embedded(args.kafka_port),
            kafka_partitions: args.kafka_partitions,
            s3: Part::Embedded(args.s3_port),
            dynamodb: Part::Embedded(args.dynamodb_port),
            registry: Part::Embedded(args.registry_port),
            bucket: "penstock".to_owned(),
            table: "penstock".to_owned(),
            region: "us-east-1".to_owned(),
            keys: None,
            aliases: args.broker_alias.clone(),
            functions: args.functions.clone(),
        })
    }

    /// What `penstock up` was told.
    ///
    /// # Errors
    /// As [`ServerSettings::embedded`].
    pub fn from_args(args: &UpArgs) -> Result<Self, StartError> {
        let mut settings = Self::embedded(&args.server)?;
        if let Some(brokers) = &args.kafka {
            settings.kafka = Part::Outside(brokers.clone());
        }
        if let Some(endpoint) = args.s3_endpoint.as_ref().or(args.aws_endpoint.as_ref()) {
            settings.s3 = Part::Outside(Some(endpoint.clone()));
        }
        if let Some(endpoint) = args.dynamodb_endpoint.as_ref().or(args.aws_endpoint.as_ref()) {
            settings.dynamodb = Part::Outside(Some(endpoint.clone()));
        }
        if let Some(url) = &args.registry_url {
            settings.registry = Part::Outside(url.url.clone());
        }
        if args.aws {
            settings.s3 = Part::Outside(None);
            settings.dynamodb = Part::Outside(None);
        }
        settings.bucket = args.bucket.clone();
        settings.table = args.table.clone();
        settings.region = args.region.clone();
        settings.keys = outside_keys(args.aws, |name| std::env::var(name).ok());
        Ok(settings)
    }

    pub(super) fn mysql_address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.mysql_port)
    }

    /// Aliases of brokers: those given, and the tutorial's name for the embedded broker unless it was given too.
    pub(super) fn aliases(&self, embedded_broker: Option<SocketAddr>) -> Vec<(String, String)> {
        let given = self.aliases.iter().map(|alias| (alias.name.clone(), alias.address.clone()));
        let tutorial = embedded_broker
            .filter(|_| self.aliases.iter().all(|alias| alias.name != TUTORIAL_BROKER))
            .map(|address| (TUTORIAL_BROKER.to_owned(), address.to_string()));
        given.chain(tutorial).collect()
    }
}

/// Keys for services that are not AWS's: those of the environment, else the ones that emulators take from anybody. AWS's
/// own are left to the clients, which know profiles, roles and tokens too.
fn outside_keys(aws: bool, lookup: impl Fn(&str) -> Option<String>) -> Option<Keys> {
    if aws {
        return None;
    }
    match (lookup("AWS_ACCESS_KEY_ID"), lookup("AWS_SECRET_ACCESS_KEY")) {
        (Some(access_key), Some(secret_key)) => {
            Some(Keys { access_key, secret_key, session_token: lookup("AWS_SESSION_TOKEN") })
        }
        _ => Some(Keys { access_key: "test".to_owned(), secret_key: "test".to_owned(), session_token: None }),
    }
}

/// Where the parts of a server are reached.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// `host:port` of the brokers.
    pub kafka: String,
    /// URL of S3.
    pub s3: String,
    /// `host:port` of the gateway.
    pub mysql: String,
    /// `s3://bucket` of the builtin volume.
    pub location: String,
    /// AWS region.
    pub region: String,
    /// Access key of the embedded S3, or a word that says where to find it.
    pub s3_access_key: String,
    /// Its secret key, likewise.
    pub s3_secret_key: String,
}

impl Addresses {
    pub(super) fn new(settings: &ServerSettings, services: &Services, mysql: SocketAddr) -> Self {
        let (access, secret) = match settings.s3 {
            Part::Embedded(_) => (EMBEDDED_KEY, EMBEDDED_KEY),
            Part::Outside(_) => ("<access key>", "<secret key>"),
        };
        Self {
            kafka: services.kafka(settings),
            s3: services.s3_endpoint(settings).unwrap_or_else(|| "https://s3.amazonaws.com".to_owned()),
            mysql: mysql.to_string(),
            location: format!("s3://{}", settings.bucket),
            region: settings.region.clone(),
            s3_access_key: access.to_owned(),
            s3_secret_key: secret.to_owned(),
        }
    }
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Others could reach it, and nobody would be asked for a password.
    #[error(
        "{address} can be reached by others, which demands a password: give one with --password or PENSTOCK_PASSWORD"
    )]
    PasswordNeeded {
        /// The address.
        address: IpAddr,
    },
    /// Another program listens there.
    #[error("port {port} of {address} is in use, so the {part} cannot listen: free it, or choose another with {flag}")]
    Busy {
        /// The part.
        part: &'static str,
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
        /// The flag that names another.
        flag: &'static str,
    },
    /// The address cannot be listened on.
    #[error("the {part} cannot listen on {address}")]
    Listen {
        /// The part.
        part: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    Data(#[from] DataDirError),
    /// An embedded service cannot start.
    #[error(transparent)]
    Service(penstock_local::error::StartError),
    /// The embedded broker cannot start.
    #[error(transparent)]
    Broker(BrokerError),
    /// The catalog's table cannot be reached or made.
    #[error("the catalog cannot be opened")]
    Catalog {
        /// What the store said.
        #[source]
        source: CatalogError,
    },
    /// The bucket cannot be reached or made.
    #[error("the bucket `{bucket}` cannot be opened")]
    Bucket {
        /// The bucket.
        bucket: String,
        /// What S3 said.
        #[source]
        source: StorageError,
    },
    /// The functions cannot be made ready.
    #[error("the functions cannot start")]
    Functions {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StartError {
    /// The error for a part that cannot listen on `address`; a busy port names the flag that chooses another.
    pub(super) fn listen(part: &'static str, address: SocketAddr, source: io::Error) -> Self {
        if source.kind() != io::ErrorKind::AddrInUse {
            return Self::Listen { part, address, source };
        }
        let flag = match part {
            "Kafka broker" => "--kafka-port",
            "S3" => "--s3-port",
            "DynamoDB" => "--dynamodb-port",
            "schema registry" => "--registry-port",
            _ => "--mysql-port",
        };
        Self::Busy { part, address: address.ip(), port: address.port(), flag }
    }
}
