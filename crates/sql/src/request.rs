//! What the gateway asks the functions, and what they answer: JSON both ways, so that either side may be in process,
//! behind the Lambda API, or of another version.

use serde::{Deserialize, Serialize};

use crate::error::SqlError;
use crate::result::ResultSet;

/// What a connection has set, as far as statements depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionContext {
    /// Who is connected, without host: `root`.
    pub user: String,
    /// The database of USE, if any.
    pub database: Option<String>,
    /// The session's `time_zone`.
    pub time_zone: String,
}

impl Default for SessionContext {
    fn default() -> Self {
        Self { user: "root".to_owned(), database: None, time_zone: "Etc/UTC".to_owned() }
    }
}

/// One statement for the admin function (anything but a query), or for the query function (SELECT and its like).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlRequest {
    /// The text of one statement, without its closing `;`.
    pub sql: String,
    /// The session it is said in.
    pub session: SessionContext,
}

/// The answer of either function. A wrong statement is an answer, not a failed invocation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SqlResponse {
    /// Done; nothing to show.
    Done {
        /// Rows the statement changed.
        affected_rows: u64,
        /// The database that the session now uses, if the statement was USE.
        database: Option<String>,
    },
    /// Rows.
    Rows(ResultSet),
    /// The statement was refused, or failed.
    Error(SqlError),
}
