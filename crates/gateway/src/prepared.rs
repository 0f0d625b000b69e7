//! Prepared statements of one connection.
//!
//! The functions know no parameters: each is written into the statement as a literal, at a `?` that the lexer of
//! `penstock-sql` found, so that a value can never become SQL.

mod literal;

use std::collections::BTreeMap;

use penstock_sql::error::SqlError;
use penstock_sql::lexer::{Lexer, Token, TokenKind};

use crate::protocol::parameter::{self, Parameter, ParameterType};
use crate::protocol::wire::Malformed;

/// What the protocol can count.
const MOST_PARAMETERS: usize = u16::MAX as usize;

/// Error numbers that only prepared statements have.
mod code {
    pub(super) const UNKNOWN_STATEMENT: u16 = 1243;
    pub(super) const TOO_MANY_PARAMETERS: u16 = 1390;
    pub(super) const TOO_MANY_STATEMENTS: u16 = 1461;
    pub(super) const WRONG_ARGUMENTS: u16 = 1210;
}

/// The prepared statements of a connection, by number.
pub(crate) struct PreparedStatements {
    statements: BTreeMap<u32, Prepared>,
    next: u32,
    most_statements: usize,
    /// Bound on the text of all statements, and on the data sent ahead for one.
    most_bytes: usize,
}

struct Prepared {
    sql: String,
    placeholders: Vec<Placeholder>,
    types: Vec<ParameterType>,
    /// Data sent ahead, by parameter.
    long: BTreeMap<usize, Vec<u8>>,
    /// Set if more was sent ahead than may be; told at execution, since sending ahead has no answer.
    overlong: bool,
}

/// A `?` of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Placeholder {
    /// Its byte.
    at: usize,
    /// Whether it counts rows (LIMIT, OFFSET), where only an integer can stand.
    counts_rows: bool,
}

impl PreparedStatements {
    pub(crate) fn new(most_statements: usize, most_bytes: usize) -> Self {
        Self { statements: BTreeMap::new(), next: 1, most_statements, most_bytes }
    }

    /// Keeps a statement; its number and how many parameters it has.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<(u32, u16), SqlError> {
        let held: usize = self.statements.values().map(|statement| statement.sql.len()).sum();
        if self.statements.len() >= self.most_statements || held.saturating_add(sql.len()) > self.most_bytes {
            let message = format!("a connection can hold {} prepared statements", self.most_statements);
            return Err(
                SqlError::new(code::TOO_MANY_STATEMENTS, message).with_hint("close those that are no longer needed")
            );
        }
        let placeholders = placeholders(sql);
        let parameters = u16::try_from(placeholders.len()).map_err(|_| {
            let message = format!("expected at most {MOST_PARAMETERS} parameters, found {}", placeholders.len());
            SqlError::new(code::TOO_MANY_PARAMETERS, message)
        })?;
        let number = self.next;
        self.next = self.next.wrapping_add(1).max(1);
        let (types, long) = (Vec::new(), BTreeMap::new());
        self.statements.insert(number, Prepared { sql: sql.to_owned(), placeholders, types, long, overlong: false });
        Ok((number, parameters))
    }

    /// The statement with the parameters of a COM_STMT_EXECUTE written into it.
    pub(crate) fn execute(&mut self, number: u32, payload: &[u8]) -> Result<Result<String, SqlError>, Malformed> {
        let Some(statement) = self.statements.get_mut(&number) else {
            return Ok(Err(unknown(number)));
        };
        let mut long = std::mem::take(&mut statement.long);
        if std::mem::take(&mut statement.overlong) {
            let message = format!("parameters are longer than {} bytes", self.most_bytes);
            return Ok(Err(SqlError::new(code::WRONG_ARGUMENTS, message)));
        }
        let count = statement.placeholders.len();
        let parameters = parameter::read(payload, count, &mut statement.types, |index| long.remove(&index))?;
        Ok(Ok(statement.with_literals(&parameters)))
    }

    /// Keeps a piece of a long parameter. An unknown statement is passed over: the command has no answer.
    pub(crate) fn append(&mut self, number: u32, parameter: u16, data: &[u8]) {
        let Some(statement) = self.statements.get_mut(&number) else {
            return;
        };
        let held: usize = statement.long.values().map(Vec::len).sum();
        if usize::from(parameter) >= statement.placeholders.len() || held.saturating_add(data.len()) > self.most_bytes {
            statement.overlong = true;
            statement.long.clear();
        } else if !statement.overlong {
            statement.long.entry(parameter.into()).or_default().extend_from_slice(data);
        }
    }

    /// Forgets data sent ahead.
    pub(crate) fn reset(&mut self, number: u32) -> Result<(), SqlError> {
        let statement = self.statements.get_mut(&number).ok_or_else(|| unknown(number))?;
        statement.long.clear();
        statement.overlong = false;
        Ok(())
    }

    /// Forgets a statement, if it is there.
    pub(crate) fn close(&mut self, number: u32) {
        self.statements.remove(&number);
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.statements.clear();
    }
}

/// The error for a statement that was never prepared, or closed.
pub(crate) fn unknown(number: u32) -> SqlError {
    SqlError::new(code::UNKNOWN_STATEMENT, format!("unknown prepared statement {number}"))
}

impl Prepared {
    fn with_literals(&self, parameters: &[Parameter]) -> String {
        let mut text = String::with_capacity(self.sql.len() + 16 * parameters.len());
        let mut copied = 0;
        for (placeholder, parameter) in self.placeholders.iter().zip(parameters) {
            text.push_str(self.sql.get(copied..placeholder.at).unwrap_or_default());
            literal::put(&mut text, parameter, placeholder.counts_rows);
            copied = placeholder.at + 1;
        }
        text.push_str(self.sql.get(copied..).unwrap_or_default());
        text
    }
}

fn placeholders(sql: &str) -> Vec<Placeholder> {
    let mut found = Vec::new();
    // In `LIMIT a, b` both count rows.
    let mut counting = false;
    for token in Lexer::new(sql) {
        let starts_counting = token.is_keyword("LIMIT") || token.is_keyword("OFFSET");
        if token.is_symbol("?") {
            found.push(Placeholder { at: token.start, counts_rows: counting });
        }
        counting = starts_counting || (counting && continues_count(&token));
    }
    found
}

fn continues_count(token: &Token<'_>) -> bool {
    token.kind == TokenKind::Integer || token.is_symbol("?") || token.is_symbol(",")
}

#[cfg(test)]
mod tests;
