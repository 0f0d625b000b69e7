//! What a statement's session and moment decide: the values of `now()`, `database()` and their like, and DataFusion's
//! state for planning it.

use std::str::FromStr;
use std::sync::Arc;

use arrow_array::timezone::Tz;
use chrono::DateTime;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider};
use datafusion::common::config::Dialect;
use datafusion::error::Result as PlanResult;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::AggregateUDF;
use datafusion::prelude::SessionConfig;
use datafusion::sql::sqlparser::ast::{DataType, Expr, Value};
use penstock_expressions::rewrite::{Session, call, number, try_cast};
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::SessionContext;

use crate::average::{Average, SharedSums};
use crate::cell::{date_text, date_time_text};
use crate::conditions::CheapConditionsFirst;
use crate::config::QuerySettings;
use crate::days::DaysForMoments;
use crate::in_turn::ConditionsInTurn;
use crate::known::KnownAggregates;
use crate::planner;
use crate::semi::GroupsFirst;
use crate::shared::{SharedGroups, SharingPlanner};
use crate::sieve::Sieves;

/// The catalog that every database is in; StarRocks' name for it.
pub(crate) const DEFAULT_CATALOG: &str = "default_catalog";
/// What `information_schema` calls the same.
const SCHEMA_CATALOG: &str = "def";

/// Rows and bytes of a join's smaller side up to which one thread takes them all, times the threads.
const JOIN_TABLE_ROWS: usize = 4 << 20;
const JOIN_TABLE_BYTES: usize = 256 << 20;
/// Bytes of memory from which on joins may take 130 bytes a row for it.
const MUCH_MEMORY: usize = 1 << 30;

/// What the functions that take no argument answer, one value a statement.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    database: Option<String>,
    user: String,
    version: String,
    now_ms: i64,
    /// Microseconds of the session's wall clock.
    local_us: i64,
    /// The session's time zone, as Arrow knows it.
    pub(crate) time_zone: String,
}

impl Facts {
    /// # Errors
    /// Code 1298 if the session's time zone is unknown.
    pub(crate) fn new(session: &SessionContext, settings: &QuerySettings, now_ms: i64) -> Result<Self, SqlError> {
        Ok(Self {
            database: session.database.clone(),
            user: session.user.clone(),
            version: settings.server_version.clone(),
            now_ms,
            local_us: wall_clock_us(now_ms, &session.time_zone)?,
            time_zone: known_zone(&session.time_zone).to_owned(),
        })
    }
}

impl Session for &Facts {
    fn time_zone(&self) -> &str {
        &self.time_zone
    }

    fn call(&mut self, name: &str, arguments: usize) -> Option<Expr> {
        let text = |value: &str| Expr::value(Value::SingleQuotedString(value.to_owned()));
        // now(6) asks for a fraction; the others have none.
        let fraction = |local_us: i64| {
            if arguments == 0 { local_us - local_us.rem_euclid(1_000_000) } else { local_us }
        };
        let utc_us = self.now_ms.saturating_mul(1000);
        let moment = |us: i64| try_cast(text(&date_time_text(fraction(us))), DataType::Datetime(None));
        let day = |us: i64| try_cast(text(&date_text(days(us))), DataType::Date);
        let clock =
            |us: i64| text(date_time_text(us - us.rem_euclid(1_000_000)).split_once(' ').map_or("", |(_, time)| time));
        Some(match (name, arguments) {
            ("database" | "schema", 0) => self.database.as_deref().map_or_else(|| Expr::value(Value::Null), text),
            ("user" | "current_user" | "session_user" | "system_user", 0) => text(&format!("'{}'@'%'", self.user)),
            ("version", 0) => text(&self.version),
            ("catalog" | "current_catalog", 0) => text(DEFAULT_CATALOG),
            ("now", 0 | 1) => moment(self.local_us),
            ("utc_timestamp", 0 | 1) => moment(utc_us),
            ("curdate", 0) => day(self.local_us),
            ("utc_date", 0) => day(utc_us),
            ("curtime", 0) => clock(self.local_us),
            ("utc_time", 0) => clock(utc_us),
            ("unix_timestamp", 0) => Expr::value(Value::Number((self.now_ms / 1000).to_string(), false)),
            ("rand", 0 | 1) => call("random", Vec::new()),
            ("uuid_numeric", 0) => {
                call(penstock_expressions::function::UUID_NUMBER, vec![call("uuid", Vec::new()), number(0), number(0)])
            }
            _ => return None,
        })
    }
}

fn days(us: i64) -> i32 {
    i32::try_from(us.div_euclid(86_400_000_000)).unwrap_or(i32::MAX)
}

/// StarRocks' own names for time zones as those of the time zone database.
fn known_zone(name: &str) -> &str {
    match name {
        "SYSTEM" => "UTC",
        "CST" | "PRC" => "Asia/Shanghai",
        other => other,
    }
}

/// The wall clock of a time zone, as microseconds since 1970-01-01 00:00:00 of that wall clock.
fn wall_clock_us(now_ms: i64, time_zone: &str) -> Result<i64, SqlError> {
    let zone = known_zone(time_zone);
    let unknown = || {
        SqlError::new(code::TIME_ZONE, format!("Unknown or incorrect time zone: '{time_zone}'"))
            .with_hint("expected a name such as Europe/Paris, or a difference such as +08:00")
    };
    let zone = Tz::from_str(zone).map_err(|_| unknown())?;
    let moment = DateTime::from_timestamp_millis(now_ms).ok_or_else(unknown)?;
    Ok(moment.with_timezone(&zone).naive_local().and_utc().timestamp_micros())
}

/// The state that all statements start from: functions, rules and options, no table.
pub(crate) fn base_state(settings: &QuerySettings, runtime: Arc<RuntimeEnv>) -> PlanResult<SessionState> {
    let mut config = SessionConfig::new()
        .with_target_partitions(settings.threads.get())
        .with_default_catalog_and_schema(DEFAULT_CATALOG, "")
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_parquet_pruning(true)
        .with_parquet_page_index_pruning(true);
    let options = config.options_mut();
    options.sql_parser.dialect = Dialect::MySQL;
    options.sql_parser.enable_ident_normalization = false;
    // As in MySQL: NULL comes before every value.
    options.sql_parser.default_null_ordering = "nulls_min".to_owned();
    // `1.5` is a DECIMAL, exact.
    options.sql_parser.parse_float_as_decimal = true;
    // Whether Parquet's reader filters rows is for each scan to say.
    options.execution.parquet.pushdown_filters = false;
    options.execution.parquet.reorder_filters = true;
    // It leaves out rows by the bounds that some of several aggregates have so far, even if another has seen only NULLs and
    // would need them: `SELECT max(a), min(b)` then forgets a `b`.
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    // Statistics come from the catalog; nothing is to be inferred from files.
    options.execution.collect_statistics = true;
    // DataFusion's default, a hundred thousand rows, has most joins redistribute all rows of both sides, which costs more than
    // a table that is filled by one thread: as long as that is not so large that the others wait for it.
    options.optimizer.hash_join_single_partition_threshold = JOIN_TABLE_BYTES / settings.threads;
    options.optimizer.hash_join_single_partition_threshold_rows = JOIN_TABLE_ROWS / settings.threads;
    // Looked up in an array by the key itself, if the keys are that dense or near to each other: 4 bytes a key between the
    // least and the largest, and a fraction of the time.
    options.execution.perfect_hash_join_min_key_density = if settings.memory_bytes < MUCH_MEMORY { 0.1 } else { 0.03 };
    options.execution.perfect_hash_join_small_build_threshold = 1 << 20;
    // Statistics are compared with no longer lists, and rows are looked up faster in the join's own table.
    options.optimizer.hash_join_inlist_pushdown_max_distinct_values = 20;
    let mut planners = planner::expression_planners();
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_type_planner(planner::type_planner())
        .with_optimizer_rule(Arc::new(DaysForMoments))
        .with_optimizer_rule(Arc::new(KnownAggregates))
        .with_optimizer_rule(Arc::new(SharedSums))
        .with_optimizer_rule(Arc::new(GroupsFirst))
        .with_optimizer_rule(Arc::new(CheapConditionsFirst))
        .with_optimizer_rule(Arc::new(SharedGroups))
        .with_query_planner(Arc::new(SharingPlanner))
        .with_physical_optimizer_rule(Arc::new(ConditionsInTurn))
        .with_physical_optimizer_rule(Arc::new(Sieves));
    planners.append(state.expr_planners().get_or_insert_default());
    let mut state = state.with_expr_planners(planners).build();
    for function in penstock_expressions::function::udfs() {
        state.register_udf(Arc::clone(function))?;
    }
    state.register_udaf(Arc::new(AggregateUDF::from(Average::default())))?;
    state.register_function_rewrite(Arc::new(planner::CastsOfUnlike))?;
    Ok(state)
}

/// A state for one statement: the base with the session's database and the tables that the statement names.
pub(crate) fn state_for(
    base: &SessionState,
    database: Option<&str>,
    tables: &Arc<MemoryCatalogProvider>,
) -> SessionState {
    let mut state = base.clone();
    let catalogs = Arc::new(datafusion::catalog::MemoryCatalogProviderList::new());
    for name in [DEFAULT_CATALOG, SCHEMA_CATALOG] {
        let tables: Arc<dyn CatalogProvider> = Arc::<MemoryCatalogProvider>::clone(tables);
        datafusion::catalog::CatalogProviderList::register_catalog(&*catalogs, name.to_owned(), tables);
    }
    state.register_catalog_list(catalogs);
    state.config_mut().options_mut().catalog.default_schema = database.unwrap_or_default().to_owned();
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_clock_follows_the_sessions_time_zone() {
        let noon = 1_718_107_200_000;
        for (zone, text) in [
            ("Etc/UTC", "2024-06-11 12:00:00"),
            ("+08:00", "2024-06-11 20:00:00"),
            ("America/New_York", "2024-06-11 08:00:00"),
        ] {
            assert_eq!(date_time_text(wall_clock_us(noon, zone).unwrap()), text, "{zone}");
        }
        assert_eq!(wall_clock_us(noon, "Mars/Base").unwrap_err().code, code::TIME_ZONE);
    }
}
