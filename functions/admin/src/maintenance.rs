//! SHOW MAINTENANCE and CHECK TABLE: how tables are kept, and whether their files are what the catalog says.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use penstock_catalog::layout::{MaintenanceReport, TableState};
use penstock_sql::check::{CheckAnswer, CheckReply, CheckRequest};
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::ResultSet;
use penstock_sql::statement::ObjectName;

use crate::Admin;
use crate::error::of_catalog;
use crate::moment::moment;

const MAINTENANCE_TITLES: [&str; 11] = [
    "TableName",
    "LastRun",
    "LastDone",
    "FilesBefore",
    "BytesBefore",
    "FilesAfter",
    "BytesAfter",
    "Manifests",
    "Commits",
    "Next",
    "Failure",
];

/// Tables that are looked at at a time.
const TABLES_AT_ONCE: usize = 16;

const FILE_TITLES: [&str; 5] = ["File", "Rows", "Bytes", "Sorted", "Crc32c"];

/// A row without a file comes last and sums up.
const CHECK_TITLES: [&str; 3] = ["File", "Status", "Message"];

/// Time after which the statement asks for no further piece: the function has a limit of its own.
const LIMIT: Duration = Duration::from_secs(40);

/// Time for one piece.
const PIECE: Duration = Duration::from_secs(15);

impl Admin {
    pub(crate) async fn show_maintenance(
        &self,
        database: Option<&str>,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let database = self.database_of(database, session).await?;
        let names = self.catalog.table_names(database.id).await.map_err(of_catalog)?;
        let mut read = stream::iter(names)
            .map(|(name, table)| async move { self.catalog.unread_state(table).await.map(|state| (name, state)) })
            .buffered(TABLES_AT_ONCE);
        let mut rows = Vec::new();
        while let Some((name, state)) = read.try_next().await.map_err(of_catalog)? {
            rows.push(row(name, &state));
        }
        Ok(SqlResponse::Rows(ResultSet::text(&MAINTENANCE_TITLES, rows)))
    }

    pub(crate) async fn show_files(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, table) = self.table(name, session).await?;
        let volume = self.catalog.volume(&table.volume).await.map_err(of_catalog)?;
        let volume = volume
            .ok_or_else(|| SqlError::analysis(&format!("storage volume `{}` does not exist any more", table.volume)))?;
        let location = volume.location.trim_end_matches('/');
        let mut files = self.catalog.data_files(&table).await.map_err(of_catalog)?;
        files.sort_by(|one, other| one.key.cmp(&other.key));
        let rows = files.into_iter().map(|file| {
            vec![
                Some(format!("{location}/{}", file.key)),
                Some(file.rows.to_string()),
                Some(file.bytes.to_string()),
                Some(if file.sorted { "YES" } else { "NO" }.to_owned()),
                file.crc32c.map(|sum| format!("{sum:08x}")),
            ]
        });
        Ok(SqlResponse::Rows(ResultSet::text(&FILE_TITLES, rows.collect())))
    }

    pub(crate) async fn check_table(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, table) = self.table(name, session).await?;
        let Some(checks) = &self.checks else {
            return Err(SqlError::analysis("CHECK TABLE is not available here"));
        };
        let began = Instant::now();
        let budget_ms = u64::try_from(PIECE.as_millis()).unwrap_or(u64::MAX);
        let mut request = CheckRequest { table: table.id.0, after: None, budget_ms };
        let mut sum = CheckReply::default();
        loop {
            let reply = match checks.check(&request).await {
                CheckAnswer::Done(reply) => reply,
                CheckAnswer::Refused { message } => return Err(SqlError::analysis(&message)),
                CheckAnswer::Unavailable { message } => {
                    return Err(SqlError::new(code::UNAVAILABLE, message).with_hint("try again"));
                }
            };
            sum.files += reply.files;
            sum.rows += reply.rows;
            sum.bytes += reply.bytes;
            sum.damaged.extend(reply.damaged);
            sum.finished = reply.finished;
            request.after = reply.after;
            if sum.finished || began.elapsed() >= LIMIT {
                return Ok(checked(sum));
            }
        }
    }
}

fn row(name: String, state: &TableState) -> Vec<Option<String>> {
    let report = state.maintenance.as_ref();
    let number = |of: fn(&MaintenanceReport) -> u64| report.map(|report| of(report).to_string());
    let manifests = state.layout.as_ref().map_or(0, |layout| layout.value.manifests.len());
    let mut next: Vec<String> =
        report.map(|report| report.next.clone()).into_iter().filter(|next| !next.is_empty()).collect();
    if !state.commits.is_empty() {
        next.push(format!("fold {} commits", state.commits.len()));
    }
    let replaced = state
        .layout
        .as_ref()
        .map_or(0, |layout| layout.value.folds.iter().filter(|fold| fold.swept_at_ms.is_none()).count());
    if replaced > 0 {
        next.push(format!("delete what {replaced} folds replaced, an hour after each"));
    }
    vec![
        Some(name),
        report.map(|report| moment(report.at_ms)),
        report.map(|report| report.did.clone()),
        number(|report| report.before.files),
        number(|report| report.before.bytes),
        number(|report| report.after.files),
        number(|report| report.after.bytes),
        Some(manifests.to_string()),
        Some(state.commits.len().to_string()),
        Some(if next.is_empty() { "nothing".to_owned() } else { next.join(", ") }),
        report.and_then(|report| report.failure.clone()),
    ]
}

fn checked(sum: CheckReply) -> SqlResponse {
    let mut status = if sum.damaged.is_empty() { "ok" } else { "damaged" };
    let mut message = format!("{} files checked, {} rows and {} bytes are right", sum.files, sum.rows, sum.bytes);
    if !sum.damaged.is_empty() {
        message.push_str(&format!(", {} files are not", sum.damaged.len()));
    }
    if !sum.finished {
        if sum.damaged.is_empty() {
            status = "unfinished";
        }
        message.push_str("; there are more, for which the time of a statement is too short");
    }
    let mut rows: Vec<Vec<Option<String>>> = sum
        .damaged
        .into_iter()
        .map(|file| vec![Some(file.key), Some("damaged".to_owned()), Some(file.message)])
        .collect();
    rows.push(vec![None, Some(status.to_owned()), Some(message)]);
    SqlResponse::Rows(ResultSet::text(&CHECK_TITLES, rows))
}
