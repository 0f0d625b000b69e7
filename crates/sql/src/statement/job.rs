//! Statements about routine load jobs.

use std::fmt;

use penstock_kernel::job::{ColumnItem, LoadClauses, MetadataItem};

use super::table::FromDatabase;
use super::{ObjectName, Pairs};
use crate::filter::{Condition, Limit, OrderBy, Where};
use crate::print::{List, Name, Names, Quoted};

/// `CREATE ROUTINE LOAD <job> ON <table> ... FROM KAFKA (...)`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRoutineLoad {
    /// The job.
    pub name: ObjectName,
    /// The table, in the job's database.
    pub table: String,
    /// `COLUMNS (...)`, `WHERE` and their like.
    pub clauses: LoadClauses,
    /// `PROPERTIES (...)`; empty if the clause is absent.
    pub properties: Pairs,
    /// `FROM KAFKA (...)`
    pub source: Pairs,
}

/// `ALTER ROUTINE LOAD FOR <job> ...`: what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterRoutineLoad {
    /// The job.
    pub name: ObjectName,
    /// Clauses to replace.
    pub clauses: LoadClauses,
    /// Properties to replace; empty if the clause is absent.
    pub properties: Pairs,
    /// Source properties to replace, if the clause is there.
    pub source: Option<Pairs>,
}

/// `SHOW [ALL] ROUTINE LOAD [FOR ...] [FROM ...] [WHERE ...] [ORDER BY ...] [LIMIT ...]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShowRoutineLoad {
    /// Stopped and cancelled jobs too.
    pub all: bool,
    /// `FOR`: jobs of this name.
    pub job: Option<ObjectName>,
    /// `FROM`: the database.
    pub database: Option<String>,
    /// Conditions on [`JOB_COLUMNS`], all of which must hold; titles as in that list.
    pub conditions: Vec<Condition>,
    /// Columns of [`JOB_COLUMNS`] to order by; titles as in that list.
    pub order: Vec<OrderBy>,
    /// Which rows of what is left.
    pub limit: Option<Limit>,
}

/// `SHOW ROUTINE LOAD TASK [FROM <database>] WHERE JobName = '<job>'`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowRoutineLoadTask {
    /// The database, if given.
    pub database: Option<String>,
    /// The job.
    pub job: String,
}

/// A column of SHOW ROUTINE LOAD that WHERE and ORDER BY may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobColumn {
    /// Its title.
    pub title: &'static str,
    /// What it may be compared with.
    pub kind: JobColumnKind,
}

/// What a column of SHOW ROUTINE LOAD may be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobColumnKind {
    /// Integers: all six operators.
    Integer,
    /// Strings: `=`, `!=`, LIKE, IN.
    Text,
    /// Strings that are a date or a moment: all six operators.
    Time,
}

/// The columns of SHOW ROUTINE LOAD that WHERE and ORDER BY may name, regardless of case.
pub const JOB_COLUMNS: [JobColumn; 10] = {
    const fn column(title: &'static str, kind: JobColumnKind) -> JobColumn {
        JobColumn { title, kind }
    }
    [
        column("Id", JobColumnKind::Integer),
        column("Name", JobColumnKind::Text),
        column("CreateTime", JobColumnKind::Time),
        column("PauseTime", JobColumnKind::Time),
        column("EndTime", JobColumnKind::Time),
        column("TableName", JobColumnKind::Text),
        column("State", JobColumnKind::Text),
        column("CurrentTaskNum", JobColumnKind::Integer),
        column("ReasonOfStateChanged", JobColumnKind::Text),
        column("OtherMsg", JobColumnKind::Text),
    ]
};

impl fmt::Display for CreateRoutineLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CREATE ROUTINE LOAD {} ON {}", self.name, Name(&self.table))?;
        write!(f, "{}{}", Clauses(&self.clauses), PropertiesClause(&self.properties))?;
        f.write_str("\nFROM KAFKA")?;
        if !self.source.0.is_empty() {
            write!(f, "\n{}", self.source)?;
        }
        Ok(())
    }
}

impl fmt::Display for AlterRoutineLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ALTER ROUTINE LOAD FOR {}", self.name)?;
        write!(f, "{}{}", Clauses(&self.clauses), PropertiesClause(&self.properties))?;
        match &self.source {
            Some(source) => write!(f, "\nFROM KAFKA\n{source}"),
            None => Ok(()),
        }
    }
}

struct PropertiesClause<'a>(&'a Pairs);

impl fmt::Display for PropertiesClause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.0.is_empty() { Ok(()) } else { write!(f, "\nPROPERTIES\n{}", self.0) }
    }
}

/// The load properties, each on a line of its own behind what came before.
pub(crate) struct Clauses<'a>(pub(crate) &'a LoadClauses);

impl fmt::Display for Clauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clauses = self.0;
        let mut separator = "\n";
        let mut clause = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            let written = write!(f, "{separator}{text}");
            separator = ",\n";
            written
        };
        if let Some(text) = &clauses.column_separator {
            clause(f, format_args!("COLUMNS TERMINATED BY {}", Quoted(text)))?;
        }
        if let Some(text) = &clauses.row_delimiter {
            clause(f, format_args!("ROWS TERMINATED BY {}", Quoted(text)))?;
        }
        if let Some(items) = &clauses.columns {
            let items: Vec<Item<'_>> = items.iter().map(Item).collect();
            clause(f, format_args!("COLUMNS ({})", List(&items)))?;
        }
        if let Some(items) = &clauses.metadata {
            let items: Vec<Metadata<'_>> = items.iter().map(Metadata).collect();
            clause(f, format_args!("INCLUDE METADATA ({})", List(&items)))?;
        }
        if let Some(filter) = &clauses.filter {
            clause(f, format_args!("WHERE {filter}"))?;
        }
        if let Some(names) = &clauses.table_partitions {
            clause(f, format_args!("PARTITION ({})", Names(names)))?;
        }
        Ok(())
    }
}

struct Item<'a>(&'a ColumnItem);

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ColumnItem::Plain(name) => Name(name).fmt(f),
            ColumnItem::Assignment { name, expression } => {
                write!(f, "{} = {expression}", Name(name))
            }
        }
    }
}

struct Metadata<'a>(&'a MetadataItem);

impl fmt::Display for Metadata<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MetadataItem { field, alias } = self.0;
        match alias {
            Some(alias) => write!(f, "{field} AS {}", Name(alias)),
            None => field.fmt(f),
        }
    }
}

impl fmt::Display for ShowRoutineLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.all { "SHOW ALL ROUTINE LOAD" } else { "SHOW ROUTINE LOAD" })?;
        if let Some(job) = &self.job {
            write!(f, " FOR {job}")?;
        }
        write!(f, "{}{}", FromDatabase(&self.database), Where(&self.conditions))?;
        if !self.order.is_empty() {
            write!(f, " ORDER BY {}", List(&self.order))?;
        }
        match &self.limit {
            Some(limit) => limit.fmt(f),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ShowRoutineLoadTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = FromDatabase(&self.database);
        write!(f, "SHOW ROUTINE LOAD TASK{database} WHERE JobName = {}", Quoted(&self.job))
    }
}
