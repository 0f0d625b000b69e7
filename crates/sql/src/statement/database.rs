//! Statements about databases.

use std::fmt;

use super::{Pairs, TableFilter};
use crate::print::Name;

/// `CREATE DATABASE [IF NOT EXISTS] <name> [PROPERTIES (...)]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateDatabase {
    /// One of that name is no error.
    pub if_not_exists: bool,
    /// The name.
    pub name: String,
    /// Properties; empty if the clause is absent.
    pub properties: Pairs,
}

/// `DROP DATABASE [IF EXISTS] <name> [FORCE]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropDatabase {
    /// An unknown name is no error.
    pub if_exists: bool,
    /// The name.
    pub name: String,
    /// FORCE: in StarRocks, without the recycle bin.
    pub force: bool,
}

/// `SHOW DATABASES [FROM <catalog>] [LIKE ... | WHERE ...]`; the catalog is always the default one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowDatabases {
    /// Which ones.
    pub filter: TableFilter,
}

impl fmt::Display for CreateDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exists = if self.if_not_exists { "IF NOT EXISTS " } else { "" };
        write!(f, "CREATE DATABASE {exists}{}", Name(&self.name))?;
        if !self.properties.0.is_empty() {
            write!(f, " PROPERTIES {}", self.properties)?;
        }
        Ok(())
    }
}

impl fmt::Display for DropDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exists = if self.if_exists { "IF EXISTS " } else { "" };
        let force = if self.force { " FORCE" } else { "" };
        write!(f, "DROP DATABASE {exists}{}{force}", Name(&self.name))
    }
}

impl fmt::Display for ShowDatabases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHOW DATABASES{}", self.filter)
    }
}
