//! Volumes in memory, for tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use object_store::memory::InMemory;

use crate::{StorageError, Volume, Volumes};

/// A bucket in memory for each that is asked for; it lives as long as the value.
#[derive(Debug, Default)]
pub struct MemoryVolumes {
    buckets: Mutex<HashMap<String, Arc<InMemory>>>,
}

impl MemoryVolumes {
    /// No bucket yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Volumes for MemoryVolumes {
    fn open(&self, volume: &Volume) -> Result<Arc<dyn ObjectStore>, StorageError> {
        let (bucket, _) = volume.bucket_and_path()?;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let store = buckets.entry(bucket.to_owned()).or_default();
        Ok(Arc::<InMemory>::clone(store))
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;
    use object_store::path::Path;

    use super::*;

    fn volume(location: &str) -> Volume {
        Volume {
            name: "v".to_owned(),
            location: location.to_owned(),
            properties: std::collections::BTreeMap::new(),
            enabled: true,
            comment: String::new(),
        }
    }

    #[tokio::test]
    async fn volumes_of_one_bucket_share_its_objects() {
        let volumes = MemoryVolumes::new();
        let path = Path::from("p/k");
        volumes.open(&volume("s3://b/p")).unwrap().put(&path, "x".into()).await.unwrap();
        assert!(volumes.open(&volume("s3://b/q")).unwrap().head(&path).await.is_ok());
        assert!(volumes.open(&volume("s3://c/p")).unwrap().head(&path).await.is_err());
    }
}
