//! Sweeping: what folds took the place of goes, once no reader can need it.
//!
//! Items and objects go [`GRACE_MS`] after somebody has seen their fold in the layout: when the fold was made says little,
//! since whoever made it may have stood still for hours before the layout was written. The fold itself goes as long after that,
//! since a reader may have taken up a commit just before its item went, and has to learn that it is folded. Each step may be
//! repeated, and be done by two at once.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use penstock_kernel::ids::TableId;
use penstock_kernel::table::TableDefinition;

use super::object::{Garbage, Objects, delete_objects};
use super::state::TableState;
use super::{Fold, FoldRef, GRACE_MS};
use crate::Catalog;
use crate::error::CatalogError;
use crate::key;
use crate::store::{Action, Condition, Key, MAX_TRANSACTION_WRITES, Write, WriteOutcome};

/// Transactions of deletions at a time.
const DELETES_AT_ONCE: usize = 4;

/// What a sweep deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects.
    pub objects: u64,
    /// Items of commits, removals and folds.
    pub items: u64,
}

impl Catalog {
    /// Deletes what folds of `table` replaced long enough ago. Safe to repeat.
    pub async fn sweep(&self, table: &TableDefinition) -> Result<Swept, CatalogError> {
        let state = self.unread_state(table.id).await?;
        let mut swept = Swept::default();
        let Some(read) = &state.layout else {
            return Ok(swept);
        };
        let due_ms = self.clock.now_ms().saturating_sub(GRACE_MS);
        let mut layout = read.value.clone();
        let due = |fold: &&mut FoldRef| fold.swept_at_ms.is_none() && fold.since_ms() <= due_ms;
        for fold in layout.folds.iter_mut().filter(due) {
            if fold.seen_at_ms.is_none() {
                fold.seen(self.clock.now_ms());
                continue;
            }
            self.sweep_fold(table, &state, fold, &mut swept).await?;
            fold.swept_at_ms = Some(self.clock.now_ms());
        }
        let forgotten: Vec<FoldRef> =
            layout.folds.extract_if(.., |fold| fold.swept_at_ms.is_some_and(|at_ms| at_ms <= due_ms)).collect();
        if layout != read.value {
            let write = self.layout_write(&state, table, &layout)?;
            if self.write_once(vec![write]).await? != WriteOutcome::Done {
                // Another was faster; what is deleted is deleted, and the rest comes with the next sweep.
                return Ok(swept);
            }
        }
        let mut loose: Vec<Key> = forgotten
            .iter()
            .flat_map(|fold| &fold.items)
            .chain(state.loose_folds.iter().filter(|id| is_older(id, due_ms)))
            .map(|id| key::fold(table.id, id))
            .collect();
        loose.sort();
        swept.items += loose.len() as u64; // usize has at most 64 bits
        self.delete_items(loose).await?;
        Ok(swept)
    }

    async fn sweep_fold(
        &self,
        table: &TableDefinition,
        state: &TableState,
        fold: &FoldRef,
        swept: &mut Swept,
    ) -> Result<(), CatalogError> {
        for Fold { commits, removals, .. } in fold.items.iter().filter_map(|id| state.folds.get(id)) {
            let commits = commits.iter().map(|id| key::commit(table.id, id));
            let keys: Vec<Key> = commits.chain(removals.iter().map(|id| key::removal(table.id, id))).collect();
            swept.items += keys.len() as u64; // usize has at most 64 bits
            self.delete_items(keys).await?;
        }
        if let Some(list) = &fold.garbage {
            let objects: Objects = self.objects(table).await?;
            let keys = match objects.get::<Garbage>(list).await {
                Ok(Garbage(keys)) => keys,
                // The last thing that an earlier try deleted was the list, or it is damaged: its files are found by name.
                Err(CatalogError::Unreadable { .. }) => Vec::new(),
                Err(error) => return Err(error),
            };
            swept.objects += keys.len() as u64; // usize has at most 64 bits
            delete_objects(&objects, keys).await?;
            delete_objects(&objects, vec![list.key.clone()]).await?;
        }
        Ok(())
    }

    /// Keys of all objects that somebody may need still: files of commits, manifests, and what was replaced a short time
    /// ago.
    pub async fn named_objects(&self, table: &TableDefinition) -> Result<Vec<String>, CatalogError> {
        let state = self.table_state(table).await?;
        let mut keys: Vec<String> = Vec::new();
        for file in state.manifests.iter().flat_map(|manifest| manifest.files.iter()) {
            keys.push(file.key.clone());
        }
        for file in state.commits.iter().flat_map(|commit| &commit.files) {
            keys.push(file.key.clone());
        }
        let Some(layout) = state.layout.map(|layout| layout.value) else {
            return Ok(keys);
        };
        keys.extend(layout.manifests.into_iter().map(|manifest| manifest.object.key));
        keys.extend(layout.ledger.map(|ledger| ledger.key));
        let lists = layout.folds.into_iter().filter(|fold| fold.swept_at_ms.is_none()).filter_map(|fold| fold.garbage);
        for list in lists {
            let objects = self.objects(table).await?;
            keys.push(list.key.clone());
            match objects.get::<Garbage>(&list).await {
                Ok(Garbage(garbage)) => keys.extend(garbage),
                // A sweep has deleted it, and all that it names.
                Err(CatalogError::Unreadable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(keys)
    }

    pub(crate) async fn delete_items(&self, keys: Vec<Key>) -> Result<(), CatalogError> {
        let delete = |key: &Key| Write { key: key.clone(), condition: Condition::Always, action: Action::Delete };
        let transactions: Vec<Vec<Write>> =
            keys.chunks(MAX_TRANSACTION_WRITES).map(|keys| keys.iter().map(delete).collect()).collect();
        stream::iter(transactions)
            .map(|writes| async move { self.write_once(writes).await.map(drop) })
            .buffer_unordered(DELETES_AT_ONCE)
            .try_collect()
            .await
    }

    /// Deletes every item of a table, whatever it is.
    pub(crate) async fn delete_table_items(&self, table: TableId) -> Result<u64, CatalogError> {
        let items = self.store.query(&key::in_table(table), "").await?;
        let count = items.len() as u64; // usize has at most 64 bits
        self.delete_items(items.into_iter().map(|(key, _)| key).collect()).await?;
        Ok(count)
    }
}

/// Whether the name was made before that moment; one that tells no time is not.
fn is_older(id: &str, than_ms: i64) -> bool {
    crate::clock::made_at_ms(id).is_some_and(|at_ms| at_ms <= than_ms)
}
