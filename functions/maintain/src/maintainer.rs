//! Runs: tables one after the other, each as far as it needs it, until the time is used up.

use std::collections::HashSet;
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use penstock_catalog::Catalog;
use penstock_catalog::commit::DataFile;
use penstock_catalog::layout::{Folded, GRACE_MS, MaintenanceReport, Replacement, TableFigures, TableState};
use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::TableId;
use penstock_kernel::table::TableDefinition;
use penstock_storage::Volumes;
use serde::Serialize;

use crate::error::MaintainError;
use crate::merge::{Ground, merge};
use crate::plan::{SETTLED_BYTES, tasks};

/// Commits that make a table due for a pass.
pub const DUE_COMMITS: usize = 8;

/// Age of its oldest commit that does, milliseconds.
pub const DUE_AGE_MS: i64 = 600_000;

/// Merges whose outcome becomes visible together, and how long the first of them may wait for that: a fold writes a manifest
/// anew, and the layout remembers each for hours.
const MERGES_OF_A_FOLD: usize = 2_000;
const FOLD_MS: i64 = 60_000;

/// Folds in a row that others may void.
const MAX_CONFLICTS: u32 = 8;

/// Tables that are looked at at a time; those that need work are worked on one after the other.
const LOOKS_AT_ONCE: usize = 8;

/// Keeps the tables of a catalog in order.
pub struct Maintainer {
    pub(crate) catalog: Catalog,
    pub(crate) volumes: Arc<dyn Volumes>,
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// Tables that were looked at.
    pub tables: u64,
    /// Those that needed a pass.
    pub passes: u64,
    /// Merges that became visible.
    pub merges: u64,
    /// Commits that were folded.
    pub commits: u64,
    /// Objects that were deleted.
    pub deleted: u64,
    /// Steps that failed.
    pub failures: u64,
    /// Whether all tables were looked at.
    pub finished: bool,
}

/// What a pass over one table did.
#[derive(Debug, Clone, Default)]
struct Pass {
    merges: u64,
    merged_files: u64,
    commits: u64,
    deleted: u64,
    items: u64,
    failures: Vec<String>,
    left: usize,
}

impl Maintainer {
    /// A maintainer of the tables in `catalog`.
    pub fn new(catalog: Catalog, volumes: Arc<dyn Volumes>) -> Self {
        Self { catalog: catalog.with_volumes(Arc::clone(&volumes)), volumes }
    }

    /// Maintains all tables; begins nothing new after `until_ms`. The next run begins with the table behind the last one
    /// that this one came to. A failure ends the work on its table alone, and is logged and shown with it.
    ///
    /// # Errors
    /// [`MaintainError::Catalog`] if the tables cannot be listed.
    pub async fn run(&self, until_ms: i64) -> Result<RunReport, MaintainError> {
        let mut report = RunReport { finished: true, ..RunReport::default() };
        self.clear_dropped_tables(until_ms, &mut report).await?;
        let mut tables: Vec<(String, TableId)> = Vec::new();
        for database in self.catalog.databases().await? {
            tables.extend(self.catalog.table_names(database.id).await?);
        }
        tables.sort_by_key(|(_, id)| *id);
        let after = self.catalog.maintenance_cursor().await?;
        let begin = tables.partition_point(|(_, id)| after.is_some_and(|after| *id <= after));
        tables.rotate_left(begin);
        let mut last = None;
        let catalog = self.catalog.clone();
        let mut looks = stream::iter(tables)
            .map(move |(name, id)| {
                let catalog = catalog.clone();
                async move {
                    let outline = catalog.unread_state(id).await;
                    (name, id, outline)
                }
            })
            .buffered(LOOKS_AT_ONCE);
        while let Some((name, id, outline)) = looks.next().await {
            if self.now_ms() >= until_ms {
                report.finished = false;
                break;
            }
            report.tables += 1;
            last = Some(id);
            match outline {
                Ok(outline) if !self.is_due(&outline) => {}
                Ok(outline) => {
                    // One that was dropped meanwhile has none.
                    if let Some(definition) = outline.definition {
                        report.passes += 1;
                        self.maintain(&definition, outline.maintenance, until_ms, &mut report).await;
                    }
                }
                Err(error) => failed(&name, &error.into(), &mut report),
            }
        }
        if last.is_some() {
            self.catalog.set_maintenance_cursor(last.filter(|_| !report.finished)).await?;
        }
        tracing::info!(
            tables = report.tables,
            passes = report.passes,
            merges = report.merges,
            commits = report.commits,
            deleted = report.deleted,
            failures = report.failures,
            finished = report.finished,
            "maintained"
        );
        Ok(report)
    }

    /// Whether a table needs a pass, as far as that is seen without its manifests.
    pub fn is_due(&self, outline: &TableState) -> bool {
        let now_ms = self.now_ms();
        let old_ms = now_ms.saturating_sub(DUE_AGE_MS);
        let fresh: u64 = outline.commits.iter().flat_map(|commit| &commit.files).map(|file| file.bytes).sum();
        let layout = outline.layout.as_ref().map(|layout| &layout.value);
        let named = outline.definition.as_ref().map(|table| table.partitioning.named()).unwrap_or_default();
        let dropped = layout
            .is_some_and(|layout| layout.table_partitions.iter().any(|id| named.iter().all(|(named, _)| named != id)));
        let sweep = layout.is_some_and(|layout| {
            let due_ms = now_ms.saturating_sub(GRACE_MS);
            layout.folds.iter().any(|fold| fold.since_ms() <= due_ms)
        });
        outline.commits.len() >= DUE_COMMITS
            || outline.commits.iter().any(|commit| commit.committed_at_ms <= old_ms)
            || fresh >= SETTLED_BYTES
            || outline.has_removals()
            || layout.is_some_and(|layout| layout.pending)
            || dropped
            || sweep
            || self.collects(outline)
    }

    /// A pass over one table, and its report.
    async fn maintain(
        &self,
        table: &TableDefinition,
        earlier: Option<MaintenanceReport>,
        until_ms: i64,
        sum: &mut RunReport,
    ) {
        let mut pass = Pass::default();
        let figures = match self.pass(table, until_ms, &mut pass).await {
            Ok(figures) => figures,
            Err(error) => {
                pass.failures.push(one_line(&error));
                failed(&table.name, &error, sum);
                None
            }
        };
        let collected = match self.collect(table, earlier.as_ref()).await {
            Ok(collected) => collected,
            Err(error) => {
                pass.failures.push(one_line(&error));
                failed(&table.name, &error, sum);
                crate::orphans::Collected::unchanged(earlier.as_ref())
            }
        };
        pass.deleted += collected.deleted;
        sum.merges += pass.merges;
        sum.commits += pass.commits;
        sum.deleted += pass.deleted;
        let (before, after) = figures.unwrap_or_else(|| {
            let known = earlier.as_ref().map(|earlier| earlier.after).unwrap_or_default();
            (known, known)
        });
        let report = MaintenanceReport {
            at_ms: self.now_ms(),
            did: did(&pass),
            next: if pass.left > 0 { format!("merge files of {} table partitions", pass.left) } else { String::new() },
            before,
            after,
            failure: pass.failures.first().cloned(),
            collected_to: collected.to,
            collected_at_ms: collected.at_ms,
        };
        if let Err(error) = self.catalog.report_maintenance(table.id, &report).await {
            failed(&table.name, &error.into(), sum);
        }
    }

    /// Figures before and after; `None` if the table is gone.
    async fn pass(
        &self,
        table: &TableDefinition,
        until_ms: i64,
        pass: &mut Pass,
    ) -> Result<Option<(TableFigures, TableFigures)>, MaintainError> {
        let swept = self.catalog.sweep(table).await?;
        pass.deleted += swept.objects;
        pass.items += swept.items;
        let mut excluded = HashSet::new();
        let mut before = None;
        let mut conflicts = 0;
        let mut carried: Vec<Replacement> = Vec::new();
        loop {
            let state = self.catalog.table_state(table).await?;
            let Some(definition) = state.definition.clone() else {
                return Ok(None);
            };
            let figures = figures(&state, &definition);
            let before = *before.get_or_insert(figures);
            let taken: HashSet<&str> = carried.iter().flat_map(|one| &one.removed).map(String::as_str).collect();
            let free = |file: &&DataFile| !excluded.contains(&file.key) && !taken.contains(file.key.as_str());
            let planned = tasks(state.readable(&definition.partitioning).filter(free));
            let mut left = planned.len();
            let mut replacements = carried.clone();
            let fold_ms = self.now_ms().saturating_add(FOLD_MS).min(until_ms);
            for task in planned {
                if self.now_ms() >= fold_ms || replacements.len() >= MERGES_OF_A_FOLD {
                    break;
                }
                match self.merge(&definition, &task).await {
                    Ok(replacement) => {
                        left -= 1;
                        replacements.push(replacement);
                    }
                    Err(MaintainError::File { key, message }) => {
                        let error = MaintainError::File { key: key.clone(), message };
                        tracing::error!(table = table.name, "{error}");
                        pass.failures.push(error.to_string());
                        excluded.insert(key);
                    }
                    Err(error) => return Err(error),
                }
            }
            pass.left = left;
            let dropped = state.files().any(|file| !definition.partitioning.holds(&file.table_partition));
            let nothing = replacements.is_empty() && state.commits.is_empty() && !state.has_removals() && !dropped;
            let was_pending = state.layout.as_ref().is_some_and(|layout| layout.value.pending);
            let gone = state.layout.as_ref().is_some_and(|layout| {
                let named = definition.partitioning.named();
                layout.value.table_partitions.iter().any(|id| named.iter().all(|(named, _)| named != id))
            });
            if nothing && was_pending == (left > 0) && !gone {
                return Ok(Some((before, figures)));
            }
            match self.catalog.fold(&state, &replacements, left > 0).await? {
                Folded::Now(summary) => {
                    pass.merges += (replacements.len() as u64).saturating_sub(summary.void); // at most 64 bits
                    pass.merged_files += replacements.iter().map(|one| one.removed.len() as u64).sum::<u64>();
                    pass.commits += summary.commits;
                    carried.clear();
                    conflicts = 0;
                }
                Folded::TableGone => return Ok(None),
                Folded::Conflict => {
                    conflicts += 1;
                    if conflicts >= MAX_CONFLICTS {
                        return Err(MaintainError::Contended { table: table.name.clone() });
                    }
                    carried = replacements;
                    continue;
                }
            }
            if self.now_ms() >= until_ms {
                let state = self.catalog.table_state(table).await?;
                return Ok(Some((before, self::figures(&state, &definition))));
            }
        }
    }

    async fn merge(&self, table: &TableDefinition, task: &crate::plan::Task) -> Result<Replacement, MaintainError> {
        let (volume, store) = self.open(table).await?;
        let ground = Ground { table, volume: &volume, store, clock: self.catalog.clock().as_ref() };
        merge(&ground, task).await
    }

    /// The table's volume and its store.
    pub(crate) async fn open(
        &self,
        table: &TableDefinition,
    ) -> Result<(penstock_storage::Volume, Arc<dyn object_store::ObjectStore>), MaintainError> {
        let volume = self.catalog.volume(&table.volume).await?;
        let volume = volume.ok_or_else(|| MaintainError::UnknownVolume { volume: table.volume.clone() })?;
        let store = self.volumes.open(&volume)?;
        Ok((volume, store))
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.catalog.clock().now_ms()
    }
}

fn figures(state: &TableState, table: &TableDefinition) -> TableFigures {
    let mut figures = TableFigures { commits: state.commits.len() as u64, ..TableFigures::default() };
    for file in state.readable(&table.partitioning) {
        figures.files += 1;
        figures.bytes = figures.bytes.saturating_add(file.bytes);
    }
    figures
}

fn did(pass: &Pass) -> String {
    let mut did = Vec::new();
    if pass.commits > 0 {
        did.push(format!("folded {} commits", pass.commits));
    }
    if pass.merges > 0 {
        did.push(format!("merged {} files in {} merges", pass.merged_files, pass.merges));
    }
    if pass.deleted > 0 || pass.items > 0 {
        did.push(format!("deleted {} objects and {} items", pass.deleted, pass.items));
    }
    if did.is_empty() { "nothing to do".to_owned() } else { did.join(", ") }
}

pub(crate) fn failed(table: &str, error: &MaintainError, report: &mut RunReport) {
    report.failures += 1;
    tracing::error!(table, "not maintained: {}", one_line(error));
}
