//! SELECT without a table, about the session: `SELECT @@version_comment LIMIT 1`, `SELECT DATABASE()`.

use penstock_sql::error::SqlError;
use penstock_sql::result::{ResultColumn, ResultSet};

use crate::compat::expression;
use crate::compat::statement::Statement;
use crate::session::Session;

/// Answers what follows SELECT; `None` if any of it is more than [`expression`] knows.
pub(super) fn answer(mut statement: Statement<'_>, session: &Session) -> Result<Option<ResultSet>, SqlError> {
    let mut result = ResultSet::default();
    let mut row = Vec::new();
    loop {
        let start = statement.start();
        let Some(value) = expression::evaluate(&mut statement, session)? else {
            return Ok(None);
        };
        let written = statement.text_since(start);
        let Some(name) = title(&mut statement, written) else {
            return Ok(None);
        };
        result.columns.push(ResultColumn { name, cell_type: value.cell_type });
        row.push(value.cell);
        if !statement.symbol(",") {
            break;
        }
    }
    let limit = if statement.keyword("LIMIT") { statement.value() } else { None };
    if !statement.is_at_end() {
        return Ok(None);
    }
    if limit.as_deref() != Some("0") {
        result.rows.push(row);
    }
    Ok(Some(result))
}

/// The column's title: what AS says, or the expression as written. `None` if something else follows.
fn title(statement: &mut Statement<'_>, written: &str) -> Option<String> {
    if statement.keyword("AS") {
        return statement.value();
    }
    match statement.peek() {
        None => Some(written.to_owned()),
        Some(token) if token.is_symbol(",") || token.is_keyword("LIMIT") => Some(written.to_owned()),
        Some(_) => statement.name().or_else(|| statement.string()),
    }
}
