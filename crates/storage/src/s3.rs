//! Volumes on S3 and on what speaks its protocol.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::access::Access;
use crate::{StorageError, Volume, Volumes};

/// Settings for the volume that the deployment itself brings ([`BUILTIN_VOLUME`](crate::BUILTIN_VOLUME)).
/// Without endpoint and keys, those of the environment's AWS credentials apply.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BuiltinStorage {
    /// `http://host:port` of an S3 that is not AWS's.
    pub endpoint: Option<String>,
    /// AWS region.
    pub region: String,
    /// Access key and secret key; `None`: the SDK's default chain of the function's role.
    pub keys: Option<Keys>,
    /// Endpoints of volumes that stand for this one, `host:port` each: so that a statement from a book, which names a
    /// host of its author's network, reaches the S3 of a laptop.
    pub aliases: Vec<String>,
}

/// A key pair. Never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Keys {
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: String,
    /// Session token, for temporary credentials.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(******)")
    }
}

impl std::fmt::Debug for BuiltinStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuiltinStorage")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// How long a request may take, body included, and how long it is tried again. So an S3 that takes requests and says
/// nothing fails a batch within the sum of both; one that refuses connections, sooner. Both are more than a file of one
/// batch or the ranges that a reader asks for take.
const REQUEST: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(9);

/// Volumes on S3 and what speaks its protocol.
#[derive(Debug)]
pub struct S3Volumes {
    builtin: BuiltinStorage,
    opened: Mutex<HashMap<(String, Access), Arc<AmazonS3>>>,
}

impl S3Volumes {
    /// `builtin` are the deployment's own settings.
    pub fn new(builtin: BuiltinStorage) -> Self {
        Self { builtin, opened: Mutex::default() }
    }

    pub(crate) fn bucket(&self, volume: &Volume) -> Result<Arc<AmazonS3>, StorageError> {
        let (bucket, _) = volume.bucket_and_path()?;
        let access = self.access(volume)?;
        let key = (bucket.to_owned(), access);
        // A poisoned map only means that another thread ended while it held whole entries.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = opened.get(&key) {
            return Ok(Arc::clone(store));
        }
        let store =
            build(bucket, &key.1).map_err(|source| StorageError::Client { volume: volume.name.clone(), source })?;
        let store = Arc::new(store);
        opened.insert(key, Arc::clone(&store));
        Ok(store)
    }

    /// Whether the volume is reached by the deployment's own endpoint.
    ///
    /// # Errors
    /// [`StorageError::Endpoint`]
    pub fn is_own(&self, volume: &Volume) -> Result<bool, StorageError> {
        Ok(self.access(volume)?.endpoint == self.builtin.endpoint)
    }

    /// How the volume is reached.
    pub(crate) fn access(&self, volume: &Volume) -> Result<Access, StorageError> {
        Access::of(volume, &self.builtin)
    }
}

fn build(bucket: &str, access: &Access) -> Result<AmazonS3, object_store::Error> {
    let mut builder = match &access.keys {
        // The environment would add its session token to keys that it does not belong to.
        Some(keys) => {
            let builder =
                AmazonS3Builder::new().with_access_key_id(&keys.access_key).with_secret_access_key(&keys.secret_key);
            match &keys.session_token {
                Some(token) => builder.with_token(token),
                None => builder,
            }
        }
        None => AmazonS3Builder::from_env(),
    };
    builder = builder.with_virtual_hosted_style_request(!access.path_style);
    if let Some(endpoint) = &access.endpoint {
        // With the bucket in the host's name, the client wants an endpoint that has it.
        let bucket_url = access.bucket_url(bucket).filter(|_| !access.path_style);
        builder = builder.with_endpoint(bucket_url.unwrap_or_else(|| endpoint.clone()));
    }
    builder
        .with_bucket_name(bucket)
        .with_region(&access.region)
        .with_client_options(client_options(access))
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.,
            },
            max_retries: 8,
            retry_timeout: RETRY,
        })
        .build()
}

pub(crate) fn client_options(access: &Access) -> ClientOptions {
    let plain = access.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(REQUEST).with_allow_http(plain)
}

impl Volumes for S3Volumes {
    fn open(&self, volume: &Volume) -> Result<Arc<dyn ObjectStore>, StorageError> {
        Ok(self.bucket(volume)?)
    }
}
