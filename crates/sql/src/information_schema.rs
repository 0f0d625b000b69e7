//! Names of the database that describes the others, and of its tables.
//!
//! The query function serves them; SHOW lists them. It lies in no catalog.

/// The database's name, in any case.
pub const NAME: &str = "information_schema";

/// Its tables, by name.
pub const TABLES: [&str; 25] = [
    "character_sets",
    "check_constraints",
    "collation_character_set_applicability",
    "collations",
    "column_privileges",
    "columns",
    "engines",
    "events",
    "key_column_usage",
    "load_tracking_logs",
    "loads",
    "parameters",
    "partitions",
    "referential_constraints",
    "routine_load_jobs",
    "routines",
    "schema_privileges",
    "schemata",
    "statistics",
    "table_constraints",
    "table_privileges",
    "tables",
    "triggers",
    "user_privileges",
    "views",
];

/// Databases that StarRocks lists and that are empty here.
pub const EMPTY: [&str; 2] = ["_statistics_", "sys"];

/// Whether this is the name of a database of [`EMPTY`], in any case.
pub fn is_empty(name: &str) -> bool {
    EMPTY.iter().any(|empty| empty.eq_ignore_ascii_case(name))
}

/// Whether this is the database's name, in any case.
pub fn is(name: &str) -> bool {
    name.eq_ignore_ascii_case(NAME)
}
