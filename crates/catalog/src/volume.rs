//! Storage volumes by name, and which is the default.

use penstock_storage::Volume;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::error::CatalogError;
use crate::key;
use crate::record::Record;
use crate::update::Change;

impl Record for Volume {}

/// Name of the default volume.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct DefaultVolume(String);

impl Record for DefaultVolume {}

impl Catalog {
    /// Stores the volume under its name, replacing one of that name; the first volume ever becomes the default.
    pub async fn put_volume(&self, volume: &Volume) -> Result<(), CatalogError> {
        self.update(&key::volume(&volume.name), |stored| match stored {
            Some(stored) if stored == volume => Change::Leave,
            _ => Change::To(volume.clone()),
        })
        .await?;
        self.update(&key::default_volume(), |stored| match stored {
            Some(_) => Change::Leave,
            None => Change::To(DefaultVolume(volume.name.clone())),
        })
        .await?;
        Ok(())
    }

    /// The volume of that name.
    pub async fn volume(&self, name: &str) -> Result<Option<Volume>, CatalogError> {
        Ok(self.read(&key::volume(name)).await?.map(|read| read.value))
    }

    /// All volumes, by name.
    pub async fn volumes(&self) -> Result<Vec<Volume>, CatalogError> {
        self.list(key::CATALOG, key::VOLUMES).await
    }

    /// Name of the default volume, if there is one.
    pub async fn default_volume(&self) -> Result<Option<String>, CatalogError> {
        let read = self.read::<DefaultVolume>(&key::default_volume()).await?;
        Ok(read.map(|read| read.value.0))
    }
}
