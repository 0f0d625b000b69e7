//! What one connection has said so far, as far as later statements depend on it.

use std::collections::BTreeMap;

use penstock_sql::error::SqlError;
use penstock_sql::request::SessionContext;
use penstock_sql::result::Cell;

use crate::compat::variable::Variables;
use crate::protocol::reply::status;

/// State of a logged-in connection.
pub(crate) struct Session {
    /// Its number, as CONNECTION_ID() tells it.
    pub(crate) connection: u32,
    /// Who is connected, without host.
    pub(crate) user: String,
    /// Where from, without port.
    pub(crate) host: String,
    /// The database of USE.
    pub(crate) database: Option<String>,
    /// System variables that differ from the server's.
    pub(crate) variables: Variables,
    /// `@name` variables, by lower-case name.
    pub(crate) user_variables: BTreeMap<String, Cell>,
    /// Whether the client believes to be in a transaction.
    pub(crate) in_transaction: bool,
    /// What SHOW WARNINGS answers: the error of the last statement, if it had one.
    pub(crate) last_error: Option<SqlError>,
}

impl Session {
    pub(crate) fn new(connection: u32, user: String, host: String, variables: Variables) -> Self {
        Self {
            connection,
            user,
            host,
            database: None,
            variables,
            user_variables: BTreeMap::new(),
            in_transaction: false,
            last_error: None,
        }
    }

    /// What the functions are told of it.
    pub(crate) fn context(&self) -> SessionContext {
        SessionContext {
            user: self.user.clone(),
            database: self.database.clone(),
            time_zone: self.variables.time_zone().to_owned(),
        }
    }

    /// The status bits of an answer.
    pub(crate) fn status(&self) -> u16 {
        let autocommit = if self.variables.autocommit() { status::AUTOCOMMIT } else { 0 };
        let transaction = if self.in_transaction { status::IN_TRANSACTION } else { 0 };
        autocommit | transaction
    }

    /// Forgets all but who is connected and the database, as COM_RESET_CONNECTION demands.
    pub(crate) fn reset(&mut self) {
        self.variables.reset_all();
        self.user_variables.clear();
        self.in_transaction = false;
        self.last_error = None;
    }
}
