//! The statement that puts rejected rows through their job once more.

use std::fmt;

use super::ObjectName;
use crate::filter::{Condition, Where};

/// `REPLAY REJECTED ROWS FOR <job> [WHERE ...]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRejected {
    /// The job.
    pub job: ObjectName,
    /// Conditions on [`COLUMNS`](crate::replay::COLUMNS), all of which must hold; names as in that list.
    pub conditions: Vec<Condition>,
}

impl fmt::Display for ReplayRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "REPLAY REJECTED ROWS FOR {}{}", self.job, Where(&self.conditions))
    }
}
