//! Removals: files that committed rows no longer count, and which files of a table readers see.
//!
//! A commit is a fact about offsets and stays for ever; TRUNCATE writes a fact of its own beside it, which names the
//! commits and files that it takes out. So it is one write, a reader sees all of it or nothing, and rows that are
//! committed afterwards stay, whenever their batch began. DROP PARTITION needs no removal: files of a table partition
//! that the definition does not have belong to nobody.

use std::collections::BTreeMap;

use penstock_kernel::ids::TableId;
use penstock_kernel::table::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::commit::{Commit, DataFile};
use crate::error::CatalogError;
use crate::key;
use crate::record::{self, Record};
use crate::rejected::Rejection;
use crate::store::{Action, Condition, Write, WriteOutcome};

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
    /// Milliseconds since the epoch.
    pub removed_at_ms: i64,
}

impl Record for Removal {}

/// What the commits of a table hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Committed {
    /// The files that a reader sees, in the order of their commits.
    pub files: Vec<DataFile>,
    /// What they say of rejected rows, ascending by commit; [`standing`](crate::rejected::standing) tells which count.
    pub rejections: Vec<Rejection>,
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
    /// The files that a reader of the table sees, in the order of their commits; `table` is as it was just read.
    pub async fn data_files(&self, table: &TableDefinition) -> Result<Vec<DataFile>, CatalogError> {
        Ok(self.committed(table).await?.files)
    }

    /// The same with what the commits say of rejected rows, all of one reading: a replay is in both or in neither.
    pub async fn committed(&self, table: &TableDefinition) -> Result<Committed, CatalogError> {
        let (commits, removals) = self.facts(table.id).await?;
        let rejections = commits.iter().filter_map(Rejection::of).collect();
        let mut files = Vec::new();
        for commit in commits {
            let removed: Vec<&RemovedFiles> = removals.iter().filter_map(|one| one.commits.get(&commit.id)).collect();
            for (place, file) in commit.files.into_iter().enumerate() {
                if !removed.iter().any(|removed| removed.names(place))
                    && table.partitioning.holds(&file.table_partition)
                {
                    files.push(file);
                }
            }
        }
        Ok(Committed { files, rejections })
    }

    /// Takes the committed files that `wanted` says out of the table, all or none of them; what is committed meanwhile or
    /// later stays. Safe to call again.
    pub async fn remove_files(
        &self,
        table: TableId,
        wanted: impl Fn(&DataFile) -> bool + Send,
    ) -> Result<Removed, CatalogError> {
        let (commits, removals) = self.facts(table).await?;
        let mut count = 0;
        let mut named = 0;
        let mut found: Vec<(String, RemovedFiles)> = Vec::new();
        for commit in commits {
            let is_removed =
                |place| removals.iter().any(|one| one.commits.get(&commit.id).is_some_and(|files| files.names(place)));
            let mut places = Vec::new();
            for (place, file) in (0_u32..).zip(&commit.files) {
                let index = usize::try_from(place).unwrap_or(usize::MAX);
                if wanted(file) && !is_removed(index) {
                    places.push(place);
                }
            }
            if places.is_empty() {
                continue;
            }
            count += places.len();
            let files = if places.len() == commit.files.len() {
                RemovedFiles::All
            } else {
                named += places.len();
                RemovedFiles::Some(places)
            };
            found.push((commit.id, files));
        }
        if found.len() > MAX_COMMITS * MAX_ITEMS || named > MAX_FILES * MAX_ITEMS {
            return Ok(Removed::TooMany(found.len()));
        }
        let items = chunked(found);
        if items.len() > MAX_ITEMS {
            return Ok(Removed::TooMany(items.iter().map(BTreeMap::len).sum()));
        }
        let mut writes = Vec::new();
        for commits in items {
            let removal = Removal { id: self.clock.unique(), table, commits, removed_at_ms: self.clock.now_ms() };
            writes.push(record::first(&key::removal(table, &removal.id), &removal)?);
        }
        if writes.is_empty() {
            return Ok(Removed::Files(0));
        }
        writes.push(Write { key: key::table(table), condition: Condition::Equals(Vec::new()), action: Action::Check });
        match self.write_once(writes).await? {
            WriteOutcome::Done => Ok(Removed::Files(count)),
            WriteOutcome::ConditionFailed { .. } => Ok(Removed::TableGone),
        }
    }

    /// Commits and removals. Removals sort behind commits and are read after them: a reader that misses a removal has read
    /// none of what was committed after it.
    async fn facts(&self, table: TableId) -> Result<(Vec<Commit>, Vec<Removal>), CatalogError> {
        let (mut commits, mut removals) = (Vec::new(), Vec::new());
        for (key, item) in self.store.query(&key::in_table(table), "").await? {
            if key.sk.starts_with(key::COMMITS) {
                commits.push(record::decode::<Commit>(&key, &item)?.value);
            } else if key.sk.starts_with(key::REMOVALS) {
                removals.push(record::decode::<Removal>(&key, &item)?.value);
            }
        }
        Ok((commits, removals))
    }
}

impl RemovedFiles {
    /// Whether the file at that place is among them.
    fn names(&self, place: usize) -> bool {
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
                let removal = Removal { id: id(0), table: TableId(u64::MAX), commits, removed_at_ms: i64::MAX };
                let bytes = serde_json::to_vec(&removal).unwrap().len();
                assert!(bytes < 380_000, "{bytes}");
            }
        }
    }
}
