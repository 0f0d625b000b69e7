//! Statements about tables.

use std::fmt;

use penstock_kernel::table::{ColumnDefault, ColumnType, Distribution};

use super::partition_by::PartitionBy;
use super::{ObjectName, Pairs};
use crate::filter::{Condition, Where};
use crate::position::Position;
use crate::print::{Name, Names, Quoted};

/// `CREATE TABLE`: a table of duplicate key, the only kind there is yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTable {
    /// One of that name is no error.
    pub if_not_exists: bool,
    /// The name.
    pub name: ObjectName,
    /// Columns in order; never empty.
    pub columns: Vec<ColumnClause>,
    /// `DUPLICATE KEY (...)`, or the columns marked KEY; `None` if the key is to be inferred.
    pub key_columns: Option<Vec<String>>,
    /// `COMMENT`
    pub comment: Option<String>,
    /// `PARTITION BY`
    pub partition_by: Option<PartitionBy>,
    /// `DISTRIBUTED BY`
    pub distribution: Option<Distribution>,
    /// `PROPERTIES (...)`; empty if the clause is absent.
    pub properties: Pairs,
}

/// A column of CREATE TABLE. Equality does not regard where it stands.
#[derive(Debug, Clone)]
pub struct ColumnClause {
    /// Its name.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// False for NOT NULL.
    pub nullable: bool,
    /// `DEFAULT`; `DEFAULT NULL` is none.
    pub default: Option<ColumnDefault>,
    /// `COMMENT`
    pub comment: Option<String>,
    /// Where its name stands.
    pub position: Position,
}

/// `DROP TABLE [IF EXISTS] <table> [FORCE]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropTable {
    /// An unknown name is no error.
    pub if_exists: bool,
    /// The table.
    pub name: ObjectName,
    /// FORCE: in StarRocks, without the recycle bin.
    pub force: bool,
}

/// `LIKE` or `WHERE` of a SHOW statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFilter {
    /// Pattern of the name.
    pub like: Option<String>,
    /// Conditions on columns of the result, all of which must hold.
    pub conditions: Vec<Condition>,
}

/// `SHOW [FULL] TABLES [FROM <database>] [LIKE ... | WHERE ...]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowTables {
    /// With their kind.
    pub full: bool,
    /// The database, if given.
    pub database: Option<String>,
    /// Which ones.
    pub filter: TableFilter,
}

/// `SHOW TABLE STATUS [FROM <database>] [LIKE ... | WHERE ...]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowTableStatus {
    /// The database, if given.
    pub database: Option<String>,
    /// Which ones.
    pub filter: TableFilter,
}

/// `SHOW [FULL] COLUMNS FROM <table> [LIKE ... | WHERE ...]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowColumns {
    /// With collation, privileges and comment.
    pub full: bool,
    /// The table.
    pub table: ObjectName,
    /// Which ones.
    pub filter: TableFilter,
}

impl PartialEq for ColumnClause {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.column_type == other.column_type
            && self.nullable == other.nullable
            && self.default == other.default
            && self.comment == other.comment
    }
}

impl Eq for ColumnClause {}

impl fmt::Display for CreateTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exists = if self.if_not_exists { "IF NOT EXISTS " } else { "" };
        write!(f, "CREATE TABLE {exists}{} (", self.name)?;
        for (index, column) in self.columns.iter().enumerate() {
            write!(f, "{}\n  {column}", if index > 0 { "," } else { "" })?;
        }
        f.write_str("\n)")?;
        if let Some(key) = &self.key_columns {
            write!(f, "\nDUPLICATE KEY({})", Names(key))?;
        }
        if let Some(comment) = &self.comment {
            write!(f, "\nCOMMENT {}", Quoted(comment))?;
        }
        if let Some(partition_by) = &self.partition_by {
            write!(f, "\n{partition_by}")?;
        }
        if let Some(distribution) = &self.distribution {
            write!(f, "\n{}", DistributedBy(distribution))?;
        }
        if !self.properties.0.is_empty() {
            write!(f, "\nPROPERTIES {}", self.properties)?;
        }
        Ok(())
    }
}

impl fmt::Display for ColumnClause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let null = if self.nullable { "NULL" } else { "NOT NULL" };
        write!(f, "{} {} {null}", Name(&self.name), self.column_type)?;
        match &self.default {
            Some(ColumnDefault::Literal(text)) => write!(f, " DEFAULT {}", Quoted(text))?,
            Some(ColumnDefault::CurrentTimestamp) => f.write_str(" DEFAULT CURRENT_TIMESTAMP")?,
            Some(_) | None => {}
        }
        match &self.comment {
            Some(comment) => write!(f, " COMMENT {}", Quoted(comment)),
            None => Ok(()),
        }
    }
}

/// `DISTRIBUTED BY ...`
pub(crate) struct DistributedBy<'a>(pub(crate) &'a Distribution);

impl fmt::Display for DistributedBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.hash_columns.is_empty() {
            f.write_str("DISTRIBUTED BY RANDOM")?;
        } else {
            write!(f, "DISTRIBUTED BY HASH({})", Names(&self.0.hash_columns))?;
        }
        match self.0.buckets {
            Some(buckets) => write!(f, " BUCKETS {buckets}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DropTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exists = if self.if_exists { "IF EXISTS " } else { "" };
        let force = if self.force { " FORCE" } else { "" };
        write!(f, "DROP TABLE {exists}{}{force}", self.name)
    }
}

impl fmt::Display for TableFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(pattern) = &self.like {
            write!(f, " LIKE {}", Quoted(pattern))?;
        }
        Where(&self.conditions).fmt(f)
    }
}

/// ` FROM <database>`, or nothing.
pub(super) struct FromDatabase<'a>(pub(super) &'a Option<String>);

impl fmt::Display for FromDatabase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(database) => write!(f, " FROM {}", Name(database)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ShowTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = if self.full { "FULL " } else { "" };
        write!(f, "SHOW {full}TABLES{}{}", FromDatabase(&self.database), self.filter)
    }
}

impl fmt::Display for ShowTableStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHOW TABLE STATUS{}{}", FromDatabase(&self.database), self.filter)
    }
}

impl fmt::Display for ShowColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = if self.full { "FULL " } else { "" };
        write!(f, "SHOW {full}COLUMNS FROM {}{}", self.table, self.filter)
    }
}
