//! What dropped tables leave behind.

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use penstock_catalog::dropped::DroppedTable;

use crate::error::MaintainError;
use crate::maintainer::{Maintainer, RunReport, failed};

/// Part of a run's time that clearing may take: tables that are there come first, but not so that what is gone stays for
/// ever where they need every run.
const SHARE: i64 = 4;

/// Objects that are deleted before the time is looked at.
const AT_ONCE: usize = 1_000;

/// Deletions in flight.
const DELETES_AT_ONCE: usize = 16;

impl Maintainer {
    /// Clears the dropped tables that no query can be reading, and sees those that were dropped since the last run.
    pub(crate) async fn clear_dropped_tables(
        &self,
        until_ms: i64,
        report: &mut RunReport,
    ) -> Result<(), MaintainError> {
        let now_ms = self.now_ms();
        let until_ms = now_ms.saturating_add(until_ms.saturating_sub(now_ms) / SHARE);
        for table in self.catalog.dropped_tables().await? {
            let result = if table.seen_at_ms.is_none() {
                self.catalog.see_dropped(&table).await.map_err(MaintainError::from)
            } else if table.is_due(self.now_ms()) && self.now_ms() < until_ms {
                self.clear(&table, until_ms).await.map(|deleted| report.deleted += deleted)
            } else {
                Ok(())
            };
            if let Err(error) = result {
                failed(&table.definition.name, &error, report);
            }
        }
        Ok(())
    }

    /// Deletes the objects of a dropped table and its items; how many objects is the answer. An error, or the end of the
    /// time, leaves the note of it, so that the next run goes on.
    async fn clear(&self, table: &DroppedTable, until_ms: i64) -> Result<u64, MaintainError> {
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
        let mut listed = store.list(Some(&path)).chunks(AT_ONCE);
        let mut deleted = 0_u64;
        while let Some(objects) = listed.next().await {
            deleted += objects.len() as u64; // usize has at most 64 bits
            let (store, failed) = (&store, &failed);
            futures::stream::iter(objects)
                .map(|object| async move {
                    match store.delete(&object.map_err(failed("list"))?.location).await {
                        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                        Err(error) => Err(failed("delete")(error)),
                    }
                })
                .buffer_unordered(DELETES_AT_ONCE)
                .try_collect::<()>()
                .await?;
            if self.now_ms() >= until_ms {
                return Ok(deleted);
            }
        }
        self.catalog.clear_dropped(table).await?;
        tracing::info!(table = table.definition.name, objects = deleted, "cleared a dropped table");
        Ok(deleted)
    }
}
