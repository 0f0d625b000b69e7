//! Removals: files that committed rows no longer count, and which files of a table readers see.
//!
//! A commit is a fact about offsets and stays for ever; TRUNCATE writes a fact of its own beside it, which names the
//! commits and files that it takes out. So it is one write, a reader sees all of it or nothing, and rows that are
//! committed afterwards stay, whenever their batch began. DROP PARTITION needs no removal: files of a table partition
//! that the definition does not have belong to nobody.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use penstock_kernel::ids::TableId;
use penstock_kernel::table::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::commit::DataFile;
use crate::error::CatalogError;
use crate::key;
use crate::layout::{Layout, TableState};
use crate::record::{self, Record};
use crate::rejected::Rejection;
use crate::store::{Action, Condition, Write, WriteOutcome};
use crate::update::Race;

/// Commits that one item names at most: its text stays below 300 KB where whole commits go, and an item of 400 KiB is the
/// longest.
const MAX_COMMITS: usize = 8_000;

/// Files that one item names at most.
const MAX_FILES: usize = 24_000;

/// Items of one removal at most: a transaction has at most 4 MB.
const MAX_ITEMS: usize = 10;

/// Which files of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovedFiles {
    /// All.
    All,
    /// Those at these places of its list, ascending.
    Some(Vec<u32>),
}

/// An immutable fact: these files do not count any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Unique.
    pub id: String,
    /// The table.
    pub table: TableId,
    /// By the commit's id.
    pub commits: BTreeMap<String, RemovedFiles>,
    /// By the manifest's key: the places that do not count any more, ends exclusive.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub manifests: BTreeMap<String, Vec<Range<u32>>>,
    /// Milliseconds since the epoch.
    pub removed_at_ms: i64,
}

impl Record for Removal {}

/// What the commits of a table hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Committed {
    /// The files that a reader sees.
    pub files: Vec<DataFile>,
    /// What they say of rejected rows, ascending by commit; [`standing`](crate::rejected::standing) tells which count.
    pub rejections: Vec<Rejection>,
    /// When the latest commit was made, milliseconds since the epoch.
    pub last_commit_ms: Option<i64>,
}

/// What came of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// So many files do not count any more.
    Files(usize),
    /// Nothing happened: the table is gone.
    TableGone,
    /// Nothing happened: the table has more commits than one transaction can name, so many.
    TooMany(usize),
}

impl Catalog {
    /// The files that a reader of the table sees; `table` is as it was just read.
    pub async fn data_files(&self, table: &TableDefinition) -> Result<Vec<DataFile>, CatalogError> {
        Ok(self.committed(table).await?.files)
    }

    /// The same with what the commits say of rejected rows, all of one reading: a replay is in both or in neither.
    pub async fn committed(&self, table: &TableDefinition) -> Result<Committed, CatalogError> {
        let state = self.table_state(table).await?;
        let rejections = state.rejections();
        let files = state.readable(&table.partitioning).cloned().collect();
        Ok(Committed { files, rejections, last_commit_ms: state.last_commit_ms() })
    }

    /// Takes the committed files that `wanted` says out of the table, all or none of them; what is committed meanwhile or
    /// later stays. Safe to call again.
    pub async fn remove_files(
        &self,
        table: TableId,
        wanted: impl Fn(&DataFile) -> bool + Send,
    ) -> Result<Removed, CatalogError> {
        let key = key::layout(table);
        let mut race = Race::about(&key);
        loop {
            let state = self.table_state_by_id(table).await?;
            let found = found(&state, &wanted);
            let removal = |commits, manifests| Removal {
                id: self.clock.unique(),
                table,
                commits,
                manifests,
                removed_at_ms: self.clock.now_ms(),
            };
            if found.commits.len() > MAX_COMMITS * MAX_ITEMS || found.named > MAX_FILES * MAX_ITEMS {
                return Ok(Removed::TooMany(found.commits.len()));
            }
            let items = chunked(found.commits);
            if items.len() > MAX_ITEMS {
                return Ok(Removed::TooMany(items.iter().map(BTreeMap::len).sum()));
            }
            let mut removals: Vec<Removal> =
                items.into_iter().map(|commits| removal(commits, BTreeMap::new())).collect();
            if !found.manifests.is_empty() {
                removals.push(removal(BTreeMap::new(), found.manifests));
            }
            if removals.is_empty() {
                return Ok(Removed::Files(0));
            }
            // A fold that did not see the removals finds the layout changed.
            let read = state.layout.as_ref().map(|layout| layout.value.clone()).unwrap_or_default();
            let layout = Layout { removals: read.removals.saturating_add(1), ..read };
            let mut writes = vec![
                Write { key: key::table(table), condition: Condition::Equals(Vec::new()), action: Action::Check },
                match &state.layout {
                    Some(read) => record::next(&key, &layout, read.revision)?,
                    None => record::first(&key, &layout)?,
                },
            ];
            for removal in &removals {
                writes.push(record::first(&key::removal(table, &removal.id), removal)?);
            }
            match self.write_once(writes).await? {
                WriteOutcome::Done => return Ok(Removed::Files(found.count)),
                WriteOutcome::ConditionFailed { index: 0, .. } => return Ok(Removed::TableGone),
                WriteOutcome::ConditionFailed { .. } => race.lost(&*self.clock).await?,
            }
        }
    }
}

/// What is to be removed.
struct Found {
    count: usize,
    /// Files that are named one by one.
    named: usize,
    commits: Vec<(String, RemovedFiles)>,
    manifests: BTreeMap<String, Vec<Range<u32>>>,
}

fn found(state: &TableState, wanted: &impl Fn(&DataFile) -> bool) -> Found {
    let mut found = Found { count: 0, named: 0, commits: Vec::new(), manifests: BTreeMap::new() };
    for manifest in &state.manifests {
        let live: HashSet<&str> = state.manifest_files(manifest).map(|file| file.key.as_str()).collect();
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for (place, file) in (0_u32..).zip(manifest.files.iter()) {
            if !live.contains(file.key.as_str()) || !wanted(file) {
                continue;
            }
            found.count += 1;
            match ranges.last_mut().filter(|range| range.end == place) {
                Some(range) => range.end = place + 1,
                None => ranges.push(place..place + 1),
            }
        }
        if !ranges.is_empty() {
            found.manifests.insert(manifest.reference.object.key.clone(), ranges);
        }
    }
    for commit in &state.commits {
        let live: HashSet<&str> = state.commit_files(commit).map(|file| file.key.as_str()).collect();
        let places: Vec<u32> = (0_u32..)
            .zip(&commit.files)
            .filter(|(_, file)| live.contains(file.key.as_str()) && wanted(file))
            .map(|(place, _)| place)
            .collect();
        if places.is_empty() {
            continue;
        }
        found.count += places.len();
        let files = if places.len() == commit.files.len() {
            RemovedFiles::All
        } else {
            found.named += places.len();
            RemovedFiles::Some(places)
        };
        found.commits.push((commit.id.clone(), files));
    }
    found
}

impl RemovedFiles {
    /// Whether the file at that place is among them.
    pub(crate) fn names(&self, place: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(places) => u32::try_from(place).is_ok_and(|place| places.binary_search(&place).is_ok()),
        }
    }
}

/// Parts that fit an item each.
fn chunked(found: Vec<(String, RemovedFiles)>) -> Vec<BTreeMap<String, RemovedFiles>> {
    let mut items: Vec<BTreeMap<String, RemovedFiles>> = Vec::new();
    let mut room = (0_usize, 0_usize);
    for (commit, files) in found {
        let named = match &files {
            RemovedFiles::All => 0,
            RemovedFiles::Some(places) => places.len(),
        };
        let fits = room.0 > 0 && room.1 >= named;
        match items.last_mut().filter(|_| fits) {
            Some(item) => {
                item.insert(commit, files);
                room = (room.0 - 1, room.1 - named);
            }
            None => {
                items.push(BTreeMap::from([(commit, files)]));
                room = (MAX_COMMITS - 1, MAX_FILES.saturating_sub(named));
            }
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_items_fit_the_store() {
        let id = |number: usize| format!("{number:026}");
        let whole = (0..MAX_COMMITS * 2 + 1).map(|number| (id(number), RemovedFiles::All)).collect();
        let files = (0..60).map(|number| (id(number), RemovedFiles::Some((0..1500).collect()))).collect();
        for (found, expected) in [(whole, 3), (files, 4)] {
            let items = chunked(found);
            assert_eq!(items.len(), expected);
            for commits in items {
                let removal = Removal {
                    id: id(0),
                    table: TableId(u64::MAX),
                    commits,
                    manifests: BTreeMap::new(),
                    removed_at_ms: i64::MAX,
                };
                let bytes = serde_json::to_vec(&removal).unwrap().len();
                assert!(bytes < 380_000, "{bytes}");
            }
        }
    }
}
