//! SHOW ROUTINE LOAD and SHOW CREATE ROUTINE LOAD.

use std::cmp::Ordering;

use penstock_catalog::database::Database;
use penstock_catalog::job::Job;
use penstock_sql::error::SqlError;
use penstock_sql::filter::OrderBy;
use penstock_sql::like::Wildcards;
use penstock_sql::render;
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::ResultSet;
use penstock_sql::statement::{JOB_COLUMNS, JobColumnKind, ObjectName, ShowRoutineLoad};

use crate::Admin;
use crate::error::of_catalog;
use penstock_show::job::{TITLES, views};

type Row = Vec<Option<String>>;

impl Admin {
    pub(crate) async fn show_jobs(
        &self,
        statement: ShowRoutineLoad,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let named = statement.job.as_ref().and_then(|job| job.database.as_deref());
        let database = self.database_of(named.or(statement.database.as_deref()), session).await?;
        let jobs = self.jobs_to_show(&statement, &database).await?;
        let mut rows = Vec::new();
        for view in views(&self.catalog, &database, jobs).await.map_err(of_catalog)? {
            let row = view.row();
            // Conditions are about the real state: UNSTABLE is only how RUNNING is shown.
            let state = view.snapshot.job.state.to_string();
            let wanted = statement.conditions.iter().all(|condition| {
                let is_state = condition.column.eq_ignore_ascii_case("State");
                let cell = if is_state { Some(state.as_str()) } else { cell(&row, &condition.column) };
                condition.holds(cell, Wildcards::RoutineLoad)
            });
            if wanted {
                rows.push(row);
            }
        }
        rows.sort_by(|left, right| order(left, right, &statement.order));
        if let Some(limit) = statement.limit {
            let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            rows = rows.into_iter().skip(count(limit.skip)).take(count(limit.rows)).collect();
        }
        Ok(SqlResponse::Rows(ResultSet::text(&TITLES, rows)))
    }

    async fn jobs_to_show(&self, statement: &ShowRoutineLoad, database: &Database) -> Result<Vec<Job>, SqlError> {
        if statement.all {
            let now_ms = self.catalog.clock().now_ms();
            let mut jobs = self.catalog.jobs(database.id).await.map_err(of_catalog)?;
            jobs.retain(|job| is_kept(job, now_ms));
            let Some(name) = &statement.job else {
                return Ok(jobs);
            };
            jobs.retain(|job| job.name == name.name);
            return if jobs.is_empty() { Err(no_job(&name.name, &database.name, true)) } else { Ok(jobs) };
        }
        let Some(name) = &statement.job else {
            return self.catalog.live_jobs(database.id).await.map_err(of_catalog);
        };
        let job = self.catalog.live_job(database.id, &name.name).await.map_err(of_catalog)?;
        Ok(vec![job.ok_or_else(|| no_job(&name.name, &database.name, false))?])
    }

    pub(crate) async fn show_create_job(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, job) = self.live_job(name, session).await?;
        let definition = self.definition(&job).await?;
        let table = self.catalog.table_by_id(job.table).await.map_err(of_catalog)?;
        let table = table.map_or_else(|| job.table.to_string(), |table| table.name);
        let rows = vec![vec![Some(job.name), Some(render::create_job(&definition, &table))]];
        Ok(SqlResponse::Rows(ResultSet::text(&["Job", "Create Job"], rows)))
    }
}

/// Whether SHOW ALL lists the job: live ones, and those that ended in the last three days.
fn is_kept(job: &Job, now_ms: i64) -> bool {
    const KEPT_MS: i64 = 3 * 24 * 60 * 60 * 1_000;
    job.ended_at_ms.is_none_or(|ended_at_ms| now_ms.saturating_sub(ended_at_ms) <= KEPT_MS)
}

fn no_job(name: &str, database: &str, all: bool) -> SqlError {
    if all {
        return SqlError::analysis(&format!("There is no job named {name} in db {database}"));
    }
    let detail = format!("There is no running job named {name} in db {database}");
    SqlError::analysis(&detail)
        .with_hint(format!("SHOW ALL ROUTINE LOAD FOR {name} lists stopped and cancelled jobs too"))
}

fn cell<'a>(row: &'a Row, title: &str) -> Option<&'a str> {
    let index = TITLES.iter().position(|known| known.eq_ignore_ascii_case(title))?;
    row.get(index)?.as_deref()
}

/// As `wanted` says, then ascending by id. NULL comes before any value.
fn order(left: &Row, right: &Row, wanted: &[OrderBy]) -> Ordering {
    let by_column = wanted.iter().map(|by| {
        let order = compare(left, right, &by.column);
        if by.descending { order.reverse() } else { order }
    });
    by_column.fold(Ordering::Equal, Ordering::then).then_with(|| compare(left, right, "Id"))
}

fn compare(left: &Row, right: &Row, title: &str) -> Ordering {
    let (left, right) = (cell(left, title), cell(right, title));
    let integer = JOB_COLUMNS
        .iter()
        .any(|column| column.kind == JobColumnKind::Integer && column.title.eq_ignore_ascii_case(title));
    if integer {
        let number = |cell: Option<&str>| cell.and_then(|cell| cell.parse::<u64>().ok());
        number(left).cmp(&number(right))
    } else {
        left.cmp(&right)
    }
}
