//! CHECK TABLE as the maintain function is asked for it: piece by piece, since reading a large table takes long.

use serde::{Deserialize, Serialize};

/// Asks for a piece of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRequest {
    /// The table's id.
    pub table: u64,
    /// The key of the last file that was checked; `None` to begin.
    pub after: Option<String>,
    /// Time after which no further file is begun, milliseconds.
    pub budget_ms: u64,
}

/// The event that carries it to the function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckInvocation {
    /// What is asked.
    pub check: CheckRequest,
}

/// A file that is not what the catalog says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedFile {
    /// Its key, relative to the volume's location.
    pub key: String,
    /// What is wrong: expected and found.
    pub message: String,
}

/// What a piece came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReply {
    /// Files that were checked.
    pub files: u64,
    /// Rows of those that were right.
    pub rows: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// The others.
    pub damaged: Vec<DamagedFile>,
    /// Key of the last file that was looked at.
    pub after: Option<String>,
    /// Whether none is left.
    pub finished: bool,
}

/// The function's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckAnswer {
    /// It checked a piece.
    Done(CheckReply),
    /// It cannot: the message says what must change.
    Refused {
        /// For a person.
        message: String,
    },
    /// It cannot now: ask again.
    Unavailable {
        /// For a person.
        message: String,
    },
}
