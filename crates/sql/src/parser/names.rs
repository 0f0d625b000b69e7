//! Names: of databases, tables, columns, jobs.

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::lexer::TokenKind;
use crate::statement::{ObjectName, Pair, Pairs};

/// The one catalog that there is.
pub(super) const DEFAULT_CATALOG: &str = "default_catalog";

/// Words that begin or part clauses: as names they stand in backquotes. A part of StarRocks' list, so that names of
/// columns such as `date` or `text` need none.
const RESERVED: [&str; 66] = [
    "ADD",
    "ALL",
    "ALTER",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CHECK",
    "COLUMN",
    "CREATE",
    "CROSS",
    "DATABASE",
    "DATABASES",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FOR",
    "FORCE",
    "FROM",
    "FULL",
    "GRANT",
    "GROUP",
    "HAVING",
    "IF",
    "IN",
    "INDEX",
    "INNER",
    "INSERT",
    "INTO",
    "IS",
    "JOIN",
    "KEY",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOAD",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "PARTITION",
    "PRIMARY",
    "RIGHT",
    "SELECT",
    "SET",
    "SHOW",
    "TABLE",
    "TERMINATED",
    "TRUE",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USE",
    "WHERE",
    "WITH",
];

impl Cursor<'_> {
    /// A name: plain and no reserved word, or in backquotes. Never empty.
    pub(super) fn name(&mut self, what: &'static str) -> Result<String, SqlError> {
        match self.peek() {
            Some(token) if token.kind == TokenKind::QuotedName => {
                let name = token.value();
                if name.is_empty() {
                    return Err(self.unexpected_for(what));
                }
                self.advance();
                Ok(name)
            }
            Some(token) if token.kind == TokenKind::Word && !RESERVED.iter().any(|word| token.is_keyword(word)) => {
                self.advance();
                Ok(token.text.to_owned())
            }
            _ => Err(self.unexpected_for(what)),
        }
    }

    /// `[<database>.]<name>`; `default_catalog.` may lead the database.
    pub(super) fn object_name(&mut self, what: &'static str) -> Result<ObjectName, SqlError> {
        let position = self.position();
        let first = self.name(what)?;
        if !self.eat_quietly(".") {
            return Ok(ObjectName { database: None, name: first });
        }
        let second = self.name(what)?;
        if !self.eat_quietly(".") {
            return Ok(ObjectName { database: Some(first), name: second });
        }
        let third = self.name(what)?;
        if first != DEFAULT_CATALOG {
            let message = format!("expected catalog `{DEFAULT_CATALOG}`, found `{first}`");
            return Err(SqlError::analysis_at(position, &message));
        }
        Ok(ObjectName { database: Some(second), name: third })
    }

    /// `FROM <database>` or `IN <database>`, if there.
    pub(super) fn database_clause(&mut self) -> Result<Option<String>, SqlError> {
        if !(self.eat("FROM") || self.eat("IN")) {
            return Ok(None);
        }
        let position = self.position();
        let name = self.object_name("a database name")?;
        match name.database {
            Some(catalog) if catalog != DEFAULT_CATALOG => {
                let message = format!("expected catalog `{DEFAULT_CATALOG}`, found `{catalog}`");
                Err(SqlError::analysis_at(position, &message))
            }
            _ => Ok(Some(name.name)),
        }
    }

    /// `IF NOT EXISTS`, if there.
    pub(super) fn if_not_exists(&mut self) -> Result<bool, SqlError> {
        if !self.eat("IF") {
            return Ok(false);
        }
        self.expect("NOT")?;
        self.expect("EXISTS")?;
        Ok(true)
    }

    /// `IF EXISTS`, if there.
    pub(super) fn if_exists(&mut self) -> Result<bool, SqlError> {
        if !self.eat("IF") {
            return Ok(false);
        }
        self.expect("EXISTS")?;
        Ok(true)
    }

    /// `("key" = "value", ...)`: keys and values are strings.
    pub(super) fn pairs(&mut self) -> Result<Pairs, SqlError> {
        self.bracketed(|cursor| {
            let position = cursor.position();
            let key = cursor.string("a property's name in quotes")?;
            cursor.expect_symbol("=")?;
            let value = cursor.string("a property's value in quotes")?;
            Ok(Pair { key, value, position })
        })
        .map(Pairs)
    }

    /// `PROPERTIES (...)`, if there.
    pub(super) fn properties(&mut self) -> Result<Pairs, SqlError> {
        if self.eat("PROPERTIES") { self.pairs() } else { Ok(Pairs::default()) }
    }
}
