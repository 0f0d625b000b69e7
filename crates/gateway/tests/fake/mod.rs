//! Functions that answer from a small memory, so that clients meet a gateway and nothing else.
//!
//! `admin` knows databases and tables by name. `query` knows literals, CAST, `+`, tables without rows, and the table
//! `numbers`, which has as many rows as LIMIT says.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use penstock_gateway::functions::{Functions, QueryRows};
use penstock_sql::error::{SqlError, code};
use penstock_sql::lexer::{Lexer, Token, TokenKind};
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_sql::result::{Cell, CellType, ResultColumn, ResultSet};

/// Rows a chunk.
const CHUNK: i64 = 1000;

/// Tables by name, their columns as name and type.
type Tables = BTreeMap<String, Vec<(String, String)>>;

/// Databases by name.
pub(crate) struct Fake {
    databases: Mutex<BTreeMap<String, Tables>>,
    /// Every statement that reached a function.
    pub(crate) seen: Mutex<Vec<SqlRequest>>,
}

impl Default for Fake {
    fn default() -> Self {
        let system = BTreeMap::from([("information_schema".to_owned(), BTreeMap::new())]);
        Self { databases: Mutex::new(system), seen: Mutex::default() }
    }
}

#[async_trait]
impl Functions for Fake {
    async fn admin(&self, request: SqlRequest) -> Result<SqlResponse, SqlError> {
        self.seen.lock().unwrap().push(request.clone());
        Ok(self.run(&request).unwrap_or_else(SqlResponse::Error))
    }

    async fn query(&self, request: SqlRequest) -> Result<QueryRows, SqlError> {
        self.seen.lock().unwrap().push(request.clone());
        let words = Words::new(&request.sql);
        if words.has("SLEEP") {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        if words.has("unreachable") {
            return Err(SqlError::new(code::UNAVAILABLE, "query does not answer"));
        }
        let databases = self.databases.lock().unwrap();
        select(words, |table| databases.values().any(|tables| tables.contains_key(table)))
    }
}

impl Fake {
    fn run(&self, request: &SqlRequest) -> Result<SqlResponse, SqlError> {
        let mut words = Words::new(&request.sql);
        let mut databases = self.databases.lock().unwrap();
        let verb = words.next_word();
        let noun = if verb == "USE" { String::new() } else { words.next_word() };
        let lenient = words.take("IF") && {
            words.take("NOT");
            words.take("EXISTS")
        };
        let done = SqlResponse::Done { affected_rows: 0, database: None };
        match (verb.as_str(), noun.as_str()) {
            ("USE", _) => {
                let name = words.name();
                if !databases.contains_key(&name) {
                    return Err(SqlError::new(code::UNKNOWN_DATABASE, format!("Unknown database '{name}'")));
                }
                Ok(SqlResponse::Done { affected_rows: 0, database: Some(name) })
            }
            ("CREATE", "DATABASE") => {
                let name = words.name();
                if databases.contains_key(&name) && !lenient {
                    return Err(SqlError::new(code::DATABASE_EXISTS, format!("database `{name}` exists")));
                }
                databases.entry(name).or_default();
                Ok(done)
            }
            ("DROP", "DATABASE") => {
                let name = words.name();
                if databases.remove(&name).is_none() && !lenient {
                    let message = format!("database `{name}` does not exist");
                    return Err(SqlError::new(code::DATABASE_MISSING_ON_DROP, message));
                }
                Ok(done)
            }
            ("SHOW", "DATABASES") => Ok(SqlResponse::Rows(ResultSet::text(
                &["Database"],
                databases.keys().map(|name| vec![Some(name.clone())]).collect(),
            ))),
            ("CREATE" | "DROP", "TABLE") | ("SHOW", "TABLES" | "COLUMNS") => {
                let database = request.session.database.as_deref();
                let in_table = if noun == "COLUMNS" {
                    words.take("FROM");
                    words.name()
                } else {
                    words.name()
                };
                if in_table.is_empty() && noun != "TABLES" {
                    return Err(SqlError::new(code::PARSE, "expected a table, found the end of the statement"));
                }
                let (database, table) = match words.symbol(".") {
                    true => (in_table, words.name()),
                    false => (
                        database.ok_or_else(|| SqlError::new(code::NO_DATABASE, "No database selected"))?.to_owned(),
                        in_table,
                    ),
                };
                let tables = databases
                    .get_mut(&database)
                    .ok_or_else(|| SqlError::new(code::UNKNOWN_DATABASE, format!("Unknown database '{database}'")))?;
                let unknown = || SqlError::new(code::UNKNOWN_TABLE, format!("Unknown table '{table}'"));
                match (verb.as_str(), noun.as_str()) {
                    ("CREATE", "TABLE") if tables.contains_key(&table) && !lenient => {
                        Err(SqlError::new(code::TABLE_EXISTS, format!("Table '{table}' already exists")))
                    }
                    ("CREATE", "TABLE") => {
                        tables.insert(table, words.columns());
                        Ok(done)
                    }
                    ("DROP", "TABLE") => match tables.remove(&table) {
                        None if !lenient => Err(unknown()),
                        _ => Ok(done),
                    },
                    ("SHOW", "TABLES") => Ok(SqlResponse::Rows(ResultSet::text(
                        &[&format!("Tables_in_{database}")],
                        tables.keys().map(|name| vec![Some(name.clone())]).collect(),
                    ))),
                    ("SHOW", "COLUMNS") => {
                        let columns = tables.get(&table).ok_or_else(unknown)?;
                        let rows = columns.iter().map(|(name, column_type)| {
                            [name, column_type, "YES", "false", "", ""].map(|text| Some(text.to_owned())).to_vec()
                        });
                        let titles = ["Field", "Type", "Null", "Key", "Default", "Extra"];
                        Ok(SqlResponse::Rows(ResultSet::text(&titles, rows.collect())))
                    }
                    _ => Ok(done),
                }
            }
            _ => Err(SqlError::new(code::PARSE, "expected a statement, found something else")
                .with_hint("see the documentation")),
        }
    }
}

/// The tokens of a statement.
struct Words<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Words<'a> {
    fn new(sql: &'a str) -> Self {
        Self { tokens: Lexer::new(sql).collect(), at: 0 }
    }

    fn has(&self, word: &str) -> bool {
        self.tokens.iter().any(|token| token.is_keyword(word))
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<Token<'a>> {
        self.at += 1;
        self.tokens.get(self.at - 1).copied()
    }

    fn next_word(&mut self) -> String {
        self.next().map(|token| token.text.to_ascii_uppercase()).unwrap_or_default()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is_keyword(word));
        self.at += usize::from(found);
        found
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is_symbol(symbol));
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> String {
        self.next().map(|token| token.value()).unwrap_or_default()
    }

    /// The columns of CREATE TABLE: names and types, whatever else is said about them.
    fn columns(&mut self) -> Vec<(String, String)> {
        let mut columns = Vec::new();
        if !self.symbol("(") {
            return columns;
        }
        loop {
            columns.push((self.name(), self.name().to_lowercase()));
            let mut depth = 0;
            loop {
                match self.next().map(|token| token.text) {
                    Some("(") => depth += 1,
                    Some(")") if depth == 0 => return columns,
                    Some(")") => depth -= 1,
                    Some(",") if depth == 0 => break,
                    Some(_) => {}
                    None => return columns,
                }
            }
        }
    }
}

/// Answers a SELECT; `is_table` tells which tables there are, all without rows.
fn select(mut words: Words<'_>, is_table: impl Fn(&str) -> bool) -> Result<QueryRows, SqlError> {
    let mut columns = Vec::new();
    let mut row = Vec::new();
    let refused = || SqlError::new(code::PARSE, "expected a literal");
    if !words.take("SELECT") {
        return Err(refused());
    }
    loop {
        let first = words.peek().map_or("", |token| token.text).to_owned();
        let (mut cell, cell_type) = expression(&mut words).ok_or_else(refused)?;
        if words.symbol("+") {
            let (Cell::Integer(left), Some((Cell::Integer(right), _))) = (&cell, expression(&mut words)) else {
                return Err(refused());
            };
            cell = Cell::Integer(left + right);
        }
        let name = if words.take("AS") { words.name() } else { first };
        columns.push(ResultColumn { name, cell_type });
        row.push(cell);
        if !words.symbol(",") {
            break;
        }
    }
    if !words.take("FROM") {
        let end = words.peek().is_none();
        let chunks = futures::stream::iter([Ok(vec![row])]).boxed();
        return if end { Ok(QueryRows { columns, chunks }) } else { Err(refused()) };
    }
    match words.name().as_str() {
        "numbers" => {}
        name if is_table(name) => {
            return Ok(QueryRows { columns, chunks: futures::stream::empty().boxed() });
        }
        name => {
            return Err(SqlError::new(code::UNKNOWN_TABLE, format!("Unknown table '{name}'")));
        }
    }
    let fails = words.take("FAILS");
    words.take("LIMIT");
    let rows: i64 = words.name().parse().map_err(|_| refused())?;
    let chunk = move |first: i64| {
        if fails && first > 0 {
            return Err(SqlError::new(code::INTERNAL, "the rest cannot be read"));
        }
        let row = |number: i64| {
            let mut row = row.clone();
            row[0] = Cell::Integer(number);
            row
        };
        Ok((first..rows.min(first + CHUNK)).map(row).collect())
    };
    let step = usize::try_from(CHUNK).unwrap();
    let chunks = futures::stream::iter((0..rows).step_by(step).map(chunk)).boxed();
    Ok(QueryRows { columns, chunks })
}

fn expression(words: &mut Words<'_>) -> Option<(Cell, CellType)> {
    let token = words.next()?;
    Some(match token.kind {
        TokenKind::Text => (Cell::Text(token.value()), CellType::Varchar),
        TokenKind::Integer => match token.text.parse() {
            Ok(value) => (Cell::Integer(value), CellType::BigInt),
            Err(_) => (Cell::Unsigned(token.text.parse().ok()?), CellType::UnsignedBigInt),
        },
        TokenKind::Number => (Cell::Float(token.text.parse().ok()?), CellType::Double),
        TokenKind::Symbol if token.text == "-" => match expression(words)? {
            (Cell::Integer(value), cell_type) => (Cell::Integer(-value), cell_type),
            (Cell::Unsigned(value), _) => (Cell::Integer(0_i64.checked_sub_unsigned(value)?), CellType::BigInt),
            (Cell::Float(value), cell_type) => (Cell::Float(-value), cell_type),
            _ => return None,
        },
        TokenKind::Word if token.is_keyword("NULL") => (Cell::Null, CellType::Varchar),
        TokenKind::Word if token.is_keyword("TRUE") => (Cell::Integer(1), CellType::Boolean),
        TokenKind::Word if token.is_keyword("FALSE") => (Cell::Integer(0), CellType::Boolean),
        TokenKind::Word if token.is_keyword("X") => {
            let digits = words.next()?.value();
            let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
            (Cell::Binary((0..digits.len()).step_by(2).map(byte).collect::<Option<_>>()?), CellType::Binary)
        }
        TokenKind::Word if token.is_keyword("CAST") && words.symbol("(") => {
            let (cell, _) = expression(words)?;
            words.take("AS");
            let cell_type = match words.next_word().as_str() {
                "BOOLEAN" => CellType::Boolean,
                "TINYINT" => CellType::TinyInt,
                "SMALLINT" => CellType::SmallInt,
                "INT" => CellType::Int,
                "BIGINT" => CellType::BigInt,
                "FLOAT" => CellType::Float,
                "DOUBLE" => CellType::Double,
                "DECIMAL" => {
                    words.symbol("(");
                    let precision = words.name().parse().ok()?;
                    words.symbol(",");
                    let scale = words.name().parse().ok()?;
                    words.symbol(")");
                    CellType::Decimal { precision, scale }
                }
                "DATE" => CellType::Date,
                "DATETIME" => CellType::DateTime,
                "JSON" => CellType::Json,
                "VARBINARY" => CellType::Binary,
                _ => CellType::Varchar,
            };
            words.symbol(")");
            let cell = match (cell, cell_type) {
                (Cell::Text(text), CellType::Float | CellType::Double) => Cell::Float(text.parse().ok()?),
                (Cell::Float(value), CellType::Decimal { scale, .. }) => {
                    Cell::Text(format!("{value:.*}", usize::from(scale)))
                }
                (Cell::Integer(value), CellType::Varchar) => Cell::Text(value.to_string()),
                (cell, _) => cell,
            };
            (cell, cell_type)
        }
        // A column of a table, all of which are empty.
        TokenKind::Word if !token.is_keyword("FROM") => (Cell::Null, CellType::Varchar),
        _ => return None,
    })
}
