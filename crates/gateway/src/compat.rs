//! What clients say to a server about itself: variables, SHOW, transactions, KILL.
//!
//! These statements concern the connection, so the gateway answers them and no function is called. What is here exists
//! because a named client sends it:
//!
//! | client | when it connects |
//! | --- | --- |
//! | `mysql` (MySQL and MariaDB) | `select @@version_comment limit 1`, `SELECT DATABASE()`, `KILL QUERY n` on Ctrl-C |
//! | PyMySQL, mysql-connector-python | `SET NAMES`, `SET AUTOCOMMIT`, `SET @@session.autocommit`, `SELECT @@...` |
//! | mysql2 | `SET NAMES`, `SELECT @@...` |
//! | Connector/J, DBeaver | one SELECT of some twenty `@@session` variables `AS` their names, `SHOW VARIABLES`, `SET character_set_results = NULL`, `SET sql_mode = ...`, SHOW ENGINES, CHARSET, COLLATION, PLUGINS, STATUS |
//! | dumps and GUIs | `/*!40101 SET ... */` |
//!
//! Transactions are accepted and change nothing but the status that drivers read: every statement of Penstock stands
//! alone and is final when it is answered.

pub(crate) mod executable;
mod expression;
mod pattern;
mod select;
mod set;
mod show;
mod statement;
pub(crate) mod variable;

use penstock_sql::error::{SqlError, code};
use penstock_sql::result::ResultSet;

use crate::registry::Kill;
use crate::server::Server;
use crate::session::Session;
use statement::Statement;

/// Error numbers of MySQL that only these statements have.
pub(crate) mod error_code {
    pub(crate) const UNKNOWN_COLUMN: u16 = 1054;
    pub(crate) const UNKNOWN_CONNECTION: u16 = 1094;
    pub(crate) const UNKNOWN_VARIABLE: u16 = 1193;
    pub(crate) const WRONG_VALUE: u16 = 1231;
    pub(crate) const WRONG_TYPE: u16 = 1232;
    pub(crate) const READ_ONLY: u16 = 1238;
}

/// What the connection answers by itself.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Nothing to show.
    Done,
    /// Rows.
    Rows(ResultSet),
}

/// Answers `sql`, one statement; `None` if it is for a function after all.
///
/// # Errors
/// What is wrong with the statement, as MySQL would number it.
pub(crate) fn answer(sql: &str, session: &mut Session, server: &Server) -> Result<Option<Answer>, SqlError> {
    let mut statement = Statement::new(sql);
    let Some(first) = statement.word() else {
        return Ok(None);
    };
    match first.as_str() {
        "SELECT" => Ok(select::answer(statement, session)?.map(Answer::Rows)),
        "SHOW" => Ok(show::answer(statement, session, server)?.map(Answer::Rows)),
        "SET" => set::answer(statement, session).map(|()| Some(Answer::Done)),
        "BEGIN" => transaction(session, true),
        "START" if statement.keyword("TRANSACTION") => transaction(session, true),
        "COMMIT" | "ROLLBACK" => transaction(session, false),
        "SAVEPOINT" | "RELEASE" | "LOCK" | "UNLOCK" | "DO" => Ok(Some(Answer::Done)),
        "KILL" => kill(statement, session, server).map(Some),
        _ => Ok(None),
    }
}

fn transaction(session: &mut Session, open: bool) -> Result<Option<Answer>, SqlError> {
    session.in_transaction = open;
    Ok(Some(Answer::Done))
}

fn kill(mut statement: Statement<'_>, session: &Session, server: &Server) -> Result<Answer, SqlError> {
    let kill = if statement.keyword("QUERY") {
        Kill::Query
    } else {
        statement.keyword("CONNECTION");
        Kill::Connection
    };
    let number = statement.value().filter(|_| statement.is_at_end()).and_then(|number| number.parse().ok());
    let number: u32 = number.ok_or_else(|| {
        SqlError::new(code::PARSE, "`KILL` expects the number of a connection")
            .with_hint("`SHOW PROCESSLIST` names them")
    })?;
    if server.registry.kill(number, kill) || number == session.connection {
        Ok(Answer::Done)
    } else {
        Err(SqlError::new(error_code::UNKNOWN_CONNECTION, format!("unknown connection {number}")))
    }
}

#[cfg(test)]
mod tests;
