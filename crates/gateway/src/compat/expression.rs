//! The expressions that clients use about a session: literals, variables, and functions without a table.

use penstock_sql::error::SqlError;
use penstock_sql::lexer::TokenKind;
use penstock_sql::result::{Cell, CellType};

use crate::compat::statement::Statement;
use crate::compat::variable::{Kind, Variable};
use crate::session::Session;

/// How deep calls may be nested; clients nest REPLACE and CONCAT a few times.
const DEEPEST: usize = 16;

/// A value and its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) cell: Cell,
    pub(crate) cell_type: CellType,
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { cell: Cell::Text(text.into()), cell_type: CellType::Varchar }
    }

    fn optional_text(text: Option<&str>) -> Self {
        text.map_or(Self { cell: Cell::Null, cell_type: CellType::Varchar }, Self::text)
    }

    fn integer(value: i64) -> Self {
        Self { cell: Cell::Integer(value), cell_type: CellType::BigInt }
    }

    /// Its text; `None` for NULL.
    pub(crate) fn into_text(self) -> Option<String> {
        match self.cell {
            Cell::Null => None,
            Cell::Text(text) => Some(text),
            other => crate::text::of(&other, self.cell_type).map(|text| String::from_utf8_lossy(&text).into_owned()),
        }
    }
}

/// Reads and evaluates an expression; `None` if it is of another kind than those known here.
///
/// # Errors
/// A system variable is unknown.
pub(crate) fn evaluate(statement: &mut Statement<'_>, session: &Session) -> Result<Option<Value>, SqlError> {
    evaluate_within(statement, session, DEEPEST)
}

fn evaluate_within(statement: &mut Statement<'_>, session: &Session, depth: usize) -> Result<Option<Value>, SqlError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Ok(None);
    };
    let Some(token) = statement.take() else {
        return Ok(None);
    };
    Ok(match token.kind {
        TokenKind::Text => Some(Value::text(token.value())),
        TokenKind::Integer => number(token.text),
        TokenKind::Number => None,
        TokenKind::Symbol if token.text == "@@" => Some(system_variable(statement, session)?),
        TokenKind::Symbol if token.text == "@" => user_variable(statement, session),
        TokenKind::Symbol if token.text == "-" => {
            statement.take().and_then(|token| number(&format!("-{}", token.text)))
        }
        TokenKind::Symbol if token.text == "(" => {
            let inner = evaluate_within(statement, session, depth)?;
            statement.symbol(")").then_some(inner).flatten()
        }
        TokenKind::Word => {
            let name = token.text.to_ascii_uppercase();
            if statement.symbol("(") {
                let Some(arguments) = arguments(statement, session, depth)? else {
                    return Ok(None);
                };
                call(&name, arguments, session)
            } else {
                constant(&name, session)
            }
        }
        _ => None,
    })
}

fn number(digits: &str) -> Option<Value> {
    digits.parse().ok().map(Value::integer)
}

/// What follows `@@`: `[SESSION | GLOBAL | LOCAL .] name`. There is one value for all scopes.
fn system_variable(statement: &mut Statement<'_>, session: &Session) -> Result<Value, SqlError> {
    let mut name = statement.name().unwrap_or_default();
    if is_scope(&name) && statement.symbol(".") {
        name = statement.name().unwrap_or_default();
    }
    Ok(shown(&session.variables.get(&name)?))
}

/// Whether a word names whose variable is meant.
pub(crate) fn is_scope(word: &str) -> bool {
    ["SESSION", "GLOBAL", "LOCAL", "PERSIST", "PERSIST_ONLY"].iter().any(|scope| scope.eq_ignore_ascii_case(word))
}

fn shown(variable: &Variable<'_>) -> Value {
    let Some(value) = variable.value else {
        return Value::optional_text(None);
    };
    match variable.kind {
        Kind::Text | Kind::TimeZone => Value::text(value),
        Kind::Switch => Value::integer(i64::from(value == "ON")),
        Kind::Number => match (value.parse::<i64>(), value.parse::<u64>()) {
            (Ok(value), _) => Value::integer(value),
            (_, Ok(value)) => Value { cell: Cell::Unsigned(value), cell_type: CellType::UnsignedBigInt },
            _ => Value::text(value),
        },
    }
}

fn user_variable(statement: &mut Statement<'_>, session: &Session) -> Option<Value> {
    let name = statement.value()?.to_lowercase();
    let cell = session.user_variables.get(&name).cloned().unwrap_or(Cell::Null);
    let cell_type = match cell {
        Cell::Integer(_) => CellType::BigInt,
        Cell::Unsigned(_) => CellType::UnsignedBigInt,
        _ => CellType::Varchar,
    };
    Some(Value { cell, cell_type })
}

/// Arguments up to the closing bracket.
fn arguments(statement: &mut Statement<'_>, session: &Session, depth: usize) -> Result<Option<Vec<Value>>, SqlError> {
    let mut arguments = Vec::new();
    if statement.symbol(")") {
        return Ok(Some(arguments));
    }
    loop {
        let Some(argument) = evaluate_within(statement, session, depth)? else {
            return Ok(None);
        };
        arguments.push(argument);
        if statement.symbol(")") {
            return Ok(Some(arguments));
        }
        if !statement.symbol(",") {
            return Ok(None);
        }
    }
}

fn call(name: &str, arguments: Vec<Value>, session: &Session) -> Option<Value> {
    match (name, arguments.as_slice()) {
        ("DATABASE" | "SCHEMA", []) => Some(Value::optional_text(session.database.as_deref())),
        ("USER" | "SESSION_USER" | "SYSTEM_USER", []) => {
            Some(Value::text(format!("{}@{}", session.user, session.host)))
        }
        ("CURRENT_USER" | "CURRENT_ROLE", []) => constant(name, session),
        ("CONNECTION_ID", []) => Some(Value::integer(session.connection.into())),
        ("VERSION", []) => session.variables.get("version").ok().map(|version| shown(&version)),
        ("CURRENT_VERSION", []) => session.variables.get("version_comment").ok().map(|version| shown(&version)),
        ("CURRENT_CATALOG", []) => session.variables.get("catalog").ok().map(|catalog| shown(&catalog)),
        ("LAST_INSERT_ID" | "FOUND_ROWS" | "ROW_COUNT", []) => Some(Value::integer(0)),
        ("CONCAT", [_, ..]) => {
            let parts: Option<Vec<String>> = arguments.into_iter().map(Value::into_text).collect();
            Some(Value::optional_text(parts.map(|parts| parts.concat()).as_deref()))
        }
        ("REPLACE", [_, _, _]) => {
            let mut parts = arguments.into_iter().map(Value::into_text);
            let (text, from, to) = (parts.next()?, parts.next()?, parts.next()?);
            let replaced = match (text, from, to) {
                (Some(text), Some(from), Some(to)) if !from.is_empty() => Some(text.replace(&from, &to)),
                (text, Some(_), Some(_)) => text,
                _ => None,
            };
            Some(Value::optional_text(replaced.as_deref()))
        }
        _ => None,
    }
}

fn constant(name: &str, session: &Session) -> Option<Value> {
    match name {
        "NULL" => Some(Value::optional_text(None)),
        "TRUE" => Some(Value::integer(1)),
        "FALSE" => Some(Value::integer(0)),
        "CURRENT_USER" => Some(Value::text(format!("'{}'@'%'", session.user))),
        "CURRENT_ROLE" => Some(Value::text(session.user.clone())),
        _ => None,
    }
}
