//! Storage volumes by name, and which is the default.

use penstock_storage::Volume;

use crate::Catalog;
use crate::error::CatalogError;

impl Catalog {
    /// Stores the volume under its name, replacing one of that name; the first volume ever becomes the default.
    pub async fn put_volume(&self, _volume: &Volume) -> Result<(), CatalogError> {
        todo!()
    }

    /// The volume of that name.
    pub async fn volume(&self, _name: &str) -> Result<Option<Volume>, CatalogError> {
        todo!()
    }

    /// All volumes, by name.
    pub async fn volumes(&self) -> Result<Vec<Volume>, CatalogError> {
        todo!()
    }

    /// Name of the default volume, if there is one.
    pub async fn default_volume(&self) -> Result<Option<String>, CatalogError> {
        todo!()
    }
}
