//! Object stores of storage volumes: where data files are written and read.
//!
//! One place decides endpoint, credentials and path style, so that writer and reader always mean the same object. It is
//! not a cache and not a catalog: which objects count is for commits to say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use serde::{Deserialize, Serialize};

/// A storage volume as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// `s3://<bucket>[/<path>]`, without a closing slash.
    pub location: String,
    /// `aws.s3.*` properties as SHOW prints them, secrets never among them.
    pub properties: std::collections::BTreeMap<String, String>,
    /// Whether tables may be created in it.
    pub enabled: bool,
    /// Its comment; empty if none.
    pub comment: String,
}

/// Settings for the volume that the deployment itself brings ([`BUILTIN_VOLUME`]). Without endpoint and keys, those of
/// the environment's AWS credentials apply.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BuiltinStorage {
    /// `http://host:port` of an S3 that is not AWS's.
    pub endpoint: Option<String>,
    /// AWS region.
    pub region: String,
    /// Access key and secret key; `None`: the SDK's default chain of the function's role.
    pub keys: Option<Keys>,
}

/// A key pair. Never printed.
#[derive(Clone, PartialEq, Eq)]
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
        f.debug_struct("BuiltinStorage").field("endpoint", &self.endpoint).field("region", &self.region).finish_non_exhaustive()
    }
}

/// The volume that exists from the start.
pub const BUILTIN_VOLUME: &str = "builtin_storage_volume";

/// Opens the object store of a volume. Keys of objects are full keys in the bucket: [`Volume::key`].
pub trait Volumes: Send + Sync {
    /// The store of `volume`'s bucket; the same one for repeated calls.
    ///
    /// # Errors
    /// [`StorageError`] if the location or a property makes no sense.
    fn open(&self, volume: &Volume) -> Result<Arc<dyn ObjectStore>, StorageError>;
}

/// A volume that cannot be opened: its definition or a setting is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The location is no S3 location.
    #[error("storage volume `{volume}`: expected a location of the form s3://bucket[/path], found `{location}`")]
    Location {
        /// The volume.
        volume: String,
        /// What was found.
        location: String,
    },
    /// The client could not be built.
    #[error("storage volume `{volume}` cannot be opened")]
    Client {
        /// The volume.
        volume: String,
        /// What the client said.
        #[source]
        source: object_store::Error,
    },
}

impl Volume {
    /// Bucket and path of the location; the path is empty or without slashes at its ends.
    ///
    /// # Errors
    /// [`StorageError::Location`]
    pub fn bucket_and_path(&self) -> Result<(&str, &str), StorageError> {
        let wrong = || StorageError::Location { volume: self.name.clone(), location: self.location.clone() };
        let rest = self.location.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() { Err(wrong()) } else { Ok((bucket, path.trim_matches('/'))) }
    }

    /// The full key in the bucket of an object that the catalog knows as `relative`.
    ///
    /// # Errors
    /// [`StorageError::Location`]
    pub fn key(&self, relative: &str) -> Result<String, StorageError> {
        let (_, path) = self.bucket_and_path()?;
        Ok(if path.is_empty() { relative.to_owned() } else { format!("{path}/{relative}") })
    }
}

/// Volumes on S3 and what speaks its protocol.
#[derive(Debug)]
pub struct S3Volumes {
    builtin: BuiltinStorage,
    opened: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl S3Volumes {
    /// `builtin` are the deployment's own settings.
    pub fn new(builtin: BuiltinStorage) -> Self {
        Self { builtin, opened: Mutex::default() }
    }

    fn build(&self, volume: &Volume) -> Result<Arc<dyn ObjectStore>, StorageError> {
        let (bucket, _) = volume.bucket_and_path()?;
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_region(&self.builtin.region);
        if let Some(endpoint) = &self.builtin.endpoint {
            builder = builder
                .with_endpoint(endpoint)
                .with_allow_http(endpoint.starts_with("http://"))
                .with_virtual_hosted_style_request(false);
        }
        if let Some(keys) = &self.builtin.keys {
            builder = builder.with_access_key_id(&keys.access_key).with_secret_access_key(&keys.secret_key);
            if let Some(token) = &keys.session_token {
                builder = builder.with_token(token);
            }
        }
        let store = builder
            .build()
            .map_err(|source| StorageError::Client { volume: volume.name.clone(), source })?;
        Ok(Arc::new(store))
    }
}

impl Volumes for S3Volumes {
    fn open(&self, volume: &Volume) -> Result<Arc<dyn ObjectStore>, StorageError> {
        // A poisoned map only means that another thread ended while it held whole entries.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = opened.get(&volume.location) {
            return Ok(Arc::clone(store));
        }
        let store = self.build(volume)?;
        opened.insert(volume.location.clone(), Arc::clone(&store));
        Ok(store)
    }
}
