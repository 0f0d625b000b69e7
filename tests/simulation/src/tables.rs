//! The invariants that are about tables: what readers see is what was committed, through merges, folds and sweeps.
//!
//! A merge puts files in the place of others with the same rows; the model keeps of each file whose rows it holds. So what
//! a reader saw can be told, whether it saw a commit's own files or those that took their place.

use std::collections::{BTreeMap, BTreeSet};

use penstock_catalog::commit::DataFile;
use penstock_catalog::layout::TableState;
use penstock_catalog::rejected::{Rejection, standing};
use penstock_catalog::store::Key;
use penstock_kernel::ids::TableId;
use penstock_kernel::loaded::TablePartition;

use crate::check::{Checker, LEAST_GRACE_MS};
use crate::files::Row;
use crate::kafka::Topic;
use crate::mapping::Delivery;
use crate::model::{FileModel, TableModel};
use crate::ready;
use crate::violation::Invariant::{CommitsStay, CoverageIsComplete, FilesAreThere, RejectedAreOnce, RowsAreTheModels};
use crate::violation::{Violation, broken};

impl Checker {
    /// The items `keys` of a table were written by `task`.
    pub(crate) fn table(
        &mut self,
        id: TableId,
        task: u32,
        keys: &[&Key],
        topic: &Topic,
        deliveries: &BTreeMap<u32, Delivery>,
    ) -> Result<(), Violation> {
        keys.iter().try_for_each(|key| self.commit_item(id, key))?;
        let state = match ready(self.catalog.table_state_by_id(id)) {
            Some(Ok(state)) => state,
            other => return broken(FilesAreThere, format!("table {id} cannot be read: {other:?}")),
        };
        for commit in &state.commits {
            if !self.model.table(id).iter().any(|known| known.commit.id == commit.id) {
                let key = keys.iter().find(|key| key.sk.ends_with(&commit.id));
                let item = key.and_then(|key| self.database.item(key));
                self.committed(commit.clone(), item, task, topic, deliveries)?;
            }
        }
        let now_ms = self.now_ms();
        let unfolded: BTreeSet<&str> = state.commits.iter().map(|commit| commit.id.as_str()).collect();
        let table = self.model.tables.entry(id).or_default();
        let mut folded = false;
        for known in table.commits.iter_mut().filter(|known| known.folded_at_ms.is_none()) {
            if !unfolded.contains(known.commit.id.as_str()) {
                known.folded_at_ms = Some(now_ms);
                folded = true;
            }
        }
        if state.definition.is_none() {
            // Nobody sees anything of a dropped table.
            table.dropped_at_ms.get_or_insert(now_ms);
            let committed = table.commits.iter().flat_map(|known| &known.commit.files).map(|file| &file.key);
            let named: Vec<String> = committed.chain(table.files.keys()).cloned().collect();
            self.unnamed(named.into_iter());
            return Ok(());
        }
        self.visible(id, task, &state)?;
        if folded {
            self.coverage(id)?;
        }
        self.rejections_of(id, &state)
    }

    /// A commit's item never changes, and goes only long after a layout named it.
    fn commit_item(&self, table: TableId, key: &Key) -> Result<(), Violation> {
        let Some(id) = key.sk.strip_prefix("commit#") else { return Ok(()) };
        let Some(model) = self.model.tables.get(&table) else { return Ok(()) };
        let Some(known) = model.commits.iter().find(|known| known.commit.id == id) else { return Ok(()) };
        let found = self.database.item(key);
        let long_ago = |at_ms: Option<i64>| at_ms.is_some_and(|at_ms| self.now_ms() - at_ms >= LEAST_GRACE_MS);
        match found {
            Some(_) if found == known.item => Ok(()),
            None if long_ago(known.folded_at_ms) || long_ago(model.dropped_at_ms) => Ok(()),
            None => broken(CommitsStay, format!("the item of commit {id} went {:?}", known.folded_at_ms)),
            Some(_) => broken(CommitsStay, format!("commit {id} changed")),
        }
    }

    /// Readers see the rows of those commits that count, and no others; TRUNCATE takes all out that it has met.
    fn visible(&mut self, id: TableId, task: u32, state: &TableState) -> Result<(), Violation> {
        let Some(definition) = &state.definition else { return Ok(()) };
        let files: Vec<&DataFile> = state.readable(&definition.partitioning).collect();
        let keys: BTreeSet<String> = files.iter().map(|file| file.key.clone()).collect();
        if keys.len() != files.len() {
            return broken(RowsAreTheModels, format!("table {id} lists a file twice"));
        }
        let known = self.model.tables.entry(id).or_default();
        let gone: Vec<String> = known.readable.difference(&keys).cloned().collect();
        let fresh: Vec<&DataFile> = files.iter().filter(|file| !known.readable.contains(&file.key)).copied().collect();
        let owner = |key: &str| {
            let mut owners = known.commits.iter().enumerate();
            owners.find(|(_, one)| one.commit.files.iter().any(|file| file.key == key)).map(|(place, _)| place)
        };
        let (own, merged): (Vec<&DataFile>, Vec<&DataFile>) =
            fresh.into_iter().partition(|file| owner(&file.key).is_some());
        let own: Vec<(&DataFile, usize)> = own.into_iter().filter_map(|file| Some((file, owner(&file.key)?))).collect();
        for (file, owner) in own {
            let rows = self.data_file(file)?;
            self.seen_first(id, file, rows, BTreeSet::from([owner]));
        }
        let mut parts: BTreeMap<TablePartition, Vec<(&DataFile, Vec<Row>)>> = BTreeMap::new();
        for file in merged {
            let rows = self.data_file(file)?;
            parts.entry(file.table_partition.clone()).or_default().push((file, rows));
        }
        let truncated = self.truncates.get(&task).filter(|(truncated, _)| *truncated == id).map(|(_, had)| *had);
        if truncated.is_none() || !parts.is_empty() {
            self.replaced(id, &gone, parts)?;
        } else if !gone.is_empty() {
            self.truncated(id, &keys, truncated.unwrap_or(0))?;
        }
        self.unnamed(gone.iter().cloned());
        let now_ms = self.now_ms();
        let table = self.model.tables.entry(id).or_default();
        for key in &gone {
            if let Some(file) = table.files.get_mut(key) {
                file.left_at_ms.get_or_insert(now_ms);
            }
        }
        table.readable = keys;
        table.rows_are_those_of_commits().or_else(|found| broken(RowsAreTheModels, format!("table {id}: {found}")))
    }

    fn seen_first(&mut self, id: TableId, file: &DataFile, rows: Vec<Row>, of: BTreeSet<usize>) {
        let model = FileModel { rows, of, table_partition: file.table_partition.clone(), left_at_ms: None };
        self.model.tables.entry(id).or_default().files.insert(file.key.clone(), model);
    }

    /// Of each table partition, the files that came hold the rows of those that went.
    fn replaced(
        &mut self,
        id: TableId,
        gone: &[String],
        parts: BTreeMap<TablePartition, Vec<(&DataFile, Vec<Row>)>>,
    ) -> Result<(), Violation> {
        let table = self.model.tables.entry(id).or_default();
        let mut before: BTreeMap<TablePartition, (Vec<Row>, BTreeSet<usize>)> = BTreeMap::new();
        for file in gone.iter().filter_map(|key| table.files.get(key)) {
            let (rows, of) = before.entry(file.table_partition.clone()).or_default();
            rows.extend(file.rows.iter().cloned());
            of.extend(&file.of);
        }
        for (table_partition, files) in parts {
            let (mut expected, of) = before.remove(&table_partition).unwrap_or_default();
            let mut found: Vec<Row> = files.iter().flat_map(|(_, rows)| rows.iter().cloned()).collect();
            expected.sort_unstable();
            found.sort_unstable();
            if expected != found {
                let found = format!("table {id}: {} rows took the place of {}", found.len(), expected.len());
                return broken(RowsAreTheModels, found);
            }
            for (file, rows) in files {
                self.seen_first(id, file, rows, of.clone());
            }
        }
        match before.pop_first() {
            Some((table_partition, _)) => {
                broken(RowsAreTheModels, format!("table {id}: files of {table_partition:?} went"))
            }
            None => Ok(()),
        }
    }

    /// TRUNCATE took place: what is left are whole commits that came after it began.
    fn truncated(&mut self, id: TableId, keys: &BTreeSet<String>, had: usize) -> Result<(), Violation> {
        let table = self.model.tables.entry(id).or_default();
        let mut left = keys.clone();
        let count = table.commits.len();
        for (place, known) in table.commits.iter_mut().enumerate().filter(|(_, known)| known.counts()) {
            let name = &known.commit.id;
            let listed = known.commit.files.iter().filter(|file| left.remove(&file.key)).count();
            match listed {
                _ if known.commit.files.is_empty() => {}
                0 => known.removed_at = Some(count),
                _ if place < had => {
                    return broken(RowsAreTheModels, format!("TRUNCATE of table {id} left commit {name}"));
                }
                _ if listed == known.commit.files.len() => {}
                _ => return broken(RowsAreTheModels, format!("TRUNCATE of table {id} left a part of {name}")),
            }
        }
        match left.pop_first() {
            Some(key) => broken(RowsAreTheModels, format!("TRUNCATE of table {id} left `{key}`")),
            None => Ok(()),
        }
    }

    /// Who reads the table finds each rejected row once that was not replayed.
    fn rejections_of(&self, id: TableId, state: &TableState) -> Result<(), Violation> {
        let mut found = state.ledger.rejections.clone();
        found.extend(state.commits.iter().filter_map(Rejection::of));
        let found = standing(found);
        let mut found: Vec<&str> = found.iter().map(|one| one.commit.as_str()).collect();
        found.sort_unstable();
        let commits = self.model.table(id).iter().filter(|known| known.stands());
        let mut expected: Vec<&str> = commits.map(|known| known.commit.id.as_str()).collect();
        expected.sort_unstable();
        if found != expected {
            return broken(RejectedAreOnce, format!("table {id}: expected those of {expected:?}, found {found:?}"));
        }
        Ok(())
    }

    /// SHOW ROUTINE LOAD COVERAGE says that everything is accounted for, of each job of the table.
    pub(crate) fn coverage(&self, id: TableId) -> Result<(), Violation> {
        let jobs: BTreeSet<_> = self.model.table(id).iter().map(|known| known.commit.job).collect();
        for job in jobs {
            let sources = match ready(self.catalog.coverage(job)) {
                Some(Ok(Some(sources))) => sources,
                other => return broken(CoverageIsComplete, format!("job {job}: {other:?}")),
            };
            for source in sources {
                if let Some(fault) = source.fault {
                    let place = format!("job {job}, source partition {}", source.source_partition);
                    return broken(CoverageIsComplete, format!("{place}: {fault}"));
                }
            }
        }
        Ok(())
    }
}

impl TableModel {
    /// The rows of what readers see are those of the commits that count.
    fn rows_are_those_of_commits(&self) -> Result<(), String> {
        let files = self.readable.iter().filter_map(|key| self.files.get(key));
        let mut found: Vec<&Row> = files.flat_map(|file| &file.rows).collect();
        let counting = self.commits.iter().filter(|known| known.counts());
        let mut expected: Vec<&Row> = counting.flat_map(|known| &known.rows).collect();
        found.sort_unstable();
        expected.sort_unstable();
        if found == expected {
            return Ok(());
        }
        let missed: Vec<_> = expected.iter().filter(|row| !found.contains(row)).take(3).collect();
        let more: Vec<_> = found.iter().filter(|row| !expected.contains(row)).take(3).collect();
        Err(format!("{} rows, expected {}: missed {missed:x?}, more {more:x?}", found.len(), expected.len()))
    }
}
