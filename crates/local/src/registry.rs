//! A schema registry embedded: the part of Confluent's REST API that serializers and deserializers use, for Avro and JSON
//! Schema.
//!
//! Schemas outlive the process in one small file that is replaced as a whole. What is registered is checked to be a
//! schema, not to be compatible with its predecessors: a job reads each record by the schema that wrote it, so it has no
//! need of that, and a laptop is the place to try things. So the compatibility level is NONE unless told, and telling it
//! changes what is shown, nothing else.
//!
//! # References
//! - <https://docs.confluent.io/platform/current/schema-registry/develop/api.html>

mod answer;
mod api;
mod state;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;

use self::state::Registered;
use crate::error::StartError;
use crate::http;

/// What an embedded schema registry is to be.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The file of the schemas; created if absent, in a directory that exists.
    pub file: PathBuf,
}

/// An embedded schema registry. It asks nobody who they are.
pub struct RegistryServer {
    /// Where it listens.
    pub address: SocketAddr,
    server: http::Server,
}

const SERVICE: &str = "schema registry";

impl RegistryServer {
    /// Reads the file and listens.
    ///
    /// # Errors
    /// [`StartError::Listen`] if the address is taken, [`StartError::Data`] if the file cannot be read.
    pub async fn start(config: RegistryConfig) -> Result<Self, StartError> {
        let bound = http::bind(SERVICE, config.listen).await?;
        let address = bound.address;
        let registered =
            Registered::open(&config.file).map_err(|source| StartError::data(SERVICE, &config.file, source))?;
        let registered = Arc::new(tokio::sync::Mutex::new(registered));
        let service = service_fn(move |request: Request<Incoming>| {
            let registered = Arc::clone(&registered);
            async move { Ok::<_, Infallible>(api::answer(&registered, request).await) }
        });
        Ok(Self { address, server: bound.serve(service) })
    }

    /// `http://host:port` for clients.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Accepts no more, and lets requests in flight end for at most `grace`.
    pub async fn shutdown(self, grace: Duration) {
        self.server.shutdown(grace).await;
    }
}
