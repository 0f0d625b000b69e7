//! A table's facts as one reading finds them: layout, manifests, and what is not folded yet.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use penstock_kernel::ids::TableId;
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::table::TableDefinition;
use tokio::sync::OnceCell;

use super::object::{Files, Ledger};
use super::report::MaintenanceReport;
use super::{Fold, Layout, ManifestRef};
use crate::Catalog;
use crate::commit::{Commit, DataFile};
use crate::error::CatalogError;
use crate::job::Revised;
use crate::key;
use crate::record;
use crate::rejected::Rejection;
use crate::removal::{Removal, RemovedFiles};
use crate::store::{Item, Key};
use crate::update::Race;

/// Manifests read at a time.
const READS_AT_ONCE: usize = 8;

/// A manifest and the files that it names, removed ones too.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// What the layout says of it.
    pub reference: ManifestRef,
    /// Its files; removals name them by their places here. Shared with other readings.
    pub files: Arc<Vec<DataFile>>,
}

/// What one reading found of a table.
#[derive(Debug, Clone, Default)]
pub struct TableState {
    /// The definition, read after the commits: so it has every table partition that they name, unless that was dropped.
    pub definition: Option<TableDefinition>,
    /// The layout, if there was a fold or removal.
    pub layout: Option<Revised<Layout>>,
    /// Commits that are not folded, ascending by id.
    pub commits: Vec<Commit>,
    /// All manifests.
    pub manifests: Vec<Manifest>,
    /// What the folded commits say beside their files. Shared with other readings.
    pub ledger: Arc<Ledger>,
    /// What was done for the table last.
    pub maintenance: Option<MaintenanceReport>,
    pub(super) removals: Vec<Removal>,
    /// Folds that the layout names.
    pub(super) folds: BTreeMap<String, Fold>,
    /// Fold items that it does not name: of a fold that was not, or is not any more.
    pub(super) loose_folds: Vec<String>,
}

/// The items of a table, read in one query.
#[derive(Default)]
struct Items {
    definition: Option<TableDefinition>,
    /// By id, as they are stored: those that are folded are many for a while, and need not be decoded.
    commits: Vec<(Key, Item)>,
    folds: BTreeMap<String, Fold>,
    layout: Option<Revised<Layout>>,
    removals: Vec<Removal>,
    maintenance: Option<MaintenanceReport>,
}

impl Catalog {
    /// Everything about the files of `table`, as it is now.
    ///
    /// One query, and a request for each manifest and the ledger.
    ///
    /// # Errors
    /// [`CatalogError::Unreadable`] if something that counts is not there, damaged, or of a newer version.
    pub async fn table_state(&self, table: &TableDefinition) -> Result<TableState, CatalogError> {
        let state = self.unread_state(table.id).await?;
        self.read_objects(state, table).await
    }

    /// The same of a table whose definition was not read before; a dropped one has no manifests.
    pub async fn table_state_by_id(&self, table: TableId) -> Result<TableState, CatalogError> {
        let state = self.unread_state(table).await?;
        match state.definition.clone() {
            Some(definition) => self.read_objects(state, &definition).await,
            None => Ok(state),
        }
    }

    async fn read_objects(&self, mut state: TableState, table: &TableDefinition) -> Result<TableState, CatalogError> {
        let layout = state.layout.as_ref().map(|layout| layout.value.clone()).unwrap_or_default();
        if layout.manifests.is_empty() && layout.ledger.is_none() {
            return Ok(state);
        }
        // The volume is looked up once something has to be read from it.
        let objects = OnceCell::new();
        let objects = || objects.get_or_try_init(|| self.objects(table));
        if let Some(ledger) = &layout.ledger {
            state.ledger = match self.kept.get(&ledger.key) {
                Some(kept) => kept,
                None => objects().await?.get_kept(ledger, &self.kept, |ledger: Ledger| ledger).await?,
            };
        }
        let objects = &objects;
        state.manifests = stream::iter(layout.manifests)
            .map(|reference| async move {
                let object = &reference.object;
                let files = match self.kept.get(&object.key) {
                    Some(kept) => kept,
                    None => objects().await?.get_kept(object, &self.kept, |Files(files)| files).await?,
                };
                Ok::<_, CatalogError>(Manifest { reference, files })
            })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(state)
    }

    /// The same without reading manifests and ledger.
    pub async fn unread_state(&self, table: TableId) -> Result<TableState, CatalogError> {
        let mut race = Race::about(&key::layout(table));
        loop {
            let items = self.items(table).await?;
            let named: BTreeSet<String> = match &items.layout {
                Some(layout) => layout.value.folds.iter().flat_map(|fold| fold.items.iter().cloned()).collect(),
                None => BTreeSet::new(),
            };
            let mut folds = items.folds;
            let mut gone = false;
            for id in &named {
                if !folds.contains_key(id) {
                    // It was made after the query had passed its place.
                    match self.read::<Fold>(&key::fold(table, id)).await? {
                        Some(fold) => drop(folds.insert(id.clone(), fold.value)),
                        None => gone = true,
                    }
                }
            }
            if gone {
                // It is deleted only once a newer layout does not name it.
                race.lost(&*self.clock).await?;
                continue;
            }
            let loose_folds = folds.keys().filter(|id| !named.contains(*id)).cloned().collect();
            folds.retain(|id, _| named.contains(id));
            let folded: HashSet<&str> =
                folds.values().flat_map(|fold| fold.commits.iter().chain(&fold.removals)).map(String::as_str).collect();
            let mut commits: Vec<Commit> = Vec::new();
            for (key, item) in items.commits {
                let id = key.sk.strip_prefix(key::COMMITS).unwrap_or(&key.sk);
                if !folded.contains(id) {
                    commits.push(record::decode(&key, &item)?.value);
                }
            }
            let removals = items.removals.into_iter().filter(|removal| !folded.contains(removal.id.as_str())).collect();
            return Ok(TableState {
                definition: items.definition,
                layout: items.layout,
                commits,
                manifests: Vec::new(),
                ledger: Arc::default(),
                maintenance: items.maintenance,
                removals,
                folds,
                loose_folds,
            });
        }
    }

    async fn items(&self, table: TableId) -> Result<Items, CatalogError> {
        let mut items = Items::default();
        let (definition, layout, maintenance) = (key::table(table), key::layout(table), key::maintenance(table));
        for (key, item) in self.store.query(&key::in_table(table), "").await? {
            if key.sk.starts_with(key::COMMITS) {
                items.commits.push((key, item));
            } else if key.sk.starts_with(key::REMOVALS) {
                items.removals.push(record::decode(&key, &item)?.value);
            } else if key.sk.starts_with(key::FOLDS) {
                let fold: Fold = record::decode(&key, &item)?.value;
                items.folds.insert(fold.id.clone(), fold);
            } else if key == layout {
                items.layout = Some(record::decode(&key, &item)?);
            } else if key == definition {
                items.definition = Some(record::decode(&key, &item)?.value);
            } else if key == maintenance {
                items.maintenance = Some(record::decode(&key, &item)?.value);
            }
        }
        Ok(items)
    }
}

impl TableState {
    /// The files that no removal names, whatever their table partition: those of manifests first, then those of commits in
    /// their order.
    pub fn files(&self) -> impl Iterator<Item = &DataFile> {
        let folded = self.manifests.iter().flat_map(|manifest| self.manifest_files(manifest));
        folded.chain(self.commits.iter().flat_map(|commit| self.commit_files(commit)))
    }

    /// Those of [`files`](Self::files) that a reader of a table sees that is divided so.
    pub fn readable<'a>(&'a self, partitioning: &'a Partitioning) -> impl Iterator<Item = &'a DataFile> {
        self.files().filter(|file| partitioning.holds(&file.table_partition))
    }

    /// Whether there are removals that no fold has taken in.
    pub fn has_removals(&self) -> bool {
        !self.removals.is_empty()
    }

    /// When the latest commit was made, milliseconds since the epoch.
    pub fn last_commit_ms(&self) -> Option<i64> {
        let folded = self.layout.as_ref().and_then(|layout| layout.value.last_commit_ms);
        self.commits.iter().map(|commit| commit.committed_at_ms).max().max(folded)
    }

    /// What the commits say of rejected rows, ascending by commit.
    pub(crate) fn rejections(&self) -> Vec<Rejection> {
        let mut rejections = self.ledger.rejections.clone();
        rejections.extend(self.commits.iter().filter_map(Rejection::of));
        rejections.sort_by(|one, other| one.commit.cmp(&other.commit));
        rejections
    }

    /// Whether a removal names files of the manifest.
    pub(crate) fn removes_from(&self, manifest: &Manifest) -> bool {
        self.removals.iter().any(|removal| removal.manifests.contains_key(&manifest.reference.object.key))
    }

    pub(crate) fn manifest_files<'a>(&'a self, manifest: &'a Manifest) -> impl Iterator<Item = &'a DataFile> {
        let removed: Vec<&Range<u32>> = self
            .removals
            .iter()
            .filter_map(|removal| removal.manifests.get(&manifest.reference.object.key))
            .flatten()
            .collect();
        let stays = move |place: u32| !removed.iter().any(|range| range.contains(&place));
        (0_u32..).zip(manifest.files.iter()).filter(move |(place, _)| stays(*place)).map(|(_, file)| file)
    }

    pub(crate) fn commit_files<'a>(&'a self, commit: &'a Commit) -> impl Iterator<Item = &'a DataFile> {
        let removed: Vec<&RemovedFiles> =
            self.removals.iter().filter_map(|removal| removal.commits.get(&commit.id)).collect();
        let stays = move |place: usize| !removed.iter().any(|removed| removed.names(place));
        commit.files.iter().enumerate().filter(move |(place, _)| stays(*place)).map(|(_, file)| file)
    }
}
