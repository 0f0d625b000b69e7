//! Volumes of the embedded S3 as queries of this process read them: their objects from their files, other volumes as anybody
//! would.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use penstock_local::s3::files::ObjectFiles;
use penstock_storage::{S3Volumes, StorageError, Volume, Volumes};

/// Volumes for reading.
pub(super) struct EmbeddedVolumes {
    /// Where the buckets of the embedded S3 lie.
    pub(super) objects: PathBuf,
    pub(super) s3: Arc<S3Volumes>,
}

impl Volumes for EmbeddedVolumes {
    fn open(&self, volume: &Volume) -> Result<Arc<dyn ObjectStore>, StorageError> {
        let (bucket, _) = volume.bucket_and_path()?;
        // Its name becomes that of a directory.
        let plain = bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if self.s3.is_own(volume)? && plain && !bucket.starts_with('.') {
            return Ok(Arc::new(ObjectFiles::new(self.objects.join(bucket))));
        }
        self.s3.open(volume)
    }
}
