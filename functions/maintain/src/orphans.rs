//! Files that nobody names: what an attempt put and did not commit, because another was faster or it ended.
//!
//! The name of every file ends with when it was made. One that was made longer ago than any attempt takes, and that the
//! catalog does not name, will never be named. The names of a table are listed a stretch at a time, at most once an hour,
//! so that a table of a million files is gone through in some days, and a listing never costs more than its stretch.
//! Error files lie elsewhere and are never touched: REPLAY needs them.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use penstock_catalog::clock::made_at_ms;
use penstock_catalog::layout::{MaintenanceReport, TableState};
use penstock_kernel::table::TableDefinition;

use crate::error::MaintainError;
use crate::maintainer::Maintainer;

/// Age of a file that no attempt can be about to commit: attempts take minutes.
pub(crate) const ORPHAN_MS: i64 = 86_400_000;

/// Time between two stretches.
const PAUSE_MS: i64 = 3_600_000;

/// Names of a stretch.
const STRETCH: usize = 10_000;

/// How far a collection came.
pub(crate) struct Collected {
    pub(crate) deleted: u64,
    /// The last name of the stretch; `None`: the next begins at the beginning.
    pub(crate) to: Option<String>,
    pub(crate) at_ms: i64,
}

impl Collected {
    pub(crate) fn unchanged(earlier: Option<&MaintenanceReport>) -> Self {
        Self {
            deleted: 0,
            to: earlier.and_then(|earlier| earlier.collected_to.clone()),
            at_ms: earlier.map_or(0, |earlier| earlier.collected_at_ms),
        }
    }
}

impl Maintainer {
    /// Whether it is time for the next stretch of a table.
    pub(crate) fn collects(&self, outline: &TableState) -> bool {
        self.is_time(outline.maintenance.as_ref())
    }

    fn is_time(&self, earlier: Option<&MaintenanceReport>) -> bool {
        earlier.is_none_or(|earlier| earlier.collected_at_ms.saturating_add(PAUSE_MS) <= self.now_ms())
    }

    /// Deletes what nobody names of the next stretch, if it is time.
    pub(crate) async fn collect(
        &self,
        table: &TableDefinition,
        earlier: Option<&MaintenanceReport>,
    ) -> Result<Collected, MaintainError> {
        let mut collected = Collected::unchanged(earlier);
        if !self.is_time(earlier) {
            return Ok(collected);
        }
        let (volume, store) = self.open(table).await?;
        let prefix = volume.key(&format!("table/{}", table.id))?;
        let failed = |source| MaintainError::Objects { key: prefix.clone(), operation: "list", source };
        let parse = |key: &str| Path::parse(key).map_err(|error| failed(error.into()));
        let path = parse(&prefix)?;
        let listed = match &collected.to {
            Some(after) => store.list_with_offset(Some(&path), &parse(after)?),
            None => store.list(Some(&path)),
        };
        let mut names: Vec<String> = Vec::new();
        let mut listed = listed.take(STRETCH);
        while let Some(object) = listed.try_next().await.map_err(failed)? {
            names.push(object.location.to_string());
        }
        drop(listed);
        // Not every store lists in order; a later stretch begins behind the greatest name.
        collected.to = if names.len() < STRETCH { None } else { names.iter().max().cloned() };
        collected.at_ms = self.now_ms();
        let old_ms = self.now_ms().saturating_sub(ORPHAN_MS);
        names.retain(|name| made_at(name).is_some_and(|made_ms| made_ms <= old_ms));
        if names.is_empty() {
            return Ok(collected);
        }
        // Read after the names: what was committed since they were listed is among it.
        let mut named = std::collections::HashSet::new();
        for key in self.catalog.named_objects(table).await? {
            named.insert(volume.key(&key)?);
        }
        names.retain(|name| !named.contains(name));
        collected.deleted = names.len() as u64; // usize has at most 64 bits
        for name in &names {
            tracing::info!(table = table.name, key = name, "deleting a file without a commit");
        }
        stream::iter(names)
            .map(|name| {
                let store = Arc::clone(&store);
                async move {
                    let path = Path::parse(&name).map_err(|error| (name.clone(), error.into()))?;
                    match store.delete(&path).await {
                        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                        Err(error) => Err((name, error)),
                    }
                }
            })
            .buffer_unordered(16)
            .try_collect::<()>()
            .await
            .map_err(|(key, source)| MaintainError::Objects { key, operation: "delete", source })?;
        Ok(collected)
    }
}

/// When a file was made, as its name says; `None` if it was named by somebody else.
fn made_at(name: &str) -> Option<i64> {
    let file = name.rsplit('/').next()?;
    let stem = file.split('.').next()?;
    made_at_ms(stem.rsplit('-').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_when_files_were_made() {
        let unique = "01J06Z0JH80000000000000000";
        let at = made_at_ms(unique);
        assert!(at.is_some());
        assert_eq!(made_at(&format!("p/table/1/job-2-v1/0-17-{unique}.parquet")), at);
        assert_eq!(made_at(&format!("table/1/merged/{unique}.parquet")), at);
        assert_eq!(made_at(&format!("table/1/manifest/{unique}.zst")), at);
        assert_eq!(made_at("table/1/of-somebody-else.parquet"), None);
        assert_eq!(made_at(""), None);
    }
}
