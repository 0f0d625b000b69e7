//! Statements about storage volumes.

use std::fmt;

use crate::print::Quoted;

/// `SHOW STORAGE VOLUMES [LIKE '<pattern>']`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowVolumes {
    /// Pattern of the name.
    pub like: Option<String>,
}

impl fmt::Display for ShowVolumes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW STORAGE VOLUMES")?;
        match &self.like {
            Some(pattern) => write!(f, " LIKE {}", Quoted(pattern)),
            None => Ok(()),
        }
    }
}
