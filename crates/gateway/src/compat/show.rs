//! SHOW statements about the server and the connection.
//!
//! What Penstock does not have (triggers, events, stored functions) is an empty answer with MySQL's columns: GUIs ask
//! for it when they draw their trees.

use std::sync::atomic::Ordering;

use penstock_sql::error::SqlError;
use penstock_sql::result::{Cell, CellType, ResultColumn, ResultSet};

use crate::compat::pattern::Filter;
use crate::compat::statement::Statement;
use crate::registry::Entry;
use crate::server::Server;
use crate::session::Session;

/// Answers what follows SHOW; `None` if it is not for the connection.
pub(super) fn answer(
    mut statement: Statement<'_>,
    session: &Session,
    server: &Server,
) -> Result<Option<ResultSet>, SqlError> {
    let full = statement.keyword("FULL");
    let _ = statement.keyword("GLOBAL") || statement.keyword("SESSION") || statement.keyword("LOCAL");
    let Some(what) = statement.word() else {
        return Ok(None);
    };
    let mut result = match what.as_str() {
        "VARIABLES" => variables(session),
        "STATUS" => status(server),
        "WARNINGS" | "ERRORS" => {
            if statement.keyword("LIMIT") {
                // There is at most one row.
                pass_rest(&mut statement);
            }
            diagnostics(session)
        }
        "COUNT" => match counted(&mut statement) {
            Some(title) => count(title, session),
            None => return Ok(None),
        },
        "PROCESSLIST" => processes(server, full),
        "ENGINES" => engines(),
        "STORAGE" if statement.keyword("ENGINES") => engines(),
        "CHARSET" => charsets(),
        "CHARACTER" if statement.keyword("SET") => charsets(),
        "COLLATION" => collations(),
        "PLUGINS" => plugins(),
        "PRIVILEGES" => ResultSet::text(&["Privilege", "Context", "Comment"], Vec::new()),
        "GRANTS" => {
            if statement.keyword("FOR") {
                // There is one user, so whom it names makes no difference.
                pass_rest(&mut statement);
            }
            grants(session)
        }
        "EVENTS" | "TRIGGERS" => {
            pass_rest(&mut statement);
            absent(&what)
        }
        "PROCEDURE" | "FUNCTION" if statement.keyword("STATUS") => {
            pass_rest(&mut statement);
            absent("ROUTINES")
        }
        "PROFILES" => ResultSet::text(&["Query_ID", "Duration", "Query"], Vec::new()),
        _ => return Ok(None),
    };
    Filter::read(&mut statement)?.keep(&mut result)?;
    Ok(statement.is_at_end().then_some(result))
}

/// Passes what only narrows an answer that is empty or one row anyway.
fn pass_rest(statement: &mut Statement<'_>) {
    while statement.take().is_some() {}
}

fn row(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

fn table(columns: &[&str], rows: &[&[&str]]) -> ResultSet {
    ResultSet::text(columns, rows.iter().map(|texts| row(texts)).collect())
}

fn variables(session: &Session) -> ResultSet {
    let rows = session.variables.all().map(|variable| row(&[variable.name, variable.value.unwrap_or_default()]));
    ResultSet::text(&["Variable_name", "Value"], rows.collect())
}

fn status(server: &Server) -> ResultSet {
    let statements = server.statements.load(Ordering::Relaxed).to_string();
    let connections = server.registry.all().len().to_string();
    let uptime = server.started.elapsed().as_secs().to_string();
    table(
        &["Variable_name", "Value"],
        &[
            &["Questions", &statements],
            &["Ssl_cipher", ""],
            &["Ssl_version", ""],
            &["Threads_connected", &connections],
            &["Uptime", &uptime],
        ],
    )
}

fn column(name: &str, cell_type: CellType) -> ResultColumn {
    ResultColumn { name: name.to_owned(), cell_type }
}

fn diagnostics(session: &Session) -> ResultSet {
    let columns =
        vec![column("Level", CellType::Varchar), column("Code", CellType::Int), column("Message", CellType::Varchar)];
    let rows = session
        .last_error
        .iter()
        .map(|error| {
            vec![Cell::Text("Error".to_owned()), Cell::Integer(error.code.into()), Cell::Text(error.to_string())]
        })
        .collect();
    ResultSet { columns, rows }
}

/// Reads `(*) WARNINGS` or `(*) ERRORS`; the title that MySQL gives the answer.
fn counted(statement: &mut Statement<'_>) -> Option<&'static str> {
    let opened = statement.symbol("(") && statement.symbol("*") && statement.symbol(")");
    match statement.word().filter(|_| opened)?.as_str() {
        "WARNINGS" => Some("@@session.warning_count"),
        "ERRORS" => Some("@@session.error_count"),
        _ => None,
    }
}

fn count(title: &str, session: &Session) -> ResultSet {
    let errors = i64::from(session.last_error.is_some());
    ResultSet { columns: vec![column(title, CellType::BigInt)], rows: vec![vec![Cell::Integer(errors)]] }
}

fn processes(server: &Server, full: bool) -> ResultSet {
    let columns = vec![
        column("Id", CellType::BigInt),
        column("User", CellType::Varchar),
        column("Host", CellType::Varchar),
        column("db", CellType::Varchar),
        column("Command", CellType::Varchar),
        column("Time", CellType::BigInt),
        column("State", CellType::Varchar),
        column("Info", CellType::Varchar),
    ];
    let rows = server.registry.all().iter().map(|entry| process(entry, full)).collect();
    ResultSet { columns, rows }
}

fn process(entry: &Entry, full: bool) -> Vec<Cell> {
    let activity = entry.activity();
    let text = |text: Option<String>| text.map_or(Cell::Null, Cell::Text);
    let length = if full { usize::MAX } else { 100 };
    vec![
        Cell::Integer(entry.connection.into()),
        Cell::Text(activity.user),
        Cell::Text(entry.peer.clone()),
        text(activity.database),
        Cell::Text(activity.command.to_owned()),
        Cell::Integer(i64::try_from(activity.since.elapsed().as_secs()).unwrap_or(i64::MAX)),
        Cell::Text(if activity.statement.is_some() { "executing" } else { "" }.to_owned()),
        text(activity.statement.map(|statement| statement.chars().take(length).collect())),
    ]
}

fn engines() -> ResultSet {
    table(
        &["Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"],
        &[&["OLAP", "DEFAULT", "Columns in Parquet files on S3", "NO", "NO", "NO"]],
    )
}

fn charsets() -> ResultSet {
    table(
        &["Charset", "Description", "Default collation", "Maxlen"],
        &[
            &["binary", "Binary pseudo charset", "binary", "1"],
            &["utf8mb4", "UTF-8 Unicode", "utf8mb4_general_ci", "4"],
        ],
    )
}

fn collations() -> ResultSet {
    table(
        &["Collation", "Charset", "Id", "Default", "Compiled", "Sortlen", "Pad_attribute"],
        &[
            &["binary", "binary", "63", "Yes", "Yes", "1", "NO PAD"],
            &["utf8mb4_0900_ai_ci", "utf8mb4", "255", "", "Yes", "0", "NO PAD"],
            &["utf8mb4_bin", "utf8mb4", "46", "", "Yes", "1", "PAD SPACE"],
            &["utf8mb4_general_ci", "utf8mb4", "45", "Yes", "Yes", "1", "PAD SPACE"],
            &["utf8mb4_unicode_ci", "utf8mb4", "224", "", "Yes", "8", "PAD SPACE"],
        ],
    )
}

fn plugins() -> ResultSet {
    let plugin = |name| vec![Some(name), Some("ACTIVE"), Some("AUTHENTICATION"), None, Some("Apache-2.0")];
    let rows = [plugin("mysql_native_password"), plugin("caching_sha2_password")];
    ResultSet::text(
        &["Name", "Status", "Type", "Library", "License"],
        rows.into_iter().map(|row| row.into_iter().map(|cell| cell.map(ToOwned::to_owned)).collect()).collect(),
    )
}

fn grants(session: &Session) -> ResultSet {
    let title = format!("Grants for {}@%", session.user);
    let grant = format!("GRANT ALL PRIVILEGES ON *.* TO '{}'@'%' WITH GRANT OPTION", session.user);
    table(&[&title], &[&[&grant]])
}

/// The columns of what Penstock has not, without rows.
fn absent(what: &str) -> ResultSet {
    let columns: &[&str] = match what {
        "EVENTS" => &[
            "Db",
            "Name",
            "Definer",
            "Time zone",
            "Type",
            "Execute at",
            "Interval value",
            "Interval field",
            "Starts",
            "Ends",
            "Status",
            "Originator",
            "character_set_client",
            "collation_connection",
            "Database Collation",
        ],
        "TRIGGERS" => &[
            "Trigger",
            "Event",
            "Table",
            "Statement",
            "Timing",
            "Created",
            "sql_mode",
            "Definer",
            "character_set_client",
            "collation_connection",
            "Database Collation",
        ],
        _ => &[
            "Db",
            "Name",
            "Type",
            "Definer",
            "Modified",
            "Created",
            "Security_type",
            "Comment",
            "character_set_client",
            "collation_connection",
            "Database Collation",
        ],
    };
    ResultSet::text(columns, Vec::new())
}
