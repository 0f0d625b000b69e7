//! S3 embedded: objects as files of one directory, behind the real protocol, so that loader, query and other programs
//! (aws, boto3, DuckDB) reach them as they reach AWS.
//!
//! An object is written to a temporary file and renamed, so it is whole or absent, and an acknowledged one survives the
//! death of this process. Conditional writes are checked but not atomic: nothing of ours relies on them.

mod body;
pub mod files;
mod objects;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

use self::objects::Objects;
use crate::error::StartError;
use crate::http;

/// What an embedded S3 is to be.
#[derive(Clone)]
pub struct S3Config {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The directory of the objects; created if absent.
    pub data: PathBuf,
    /// Buckets that exist from the start.
    pub buckets: Vec<String>,
    /// The access key that requests must be signed with.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
}

/// An embedded S3. Addresses are path-style: `http://host:port/bucket/key`.
pub struct S3Server {
    /// Where it listens.
    pub address: SocketAddr,
    server: http::Server,
}

const SERVICE: &str = "S3";

impl S3Server {
    /// Opens the directory, creates the buckets and listens.
    ///
    /// # Errors
    /// [`StartError::Listen`] if the address is taken, [`StartError::Data`] if the directory cannot be used.
    pub async fn start(config: S3Config) -> Result<Self, StartError> {
        let bound = http::bind(SERVICE, config.listen).await?;
        let address = bound.address;
        for bucket in &config.buckets {
            let path = config.data.join(bucket);
            tokio::fs::create_dir_all(&path).await.map_err(|source| StartError::data(SERVICE, &path, source))?;
        }
        tokio::fs::create_dir_all(&config.data)
            .await
            .map_err(|source| StartError::data(SERVICE, &config.data, source))?;
        let objects = Objects::open(&config.data).map_err(|source| StartError::data(SERVICE, &config.data, source))?;
        let mut builder = S3ServiceBuilder::new(objects);
        builder.set_auth(SimpleAuth::from_single(config.access_key, config.secret_key));
        Ok(Self { address, server: bound.serve(builder.build()) })
    }

    /// `http://host:port` for clients.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Accepts no more, and lets requests in flight end for at most `grace`.
    pub async fn shutdown(self, grace: Duration) {
        self.server.shutdown(grace).await;
    }
}

#[cfg(test)]
mod tests;
