//! Statements that look into a job without changing it: EXPLAIN, PREVIEW, versions.

use std::fmt;

use super::{CreateRoutineLoad, ObjectName};

/// A job that exists, or one that might: what EXPLAIN and PREVIEW are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobOrDefinition {
    /// `FOR [<database>.]<job>`
    Job(ObjectName),
    /// A whole CREATE ROUTINE LOAD statement, which creates nothing here.
    Definition(Box<CreateRoutineLoad>),
}

/// `PREVIEW ROUTINE LOAD FOR <job> [LIMIT <records>]` or `PREVIEW CREATE ROUTINE LOAD ... [LIMIT <records>]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewRoutineLoad {
    /// What is previewed.
    pub of: JobOrDefinition,
    /// Newest records of each source partition to look at; `None`: as many as the server finds fit.
    pub records: Option<u64>,
}

impl fmt::Display for JobOrDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(name) => write!(f, "ROUTINE LOAD FOR {name}"),
            Self::Definition(definition) => definition.fmt(f),
        }
    }
}

impl fmt::Display for PreviewRoutineLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PREVIEW {}", self.of)?;
        match self.records {
            Some(records) => write!(f, " LIMIT {records}"),
            None => Ok(()),
        }
    }
}
