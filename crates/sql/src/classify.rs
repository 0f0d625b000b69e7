//! Who answers a statement: the query function, the admin function, or the connection itself.
//!
//! Decided by the first words, so that a gateway needs no grammar and a statement that is wrong still reaches the one
//! who can say what is wrong with it.

use crate::lexer::{Lexer, Token, TokenKind};

/// Who answers a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The query function: SELECT and its like.
    Query,
    /// The admin function: everything that defines, steers or shows what is in the catalog.
    Admin,
    /// The connection: variables, transactions, and what clients ask a server about itself. A SELECT is here if it reads
    /// no table and names a variable or asks about the session; what the connection cannot answer of it, query can.
    Session,
}

/// What `SHOW` can ask that is about the server or the connection, not about the catalog.
const SESSION_SHOWS: [&str; 28] = [
    "AUTHENTICATION",
    "BINARY",
    "CHARACTER",
    "CHARSET",
    "COLLATION",
    "COUNT",
    "ENGINE",
    "ENGINES",
    "ERRORS",
    "EVENTS",
    "FUNCTION",
    "GLOBAL",
    "GRANTS",
    "LOCAL",
    "MASTER",
    "PLUGINS",
    "PRIVILEGES",
    "PROCEDURE",
    "PROCESSLIST",
    "PROFILE",
    "PROFILES",
    "REPLICA",
    "SESSION",
    "SLAVE",
    "STATUS",
    "TRIGGERS",
    "VARIABLES",
    "WARNINGS",
];

/// Functions about the session that clients call without a table.
const SESSION_FUNCTIONS: [&str; 12] = [
    "CONNECTION_ID",
    "CURRENT_CATALOG",
    "CURRENT_ROLE",
    "CURRENT_USER",
    "CURRENT_VERSION",
    "DATABASE",
    "FOUND_ROWS",
    "LAST_INSERT_ID",
    "SCHEMA",
    "SESSION_USER",
    "USER",
    "VERSION",
];

/// Tokens that a decision looks at, at most. A SELECT that clients send about the session is short.
const LOOK_AHEAD: usize = 4096;

/// Who answers `sql`, one statement. A text without any token is the session's: there is nothing to do.
pub fn classify(sql: &str) -> Destination {
    let mut tokens = Lexer::new(sql).skip_while(|token| token.is_symbol("("));
    let Some(first) = tokens.next() else {
        return if sql.contains('(') { Destination::Query } else { Destination::Session };
    };
    let word = keyword(&first);
    match word.as_str() {
        "SELECT" if asks_about_session(tokens.clone()) => Destination::Session,
        "SELECT" | "WITH" | "VALUES" | "TABLE" => Destination::Query,
        "EXPLAIN" | "DESC" | "DESCRIBE" => explained(tokens),
        "SHOW" => shown(tokens),
        "SET" if sets_default_volume(tokens.clone()) => Destination::Admin,
        "SET" | "KILL" | "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "LOCK" | "UNLOCK"
        | "PREPARE" | "EXECUTE" | "DEALLOCATE" | "HELP" | "DO" => Destination::Session,
        _ => Destination::Admin,
    }
}

fn keyword(token: &Token<'_>) -> String {
    match token.kind {
        TokenKind::Word => token.text.to_ascii_uppercase(),
        _ => String::new(),
    }
}

fn asks_about_session<'a>(tokens: impl Iterator<Item = Token<'a>>) -> bool {
    let mut about = false;
    for token in tokens.take(LOOK_AHEAD) {
        if token.is_keyword("FROM") {
            return false;
        }
        about |= token.is_symbol("@@") || token.is_symbol("@");
        about |= token.kind == TokenKind::Word && SESSION_FUNCTIONS.iter().any(|name| token.is_keyword(name));
    }
    about
}

/// `EXPLAIN SELECT` is a query; `EXPLAIN t` is another spelling of `DESC t`.
fn explained<'a>(tokens: impl Iterator<Item = Token<'a>>) -> Destination {
    for token in tokens.take(LOOK_AHEAD) {
        match keyword(&token).as_str() {
            "SELECT" | "WITH" | "VALUES" | "ANALYZE" | "VERBOSE" | "COSTS" | "LOGICAL" => {
                return Destination::Query;
            }
            _ if token.is_symbol("(") => {}
            _ => return Destination::Admin,
        }
    }
    Destination::Admin
}

fn shown<'a>(mut tokens: impl Iterator<Item = Token<'a>>) -> Destination {
    let mut next = || tokens.next().as_ref().map(keyword).unwrap_or_default();
    let mut word = next();
    if word == "FULL" {
        word = next();
    }
    if SESSION_SHOWS.contains(&word.as_str()) { Destination::Session } else { Destination::Admin }
}

/// `SET <name> AS DEFAULT STORAGE VOLUME` is about the catalog.
fn sets_default_volume<'a>(tokens: impl Iterator<Item = Token<'a>>) -> bool {
    let words: Vec<String> = tokens.skip(1).take(4).map(|token| keyword(&token)).collect();
    words == ["AS", "DEFAULT", "STORAGE", "VOLUME"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_go_to_who_can_answer_them() {
        for (sql, destination) in [
            ("SELECT * FROM site_clicks", Destination::Query),
            ("select 1", Destination::Query),
            ("(SELECT 1) UNION (SELECT 2)", Destination::Query),
            ("/* c */ WITH a AS (SELECT 1) SELECT * FROM a", Destination::Query),
            ("VALUES (1)", Destination::Query),
            ("EXPLAIN SELECT 1", Destination::Query),
            ("DESC SELECT 1", Destination::Query),
            ("SELECT @@version_comment LIMIT 1", Destination::Session),
            ("SELECT DATABASE()", Destination::Session),
            ("SELECT user FROM t", Destination::Query),
            ("SET NAMES utf8mb4", Destination::Session),
            ("/*!40101 SET NAMES utf8 */", Destination::Session),
            ("", Destination::Session),
            ("-- nothing", Destination::Session),
            ("SHOW FULL PROCESSLIST", Destination::Session),
            ("SHOW VARIABLES LIKE 'x'", Destination::Session),
            ("SHOW SESSION STATUS", Destination::Session),
            ("SHOW FULL TABLES", Destination::Admin),
            ("SHOW ROUTINE LOAD", Destination::Admin),
            ("SHOW ALL ROUTINE LOAD", Destination::Admin),
            ("DESC STORAGE VOLUME v", Destination::Admin),
            ("EXPLAIN t", Destination::Admin),
            ("SET v AS DEFAULT STORAGE VOLUME", Destination::Admin),
            ("USE db", Destination::Admin),
            ("create database d", Destination::Admin),
            ("nonsense", Destination::Admin),
        ] {
            assert_eq!(classify(sql), destination, "{sql}");
        }
    }
}
