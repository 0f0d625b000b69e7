//! Rows of DESC and SHOW COLUMNS.

use penstock_kernel::table::{Column, ColumnDefault, ColumnType, TableDefinition};

use crate::information_schema::{Kind, Shape};
use crate::result::ResultSet;

/// Titles of DESC, and of SHOW COLUMNS without FULL.
pub const TITLES: [&str; 6] = ["Field", "Type", "Null", "Key", "Default", "Extra"];

/// Titles of SHOW FULL COLUMNS.
pub const FULL_TITLES: [&str; 9] =
    ["Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment"];

/// What DESC answers: a row a column, `Key` is true or false.
pub fn describe(table: &TableDefinition) -> ResultSet {
    let rows = table.columns.iter().map(|column| {
        let key = if is_key(table, column) { "true" } else { "false" };
        plain(column, key)
    });
    ResultSet::text(&TITLES, rows.collect())
}

/// What SHOW COLUMNS answers: as DESC, but `Key` is YES or NO.
pub fn show_columns(table: &TableDefinition, full: bool) -> ResultSet {
    let rows = table.columns.iter().map(|column| {
        let key = if is_key(table, column) { "YES" } else { "NO" };
        if full { wide(column, key) } else { plain(column, key) }
    });
    let titles: &[&str] = if full { &FULL_TITLES } else { &TITLES };
    ResultSet::text(titles, rows.collect())
}

/// What DESC answers of a table of `information_schema`.
pub fn describe_system(table: &Shape) -> ResultSet {
    of_system(table, "false", false)
}

/// What SHOW COLUMNS answers of it.
pub fn show_system_columns(table: &Shape, full: bool) -> ResultSet {
    of_system(table, "NO", full)
}

fn of_system(table: &Shape, key: &str, wide: bool) -> ResultSet {
    let rows = table.columns.iter().map(|(name, kind)| {
        let (type_name, full_type) = kind.names();
        let shown = if *kind == Kind::Text { full_type } else { type_name };
        let text = |text: &str| Some(text.to_owned());
        let row = [text(name), text(shown), text("YES"), text(key), None, text("")];
        let [field, shown, null, key, default, extra] = row;
        if wide {
            vec![field, shown, None, null, key, default, extra, text(""), text("")]
        } else {
            vec![field, shown, null, key, default, extra]
        }
    });
    let titles: &[&str] = if wide { &FULL_TITLES } else { &TITLES };
    ResultSet::text(titles, rows.collect())
}

fn is_key(table: &TableDefinition, column: &Column) -> bool {
    table.key_columns.iter().any(|key| key.eq_ignore_ascii_case(&column.name))
}

fn null(column: &Column) -> String {
    if column.nullable { "YES" } else { "NO" }.to_owned()
}

fn default(column: &Column) -> Option<String> {
    match column.default.as_ref()? {
        ColumnDefault::Literal(text) => Some(text.clone()),
        ColumnDefault::CurrentTimestamp => Some("CURRENT_TIMESTAMP".to_owned()),
        _ => None,
    }
}

fn plain(column: &Column, key: &str) -> Vec<Option<String>> {
    vec![
        Some(column.name.clone()),
        Some(column.column_type.to_string()),
        Some(null(column)),
        Some(key.to_owned()),
        default(column),
        Some(String::new()),
    ]
}

fn wide(column: &Column, key: &str) -> Vec<Option<String>> {
    let text = matches!(column.column_type, ColumnType::Char(_) | ColumnType::Varchar(_));
    vec![
        Some(column.name.clone()),
        Some(column.column_type.to_string()),
        text.then(|| "utf8_general_ci".to_owned()),
        Some(null(column)),
        Some(key.to_owned()),
        default(column),
        Some(String::new()),
        Some(String::new()),
        Some(column.comment.clone().unwrap_or_default()),
    ]
}
