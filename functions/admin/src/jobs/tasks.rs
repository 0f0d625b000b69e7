//! SHOW ROUTINE LOAD TASK.
//!
//! The platform polls, so there are no task objects: a row stands for the source partitions that load together, as
//! StarRocks would spread them, with what is known of them now.

use penstock_sql::error::SqlError;
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::ResultSet;
use penstock_sql::statement::ShowRoutineLoadTask;

use crate::Admin;
use crate::error::of_catalog;
use crate::moment::moment;
use penstock_show::job::{JobView, WAREHOUSE, views};
use penstock_show::progress::Next;
use penstock_show::properties::Shown;

const TITLES: [&str; 12] = [
    "TaskId",
    "TxnId",
    "TxnStatus",
    "JobId",
    "CreateTime",
    "LastScheduledTime",
    "ExecuteStartTime",
    "Timeout",
    "BeId",
    "DataSourceProperties",
    "Message",
    "Warehouse",
];

impl Admin {
    pub(crate) async fn show_tasks(
        &self,
        statement: ShowRoutineLoadTask,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let database = self.database_of(statement.database.as_deref(), session).await?;
        let job = self.catalog.live_job(database.id, &statement.job).await.map_err(of_catalog)?;
        let job = job.ok_or_else(|| {
            let detail =
                format!("The job named {} does not exists or job state is stopped or cancelled", statement.job);
            SqlError::analysis(&detail)
        })?;
        let views = views(&self.catalog, &database, vec![job]).await.map_err(of_catalog)?;
        let rows = views.iter().flat_map(rows).collect();
        Ok(SqlResponse::Rows(ResultSet::text(&TITLES, rows)))
    }
}

fn rows(view: &JobView) -> Vec<Vec<Option<String>>> {
    let shown = Shown::new(&view.snapshot, &view.definition);
    let tasks = shown.current_tasks();
    (0..tasks).map(|task| row(view, &shown, task, tasks)).collect()
}

/// The row of one task: every `tasks`-th source partition from the `task`-th on.
fn row(view: &JobView, shown: &Shown<'_>, task: u64, tasks: u64) -> Vec<Option<String>> {
    let job = &view.snapshot.job;
    let (next, latest) = (shown.position().next(), shown.position().latest());
    let own: Vec<i32> = (0..)
        .zip(shown.position().source_partitions())
        .filter(|(index, _): &(u64, i32)| index % tasks.max(1) == task)
        .map(|(_, source_partition)| source_partition)
        .collect();
    let progress = own.iter().filter_map(|number| match next.get(number)? {
        Next::Offset(next_offset) => Some(format!("\"{number}\":{next_offset}")),
        Next::End => Some(format!("\"{number}\":-1")),
        Next::Beginning => Some(format!("\"{number}\":-2")),
    });
    let progress: Vec<String> = progress.collect();
    let marks: Vec<String> =
        own.iter().filter_map(|number| Some(format!("\"{number}\":{}", latest.get(number)?))).collect();
    let marks = if marks.is_empty() { "null".to_owned() } else { format!("{{{}}}", marks.join(",")) };
    let behind = own.iter().any(|number| match (next.get(number), latest.get(number)) {
        (Some(Next::Offset(next_offset)), Some(latest)) => next_offset < latest,
        (_, latest) => latest.is_some_and(|latest| *latest > 0),
    });
    let report_ms = view.snapshot.report.at_ms;
    let null = || "NULL".to_owned();
    let properties = &view.definition.properties;
    let message = match &view.snapshot.trouble.last_failure {
        Some(failure) => format!("previous task aborted because of {}", failure.message),
        None if behind => null(),
        None => format!(
            "there is no new data in kafka, wait for {} seconds to schedule again",
            properties.max_batch_interval_s()
        ),
    };
    let cells = [
        task_id(job.id.0, job.fence, task),
        "-1".to_owned(),
        "UNKNOWN".to_owned(),
        job.id.to_string(),
        moment(job.created_at_ms),
        if report_ms > 0 { moment(report_ms) } else { null() },
        null(),
        properties.task_timeout_second().to_string(),
        "-1".to_owned(),
        format!("Progress:{{{}}},LatestOffset:{marks}", progress.join(",")),
        message,
        WAREHOUSE.to_owned(),
    ];
    cells.map(Some).to_vec()
}

/// A UUID that stays the same for as long as the job runs undisturbed: of version 8, whose bits are for its maker to choose.
fn task_id(job: u64, fence: u64, task: u64) -> String {
    format!(
        "{:08x}-{:04x}-8{:03x}-8{:03x}-{:012x}",
        job >> 16 & 0xffff_ffff,
        job & 0xffff,
        fence >> 12 & 0xfff,
        fence & 0xfff,
        task
    )
}
