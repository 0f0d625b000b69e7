//! Where everything lies: partition and sort keys of all items.
//!
//! What is read together shares a partition key: a job with its progress, a table with its commits, a database with
//! the names in it. Numbers in sort keys are padded, so that items sort as their numbers do.

use penstock_kernel::ids::{DatabaseId, JobId, TableId};

use crate::store::Key;

/// Partition key of what is there once.
pub(crate) const CATALOG: &str = "catalog";
pub(crate) const DATABASES: &str = "database#";
pub(crate) const VOLUMES: &str = "volume#";
pub(crate) const TABLES: &str = "table#";
pub(crate) const JOBS: &str = "job#";
pub(crate) const LIVE_JOBS: &str = "live_job#";
pub(crate) const COMMITS: &str = "commit#";
pub(crate) const DROPPED: &str = "dropped#";
pub(crate) const FOLDS: &str = "fold#";
pub(crate) const REMOVALS: &str = "removal#";
pub(crate) const PROGRESS: &str = "progress#";
pub(crate) const VERSIONS: &str = "version#";
pub(crate) const BEGINNINGS: &str = "beginning#";

pub(crate) fn ids() -> Key {
    Key::new(CATALOG, "ids")
}

pub(crate) fn database(name: &str) -> Key {
    Key::new(CATALOG, format!("{DATABASES}{name}"))
}

pub(crate) fn volume(name: &str) -> Key {
    Key::new(CATALOG, format!("{VOLUMES}{name}"))
}

pub(crate) fn default_volume() -> Key {
    Key::new(CATALOG, "default_volume")
}

/// Partition key of a database's names and jobs.
pub(crate) fn in_database(database: DatabaseId) -> String {
    format!("database#{database}")
}

pub(crate) fn table_name(database: DatabaseId, name: &str) -> Key {
    Key::new(in_database(database), format!("{TABLES}{name}"))
}

pub(crate) fn live_job(database: DatabaseId, name: &str) -> Key {
    Key::new(in_database(database), format!("{LIVE_JOBS}{name}"))
}

pub(crate) fn job_of_database(database: DatabaseId, job: JobId) -> Key {
    Key::new(in_database(database), format!("{JOBS}{:020}", job.0))
}

/// Partition key of a table's definition and commits.
pub(crate) fn in_table(table: TableId) -> String {
    format!("table#{table}")
}

pub(crate) fn table(table: TableId) -> Key {
    Key::new(in_table(table), "definition")
}

pub(crate) fn commit(table: TableId, id: &str) -> Key {
    Key::new(in_table(table), format!("{COMMITS}{id}"))
}

/// Sorts behind the table's commits, and before its layout.
pub(crate) fn fold(table: TableId, id: &str) -> Key {
    Key::new(in_table(table), format!("{FOLDS}{id}"))
}

/// Sorts behind the table's folds, and before its removals.
pub(crate) fn layout(table: TableId) -> Key {
    Key::new(in_table(table), "layout")
}

/// What maintenance did last.
pub(crate) fn maintenance(table: TableId) -> Key {
    Key::new(in_table(table), "maintenance")
}

/// A table that was dropped and is not cleared yet.
pub(crate) fn dropped(table: TableId) -> Key {
    Key::new(CATALOG, format!("{DROPPED}{table}"))
}

/// How far maintenance has come.
pub(crate) fn cursor() -> Key {
    Key::new(CATALOG, "maintenance")
}

/// Sorts behind the table's commits.
pub(crate) fn removal(table: TableId, id: &str) -> Key {
    Key::new(in_table(table), format!("{REMOVALS}{id}"))
}

/// Partition key of a job and all that changes with it.
pub(crate) fn in_job(job: JobId) -> String {
    format!("job#{job}")
}

pub(crate) fn job(job: JobId) -> Key {
    Key::new(in_job(job), "job")
}

pub(crate) fn progress(job: JobId, source_partition: i32) -> Key {
    Key::new(in_job(job), format!("{PROGRESS}{source_partition:010}"))
}

/// The source partition whose progress has this sort key.
pub(crate) fn source_partition(sk: &str) -> Option<i32> {
    sk.strip_prefix(PROGRESS)?.parse().ok()
}

pub(crate) fn report(job: JobId) -> Key {
    Key::new(in_job(job), "report")
}

pub(crate) fn trouble(job: JobId) -> Key {
    Key::new(in_job(job), "trouble")
}

/// What REPLAY has done to the job's rejected rows.
pub(crate) fn replays(job: JobId) -> Key {
    Key::new(in_job(job), "replays")
}

/// Partition key of what a job's commits say of rejected rows.
pub(crate) fn in_rejected(job: JobId) -> String {
    format!("rejected#{job}")
}

pub(crate) fn rejection(job: JobId, commit: &str) -> Key {
    Key::new(in_rejected(job), format!("{COMMITS}{commit}"))
}

/// Partition key of a job's versions.
pub(crate) fn in_versions(job: JobId) -> String {
    format!("job_versions#{job}")
}

pub(crate) fn version(job: JobId, version: u32) -> Key {
    Key::new(in_versions(job), format!("{VERSIONS}{version:010}"))
}

/// Where a version began.
pub(crate) fn beginning(job: JobId, version: u32) -> Key {
    Key::new(in_versions(job), format!("{BEGINNINGS}{version:010}"))
}
