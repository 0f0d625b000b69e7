//! The error a client sees: StarRocks' number, a text, and a hint.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::position::Position;

/// An error as it reaches a MySQL client: `ERROR <code> (<sqlstate>): <message>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlError {
    /// StarRocks' or MySQL's number, such as [`code::UNKNOWN_TABLE`].
    pub code: u16,
    /// Five characters.
    pub sqlstate: String,
    /// What is wrong and where: expected, found.
    pub message: String,
    /// What to do about it; printed behind the message.
    pub hint: Option<String>,
}

/// Error numbers, and the SQL state that goes with each.
pub mod code {
    /// The database exists.
    pub const DATABASE_EXISTS: u16 = 1007;
    /// The database to be dropped does not exist.
    pub const DATABASE_MISSING_ON_DROP: u16 = 1008;
    /// Wrong user or password.
    pub const ACCESS_DENIED: u16 = 1045;
    /// No database selected.
    pub const NO_DATABASE: u16 = 1046;
    /// The table exists.
    pub const TABLE_EXISTS: u16 = 1050;
    /// Anything wrong with the text or meaning of a statement.
    pub const PARSE: u16 = 1064;
    /// An unexpected failure on our side.
    pub const INTERNAL: u16 = 1105;
    /// A service (store, S3, Kafka) does not answer now.
    pub const UNAVAILABLE: u16 = 1205;
    /// Unknown or incorrect time zone.
    pub const TIME_ZONE: u16 = 1298;
    /// A bad name for an object.
    pub const BAD_NAME: u16 = 5063;
    /// Unknown database.
    pub const UNKNOWN_DATABASE: u16 = 5501;
    /// Unknown table.
    pub const UNKNOWN_TABLE: u16 = 5502;
    /// Byte length limit of a delimiter.
    pub const DELIMITER_LENGTH: u16 = 5605;
}

impl SqlError {
    /// An error with the SQL state that belongs to `code`.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        let sqlstate = match code {
            code::ACCESS_DENIED => "28000",
            code::NO_DATABASE => "3D000",
            code::PARSE | code::UNKNOWN_DATABASE | code::UNKNOWN_TABLE | code::TABLE_EXISTS => "42000",
            _ => "HY000",
        };
        Self { code, sqlstate: sqlstate.to_owned(), message: message.into(), hint: None }
    }

    /// Text that does not parse; `detail` says what was expected and what was found.
    pub fn syntax(position: Position, detail: &str) -> Self {
        let message = format!("Getting syntax error at {position}. Detail message: {}", sentence(detail));
        Self::new(code::PARSE, message)
    }

    /// A statement that parses and cannot be meant so.
    pub fn analysis(detail: &str) -> Self {
        let message = format!("Getting analyzing error. Detail message: {}", sentence(detail));
        Self::new(code::PARSE, message)
    }

    /// The same, about what stands at `position`.
    pub fn analysis_at(position: Position, detail: &str) -> Self {
        let message = format!("Getting analyzing error at {position}. Detail message: {}", sentence(detail));
        Self::new(code::PARSE, message)
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The detail with one full stop at its end, where StarRocks' own words may have one already.
fn sentence(detail: &str) -> String {
    let end = if detail.ends_with(['.', '!']) { "" } else { "." };
    format!("{detail}{end}")
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SqlError {}
