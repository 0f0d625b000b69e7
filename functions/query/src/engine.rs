//! One statement from its text to a plan that runs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::Statement as PlannedStatement;
use datafusion::sql::sqlparser::ast::Statement;
use futures::{FutureExt, StreamExt};
use penstock_catalog::Catalog;
use penstock_catalog::kept::Kept;
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::SqlRequest;
use penstock_sql::result::ResultColumn;
use penstock_storage::Volumes;
use tokio::time::{Instant, timeout_at};

use crate::config::QuerySettings;
use crate::explain::{self, Explain};
use crate::failure::{cause, of_query};
use crate::names::Names;
use crate::parse::{Parsed, parse};
use crate::query::QueryRows;
use crate::report::{Outcome, Report};
use crate::resolve::Resolver;
use crate::rewrite::{Titles, rewrite};
use crate::running::{Failed, Running};
use crate::session::{Facts, base_state, state_for};
use crate::title::{self, SelectLists};

/// What all statements share.
pub(crate) struct Engine {
    catalog: Catalog,
    volumes: Arc<dyn Volumes>,
    settings: QuerySettings,
    runtime: Arc<RuntimeEnv>,
    base: SessionState,
    names: Names,
    parts: Kept,
    ranges: Kept,
}

/// What came of starting a statement.
pub(crate) enum Answer {
    /// All of it.
    Lines(QueryRows),
    /// Columns, and rows to be taken.
    Running(Vec<ResultColumn>, Running),
}

impl Engine {
    pub(crate) fn new(
        catalog: Catalog,
        volumes: Arc<dyn Volumes>,
        settings: QuerySettings,
    ) -> Result<Self, DataFusionError> {
        let spill = if settings.spill_bytes == 0 { DiskManagerMode::Disabled } else { DiskManagerMode::OsTmpDirectory };
        let files = DiskManagerBuilder::default().with_mode(spill).with_max_temp_directory_size(settings.spill_bytes);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(settings.memory_bytes)))
            .with_disk_manager_builder(files)
            .with_metadata_cache_limit(settings.footer_cache_bytes)
            .build_arc()?;
        let base = base_state(&settings, Arc::clone(&runtime))?;
        let kept = || Kept::up_to(settings.manifest_cache_bytes / 2);
        let catalog = catalog.keeping(kept());
        let (parts, ranges) = (kept(), Kept::up_to(settings.data_cache_bytes));
        Ok(Self { catalog, volumes, settings, runtime, base, names: Names::default(), parts, ranges })
    }

    pub(crate) fn time_limit(&self) -> Duration {
        self.settings.time_limit
    }

    /// Parses, resolves, plans and starts one statement. Call it on a thread with a deep stack.
    ///
    /// # Errors
    /// What the client is to be told; it is logged already.
    pub(crate) async fn start(&self, request: SqlRequest) -> Result<Answer, SqlError> {
        let report = Arc::new(Report::new());
        let deadline = Instant::from_std(report.started()) + self.settings.time_limit;
        let starting = AssertUnwindSafe(self.started(&request, &report, deadline)).catch_unwind();
        let started = match timeout_at(deadline, starting).await {
            Ok(Ok(started)) => started,
            Ok(Err(panic)) => Err(Failed::panicked(&*panic)),
            Err(_) => Err(Failed::too_long(self.settings.time_limit)),
        };
        started.map_err(|failed| {
            report.log(Outcome::Failed(&failed.error, failed.cause.as_deref()));
            failed.error
        })
    }

    async fn started(&self, request: &SqlRequest, report: &Arc<Report>, deadline: Instant) -> Result<Answer, Failed> {
        let facts = Facts::new(&request.session, &self.settings, self.catalog.clock().now_ms())?;
        let (statement, titles, explain) = prepare(&request.sql, &facts, &self.settings)?;
        let database = request.session.database.as_deref();
        let resolver = Resolver {
            catalog: &self.catalog,
            volumes: &self.volumes,
            runtime: &self.runtime,
            report,
            names: &self.names,
            parts: &self.parts,
            ranges: &self.ranges,
            database,
        };
        let resolved = resolver.resolve(&statement, &titles.functions).await?;
        let state = state_for(&self.base, database, &resolved.tables);

        let failed = |error: DataFusionError| Failed {
            error: of_query(&error, report, self.settings.memory_bytes),
            cause: Some(cause(&error, report)),
        };
        let logical = state.statement_to_plan(statement).await.map_err(failed)?;
        let columns = title::columns(logical.schema(), &titles, &resolved.spelled);
        let optimized = state.optimize(&logical).map_err(failed)?;
        let physical = state.query_planner().create_physical_plan(&optimized, &state).await.map_err(failed)?;
        if explain == Some(Explain::Plan) {
            report.log(Outcome::Answered);
            return Ok(Answer::Lines(explain::plans(&optimized, &physical)));
        }
        let batches = execute_stream(Arc::clone(&physical), state.task_ctx()).map_err(failed)?;
        if explain == Some(Explain::Analyze) {
            let mut batches = batches;
            while let Some(batch) = batches.next().await {
                batch.map_err(failed)?;
            }
            report.log(Outcome::Answered);
            return Ok(Answer::Lines(explain::analyzed(&physical)));
        }
        Ok(Answer::Running(columns, Running::new(batches, Arc::clone(report), deadline, &self.settings)))
    }
}

/// Parses and rewrites; what comes out is a query.
fn prepare(
    sql: &str,
    facts: &Facts,
    settings: &QuerySettings,
) -> Result<(PlannedStatement, Titles, Option<Explain>), SqlError> {
    let Parsed { statement, tokens } = parse(sql, settings.statement_bytes)?;
    let (mut statement, explain) = match statement {
        Statement::Explain { statement, analyze: true, .. } => (*statement, Some(Explain::Analyze)),
        Statement::Explain { statement, .. } => (*statement, Some(Explain::Plan)),
        other => (other, None),
    };
    if !matches!(statement, Statement::Query(_)) {
        let text = statement.to_string();
        let verb = text.split_whitespace().next().unwrap_or_default().to_owned();
        return Err(SqlError::new(code::PARSE, format!("`{verb}` is not supported here")).with_hint(
            "queries are SELECT, WITH, VALUES and EXPLAIN of these; tables are filled by CREATE ROUTINE LOAD",
        ));
    }
    let titles = rewrite(&mut statement, &SelectLists::new(sql, &tokens), facts)?;
    Ok((PlannedStatement::Statement(Box::new(statement)), titles, explain))
}
