//! The statement that puts rejected rows through their job once more.

use std::fmt;

use super::ObjectName;
use crate::predicate::Predicate;

/// `REPLAY REJECTED ROWS FOR <job> [WHERE ...]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRejected {
    /// The job.
    pub job: ObjectName,
    /// WHERE, in terms of [`COLUMNS`](crate::replay::COLUMNS); names as in that list.
    pub filter: Option<Predicate>,
}

impl fmt::Display for ReplayRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "REPLAY REJECTED ROWS FOR {}", self.job)?;
        match &self.filter {
            Some(filter) => write!(f, " WHERE {filter}"),
            None => Ok(()),
        }
    }
}
