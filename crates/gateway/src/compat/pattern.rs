//! LIKE and WHERE of SHOW statements: which rows are asked for.

use penstock_sql::error::{SqlError, code};
use penstock_sql::like::{self, Wildcards};
use penstock_sql::result::{Cell, ResultSet};

use crate::compat::error_code;
use crate::compat::statement::Statement;

/// Which rows a SHOW asks for.
pub(crate) enum Filter {
    All,
    /// The first column is like this.
    Like(String),
    /// Any of these holds.
    AnyOf(Vec<Comparison>),
}

/// One comparison of WHERE.
pub(crate) struct Comparison {
    column: String,
    like: bool,
    text: String,
}

impl Filter {
    /// Reads `[LIKE 'pattern' | WHERE ...]`. WHERE may compare columns by `=`, LIKE and IN, joined by OR: what clients
    /// send.
    pub(crate) fn read(statement: &mut Statement<'_>) -> Result<Self, SqlError> {
        if statement.keyword("LIKE") {
            return text(statement).map(Self::Like);
        }
        if !statement.keyword("WHERE") {
            return Ok(Self::All);
        }
        let mut comparisons = Vec::new();
        loop {
            let column = statement.name().ok_or_else(|| expected(statement, "a column"))?;
            if statement.keyword("IN") && statement.symbol("(") {
                loop {
                    comparisons.push(Comparison { column: column.clone(), like: false, text: text(statement)? });
                    if !statement.symbol(",") {
                        break;
                    }
                }
                if !statement.symbol(")") {
                    return Err(expected(statement, "`)`"));
                }
            } else {
                let like = statement.keyword("LIKE");
                if !like && !statement.symbol("=") {
                    return Err(expected(statement, "`=`, `LIKE` or `IN`"));
                }
                comparisons.push(Comparison { column, like, text: text(statement)? });
            }
            if !statement.keyword("OR") {
                return Ok(Self::AnyOf(comparisons));
            }
        }
    }

    /// Leaves the rows that are asked for.
    ///
    /// # Errors
    /// 1054 if a comparison names a column that the result has not.
    pub(crate) fn keep(&self, result: &mut ResultSet) -> Result<(), SqlError> {
        let mut tests = Vec::new();
        match self {
            Self::All => return Ok(()),
            Self::Like(pattern) => tests.push((0, true, pattern.as_str())),
            Self::AnyOf(comparisons) => {
                for Comparison { column, like, text } in comparisons {
                    let position = result.columns.iter().position(|known| known.name.eq_ignore_ascii_case(column));
                    let position = position.ok_or_else(|| {
                        SqlError::new(error_code::UNKNOWN_COLUMN, format!("unknown column `{column}`"))
                    })?;
                    tests.push((position, *like, text));
                }
            }
        }
        result.rows.retain(|row| {
            tests.iter().any(|(position, is_pattern, wanted)| match row.get(*position) {
                Some(Cell::Text(found)) if *is_pattern => like::matches(wanted, found, Wildcards::Sql),
                Some(Cell::Text(found)) => found.eq_ignore_ascii_case(wanted),
                Some(Cell::Integer(found)) => found.to_string() == **wanted,
                _ => false,
            })
        });
        Ok(())
    }
}

/// A string, or a number as drivers write it without quotes.
fn text(statement: &mut Statement<'_>) -> Result<String, SqlError> {
    statement.value().ok_or_else(|| expected(statement, "a text in quotes"))
}

/// The error that names what was expected instead of the next token.
pub(crate) fn expected(statement: &Statement<'_>, expected: &str) -> SqlError {
    let found = match statement.peek() {
        Some(token) => format!("`{}`", token.text.chars().take(40).collect::<String>()),
        None => "the end of the statement".to_owned(),
    };
    SqlError::new(code::PARSE, format!("expected {expected}, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_leave_the_rows_that_are_asked_for() {
        for (sql, left) in [
            ("", "abc abd b"),
            ("LIKE 'ab%'", "abc abd"),
            ("WHERE name = 'B'", "b"),
            ("where `NAME` in ('b', 'abd', 'x')", "abd b"),
            ("WHERE name LIKE '%c' OR name = 'b'", "abc b"),
            ("WHERE id = 2", "abd"),
        ] {
            let rows = [("abc", "1"), ("abd", "2"), ("b", "3")];
            let rows = rows.iter().map(|(name, id)| vec![Some((*name).to_owned()), Some((*id).to_owned())]);
            let mut result = ResultSet::text(&["Name", "Id"], rows.collect());
            Filter::read(&mut Statement::new(sql)).unwrap_or(Filter::All).keep(&mut result).unwrap();
            let found: Vec<&str> = result
                .rows
                .iter()
                .map(|row| match &row[0] {
                    Cell::Text(name) => name.as_str(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(found.join(" "), left, "{sql}");
        }
    }

    #[test]
    fn filters_that_cannot_be_read_are_refused() {
        assert!(Filter::read(&mut Statement::new("WHERE a > 'b'")).is_err());
        assert!(Filter::read(&mut Statement::new("LIKE")).is_err());
        let unknown = Filter::read(&mut Statement::new("WHERE a = 'b'")).ok().unwrap();
        let error = unknown.keep(&mut ResultSet::text(&["Name"], Vec::new())).unwrap_err();
        assert_eq!(error.code, error_code::UNKNOWN_COLUMN);
    }
}
