//! Statements as values. `Display` prints a statement as text that parses back to an equal one.
//!
//! What StarRocks knows and this system does not yet is refused by the parser, so no variant stands for it.

use std::fmt;

use crate::error::SqlError;
use crate::parser;
use crate::position::Position;

mod database;
mod job;
mod look;
mod pairs;
mod partition_by;
mod replay;
mod table;
mod table_change;
mod volume;

pub use database::{CreateDatabase, DropDatabase, ShowDatabases};
pub use job::{
    AlterRoutineLoad, CreateRoutineLoad, JOB_COLUMNS, JobColumn, JobColumnKind, ShowRoutineLoad, ShowRoutineLoadTask,
};
pub use look::{JobOrDefinition, PreviewRoutineLoad};
pub use pairs::{Pair, Pairs};
pub use partition_by::{
    BatchClause, Bound, BoundValue, ListClause, PartitionBy, RangeClause, RangeItem, RangeValues, Step,
};
pub use replay::ReplayRejected;
pub use table::{ColumnClause, CreateTable, DropTable, ShowColumns, ShowTableStatus, ShowTables, TableFilter};
pub use table_change::{AddedPartition, AlterTable, ShowPartitions, TableChange, TruncateTable};
pub use volume::{AlterVolume, CreateVolume, DropVolume, ShowVolumes};

use crate::print::Name;
pub(crate) use job::Clauses as JobClauses;
pub(crate) use table::DistributedBy;

/// A name that may be led by its database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// The database, if given; else that of the session is meant.
    pub database: Option<String>,
    /// The name.
    pub name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(database) = &self.database {
            write!(f, "{}.", Name(database))?;
        }
        Name(&self.name).fmt(f)
    }
}

/// A statement for the admin function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statement {
    /// `CREATE DATABASE`
    CreateDatabase(CreateDatabase),
    /// `DROP DATABASE`
    DropDatabase(DropDatabase),
    /// `SHOW DATABASES`
    ShowDatabases(ShowDatabases),
    /// `SHOW CREATE DATABASE <name>`
    ShowCreateDatabase(String),
    /// `USE <name>`
    Use(String),
    /// `SHOW CATALOGS`
    ShowCatalogs,
    /// `CREATE TABLE`
    CreateTable(Box<CreateTable>),
    /// `DROP TABLE`
    DropTable(DropTable),
    /// `ALTER TABLE`
    AlterTable(Box<AlterTable>),
    /// `TRUNCATE TABLE`
    TruncateTable(TruncateTable),
    /// `SHOW PARTITIONS`
    ShowPartitions(ShowPartitions),
    /// `SHOW TABLES`
    ShowTables(ShowTables),
    /// `SHOW TABLE STATUS`
    ShowTableStatus(ShowTableStatus),
    /// `SHOW COLUMNS`
    ShowColumns(ShowColumns),
    /// `SHOW INDEX FROM <table>`
    ShowIndex(ObjectName),
    /// `DESC <table>`
    DescribeTable(ObjectName),
    /// `SHOW CREATE TABLE <table>`
    ShowCreateTable(ObjectName),
    /// `CREATE STORAGE VOLUME`
    CreateVolume(Box<CreateVolume>),
    /// `ALTER STORAGE VOLUME`
    AlterVolume(AlterVolume),
    /// `DROP STORAGE VOLUME`
    DropVolume(DropVolume),
    /// `SET <name> AS DEFAULT STORAGE VOLUME`
    SetDefaultVolume(String),
    /// `SHOW STORAGE VOLUMES`
    ShowVolumes(ShowVolumes),
    /// `DESC STORAGE VOLUME <name>`
    DescribeVolume(String),
    /// `CREATE ROUTINE LOAD`
    CreateJob(Box<CreateRoutineLoad>),
    /// `ALTER ROUTINE LOAD`
    AlterJob(Box<AlterRoutineLoad>),
    /// `PAUSE ROUTINE LOAD FOR <job>`
    PauseJob(ObjectName),
    /// `RESUME ROUTINE LOAD FOR <job>`
    ResumeJob(ObjectName),
    /// `STOP ROUTINE LOAD FOR <job>`
    StopJob(ObjectName),
    /// `REPLAY REJECTED ROWS FOR <job>`
    ReplayRejected(ReplayRejected),
    /// `SHOW ROUTINE LOAD`
    ShowJobs(ShowRoutineLoad),
    /// `SHOW ROUTINE LOAD TASK`
    ShowTasks(ShowRoutineLoadTask),
    /// `SHOW CREATE ROUTINE LOAD <job>`
    ShowCreateJob(ObjectName),
    /// `SHOW ROUTINE LOAD VERSIONS FOR <job>`
    ShowVersions(ObjectName),
    /// `SHOW ROUTINE LOAD COVERAGE FOR <job>`
    ShowCoverage(ObjectName),
    /// `SHOW MAINTENANCE [FROM <database>]`
    ShowMaintenance(Option<String>),
    /// `CHECK TABLE <table>`
    CheckTable(ObjectName),
    /// `SHOW FILES FROM <table>`
    ShowFiles(ObjectName),
    /// `EXPLAIN ROUTINE LOAD FOR <job>` or `EXPLAIN CREATE ROUTINE LOAD ...`
    ExplainJob(JobOrDefinition),
    /// `EXPLAIN COST FOR ROUTINE LOAD <job>`
    ExplainCost(ObjectName),
    /// `PREVIEW ROUTINE LOAD`
    PreviewJob(PreviewRoutineLoad),
}

impl Statement {
    /// Parses one statement; a closing `;` is allowed.
    ///
    /// # Errors
    /// [`SqlError`] 1064 that says where, what was expected and what was found; also for a text longer than
    /// [`parser::MAX_STATEMENT_BYTES`] or nested deeper than [`parser::MAX_DEPTH`].
    pub fn parse(sql: &str) -> Result<Self, SqlError> {
        Self::parse_at(sql, Position::START)
    }

    /// Parses a statement that is part of a longer text, in which it begins at `start`: errors count from there.
    ///
    /// # Errors
    /// As [`Statement::parse`].
    pub fn parse_at(sql: &str, start: Position) -> Result<Self, SqlError> {
        parser::parse(sql, start)
    }

    /// The kind of statement, for logs: it says nothing of what the statement holds.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CreateDatabase(_) => "CREATE DATABASE",
            Self::DropDatabase(_) => "DROP DATABASE",
            Self::ShowDatabases(_) => "SHOW DATABASES",
            Self::ShowCreateDatabase(_) => "SHOW CREATE DATABASE",
            Self::Use(_) => "USE",
            Self::ShowCatalogs => "SHOW CATALOGS",
            Self::CreateTable(_) => "CREATE TABLE",
            Self::DropTable(_) => "DROP TABLE",
            Self::AlterTable(_) => "ALTER TABLE",
            Self::TruncateTable(_) => "TRUNCATE TABLE",
            Self::ShowPartitions(_) => "SHOW PARTITIONS",
            Self::ShowTables(_) => "SHOW TABLES",
            Self::ShowTableStatus(_) => "SHOW TABLE STATUS",
            Self::ShowColumns(_) => "SHOW COLUMNS",
            Self::ShowIndex(_) => "SHOW INDEX",
            Self::DescribeTable(_) => "DESC",
            Self::ShowCreateTable(_) => "SHOW CREATE TABLE",
            Self::CreateVolume(_) => "CREATE STORAGE VOLUME",
            Self::AlterVolume(_) => "ALTER STORAGE VOLUME",
            Self::DropVolume(_) => "DROP STORAGE VOLUME",
            Self::SetDefaultVolume(_) => "SET DEFAULT STORAGE VOLUME",
            Self::ShowVolumes(_) => "SHOW STORAGE VOLUMES",
            Self::DescribeVolume(_) => "DESC STORAGE VOLUME",
            Self::CreateJob(_) => "CREATE ROUTINE LOAD",
            Self::AlterJob(_) => "ALTER ROUTINE LOAD",
            Self::PauseJob(_) => "PAUSE ROUTINE LOAD",
            Self::ResumeJob(_) => "RESUME ROUTINE LOAD",
            Self::StopJob(_) => "STOP ROUTINE LOAD",
            Self::ReplayRejected(_) => "REPLAY REJECTED ROWS",
            Self::ShowJobs(_) => "SHOW ROUTINE LOAD",
            Self::ShowTasks(_) => "SHOW ROUTINE LOAD TASK",
            Self::ShowCreateJob(_) => "SHOW CREATE ROUTINE LOAD",
            Self::ShowVersions(_) => "SHOW ROUTINE LOAD VERSIONS",
            Self::ShowCoverage(_) => "SHOW ROUTINE LOAD COVERAGE",
            Self::ShowMaintenance(_) => "SHOW MAINTENANCE",
            Self::CheckTable(_) => "CHECK TABLE",
            Self::ShowFiles(_) => "SHOW FILES",
            Self::ExplainJob(_) => "EXPLAIN ROUTINE LOAD",
            Self::ExplainCost(_) => "EXPLAIN COST FOR ROUTINE LOAD",
            Self::PreviewJob(_) => "PREVIEW ROUTINE LOAD",
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateDatabase(statement) => statement.fmt(f),
            Self::DropDatabase(statement) => statement.fmt(f),
            Self::ShowDatabases(statement) => statement.fmt(f),
            Self::CreateTable(statement) => statement.fmt(f),
            Self::DropTable(statement) => statement.fmt(f),
            Self::AlterTable(statement) => statement.fmt(f),
            Self::TruncateTable(statement) => statement.fmt(f),
            Self::ShowPartitions(statement) => statement.fmt(f),
            Self::ShowTables(statement) => statement.fmt(f),
            Self::ShowTableStatus(statement) => statement.fmt(f),
            Self::ShowColumns(statement) => statement.fmt(f),
            Self::CreateVolume(statement) => statement.fmt(f),
            Self::AlterVolume(statement) => statement.fmt(f),
            Self::DropVolume(statement) => statement.fmt(f),
            Self::SetDefaultVolume(name) => write!(f, "SET {} AS DEFAULT STORAGE VOLUME", Name(name)),
            Self::ShowVolumes(statement) => statement.fmt(f),
            Self::ExplainJob(of) => write!(f, "EXPLAIN {of}"),
            Self::PreviewJob(statement) => statement.fmt(f),
            Self::CreateJob(statement) => statement.fmt(f),
            Self::AlterJob(statement) => statement.fmt(f),
            Self::ReplayRejected(statement) => statement.fmt(f),
            Self::ShowJobs(statement) => statement.fmt(f),
            Self::ShowTasks(statement) => statement.fmt(f),
            Self::ShowCatalogs => f.write_str(self.kind()),
            Self::Use(name) | Self::ShowCreateDatabase(name) | Self::DescribeVolume(name) => {
                write!(f, "{} {}", self.kind(), Name(name))
            }
            Self::DescribeTable(name) | Self::ShowCreateTable(name) | Self::ShowCreateJob(name) => {
                write!(f, "{} {name}", self.kind())
            }
            Self::ShowIndex(name) | Self::ShowFiles(name) => write!(f, "{} FROM {name}", self.kind()),
            Self::PauseJob(name)
            | Self::ResumeJob(name)
            | Self::StopJob(name)
            | Self::ShowVersions(name)
            | Self::ShowCoverage(name) => {
                write!(f, "{} FOR {name}", self.kind())
            }
            Self::ShowMaintenance(None) => f.write_str(self.kind()),
            Self::ShowMaintenance(Some(database)) => write!(f, "{} FROM {}", self.kind(), Name(database)),
            Self::CheckTable(name) | Self::ExplainCost(name) => write!(f, "{} {name}", self.kind()),
        }
    }
}
