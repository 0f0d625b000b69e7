//! The tables about routine load: jobs, their commits, and what was wrong with rejected rows.
//!
//! A commit stands for what StarRocks calls a task of a job.

use std::collections::HashMap;

use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use penstock_catalog::commit::Commit;
use penstock_catalog::database::Database;
use penstock_catalog::job::Job;
use penstock_kernel::ids::JobId;
use penstock_kernel::loaded::LoadStatistics;
use penstock_kernel::rejected::{Entry, decode};
use penstock_kernel::table::TableDefinition;
use penstock_show::job::{JobView, TITLES, WAREHOUSE, tracking_sql, views};
use penstock_sql::error::{SqlError, code};

use super::filter::Wanted;
use super::{Origin, Rows, Value, count, moment as optional_moment, text};
use crate::failure::of_catalog;
use crate::source::Source;

/// Lines of a task's log.
const LOG_LINES: usize = 50;

/// Bytes of a row in a log; the whole row is in the table of rejected rows.
const LOG_ROW_BYTES: usize = 4096;

/// What StarRocks calls them.
const TYPE: &str = "ROUTINE_LOAD";

/// Fills `routine_load_jobs`.
pub(super) async fn jobs(origin: &Origin, wanted: &Wanted<'_>, rows: &mut Rows) -> Result<(), SqlError> {
    let catalog = &origin.catalog;
    let ids = wanted.numbers("id");
    for database in wanted.databases(catalog, "db_name").await? {
        let mut jobs = catalog.jobs(database.id).await.map_err(|error| of_catalog(&error))?;
        jobs.retain(|job| ids.as_ref().is_none_or(|ids| ids.contains(&id_of(job.id))));
        for view in views(catalog, &database, jobs).await.map_err(|error| of_catalog(&error))? {
            job(&view, rows);
        }
    }
    Ok(())
}

fn job(view: &JobView, rows: &mut Rows) {
    let shown = view.row();
    let cell = |title: &str| {
        let place = TITLES.iter().position(|known| *known == title);
        place.and_then(|place| shown.get(place)).cloned().flatten().map_or(Value::Null, Value::Text)
    };
    let number = |title: &str| match cell(title) {
        Value::Text(digits) => digits.parse().map_or(Value::Null, Value::Number),
        _ => Value::Null,
    };
    let job = &view.snapshot.job;
    rows.push(&[
        ("ID", number("Id")),
        ("NAME", cell("Name")),
        ("CREATE_TIME", Value::Moment(job.created_at_ms)),
        ("PAUSE_TIME", optional_moment(job.paused_at_ms)),
        ("END_TIME", optional_moment(job.ended_at_ms)),
        ("DB_NAME", cell("DbName")),
        ("TABLE_NAME", cell("TableName")),
        // Never UNSTABLE here, which is how a RUNNING job is shown at times.
        ("STATE", text(job.state.to_string())),
        ("DATA_SOURCE_TYPE", cell("DataSourceType")),
        ("CURRENT_TASK_NUM", number("CurrentTaskNum")),
        ("JOB_PROPERTIES", cell("JobProperties")),
        ("DATA_SOURCE_PROPERTIES", cell("DataSourceProperties")),
        ("CUSTOM_PROPERTIES", cell("CustomProperties")),
        ("STATISTICS", cell("Statistic")),
        ("PROGRESS", cell("Progress")),
        ("REASONS_OF_STATE_CHANGED", text(job.reason.as_ref().map(ToString::to_string).unwrap_or_default())),
        ("ERROR_LOG_URLS", text(view.error_log_urls().join(","))),
        ("TRACKING_SQL", cell("TrackingSQL")),
        ("OTHER_MSG", cell("OtherMsg")),
        ("LATEST_SOURCE_POSITION", cell("LatestSourcePosition")),
        ("OFFSET_LAG", cell("OffsetLag")),
        ("TIMESTAMP_PROGRESS", cell("TimestampProgress")),
    ]);
}

/// Fills `loads`.
pub(super) async fn commits(origin: &Origin, wanted: &Wanted<'_>, rows: &mut Rows) -> Result<(), SqlError> {
    let catalog = &origin.catalog;
    let ids = wanted.numbers("job_id");
    for database in wanted.databases(catalog, "db_name").await? {
        let jobs = catalog.jobs(database.id).await.map_err(|error| of_catalog(&error))?;
        let jobs: HashMap<JobId, Job> = jobs.into_iter().map(|job| (job.id, job)).collect();
        for table in wanted.tables(catalog, &database, "table_name").await? {
            let read = ids
                .as_ref()
                .is_none_or(|ids| jobs.values().any(|job| job.table == table.id && ids.contains(&id_of(job.id))));
            if !read {
                continue;
            }
            let volume = catalog.volume(&table.volume).await.map_err(|error| of_catalog(&error))?;
            let location = volume.map(|volume| volume.location).unwrap_or_default();
            for commit in catalog.commits(table.id).await.map_err(|error| of_catalog(&error))? {
                let job = jobs.get(&commit.job);
                let timeout = match job {
                    Some(job) if wanted.reads("properties") => timeout(origin, job).await?,
                    _ => None,
                };
                task(&database, &table, &location, job, timeout, &commit, rows);
            }
        }
    }
    Ok(())
}

/// `task_timeout_second` of a job.
async fn timeout(origin: &Origin, job: &Job) -> Result<Option<i64>, SqlError> {
    let definition = origin.catalog.job_definition(job.id, job.version).await.map_err(|error| of_catalog(&error))?;
    Ok(definition.map(|definition| definition.properties.task_timeout_second()))
}

fn task(
    database: &Database,
    table: &TableDefinition,
    location: &str,
    job: Option<&Job>,
    timeout: Option<i64>,
    commit: &Commit,
    rows: &mut Rows,
) {
    let mut statistics = LoadStatistics::default();
    for range in &commit.ranges {
        statistics += range.statistics;
    }
    if let Some(replay) = &commit.replay {
        statistics.total = replay.counts.replayed;
        statistics.loaded = replay.counts.loaded;
        statistics.rejected = replay.counts.rejected;
        statistics.unselected = replay.counts.unselected;
    }
    let loaded = statistics.loaded > 0;
    let name = job.map_or_else(|| commit.job.to_string(), |job| job.name.clone());
    let mut properties = serde_json::json!({ "job_name": name, "job_version": commit.job_version });
    if let (Some(properties), Some(timeout)) = (properties.as_object_mut(), timeout) {
        properties.insert("timeout".to_owned(), timeout.into());
    }
    if let (Some(properties), Some(_)) = (properties.as_object_mut(), &commit.replay) {
        properties.insert("replay".to_owned(), true.into());
    }
    let details = serde_json::json!({
        "txn_id": -1,
        "load_id": commit.id,
        "files": commit.files.len(),
        "sink_bytes": commit.files.iter().map(|file| file.bytes).sum::<u64>(),
    });
    let at = Value::Moment(commit.committed_at_ms);
    rows.push(&[
        ("ID", Value::Number(number_of(&commit.id))),
        ("LABEL", text(label(commit.job, &commit.id))),
        ("DB_NAME", text(&database.name)),
        ("TABLE_NAME", text(&table.name)),
        ("USER", text("root")),
        ("WAREHOUSE", text(WAREHOUSE)),
        ("STATE", text(if loaded { "FINISHED" } else { "CANCELLED" })),
        ("PROGRESS", text("100%")),
        ("TYPE", text(TYPE)),
        ("PRIORITY", text("NORMAL")),
        ("SCAN_ROWS", count(statistics.total)),
        ("SCAN_BYTES", count(statistics.received_bytes)),
        ("FILTERED_ROWS", count(statistics.rejected)),
        ("UNSELECTED_ROWS", count(statistics.unselected)),
        ("SINK_ROWS", count(statistics.loaded)),
        ("RUNTIME_DETAILS", text(details.to_string())),
        ("CREATE_TIME", at.clone()),
        ("LOAD_START_TIME", at.clone()),
        ("LOAD_COMMIT_TIME", at.clone()),
        ("LOAD_FINISH_TIME", at),
        ("PROPERTIES", text(properties.to_string())),
        ("ERROR_MSG", text(if loaded { "" } else { "No rows were imported from upstream" })),
        ("TRACKING_SQL", commit.errors.as_ref().map_or(Value::Null, |_| text(tracking_sql(commit.job.0)))),
        (
            "REJECTED_RECORD_PATH",
            commit
                .errors
                .as_ref()
                .map_or(Value::Null, |file| text(format!("{}/{}", location.trim_end_matches('/'), file.key))),
        ),
        ("JOB_ID", Value::Number(id_of(commit.job))),
    ]);
}

/// Fills `load_tracking_logs`: a row for each of the last error files of the jobs that are asked about.
pub(super) async fn logs(origin: &Origin, wanted: &Wanted<'_>, rows: &mut Rows) -> Result<(), SqlError> {
    let labelled = || {
        let labels = wanted.texts("label")?;
        Some(labels.iter().filter_map(|label| job_of(label)).collect())
    };
    let Some(mut ids): Option<Vec<i64>> = wanted.numbers("job_id").or_else(labelled) else {
        return Err(SqlError::new(code::PARSE, "load_tracking_logs is asked by `job_id` or `label`")
            .with_hint("add WHERE job_id = <id>; SHOW ROUTINE LOAD has the id"));
    };
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let Ok(id) = u64::try_from(id).map(JobId) else {
            continue;
        };
        job_logs(origin, id, rows).await?;
    }
    Ok(())
}

async fn job_logs(origin: &Origin, id: JobId, rows: &mut Rows) -> Result<(), SqlError> {
    let catalog = &origin.catalog;
    let Some(snapshot) = catalog.job_snapshot(id).await.map_err(|error| of_catalog(&error))? else {
        return Ok(());
    };
    let files = &snapshot.trouble.error_files;
    let table = catalog.table_by_id(snapshot.job.table).await.map_err(|error| of_catalog(&error))?;
    let Some(table) = table.filter(|_| !files.is_empty()) else {
        return Ok(());
    };
    let volume = catalog.volume(&table.volume).await.map_err(|error| of_catalog(&error))?;
    let Some(volume) = volume else {
        return Ok(());
    };
    let databases = catalog.databases().await.map_err(|error| of_catalog(&error))?;
    let database = databases.into_iter().find(|database| database.id == snapshot.job.database);
    let rejections = catalog.rejections(id).await.map_err(|error| of_catalog(&error))?;
    let wrong = |error: &dyn std::error::Error| SqlError::new(code::INTERNAL, error.to_string());
    let store = origin.volumes.open(&volume).map_err(|error| wrong(&error))?;
    let store = Source::new(store, std::sync::Arc::clone(&origin.report));
    for key in files {
        let path = Path::from(volume.key(key).map_err(|error| wrong(&error))?);
        let unread = |error: object_store::Error| {
            tracing::warn!(key, %error, "an error file cannot be read");
            SqlError::new(code::UNAVAILABLE, format!("the file of rejected rows `{key}` cannot be read"))
                .with_hint("try again; if it stays so, check that S3 answers")
        };
        let file = store.get(&path).await.map_err(unread)?.bytes().await.map_err(unread)?;
        let entries = decode(file, LOG_LINES).map_err(|error| wrong(&error))?;
        let lines: Vec<String> = entries.iter().map(line).collect();
        // A refused batch has no commit; the file's own name tells its attempts apart.
        let of_commit = rejections
            .iter()
            .find(|rejection| rejection.errors.as_ref().is_some_and(|errors| errors.key == *key))
            .map(|rejection| rejection.commit.as_str());
        let own = key.rsplit('-').next().unwrap_or_default().trim_end_matches(".parquet");
        let task = of_commit.unwrap_or(own);
        rows.push(&[
            ("ID", Value::Number(number_of(task))),
            ("JOB_ID", Value::Number(id_of(id))),
            ("LABEL", text(label(id, task))),
            ("DATABASE_NAME", text(database.as_ref().map_or("", |database| &database.name))),
            ("TRACKING_LOG", text(lines.join("\n"))),
            ("TYPE", text(TYPE)),
        ]);
    }
    Ok(())
}

/// A line of a log, in StarRocks' words.
fn line(entry: &Entry) -> String {
    let Entry { row, .. } = entry;
    let shown = row.raw.get(..LOG_ROW_BYTES).unwrap_or(&row.raw);
    let shown = String::from_utf8_lossy(shown).replace('\n', "\\n").replace('\r', "\\r");
    let cut = if row.raw.len() > LOG_ROW_BYTES { "..." } else { "" };
    format!(
        "Error: {}. Row: {shown}{cut} [meta: kafka partition: {}, offset: {}]",
        row.reason.trim_end_matches('.'),
        row.source_partition,
        row.offset
    )
}

/// Names a task of a job.
fn label(job: JobId, task: &str) -> String {
    format!("job-{job}-{task}")
}

/// The job that a label names.
fn job_of(label: &str) -> Option<i64> {
    label.strip_prefix("job-")?.split('-').next()?.parse().ok()
}

fn id_of(job: JobId) -> i64 {
    i64::try_from(job.0).unwrap_or(i64::MAX)
}

/// A number for a task, growing with time: the first 64 of the 128 bits of its unique name, which is a ULID.
fn number_of(unique: &str) -> i64 {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bits: u128 = 0;
    for byte in unique.bytes() {
        let digit = DIGITS.iter().zip(0_u128..).find(|(known, _)| **known == byte.to_ascii_uppercase());
        bits = (bits << 5) | digit.map_or(0, |(_, digit)| digit);
    }
    i64::try_from(bits >> 64).unwrap_or(i64::MAX)
}
