//! The columns of SHOW ROUTINE LOAD, and a job's row.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use penstock_catalog::Catalog;
use penstock_catalog::database::Database;
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::{Job, JobSnapshot};
use penstock_catalog::rejected::ReplayCounts;
use penstock_kernel::ids::TableId;
use penstock_kernel::job::JobDefinition;
use penstock_kernel::moment;
use penstock_kernel::progress::SourceProgress;
use penstock_kernel::state::{JobState, StateReason};
use penstock_kernel::table::TableDefinition;

use crate::json::Object;
use crate::progress::Position;
use crate::properties::Shown;

/// Titles in order: those that StarRocks' quick start over shared data prints, then those that newer versions add.
pub const TITLES: [&str; 23] = [
    "Id",
    "Name",
    "CreateTime",
    "PauseTime",
    "EndTime",
    "DbName",
    "TableName",
    "State",
    "DataSourceType",
    "CurrentTaskNum",
    "JobProperties",
    "DataSourceProperties",
    "CustomProperties",
    "Statistic",
    "Progress",
    "TimestampProgress",
    "ReasonOfStateChanged",
    "ErrorLogUrls",
    "TrackingSQL",
    "OtherMsg",
    "LatestSourcePosition",
    "OffsetLag",
    "Warehouse",
];

/// The one warehouse that there is.
pub const WAREHOUSE: &str = "default_warehouse";

/// Jobs and tables that are read at a time.
const READS_AT_ONCE: usize = 16;

/// Seconds of lag above which a job is shown as UNSTABLE.
const UNSTABLE_S: i64 = 3_600;

/// StarRocks' code of that state.
const SLOW_RUNNING: u32 = 105;

/// A job with the names of what it belongs to.
pub struct JobView {
    /// The job, its progress and its failures.
    pub snapshot: JobSnapshot,
    /// Its current version.
    pub definition: JobDefinition,
    /// The database's name.
    pub database: String,
    /// The table's name, or its id if it was dropped.
    pub table: String,
    /// Now, milliseconds since the epoch.
    pub now_ms: i64,
    /// Where the volume of the table lies, without a closing slash; empty if that is not known any more.
    pub location: String,
}

/// The jobs of a database with all that is to be shown of them, in the same order. A job that is gone is left out.
///
/// # Errors
/// [`CatalogError`], also if a job's definition is missing.
pub async fn views(catalog: &Catalog, database: &Database, jobs: Vec<Job>) -> Result<Vec<JobView>, CatalogError> {
    let ids: BTreeSet<TableId> = jobs.iter().map(|job| job.table).collect();
    let tables: BTreeMap<TableId, TableDefinition> = stream::iter(ids)
        .map(|id| catalog.table_by_id(id))
        .buffered(READS_AT_ONCE)
        .try_filter_map(|table| async move { Ok(table.map(|table| (table.id, table))) })
        .try_collect()
        .await?;
    let volumes = catalog.volumes().await?;
    let location = |table: &TableDefinition| {
        let volume = volumes.iter().find(|volume| volume.name == table.volume);
        volume.map(|volume| volume.location.clone()).unwrap_or_default()
    };
    let mut read = stream::iter(jobs).map(|job| read(catalog, job)).buffered(READS_AT_ONCE);
    let mut views = Vec::new();
    while let Some(read) = read.try_next().await? {
        // Whoever is gone between the two reads is not shown.
        let Some((job, snapshot, definition)) = read else {
            continue;
        };
        let table = tables.get(&job.table);
        views.push(JobView {
            definition,
            snapshot,
            now_ms: catalog.clock().now_ms(),
            database: database.name.clone(),
            table: table.map_or_else(|| job.table.to_string(), |table| table.name.clone()),
            location: table.map(location).unwrap_or_default(),
        });
    }
    Ok(views)
}

async fn read(catalog: &Catalog, job: Job) -> Result<Option<(Job, JobSnapshot, JobDefinition)>, CatalogError> {
    let Some(snapshot) = catalog.job_snapshot(job.id).await? else {
        return Ok(None);
    };
    let version = snapshot.job.version;
    let definition = catalog.job_definition(job.id, version).await?.ok_or_else(|| CatalogError::Unreadable {
        key: format!("version {version} of job {}", job.id),
        message: "it is missing".to_owned(),
    })?;
    Ok(Some((job, snapshot, definition)))
}

impl JobView {
    /// A cell for each of [`TITLES`].
    pub fn row(&self) -> Vec<Option<String>> {
        let JobSnapshot { job, .. } = &self.snapshot;
        let shown = Shown::new(&self.snapshot, &self.definition);
        let position = shown.position();
        let urls = self.error_log_urls();
        let unstable = self.unstable(position);
        vec![
            Some(job.id.to_string()),
            Some(job.name.clone()),
            Some(moment::text(job.created_at_ms)),
            job.paused_at_ms.map(moment::text),
            job.ended_at_ms.map(moment::text),
            Some(self.database.clone()),
            Some(self.table.clone()),
            Some(unstable.as_ref().map_or_else(|| job.state.to_string(), |_| "UNSTABLE".to_owned())),
            Some("KAFKA".to_owned()),
            Some(shown.current_tasks().to_string()),
            Some(shown.job_properties()),
            Some(shown.data_source_properties()),
            Some(shown.custom_properties()),
            Some(self.statistic()),
            Some(position.progress_json()),
            Some(position.timestamps_json()),
            Some(job.reason.as_ref().or(unstable.as_ref()).map(ToString::to_string).unwrap_or_default()),
            Some(urls.join(", ")),
            Some(if urls.is_empty() { String::new() } else { tracking_sql(job.id.0) }),
            Some(self.other_message()),
            Some(position.latest_json()),
            Some(position.lag_json()),
            Some(WAREHOUSE.to_owned()),
        ]
    }

    /// Why a RUNNING job is shown as UNSTABLE: a source partition whose last record is long past although newer ones wait.
    /// An idle one is as far as it can be, and no reason.
    fn unstable(&self, position: &Position<'_>) -> Option<StateReason> {
        if self.snapshot.job.state != JobState::Running {
            return None;
        }
        let latest = position.latest();
        let mut behind = self.snapshot.progress.iter().filter(|(source_partition, progress)| {
            latest.get(source_partition).is_some_and(|latest| progress.value.next_offset < *latest)
        });
        behind.find_map(|(source_partition, progress)| {
            let lag_s = self.now_ms.saturating_sub(progress.value.last_timestamp_ms?) / 1000;
            (lag_s > UNSTABLE_S).then(|| StateReason {
                code: SLOW_RUNNING,
                message: format!(
                    "The lag [{lag_s}] of partition [{source_partition}] exceeds \
                     Config.routine_load_unstable_threshold_second [{UNSTABLE_S}]"
                ),
            })
        })
    }

    fn sum(&self, count: impl Fn(&SourceProgress) -> u64) -> u64 {
        let progress = self.snapshot.progress.values();
        progress.fold(0, |sum, progress| sum.saturating_add(count(&progress.value)))
    }

    fn statistic(&self) -> String {
        let received_bytes = self.sum(|progress| progress.statistics.received_bytes);
        let first_loaded = self.sum(|progress| progress.statistics.loaded);
        let first_rejected = self.sum(|progress| progress.statistics.rejected);
        let first_unselected = self.sum(|progress| progress.statistics.unselected);
        // A replayed row counts as what it has become.
        let ReplayCounts { replayed, loaded, rejected, unselected } =
            self.snapshot.replays.as_ref().map(|replays| replays.value).unwrap_or_default();
        let loaded = first_loaded.saturating_add(loaded);
        let rejected = first_rejected.saturating_add(rejected).saturating_sub(replayed);
        let unselected = first_unselected.saturating_add(unselected);
        let total = loaded.saturating_add(rejected).saturating_add(unselected);
        let aborted = self.snapshot.trouble.aborted_tasks.saturating_add(self.sum(|progress| progress.empty_tasks));
        // Never 0, since others divide by it.
        let execute_ms = self.sum(|progress| progress.execute_ms).max(1);
        let rate = |count: u64| count.saturating_mul(1000).checked_div(execute_ms).unwrap_or_default();
        Object::default()
            .number("receivedBytes", received_bytes)
            .number("errorRows", rejected)
            .number("committedTaskNum", self.sum(|progress| progress.committed_tasks))
            .number("loadedRows", loaded)
            .number("loadRowsRate", rate(loaded))
            .number("abortedTaskNum", aborted)
            .number("totalRows", total)
            .number("unselectedRows", unselected)
            .number("receivedBytesRate", rate(received_bytes))
            .number("taskExecuteTimeMs", execute_ms)
            .print()
    }

    /// The statement that shows all rejected rows, then the places of the last files of them; empty if there are none.
    pub fn error_log_urls(&self) -> Vec<String> {
        let files = &self.snapshot.trouble.error_files;
        let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
        let table = format!("{}.{}", quoted(&self.database), quoted(&format!("{}$rejected", self.snapshot.job.name)));
        let statement = (!files.is_empty()).then(|| format!("SELECT * FROM {table}"));
        let places = files.iter().map(|key| match self.location.as_str() {
            "" => key.clone(),
            location => format!("{}/{key}", location.trim_end_matches('/')),
        });
        statement.into_iter().chain(places).collect()
    }

    /// The latest failure. There are no transaction numbers: −1 stands for none, as in StarRocks.
    fn other_message(&self) -> String {
        match &self.snapshot.trouble.last_failure {
            Some(failure) => {
                format!(
                    "[{}] [task id: {}] [txn id: -1] {}",
                    moment::text(failure.at_ms),
                    failure.task,
                    failure.message
                )
            }
            None => String::new(),
        }
    }
}

/// The statement that shows the last errors of a job, as StarRocks words it.
pub fn tracking_sql(job: u64) -> String {
    format!("select tracking_log from information_schema.load_tracking_logs where job_id={job}")
}
