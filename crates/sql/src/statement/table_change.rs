//! Statements about what a table holds: its partitions, and all its rows.

use std::fmt;

use super::partition_by::{ListClause, RangeClause};
use super::{ObjectName, TableFilter};
use crate::print::Names;

/// `ALTER TABLE <table> ...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterTable {
    /// The table.
    pub table: ObjectName,
    /// What to change.
    pub change: TableChange,
}

/// A change of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableChange {
    /// `ADD PARTITION [IF NOT EXISTS] ...` or `ADD PARTITIONS ...`
    AddPartition {
        /// One of that name is no error.
        if_not_exists: bool,
        /// What to add.
        added: AddedPartition,
    },
    /// `DROP PARTITION [IF EXISTS] <name> [FORCE]` or `DROP PARTITIONS [IF EXISTS] (<names>) [FORCE]`
    DropPartitions {
        /// An unknown name is no error.
        if_exists: bool,
        /// At least one.
        names: Vec<String>,
        /// FORCE: in StarRocks, without the recycle bin.
        force: bool,
    },
}

/// What ADD PARTITION adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddedPartition {
    /// To a table divided by RANGE.
    Range(RangeClause),
    /// To a table divided by LIST.
    List(ListClause),
}

/// `TRUNCATE TABLE <table> [PARTITION (<names>)]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruncateTable {
    /// The table.
    pub table: ObjectName,
    /// Only these partitions; `None` for the whole table.
    pub partitions: Option<Vec<String>>,
}

/// `SHOW PARTITIONS FROM <table> [WHERE ...]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowPartitions {
    /// The table.
    pub table: ObjectName,
    /// Which ones.
    pub filter: TableFilter,
}

impl fmt::Display for AlterTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ALTER TABLE {} ", self.table)?;
        match &self.change {
            TableChange::AddPartition { if_not_exists, added } => {
                let exists = if *if_not_exists { " IF NOT EXISTS" } else { "" };
                // The clause of one partition begins with the word itself.
                let clause = match added {
                    AddedPartition::Range(RangeClause::Batch(batch)) => {
                        return write!(f, "ADD PARTITIONS{exists} {batch}");
                    }
                    AddedPartition::Range(RangeClause::One(item)) => item.to_string(),
                    AddedPartition::List(list) => list.to_string(),
                };
                let clause = clause.strip_prefix("PARTITION").unwrap_or(&clause);
                write!(f, "ADD PARTITION{exists}{clause}")
            }
            TableChange::DropPartitions { if_exists, names, force } => {
                let exists = if *if_exists { " IF EXISTS" } else { "" };
                let force = if *force { " FORCE" } else { "" };
                write!(f, "DROP PARTITIONS{exists} ({}){force}", Names(names))
            }
        }
    }
}

impl fmt::Display for TruncateTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TRUNCATE TABLE {}", self.table)?;
        match &self.partitions {
            Some(names) => write!(f, " PARTITION ({})", Names(names)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ShowPartitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHOW PARTITIONS FROM {}{}", self.table, self.filter)
    }
}
