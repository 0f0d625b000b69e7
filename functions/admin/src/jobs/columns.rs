//! The columns of SHOW ROUTINE LOAD, and a job's row.

use penstock_catalog::job::JobSnapshot;
use penstock_kernel::job::JobDefinition;
use penstock_kernel::progress::SourceProgress;
use penstock_kernel::state::{JobState, StateReason};

use super::progress::Position;
use super::properties::Shown;
use crate::json::Object;
use crate::moment::moment;

/// Titles in order: those of StarRocks over shared data. `OffsetLag` is that of its newer versions.
pub(super) const TITLES: [&str; 23] = [
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
    "Warehouse",
    "LatestSourcePosition",
    "OffsetLag",
];

/// The one warehouse that there is.
pub(super) const WAREHOUSE: &str = "default_warehouse";

/// Seconds of lag above which a job is shown as UNSTABLE.
const UNSTABLE_S: i64 = 3_600;

/// StarRocks' code of that state.
const SLOW_RUNNING: u32 = 105;

/// A job with the names of what it belongs to.
pub(super) struct JobView {
    pub(super) snapshot: JobSnapshot,
    pub(super) definition: JobDefinition,
    /// The database's name.
    pub(super) database: String,
    /// The table's name, or its id if it was dropped.
    pub(super) table: String,
    /// Now, milliseconds since the epoch.
    pub(super) now_ms: i64,
    /// Where the volume of the table lies, without a closing slash; empty if that is not known any more.
    pub(super) location: String,
}

impl JobView {
    /// A cell for each of [`TITLES`].
    pub(super) fn row(&self) -> Vec<Option<String>> {
        let JobSnapshot { job, .. } = &self.snapshot;
        let shown = Shown::new(&self.snapshot, &self.definition);
        let position = shown.position();
        let urls = self.error_log_urls();
        let unstable = self.unstable(position);
        vec![
            Some(job.id.to_string()),
            Some(job.name.clone()),
            Some(moment(job.created_at_ms)),
            job.paused_at_ms.map(moment),
            job.ended_at_ms.map(moment),
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
            Some(WAREHOUSE.to_owned()),
            Some(position.latest_json()),
            Some(position.lag_json()),
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
        let loaded = self.sum(|progress| progress.statistics.loaded);
        let aborted = self.snapshot.trouble.aborted_tasks.saturating_add(self.sum(|progress| progress.empty_tasks));
        // Never 0, since others divide by it.
        let execute_ms = self.sum(|progress| progress.execute_ms).max(1);
        let rate = |count: u64| count.saturating_mul(1000).checked_div(execute_ms).unwrap_or_default();
        Object::default()
            .number("receivedBytes", received_bytes)
            .number("errorRows", self.sum(|progress| progress.statistics.rejected))
            .number("committedTaskNum", self.sum(|progress| progress.committed_tasks))
            .number("loadedRows", loaded)
            .number("loadRowsRate", rate(loaded))
            .number("abortedTaskNum", aborted)
            .number("totalRows", self.sum(|progress| progress.statistics.total))
            .number("unselectedRows", self.sum(|progress| progress.statistics.unselected))
            .number("receivedBytesRate", rate(received_bytes))
            .number("taskExecuteTimeMs", execute_ms)
            .print()
    }

    fn error_log_urls(&self) -> Vec<String> {
        let files = self.snapshot.trouble.error_files.iter();
        files
            .map(|key| match self.location.as_str() {
                "" => key.clone(),
                location => format!("{}/{key}", location.trim_end_matches('/')),
            })
            .collect()
    }

    /// The latest failure. There are no transaction numbers: −1 stands for none, as in StarRocks.
    fn other_message(&self) -> String {
        match &self.snapshot.trouble.last_failure {
            Some(failure) => {
                format!("[{}] [task id: {}] [txn id: -1] {}", moment(failure.at_ms), failure.task, failure.message)
            }
            None => String::new(),
        }
    }
}

fn tracking_sql(job: u64) -> String {
    format!("select tracking_log from information_schema.load_tracking_logs where job_id={job}")
}
