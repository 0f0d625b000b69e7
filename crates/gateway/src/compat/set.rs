//! SET: variables of the session.

use penstock_sql::error::{SqlError, code};

use crate::compat::expression::{self, Value};
use crate::compat::pattern::expected;
use crate::compat::statement::Statement;
use crate::session::Session;

/// User variables that a session can hold.
const MOST_USER_VARIABLES: usize = 256;

/// Does what follows SET. Assignments before a wrong one stay done, as in MySQL.
pub(super) fn answer(mut statement: Statement<'_>, session: &mut Session) -> Result<(), SqlError> {
    loop {
        assign(&mut statement, session)?;
        if statement.is_at_end() {
            return Ok(());
        }
        if !statement.symbol(",") {
            return Err(expected(&statement, "`,` or the end of the statement"));
        }
    }
}

fn assign(statement: &mut Statement<'_>, session: &mut Session) -> Result<(), SqlError> {
    if statement.symbol("@") {
        return assign_user_variable(statement, session);
    }
    let system = statement.symbol("@@");
    let mut name = statement.name().ok_or_else(|| expected(statement, "a variable"))?;
    if !system {
        match name.to_ascii_uppercase().as_str() {
            "NAMES" => return names(statement, session),
            "CHARSET" => return character_set(statement, session),
            "CHARACTER" if statement.keyword("SET") => return character_set(statement, session),
            "TRANSACTION" => return transaction(statement, session),
            "PASSWORD" | "ROLE" | "DEFAULT" | "PROPERTY" => return Err(unsupported(&name)),
            _ => {}
        }
    }
    if expression::is_scope(&name) {
        let qualified = statement.symbol(".");
        if !qualified && system {
            return Err(expected(statement, "`.`"));
        }
        if statement.keyword("TRANSACTION") {
            return transaction(statement, session);
        }
        name = statement.name().ok_or_else(|| expected(statement, "a variable"))?;
    }
    if !statement.symbol("=") && !statement.symbol(":=") {
        return Err(expected(statement, "`=`"));
    }
    match read_value(statement, session)? {
        Assigned::Default => session.variables.reset(&name),
        Assigned::Value(value) => session.variables.set(&name, value.into_text()),
    }
}

enum Assigned {
    Default,
    Value(Value),
}

/// An expression, or a bare word such as `utf8mb4` or `ON`.
fn read_value(statement: &mut Statement<'_>, session: &Session) -> Result<Assigned, SqlError> {
    if statement.keyword("DEFAULT") {
        return Ok(Assigned::Default);
    }
    let mut ahead = statement.clone();
    if let Some(value) = expression::evaluate(&mut ahead, session)? {
        *statement = ahead;
        return Ok(Assigned::Value(value));
    }
    let mut ahead = statement.clone();
    match ahead.name() {
        Some(word) if ends_value(&ahead) => {
            *statement = ahead;
            Ok(Assigned::Value(Value::text(word)))
        }
        _ => Err(expected(statement, "a literal, a variable or a word")),
    }
}

fn ends_value(statement: &Statement<'_>) -> bool {
    statement.peek().is_none_or(|token| token.is_symbol(","))
}

fn assign_user_variable(statement: &mut Statement<'_>, session: &mut Session) -> Result<(), SqlError> {
    let name = statement.value().ok_or_else(|| expected(statement, "a variable"))?.to_lowercase();
    if !statement.symbol("=") && !statement.symbol(":=") {
        return Err(expected(statement, "`=`"));
    }
    let value =
        expression::evaluate(statement, session)?.ok_or_else(|| expected(statement, "a literal or a variable"))?;
    if session.user_variables.len() >= MOST_USER_VARIABLES && !session.user_variables.contains_key(&name) {
        let message = format!("a session can hold {MOST_USER_VARIABLES} variables of its own");
        return Err(SqlError::new(code::PARSE, message));
    }
    session.user_variables.insert(name, value.cell);
    Ok(())
}

/// `NAMES charset [COLLATE collation] | NAMES DEFAULT`. Any is taken, none changes what is sent: text is UTF-8 always.
fn names(statement: &mut Statement<'_>, session: &mut Session) -> Result<(), SqlError> {
    const TOLD: [&str; 3] = ["character_set_client", "character_set_connection", "character_set_results"];
    if statement.keyword("DEFAULT") {
        return TOLD.iter().try_for_each(|name| session.variables.reset(name));
    }
    let charset = statement.value().ok_or_else(|| expected(statement, "a character set"))?;
    for name in TOLD {
        session.variables.set(name, Some(charset.to_lowercase()))?;
    }
    if statement.keyword("COLLATE") {
        let collation = statement.value().ok_or_else(|| expected(statement, "a collation"))?;
        session.variables.set("collation_connection", Some(collation.to_lowercase()))?;
    }
    Ok(())
}

fn character_set(statement: &mut Statement<'_>, session: &mut Session) -> Result<(), SqlError> {
    if statement.keyword("DEFAULT") {
        session.variables.reset("character_set_client")?;
        return session.variables.reset("character_set_results");
    }
    let charset = statement.value().ok_or_else(|| expected(statement, "a character set"))?.to_lowercase();
    session.variables.set("character_set_client", Some(charset.clone()))?;
    session.variables.set("character_set_results", Some(charset))
}

/// `TRANSACTION {ISOLATION LEVEL level | READ WRITE | READ ONLY} [, ...]`: remembered, since drivers ask for it.
fn transaction(statement: &mut Statement<'_>, session: &mut Session) -> Result<(), SqlError> {
    loop {
        let first = statement.word().unwrap_or_default();
        let second = statement.word().unwrap_or_default();
        match (first.as_str(), second.as_str()) {
            ("ISOLATION", "LEVEL") => {
                let mut level = statement.word().ok_or_else(|| expected(statement, "an isolation level"))?;
                if let Some(rest) = statement.word() {
                    level = format!("{level}-{rest}");
                }
                session.variables.set("transaction_isolation", Some(level))?;
            }
            ("READ", mode @ ("WRITE" | "ONLY")) => {
                let only = if mode == "ONLY" { "ON" } else { "OFF" };
                session.variables.set("transaction_read_only", Some(only.to_owned()))?;
            }
            _ => {
                return Err(expected(statement, "`ISOLATION LEVEL`, `READ WRITE` or `READ ONLY`"));
            }
        }
        if !statement.symbol(",") {
            return Ok(());
        }
    }
}

fn unsupported(what: &str) -> SqlError {
    SqlError::new(code::PARSE, format!("`SET {}` is not supported", what.to_ascii_uppercase()))
        .with_hint("there is one user, `root`, whose password is given when Penstock starts")
}
