//! The server: embedded or outside services, the functions, and the gateway, put together.
//!
//! Parts start in the order in which they need one another and stop in the reverse, so that nothing is acknowledged by a
//! part whose ground is gone.

mod embedded;
mod functions;
mod services;
mod settings;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use penstock_catalog::Catalog;
use penstock_catalog::clock::SystemClock;
use penstock_catalog::error::CatalogError;
use penstock_catalog::store::dynamodb::DynamoStore;
use penstock_gateway::{Gateway, GatewaySettings, Secret};
use penstock_local::data_dir::DataDir;
use penstock_local::esm::Esm;
use penstock_storage::S3Volumes;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use functions::{Functions, Ground};
use services::Services;
pub use settings::{Addresses, ServerSettings, StartError};

/// How long parts may take to end what they are at.
const GRACE: Duration = Duration::from_millis(700);

/// A running server.
pub struct Server {
    addresses: Addresses,
    catalog: Catalog,
    password: Option<String>,
    keeps_data: bool,
    esm: Arc<Esm>,
    functions: Functions,
    gateway: JoinHandle<()>,
    stop_gateway: watch::Sender<bool>,
    services: Services,
    // Last: a temporary directory goes when everything that wrote into it has ended.
    data: DataDir,
}

impl Server {
    /// Starts all parts; `told` learns of each as it serves: what, where, and a remark.
    ///
    /// # Errors
    /// [`StartError`] if a part cannot start; what had started is stopped again.
    pub async fn start(settings: ServerSettings, told: impl Fn(&str, &str, &str)) -> Result<Self, StartError> {
        let data = match &settings.data {
            Some(path) => DataDir::open(path)?,
            None => DataDir::temporary()?,
        };
        // Bound first: a busy port is known before anything is started for it.
        let listener = listen(settings.mysql_address()).await?;
        let mysql = listener
            .local_addr()
            .map_err(|source| StartError::listen("MySQL gateway", settings.mysql_address(), source))?;
        let services = Services::start(&settings, &data, &told).await?;
        let catalog = open_catalog(&settings, &services).await?;
        let ground = Ground { settings: &settings, services: &services, catalog: &catalog, data: &data };
        let (esm, functions) = functions::start(&ground, &told).await?;
        let addresses = Addresses::new(&settings, &services, mysql);
        let (stop_gateway, stopped) = watch::channel(false);
        let gateway =
            tokio::spawn(Gateway::serve(listener, functions.sql(), gateway_settings(&settings), stopping(stopped)));
        told("MySQL gateway", &addresses.mysql, "user root");
        Ok(Self {
            addresses,
            catalog,
            password: settings.password.clone(),
            keeps_data: settings.data.is_some(),
            esm,
            functions,
            gateway,
            stop_gateway,
            services,
            data,
        })
    }

    /// Where its parts listen.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The password of `root`, if one is needed.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// Whether data outlives the process.
    pub fn keeps_data(&self) -> bool {
        self.keeps_data
    }

    /// Files of a table and their bytes, as a reader sees them; none if there is no such table.
    ///
    /// # Errors
    /// [`CatalogError`] if the store does not answer.
    pub async fn files(&self, database: &str, table: &str) -> Result<(u64, u64), CatalogError> {
        let Some(database) = self.catalog.database(database).await? else { return Ok((0, 0)) };
        let Some(table) = self.catalog.table(database.id, table).await? else { return Ok((0, 0)) };
        let files = self.catalog.data_files(&table).await?;
        Ok(files.iter().fold((0, 0), |(count, bytes), file| (count + 1, bytes + file.bytes)))
    }

    /// Stops accepting, lets batches in flight end for a moment, and closes what is stored. Within 3 s.
    pub async fn shutdown(self) {
        // A gateway that has ended already needs no telling.
        let _ = self.stop_gateway.send(true);
        self.esm.shutdown(GRACE).await;
        if tokio::time::timeout(GRACE, self.gateway).await.is_err() {
            tracing::warn!("statements were still running");
        }
        self.functions.shutdown(GRACE).await;
        self.services.shutdown(GRACE).await;
        drop(self.data);
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::listen("MySQL gateway", address, source))
}

async fn stopping(mut stopped: watch::Receiver<bool>) {
    // An error means that the server is gone, which is the same to a gateway.
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn gateway_settings(settings: &ServerSettings) -> GatewaySettings {
    let mut gateway = GatewaySettings::new(env!("CARGO_PKG_VERSION"));
    gateway.password = settings.password.clone().map(Secret::new);
    gateway
}

async fn open_catalog(settings: &ServerSettings, services: &Services) -> Result<Catalog, StartError> {
    let store = DynamoStore::connect(&services.dynamo_settings(settings)).await;
    store.create_table_if_absent().await.map_err(|source| StartError::Catalog { source })?;
    let volumes = Arc::new(S3Volumes::new(services.storage(settings)));
    Ok(Catalog::new(Arc::new(store), Arc::new(SystemClock)).with_volumes(volumes))
}
