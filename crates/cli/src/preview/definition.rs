//! The job of a preview: one CREATE TABLE and one CREATE ROUTINE LOAD in a file.
//!
//! Other statements that a job's script holds (CREATE DATABASE, USE) say nothing about rows and are passed over; any
//! text that is no statement is refused.

use std::fs;
use std::path::Path;

use penstock_expressions::StarRocks;
use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::DatabaseId;
use penstock_kernel::plan::Plan;
use penstock_kernel::table::TableDefinition;
use penstock_sql::definition::{JobContext, TableContext, job_definition, table_definition};
use penstock_sql::error::{SqlError, code};
use penstock_sql::split::split;
use penstock_sql::statement::{CreateRoutineLoad, CreateTable, Statement};

use super::PreviewError;

/// A compiled job and the table that it loads.
pub(super) struct Definition {
    pub(super) plan: Plan,
    pub(super) table: TableDefinition,
}

/// Reads and compiles the definition in `path`.
///
/// # Errors
/// [`PreviewError::Input`] if the file cannot be read as UTF-8, [`PreviewError::Definition`] if the definition is refused.
pub(super) fn read(path: &Path) -> Result<Definition, PreviewError> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| PreviewError::Input { path: shown.clone(), source })?;
    compile(&text).map_err(|error| PreviewError::Definition { path: shown, message: error.to_string() })
}

fn compile(text: &str) -> Result<Definition, SqlError> {
    let (table, job) = statements(text)?;
    let database = DatabaseId(0);
    let table = table_definition(&table, TableContext { database, volume: "", now_ms: 0 })?;
    if job.table != table.name {
        let message =
            format!("expected a job on the table `{}` that the file creates, found one on `{}`", table.name, job.table);
        return Err(SqlError::new(code::UNKNOWN_TABLE, message));
    }
    let context = JobContext { database, table: &table, uuid: "", time_zone: "Etc/UTC" };
    let job = job_definition(&job, context)?;
    let plan = Plan::compile(&job, &table, &StarRocks).map_err(|error| {
        let refused = SqlError::new(code::PARSE, one_line(&error));
        SqlError { hint: error.hint(), ..refused }
    })?;
    Ok(Definition { plan, table })
}

/// The one CREATE TABLE and the one CREATE ROUTINE LOAD of the text.
fn statements(text: &str) -> Result<(CreateTable, CreateRoutineLoad), SqlError> {
    let (mut tables, mut jobs) = (Vec::new(), Vec::new());
    for piece in split(text) {
        match Statement::parse_at(piece.sql, piece.start)? {
            Statement::CreateTable(table) => tables.push(*table),
            Statement::CreateJob(job) => jobs.push(*job),
            _ => {}
        }
    }
    let counted = (tables.len(), jobs.len());
    match (tables.pop(), jobs.pop()) {
        (Some(table), Some(job)) if counted == (1, 1) => Ok((table, job)),
        _ => {
            let message =
                format!("expected one CREATE TABLE and one CREATE ROUTINE LOAD, found {} and {}", counted.0, counted.1);
            Err(SqlError::new(code::PARSE, message))
        }
    }
}
