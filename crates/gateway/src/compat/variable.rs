//! System variables: `@@name`, SET and SHOW VARIABLES.
//!
//! Each is one entry of [`VARIABLES`]. Most are kept and shown because clients ask for them and for nothing else; those
//! that change something are `time_zone`, `autocommit` (the status that drivers read), and nothing more. A name that is
//! not here is an error that names the nearest, so that a misspelt setting is not lost.

use std::collections::BTreeMap;

use penstock_sql::error::{SqlError, code};
use penstock_sql::similar;
use penstock_sql::time_zone;

use crate::compat::error_code;
use crate::settings::GatewaySettings;

/// What a variable holds, which decides how it is shown and set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// An integer.
    Number,
    /// `ON` or `OFF` in SHOW, 1 or 0 in SELECT.
    Switch,
    /// A time zone.
    TimeZone,
}

/// Whether SET may change a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Free,
    ReadOnly,
}

use Access::{Free, ReadOnly};
use Kind::{Number, Switch, Text, TimeZone};

/// Name, kind, whether it can be set, and the value that every connection begins with.
struct Definition(&'static str, Kind, Access, &'static str);

/// Every variable, by name. The empty values of `version` and its like come from the settings.
const VARIABLES: &[Definition] = &[
    Definition("auto_increment_increment", Number, Free, "1"),
    Definition("auto_increment_offset", Number, Free, "1"),
    Definition("autocommit", Switch, Free, "ON"),
    Definition("big_tables", Switch, Free, "OFF"),
    Definition("catalog", Text, Free, "default_catalog"),
    Definition("character_set_client", Text, Free, "utf8mb4"),
    Definition("character_set_connection", Text, Free, "utf8mb4"),
    Definition("character_set_database", Text, Free, "utf8mb4"),
    Definition("character_set_filesystem", Text, Free, "binary"),
    Definition("character_set_results", Text, Free, "utf8mb4"),
    Definition("character_set_server", Text, Free, "utf8mb4"),
    Definition("character_set_system", Text, ReadOnly, "utf8mb3"),
    Definition("collation_connection", Text, Free, "utf8mb4_general_ci"),
    Definition("collation_database", Text, Free, "utf8mb4_general_ci"),
    Definition("collation_server", Text, Free, "utf8mb4_general_ci"),
    Definition("completion_type", Text, Free, "NO_CHAIN"),
    Definition("connect_timeout", Number, Free, ""),
    Definition("default_authentication_plugin", Text, ReadOnly, "caching_sha2_password"),
    Definition("default_storage_engine", Text, Free, "OLAP"),
    Definition("default_week_format", Number, Free, "0"),
    Definition("enable_profile", Switch, Free, "OFF"),
    Definition("event_scheduler", Text, Free, "OFF"),
    Definition("foreign_key_checks", Switch, Free, "OFF"),
    Definition("group_concat_max_len", Number, Free, "1024"),
    Definition("have_openssl", Text, ReadOnly, "DISABLED"),
    Definition("have_ssl", Text, ReadOnly, "DISABLED"),
    Definition("information_schema_stats_expiry", Number, Free, "86400"),
    Definition("init_connect", Text, Free, ""),
    Definition("innodb_lock_wait_timeout", Number, Free, "50"),
    Definition("interactive_timeout", Number, Free, ""),
    Definition("lc_time_names", Text, Free, "en_US"),
    Definition("license", Text, ReadOnly, "Apache License 2.0"),
    Definition("local_infile", Switch, Free, "OFF"),
    Definition("lock_wait_timeout", Number, Free, "31536000"),
    Definition("log_bin", Switch, ReadOnly, "OFF"),
    Definition("lower_case_file_system", Switch, ReadOnly, "OFF"),
    Definition("lower_case_table_names", Number, ReadOnly, "0"),
    Definition("max_allowed_packet", Number, Free, ""),
    Definition("max_connections", Number, ReadOnly, ""),
    Definition("max_execution_time", Number, Free, "0"),
    Definition("max_prepared_stmt_count", Number, ReadOnly, ""),
    Definition("net_buffer_length", Number, Free, "16384"),
    Definition("net_read_timeout", Number, Free, "60"),
    Definition("net_write_timeout", Number, Free, ""),
    Definition("parallel_fragment_exec_instance_num", Number, Free, "1"),
    Definition("performance_schema", Switch, ReadOnly, "OFF"),
    Definition("pipeline_dop", Number, Free, "0"),
    Definition("profiling", Switch, Free, "OFF"),
    Definition("protocol_version", Number, ReadOnly, "10"),
    Definition("query_cache_size", Number, Free, "0"),
    Definition("query_cache_type", Text, Free, "OFF"),
    Definition("query_timeout", Number, Free, "300"),
    Definition("read_only", Switch, ReadOnly, "OFF"),
    Definition("resource_group", Text, Free, ""),
    Definition("server_id", Number, ReadOnly, "1"),
    Definition("session_track_schema", Switch, Free, "OFF"),
    Definition("session_track_system_variables", Text, Free, ""),
    Definition("sql_auto_is_null", Switch, Free, "OFF"),
    Definition("sql_big_selects", Switch, Free, "ON"),
    Definition("sql_mode", Text, Free, "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES"),
    Definition("sql_notes", Switch, Free, "ON"),
    Definition("sql_quote_show_create", Switch, Free, "ON"),
    Definition("sql_require_primary_key", Switch, Free, "OFF"),
    Definition("sql_safe_updates", Switch, Free, "OFF"),
    Definition("sql_select_limit", Number, Free, "18446744073709551615"),
    Definition("sql_warnings", Switch, Free, "OFF"),
    Definition("storage_engine", Text, Free, "OLAP"),
    Definition("super_read_only", Switch, ReadOnly, "OFF"),
    Definition("system_time_zone", Text, ReadOnly, "UTC"),
    Definition("time_zone", TimeZone, Free, DEFAULT_TIME_ZONE),
    Definition("transaction_isolation", Text, Free, "READ-COMMITTED"),
    Definition("transaction_read_only", Switch, Free, "OFF"),
    Definition("tx_isolation", Text, Free, "READ-COMMITTED"),
    Definition("tx_read_only", Switch, Free, "OFF"),
    Definition("unique_checks", Switch, Free, "OFF"),
    Definition("version", Text, ReadOnly, ""),
    Definition("version_comment", Text, ReadOnly, ""),
    Definition("version_compile_machine", Text, ReadOnly, std::env::consts::ARCH),
    Definition("version_compile_os", Text, ReadOnly, std::env::consts::OS),
    Definition("wait_timeout", Number, Free, ""),
];

/// The zone of a session that has set none, as the functions know it.
const DEFAULT_TIME_ZONE: &str = "Etc/UTC";

/// Longest value that is kept, in bytes: nothing that clients set is near.
const LONGEST_VALUE: usize = 4096;

/// The variables of a session.
pub(crate) struct Variables {
    /// Values that the settings decide.
    settled: BTreeMap<&'static str, String>,
    changed: BTreeMap<&'static str, Option<String>>,
}

/// A variable's value at the moment.
pub(crate) struct Variable<'a> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// `None` is NULL.
    pub(crate) value: Option<&'a str>,
}

impl Variables {
    pub(crate) fn new(settings: &GatewaySettings) -> Self {
        let limits = &settings.limits;
        let settled = BTreeMap::from([
            ("version", settings.server_version()),
            ("version_comment", format!("Penstock {}", settings.version)),
            ("connect_timeout", limits.login.as_secs().to_string()),
            ("wait_timeout", limits.idle.as_secs().to_string()),
            ("interactive_timeout", limits.idle.as_secs().to_string()),
            ("net_write_timeout", limits.write.as_secs().to_string()),
            ("max_allowed_packet", limits.packet_bytes.to_string()),
            ("max_connections", limits.connections.to_string()),
            ("max_prepared_stmt_count", limits.prepared_statements.to_string()),
        ]);
        Self { settled, changed: BTreeMap::new() }
    }

    /// Every variable, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = Variable<'_>> {
        VARIABLES.iter().map(|definition| self.variable(definition))
    }

    /// The variable of that name, in any case.
    ///
    /// # Errors
    /// 1193 with the nearest name if there is none.
    pub(crate) fn get(&self, name: &str) -> Result<Variable<'_>, SqlError> {
        Ok(self.variable(definition(name)?))
    }

    fn variable(&self, definition: &Definition) -> Variable<'_> {
        let Definition(name, kind, _, initial) = *definition;
        let value = match self.changed.get(name) {
            Some(changed) => changed.as_deref(),
            None => Some(self.settled.get(name).map_or(initial, String::as_str)),
        };
        Variable { name, kind, value }
    }

    /// Sets a variable; `None` is NULL.
    ///
    /// # Errors
    /// The name is unknown, the variable read-only, or the value not of its kind.
    pub(crate) fn set(&mut self, name: &str, value: Option<String>) -> Result<(), SqlError> {
        let Definition(name, kind, access, _) = *definition(name)?;
        if access == ReadOnly {
            return Err(SqlError::new(error_code::READ_ONLY, format!("variable `{name}` is read-only")));
        }
        let value = match (kind, value) {
            (_, Some(long)) if long.len() > LONGEST_VALUE => {
                return Err(wrong_value(name, &format!("at most {LONGEST_VALUE} bytes"), "more"));
            }
            (Text, value) => value,
            (_, None) => return Err(wrong_value(name, "a value", "NULL")),
            (Number, Some(value)) => Some(number(name, value)?),
            (Switch, Some(value)) => Some(switch(name, &value)?.to_owned()),
            (TimeZone, Some(value)) => Some(zone(&value)?),
        };
        self.changed.insert(name, value);
        // Two names of the same setting: drivers set one and read the other.
        if let Some(twin) = twin(name) {
            let value = self.changed.get(name).cloned().flatten();
            self.changed.insert(twin, value);
        }
        Ok(())
    }

    /// Sets a variable to what it was when the connection began.
    pub(crate) fn reset(&mut self, name: &str) -> Result<(), SqlError> {
        self.changed.remove(definition(name)?.0);
        Ok(())
    }

    pub(crate) fn reset_all(&mut self) {
        self.changed.clear();
    }

    pub(crate) fn time_zone(&self) -> &str {
        self.get("time_zone").ok().and_then(|variable| variable.value).unwrap_or(DEFAULT_TIME_ZONE)
    }

    pub(crate) fn autocommit(&self) -> bool {
        self.get("autocommit").ok().and_then(|variable| variable.value) == Some("ON")
    }
}

fn definition(name: &str) -> Result<&'static Definition, SqlError> {
    let lower = name.to_ascii_lowercase();
    VARIABLES.iter().find(|definition| definition.0 == lower).ok_or_else(|| {
        let error = SqlError::new(error_code::UNKNOWN_VARIABLE, format!("unknown system variable `{name}`"));
        match similar::nearest(&lower, VARIABLES.iter().map(|definition| definition.0)) {
            Some(nearest) => error.with_hint(format!("did you mean `{nearest}`?")),
            None => error.with_hint("`SHOW VARIABLES` lists them"),
        }
    })
}

fn twin(name: &str) -> Option<&'static str> {
    match name {
        "transaction_isolation" => Some("tx_isolation"),
        "tx_isolation" => Some("transaction_isolation"),
        "transaction_read_only" => Some("tx_read_only"),
        "tx_read_only" => Some("transaction_read_only"),
        _ => None,
    }
}

fn number(name: &str, value: String) -> Result<String, SqlError> {
    match value.parse::<i128>() {
        Ok(_) => Ok(value),
        Err(_) => {
            let message = format!("variable `{name}`: expected an integer, found `{value}`");
            Err(SqlError::new(error_code::WRONG_TYPE, message))
        }
    }
}

fn switch(name: &str, value: &str) -> Result<&'static str, SqlError> {
    match value.to_ascii_uppercase().as_str() {
        "ON" | "1" | "TRUE" => Ok("ON"),
        "OFF" | "0" | "FALSE" => Ok("OFF"),
        _ => Err(wrong_value(name, "`ON` or `OFF`", &format!("`{value}`"))),
    }
}

fn zone(value: &str) -> Result<String, SqlError> {
    if value.eq_ignore_ascii_case("SYSTEM") {
        return Ok(DEFAULT_TIME_ZONE.to_owned());
    }
    time_zone::normalised(value).ok_or_else(|| {
        SqlError::new(code::TIME_ZONE, format!("unknown or incorrect time zone: `{value}`"))
            .with_hint("a name such as `Asia/Shanghai`, or a distance such as `+08:00`")
    })
}

fn wrong_value(name: &str, expected: &str, found: &str) -> SqlError {
    SqlError::new(error_code::WRONG_VALUE, format!("variable `{name}`: expected {expected}, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables::new(&GatewaySettings::new("0.1.0"))
    }

    #[test]
    fn names_are_sorted_and_each_has_a_value() {
        let names: Vec<&str> = variables().all().map(|variable| variable.name).collect();
        assert!(names.is_sorted());
        for number in variables().all().filter(|variable| variable.kind == Number) {
            assert!(number.value.is_some_and(|value| value.parse::<i128>().is_ok()), "{}", number.name);
        }
    }

    #[test]
    fn values_are_checked_by_kind() {
        let mut variables = variables();
        for (name, value, stored) in [
            ("AUTOCOMMIT", "0", "OFF"),
            ("autocommit", "on", "ON"),
            ("query_timeout", "60", "60"),
            ("time_zone", "8:00", "+08:00"),
            ("time_zone", "SYSTEM", "Etc/UTC"),
            ("tx_isolation", "SERIALIZABLE", "SERIALIZABLE"),
        ] {
            variables.set(name, Some(value.to_owned())).unwrap();
            assert_eq!(variables.get(name).unwrap().value, Some(stored), "{name}");
        }
        assert_eq!(variables.get("transaction_isolation").unwrap().value, Some("SERIALIZABLE"));
        for (name, value, code) in [
            ("autocommit", "maybe", error_code::WRONG_VALUE),
            ("query_timeout", "soon", error_code::WRONG_TYPE),
            ("time_zone", "Mars/Base", code::TIME_ZONE),
            ("version", "9", error_code::READ_ONLY),
            ("query_timeuot", "9", error_code::UNKNOWN_VARIABLE),
        ] {
            assert_eq!(variables.set(name, Some(value.to_owned())).unwrap_err().code, code, "{name}");
        }
    }

    #[test]
    fn a_misspelt_name_is_told_the_nearest() {
        let error = variables().get("query_timeuot").err().unwrap();
        assert_eq!(error.hint.as_deref(), Some("did you mean `query_timeout`?"));
        assert_eq!(variables().get("xyz").err().unwrap().hint.as_deref(), Some("`SHOW VARIABLES` lists them"));
    }
}
