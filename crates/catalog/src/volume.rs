//! Storage volumes by name, and which is the default.

use penstock_storage::Volume;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::database::Created;
use crate::error::CatalogError;
use crate::key;
use crate::record::{self, Record};
use crate::store::{Action, Condition, Write, WriteOutcome};
use crate::update::{Change, Race};

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

    /// Stores a new volume; one of that name is left as it is. It does not become the default.
    pub async fn create_volume(&self, volume: &Volume) -> Result<Created<Volume>, CatalogError> {
        let key = key::volume(&volume.name);
        let mut race = Race::about(&key);
        loop {
            if let Some(stored) = self.volume(&volume.name).await? {
                return Ok(Created::Exists(stored));
            }
            if self.write_once(vec![record::first(&key, volume)?]).await? == WriteOutcome::Done {
                return Ok(Created::New(volume.clone()));
            }
            race.lost(&*self.clock).await?;
        }
    }

    /// Stores `after` in the place of `before`; `false` if the volume is another by now, or gone.
    pub async fn replace_volume(&self, before: &Volume, after: &Volume) -> Result<bool, CatalogError> {
        let key = key::volume(&before.name);
        let Some(read) = self.read::<Volume>(&key).await?.filter(|read| read.value == *before) else {
            return Ok(false);
        };
        let write = record::next(&key, after, read.revision)?;
        Ok(self.write_once(vec![write]).await? == WriteOutcome::Done)
    }

    /// Removes a volume. Whoever refers to it is to be asked before. Absent: `false`.
    pub async fn drop_volume(&self, name: &str) -> Result<bool, CatalogError> {
        let delete = Write { key: key::volume(name), condition: Condition::Equals(Vec::new()), action: Action::Delete };
        Ok(self.write_once(vec![delete]).await? == WriteOutcome::Done)
    }

    /// Makes an existing volume the default one, for databases and tables made from now on. Absent: `false`.
    pub async fn set_default_volume(&self, name: &str) -> Result<bool, CatalogError> {
        if self.volume(name).await?.is_none() {
            return Ok(false);
        }
        self.update(&key::default_volume(), |stored: Option<&DefaultVolume>| match stored {
            Some(stored) if stored.0 == name => Change::Leave,
            _ => Change::To(DefaultVolume(name.to_owned())),
        })
        .await?;
        Ok(true)
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
