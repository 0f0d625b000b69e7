//! Object stores of storage volumes: where data files are written and read.
//!
//! One place decides endpoint, credentials and path style, so that writer and reader always mean the same object. It is
//! not a cache and not a catalog: which objects count is for commits to say.

mod access;
mod bucket;
mod memory;
pub mod property;
mod s3;
mod volume;

use std::sync::Arc;

use object_store::ObjectStore;

pub use memory::MemoryVolumes;
pub use s3::{BuiltinStorage, Keys, S3Volumes};
pub use volume::{BUILTIN_VOLUME, Volume};

/// Opens the object store of a volume. Keys of objects are full keys in the bucket: [`Volume::key`].
pub trait Volumes: Send + Sync {
    /// The store of `volume`'s bucket; the same one for repeated calls.
    ///
    /// # Errors
    /// [`StorageError`] if the location or a property makes no sense.
    fn open(&self, volume: &Volume) -> Result<Arc<dyn ObjectStore>, StorageError>;
}

/// A volume that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The location is no S3 location: the volume's definition must change.
    #[error("storage volume `{volume}`: expected a location of the form s3://bucket[/path], found `{location}`")]
    Location {
        /// The volume.
        volume: String,
        /// What was found.
        location: String,
    },
    /// The endpoint is no address: the setting must change.
    #[error("storage volume `{volume}`: expected an endpoint of the form http[s]://host[:port], found `{endpoint}`")]
    Endpoint {
        /// The volume.
        volume: String,
        /// What was found.
        endpoint: String,
    },
    /// The client could not be built, or finds no credentials: a setting must change.
    #[error("storage volume `{volume}` cannot be opened")]
    Client {
        /// The volume.
        volume: String,
        /// What the client said.
        #[source]
        source: object_store::Error,
    },
    /// The service does not answer: try again.
    #[error("the object store of storage volume `{volume}` does not answer")]
    Unreachable {
        /// The volume.
        volume: String,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service does not make the bucket: permissions or the name must change.
    #[error("bucket `{bucket}` of storage volume `{volume}` is refused with status {status}: {message}")]
    Refused {
        /// The volume.
        volume: String,
        /// Its bucket.
        bucket: String,
        /// HTTP status.
        status: u16,
        /// In the service's words.
        message: String,
    },
}
