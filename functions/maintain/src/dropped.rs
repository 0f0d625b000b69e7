//! What dropped tables leave behind.

use futures::StreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use penstock_catalog::dropped::DroppedTable;

use crate::error::MaintainError;
use crate::maintainer::Maintainer;

impl Maintainer {
    /// Deletes the objects of a dropped table and its items; how many objects is the answer. An error leaves the note of
    /// it, so that the next run goes on.
    pub(crate) async fn clear(&self, table: &DroppedTable) -> Result<u64, MaintainError> {
        let (volume, store) = match self.open(&table.definition).await {
            Ok(opened) => opened,
            // Its volume was dropped after it: the objects are for whoever owns the bucket.
            Err(MaintainError::UnknownVolume { .. }) => {
                self.catalog.clear_dropped(table).await?;
                return Ok(0);
            }
            Err(error) => return Err(error),
        };
        let prefix = volume.key(&format!("table/{}", table.definition.id))?;
        let failed = |operation| {
            let key = prefix.clone();
            move |source| MaintainError::Objects { key: key.clone(), operation, source }
        };
        let path = Path::parse(&prefix).map_err(|error| failed("name")(error.into()))?;
        let mut listed = store.list(Some(&path)).chunks(1_000);
        let mut deleted = 0_u64;
        while let Some(objects) = listed.next().await {
            for object in objects {
                let object = object.map_err(failed("list"))?;
                match store.delete(&object.location).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => deleted += 1,
                    Err(error) => return Err(failed("delete")(error)),
                }
            }
        }
        self.catalog.clear_dropped(table).await?;
        tracing::info!(table = table.definition.name, objects = deleted, "cleared a dropped table");
        Ok(deleted)
    }
}
