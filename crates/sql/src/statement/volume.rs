//! Statements about storage volumes.

use std::fmt;

use super::Pairs;
use crate::position::Position;
use crate::print::{List, Name, Quoted};

/// `CREATE STORAGE VOLUME [IF NOT EXISTS] <name> TYPE = <type> LOCATIONS = (...) [COMMENT ...] [PROPERTIES (...)]`
#[derive(Debug, Clone)]
pub struct CreateVolume {
    /// One of that name is no error.
    pub if_not_exists: bool,
    /// The name.
    pub name: String,
    /// The type, as written.
    pub volume_type: String,
    /// Where the type stands.
    pub type_position: Position,
    /// The locations, at least one.
    pub locations: Vec<String>,
    /// The comment; empty if there is none.
    pub comment: String,
    /// Properties; empty if the clause is absent.
    pub properties: Pairs,
}

impl PartialEq for CreateVolume {
    fn eq(&self, other: &Self) -> bool {
        self.if_not_exists == other.if_not_exists
            && self.name == other.name
            && self.volume_type == other.volume_type
            && self.locations == other.locations
            && self.comment == other.comment
            && self.properties == other.properties
    }
}

impl Eq for CreateVolume {}

/// `ALTER STORAGE VOLUME [IF EXISTS] <name> COMMENT = ..., SET (...)`: what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterVolume {
    /// An unknown name is no error.
    pub if_exists: bool,
    /// The name.
    pub name: String,
    /// The new comment.
    pub comment: Option<String>,
    /// Properties to replace.
    pub properties: Pairs,
}

/// `DROP STORAGE VOLUME [IF EXISTS] <name>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropVolume {
    /// An unknown name is no error.
    pub if_exists: bool,
    /// The name.
    pub name: String,
}

/// `SHOW STORAGE VOLUMES [LIKE '<pattern>']`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowVolumes {
    /// Pattern of the name.
    pub like: Option<String>,
}

impl fmt::Display for CreateVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exists = if self.if_not_exists { "IF NOT EXISTS " } else { "" };
        write!(f, "CREATE STORAGE VOLUME {exists}{}\nTYPE = {}", Name(&self.name), Name(&self.volume_type))?;
        let locations: Vec<Quoted<'_>> = self.locations.iter().map(|location| Quoted(location)).collect();
        write!(f, "\nLOCATIONS = ({})", List(&locations))?;
        if !self.comment.is_empty() {
            write!(f, "\nCOMMENT {}", Quoted(&self.comment))?;
        }
        if !self.properties.0.is_empty() {
            write!(f, "\nPROPERTIES {}", self.properties)?;
        }
        Ok(())
    }
}

impl fmt::Display for AlterVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exists = if self.if_exists { "IF EXISTS " } else { "" };
        write!(f, "ALTER STORAGE VOLUME {exists}{}", Name(&self.name))?;
        let mut separator = "";
        if let Some(comment) = &self.comment {
            write!(f, " COMMENT = {}", Quoted(comment))?;
            separator = ",";
        }
        if !self.properties.0.is_empty() {
            write!(f, "{separator} SET {}", self.properties)?;
        }
        Ok(())
    }
}

impl fmt::Display for DropVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exists = if self.if_exists { "IF EXISTS " } else { "" };
        write!(f, "DROP STORAGE VOLUME {exists}{}", Name(&self.name))
    }
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
