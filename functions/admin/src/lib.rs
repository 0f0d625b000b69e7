//! The statements that define, steer and show jobs, tables and volumes.
//!
//! A statement comes as text with its session and is answered with rows or an error; what it changes lies in the
//! catalog, and in the event source mapping of a job. One file a family of statements. Queries are not here, and nothing
//! here reads or writes data files.

pub mod builtin;
pub mod check;
pub mod config;
mod databases;
mod error;
mod jobs;
mod maintenance;
pub mod mapping;
mod moment;
mod names;
mod partitions;
pub mod replay;
pub mod sampler;
mod tables;
mod volumes;

use std::sync::Arc;
use std::time::Instant;

use penstock_catalog::Catalog;
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SessionContext, SqlRequest, SqlResponse};
use penstock_sql::statement::Statement;

use check::Checks;
use mapping::Mappings;
use replay::Replays;
use sampler::Sampler;

/// Runs statements. Cheap to clone; several may run at once.
#[derive(Clone)]
pub struct Admin {
    catalog: Catalog,
    mappings: Arc<dyn Mappings>,
    sampler: Option<Arc<dyn Sampler>>,
    replays: Option<Arc<dyn Replays>>,
    checks: Option<Arc<dyn Checks>>,
}

impl Admin {
    /// An admin over `catalog` that makes and steers mappings through `mappings`.
    pub fn new(catalog: Catalog, mappings: Arc<dyn Mappings>) -> Self {
        Self { catalog, mappings, sampler: None, replays: None, checks: None }
    }

    /// With a client that can look at topics, for PREVIEW and ALTER.
    #[must_use]
    pub fn with_sampler(self, sampler: Arc<dyn Sampler>) -> Self {
        Self { sampler: Some(sampler), ..self }
    }

    /// With a way to have rejected rows replayed; without one, REPLAY is refused.
    #[must_use]
    pub fn with_replays(self, replays: Arc<dyn Replays>) -> Self {
        Self { replays: Some(replays), ..self }
    }

    /// With a way to have files checked; without one, CHECK TABLE is refused.
    #[must_use]
    pub fn with_checks(self, checks: Arc<dyn Checks>) -> Self {
        Self { checks: Some(checks), ..self }
    }

    /// Runs one statement and logs a line about it: its kind and outcome, never its text, which may hold secrets.
    pub async fn run(&self, request: SqlRequest) -> SqlResponse {
        let began = Instant::now();
        let parsed = Statement::parse(&request.sql);
        let kind = parsed.as_ref().map_or("unknown", Statement::kind);
        let outcome = match parsed {
            Ok(statement) => self.execute(statement, &request.session).await,
            Err(error) => Err(error),
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        log(kind, request.session.database.as_deref(), milliseconds, &outcome);
        outcome.unwrap_or_else(SqlResponse::Error)
    }

    async fn execute(&self, statement: Statement, session: &SessionContext) -> Result<SqlResponse, SqlError> {
        match statement {
            Statement::CreateDatabase(statement) => self.create_database(statement).await,
            Statement::DropDatabase(statement) => self.drop_database(statement).await,
            Statement::ShowDatabases(statement) => self.show_databases(statement).await,
            Statement::ShowCreateDatabase(name) => self.show_create_database(&name).await,
            Statement::Use(name) => self.use_database(name).await,
            Statement::ShowCatalogs => Ok(databases::show_catalogs()),
            Statement::CreateTable(statement) => self.create_table(*statement, session).await,
            Statement::DropTable(statement) => self.drop_table(statement, session).await,
            Statement::AlterTable(statement) => self.alter_table(*statement, session).await,
            Statement::TruncateTable(statement) => self.truncate_table(statement, session).await,
            Statement::ShowPartitions(statement) => self.show_partitions(statement, session).await,
            Statement::ShowTables(statement) => self.show_tables(statement, session).await,
            Statement::ShowTableStatus(statement) => self.show_table_status(statement, session).await,
            Statement::ShowColumns(statement) => self.show_columns(statement, session).await,
            Statement::ShowIndex(name) => self.show_index(&name, session).await,
            Statement::DescribeTable(name) => self.describe_table(&name, session).await,
            Statement::ShowCreateTable(name) => self.show_create_table(&name, session).await,
            Statement::CreateVolume(statement) => self.create_volume(*statement).await,
            Statement::AlterVolume(statement) => self.alter_volume(statement).await,
            Statement::DropVolume(statement) => self.drop_volume(&statement).await,
            Statement::SetDefaultVolume(name) => self.set_default_volume(&name).await,
            Statement::ShowVolumes(statement) => self.show_volumes(statement).await,
            Statement::DescribeVolume(name) => self.describe_volume(&name).await,
            Statement::CreateJob(statement) => self.create_job(*statement, session).await,
            Statement::AlterJob(statement) => self.alter_job(*statement, session).await,
            Statement::PauseJob(name) => self.pause_job(&name, session).await,
            Statement::ResumeJob(name) => self.resume_job(&name, session).await,
            Statement::StopJob(name) => self.stop_job(&name, session).await,
            Statement::ReplayRejected(statement) => self.replay_rejected(statement, session).await,
            Statement::ShowJobs(statement) => self.show_jobs(statement, session).await,
            Statement::ShowTasks(statement) => self.show_tasks(statement, session).await,
            Statement::ShowCreateJob(name) => self.show_create_job(&name, session).await,
            Statement::ShowVersions(name) => self.show_versions(&name, session).await,
            Statement::ShowCoverage(name) => self.show_coverage(&name, session).await,
            Statement::ShowMaintenance(database) => self.show_maintenance(database.as_deref(), session).await,
            Statement::CheckTable(name) => self.check_table(&name, session).await,
            Statement::ShowFiles(name) => self.show_files(&name, session).await,
            Statement::ExplainJob(of) => self.explain_job(of, session).await,
            Statement::ExplainCost(name) => self.explain_cost(&name, session).await,
            Statement::PreviewJob(statement) => self.preview_job(statement, session).await,
            other => Err(SqlError::analysis(&format!("{} is not supported yet", other.kind()))),
        }
    }
}

/// The answer of a statement that has nothing to show.
fn done() -> SqlResponse {
    SqlResponse::Done { affected_rows: 0, database: None }
}

fn log(kind: &str, database: Option<&str>, milliseconds: u64, outcome: &Result<SqlResponse, SqlError>) {
    let database = database.unwrap_or_default();
    match outcome {
        Ok(SqlResponse::Rows(set)) => {
            tracing::info!(statement = kind, database, milliseconds, rows = set.rows.len(), "statement");
        }
        Ok(_) => tracing::info!(statement = kind, database, milliseconds, "statement"),
        // What is wrong on our side holds none of the statement's text.
        Err(error) if matches!(error.code, code::INTERNAL | code::UNAVAILABLE) => {
            tracing::error!(statement = kind, database, milliseconds, code = error.code, error = %error, "statement failed");
        }
        Err(error) => {
            tracing::info!(statement = kind, database, milliseconds, code = error.code, "statement refused");
        }
    }
}
