//! Folding: what commits and removals say goes into manifests and ledger, and merged files take the place of others.
//!
//! All of it is one conditional write of the layout. What was put before that and is not named afterwards, since another
//! was faster or the process ended, is garbage that nobody sees.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use penstock_kernel::ids::JobId;
use penstock_kernel::table::TableDefinition;

use super::object::{Files, Garbage, JobRanges, Ledger, Objects};
use super::state::TableState;
use super::{Fold, FoldRef, Layout, MAX_FOLD_IDS, MAX_MANIFEST_FILES, ManifestRef};
use crate::Catalog;
use crate::commit::DataFile;
use crate::coverage::{self, CoveredRange};
use crate::error::CatalogError;
use crate::key;
use crate::record;
use crate::rejected::Rejection;
use crate::store::{Action, Condition, Write, WriteOutcome};

/// Items of one fold: with the layout and the table's definition they are checked in one transaction.
const MAX_ITEMS: usize = 90;

/// Files that take the place of others, with the same rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replacement {
    /// Keys of the files that go.
    pub removed: Vec<String>,
    /// The files that come. They have been put.
    pub added: Vec<DataFile>,
}

/// What came of a fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folded {
    /// It is made.
    Now(FoldSummary),
    /// Nothing happened: another fold or a removal came first. Read again.
    Conflict,
    /// Nothing happened: the table was dropped.
    TableGone,
}

/// What a fold did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FoldSummary {
    /// Commits that are in manifests and ledger now.
    pub commits: u64,
    /// Files that do not count any more: replaced, removed, or of a table partition that was dropped.
    pub gone: u64,
    /// Replacements that were left out, since not all the files that they replace were there still.
    pub void: u64,
}

/// What files come to once it is clear which go.
struct Plan {
    kept: Vec<ManifestRef>,
    /// Files that need a manifest.
    pool: Vec<DataFile>,
    garbage: Vec<String>,
    summary: FoldSummary,
}

impl Catalog {
    /// Folds all that `state` found, and puts `replacements` in place as far as all they replace is there. `pending` is
    /// remembered in the layout. `state` is of [`table_state`](Self::table_state).
    pub async fn fold(
        &self,
        state: &TableState,
        replacements: &[Replacement],
        pending: bool,
    ) -> Result<Folded, CatalogError> {
        let Some(table) = &state.definition else {
            return Ok(Folded::TableGone);
        };
        let objects = self.objects(table).await?;
        let before = state.layout.as_ref().map(|layout| layout.value.clone()).unwrap_or_default();
        let plan = plan(state, table, replacements);
        let mut garbage = plan.garbage;
        let mut manifests = plan.kept;
        for reference in self.put_manifests(&objects, table, plan.pool).await? {
            manifests.push(reference);
        }
        let ledger = ledger(state);
        let reference = match &before.ledger {
            Some(reference) if ledger == *state.ledger => Some(reference.clone()),
            None if ledger == Ledger::default() => None,
            replaced => {
                garbage.extend(replaced.iter().map(|reference| reference.key.clone()));
                Some(objects.put(table, &self.clock.unique(), &ledger).await?)
            }
        };
        let items = self.put_items(table, state).await?;
        let mut folds = before.folds;
        folds.iter_mut().for_each(|fold| fold.seen(self.clock.now_ms()));
        if !items.is_empty() || !garbage.is_empty() {
            let garbage = match garbage.is_empty() {
                true => None,
                false => Some(objects.put(table, &self.clock.unique(), &Garbage(garbage)).await?),
            };
            let at_ms = self.clock.now_ms();
            folds.push(FoldRef { items: items.clone(), at_ms, seen_at_ms: None, garbage, swept_at_ms: None });
        }
        let layout = Layout {
            manifests,
            ledger: reference,
            folds,
            removals: before.removals,
            last_commit_ms: state.last_commit_ms(),
            pending,
            table_partitions: table.partitioning.named().into_iter().map(|(id, _)| id).collect(),
        };
        let exists = |key| Write { key, condition: Condition::Equals(Vec::new()), action: Action::Check };
        let mut writes = vec![self.layout_write(state, table, &layout)?, exists(key::table(table.id))];
        writes.extend(items.iter().map(|id| exists(key::fold(table.id, id))));
        Ok(match self.write_once(writes).await? {
            WriteOutcome::Done => Folded::Now(plan.summary),
            WriteOutcome::ConditionFailed { index: 1, .. } => Folded::TableGone,
            WriteOutcome::ConditionFailed { .. } => Folded::Conflict,
        })
    }

    /// Puts `layout` in the place of the one that `state` found.
    pub(super) fn layout_write(
        &self,
        state: &TableState,
        table: &TableDefinition,
        layout: &Layout,
    ) -> Result<Write, CatalogError> {
        let key = key::layout(table.id);
        match &state.layout {
            Some(read) => record::next(&key, layout, read.revision),
            None => record::first(&key, layout),
        }
    }

    async fn put_manifests(
        &self,
        objects: &Objects,
        table: &TableDefinition,
        mut pool: Vec<DataFile>,
    ) -> Result<Vec<ManifestRef>, CatalogError> {
        // Those of a table partition stand together: a removal names them as one range.
        pool.sort_by(|one, other| (&one.table_partition, &one.key).cmp(&(&other.table_partition, &other.key)));
        let mut manifests = Vec::new();
        while !pool.is_empty() {
            let rest = pool.split_off(pool.len().min(MAX_MANIFEST_FILES));
            let (rows, bytes) =
                pool.iter().fold((0_u64, 0_u64), |(rows, bytes), file| (rows + file.rows, bytes + file.bytes));
            let files = pool.len() as u64; // usize has at most 64 bits
            let object = objects.put(table, &self.clock.unique(), &Files(pool)).await?;
            manifests.push(ManifestRef { object, files, rows, bytes });
            pool = rest;
        }
        Ok(manifests)
    }

    /// Puts the items that name what is folded, and gives their ids. Nobody looks at them until a layout names them.
    async fn put_items(&self, table: &TableDefinition, state: &TableState) -> Result<Vec<String>, CatalogError> {
        let mut commits = state.commits.iter().map(|commit| commit.id.clone());
        let mut removals = state.removals.iter().map(|removal| removal.id.clone());
        let mut ids = Vec::new();
        loop {
            let commits: Vec<String> = commits.by_ref().take(MAX_FOLD_IDS).collect();
            let room = MAX_FOLD_IDS - commits.len();
            let removals: Vec<String> = removals.by_ref().take(room).collect();
            if commits.is_empty() && removals.is_empty() {
                return Ok(ids);
            }
            let fold = Fold { id: self.clock.unique(), commits, removals };
            self.write_once(vec![record::first(&key::fold(table.id, &fold.id), &fold)?]).await?;
            ids.push(fold.id);
            if ids.len() > MAX_ITEMS {
                // Commits of weeks without a fold: more than any table has between two.
                return Err(CatalogError::Refused {
                    operation: "fold",
                    message: format!("table {} has more than {} commits", table.id, MAX_ITEMS * MAX_FOLD_IDS),
                });
            }
        }
    }
}

fn plan(state: &TableState, table: &TableDefinition, replacements: &[Replacement]) -> Plan {
    let live: HashSet<&str> = state.readable(&table.partitioning).map(|file| file.key.as_str()).collect();
    let mut replaced: HashSet<&str> = HashSet::new();
    let mut pool = Vec::new();
    let mut garbage: Vec<String> = Vec::new();
    let mut summary = FoldSummary { commits: state.commits.len() as u64, ..FoldSummary::default() }; // usize has at most 64 bits
    for replacement in replacements {
        let whole =
            replacement.removed.iter().all(|key| live.contains(key.as_str()) && !replaced.contains(key.as_str()));
        if whole {
            replaced.extend(replacement.removed.iter().map(String::as_str));
            pool.extend(replacement.added.iter().cloned());
        } else {
            summary.void += 1;
            garbage.extend(replacement.added.iter().map(|file| file.key.clone()));
        }
    }
    let stays = |file: &DataFile| live.contains(file.key.as_str()) && !replaced.contains(file.key.as_str());
    let mut kept = Vec::new();
    let mut rewritten = Vec::new();
    for manifest in &state.manifests {
        let whole = manifest.files.iter().all(stays);
        if whole { kept.push(manifest) } else { rewritten.push(manifest) }
    }
    for commit in &state.commits {
        pool.extend(commit.files.iter().filter(|file| stays(file)).cloned());
    }
    let fresh = !pool.is_empty() || rewritten.iter().any(|manifest| manifest.files.iter().any(stays));
    if fresh {
        // The shortest one grows, so that there are never many short ones.
        kept.sort_by_key(|manifest| Reverse(manifest.files.len()));
        if let Some(shortest) = kept.pop_if(|manifest| manifest.files.len() < MAX_MANIFEST_FILES / 2) {
            rewritten.push(shortest);
        }
    }
    for manifest in rewritten {
        pool.extend(manifest.files.iter().filter(|file| stays(file)).cloned());
        garbage.push(manifest.reference.object.key.clone());
    }
    let named = state.manifests.iter().flat_map(|manifest| manifest.files.iter());
    let named = named.chain(state.commits.iter().flat_map(|commit| &commit.files));
    let gone: BTreeSet<&str> = named.filter(|file| !stays(file)).map(|file| file.key.as_str()).collect();
    summary.gone = gone.len() as u64; // usize has at most 64 bits
    garbage.extend(gone.into_iter().map(str::to_owned));
    Plan { kept: kept.into_iter().map(|manifest| manifest.reference.clone()).collect(), pool, garbage, summary }
}

/// The ledger with what the commits say.
fn ledger(state: &TableState) -> Ledger {
    let mut jobs: BTreeMap<JobId, Vec<CoveredRange>> =
        state.ledger.coverage.iter().map(|one| (one.job, one.ranges.clone())).collect();
    for commit in &state.commits {
        let ranges = commit.ranges.iter().map(CoveredRange::of);
        jobs.entry(commit.job).or_default().extend(ranges);
    }
    jobs.retain(|_, ranges| !ranges.is_empty());
    let coverage = jobs.into_iter().map(|(job, ranges)| JobRanges { job, ranges: coverage::merged(ranges) }).collect();
    Ledger { coverage, rejections: rejections(state) }
}

/// Those that count still, and what replays take out that has not been read yet.
fn rejections(state: &TableState) -> Vec<Rejection> {
    let mut all: Vec<Rejection> = state.ledger.rejections.clone();
    all.extend(state.commits.iter().filter_map(Rejection::of));
    all.sort_by(|one, other| one.commit.cmp(&other.commit));
    let replaced: HashSet<String> = all.iter().flat_map(|one| one.replaces.iter().cloned()).collect();
    let known: HashSet<String> = all.iter().map(|one| one.commit.clone()).collect();
    for one in &mut all {
        one.replaces.retain(|id| !known.contains(id));
        if replaced.contains(&one.commit) {
            one.errors = None;
        }
    }
    all.retain(|one| one.errors.is_some() || !one.replaces.is_empty());
    all
}
