//! Statements out of tokens, by recursive descent with one token of look-ahead.
//!
//! Text is hostile until parsed: its length and its depth of brackets are limited before anything descends, so no text
//! can exhaust stack or memory. One file a family of statements; what they share is `cursor`.

use crate::error::SqlError;
use crate::position::Position;
use crate::statement::Statement;

mod column_type;
mod cursor;
mod database;
mod expression;
mod filter;
mod job;
mod job_look;
mod job_show;
mod names;
mod partition_by;
mod predicate;
mod replay;
mod table;
mod table_change;
mod volume;

#[cfg(test)]
mod tests;

use cursor::Cursor;

/// Longest statement that is parsed, in bytes.
pub const MAX_STATEMENT_BYTES: usize = 1 << 20;

/// Deepest nesting of brackets in a statement.
pub const MAX_DEPTH: usize = 100;

pub(crate) fn parse(sql: &str, start: Position) -> Result<Statement, SqlError> {
    let mut cursor = Cursor::new(sql, start)?;
    let statement = statement(&mut cursor)?;
    cursor.eat_statement_end();
    cursor.expect_end()?;
    Ok(statement)
}

fn statement(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.eat("CREATE") {
        create(cursor)
    } else if cursor.eat("DROP") {
        drop_statement(cursor)
    } else if cursor.eat("SHOW") {
        show(cursor)
    } else if cursor.eat("EXPLAIN") {
        if job_look::is_next(cursor) { job_look::explain(cursor) } else { describe(cursor) }
    } else if cursor.eat("PREVIEW") {
        job_look::preview(cursor)
    } else if cursor.eat("DESC") || cursor.eat("DESCRIBE") {
        describe(cursor)
    } else if cursor.eat("USE") {
        database::use_database(cursor)
    } else if cursor.eat("ALTER") {
        alter(cursor)
    } else if cursor.eat("PAUSE") {
        job::steered(cursor).map(Statement::PauseJob)
    } else if cursor.eat("RESUME") {
        job::steered(cursor).map(Statement::ResumeJob)
    } else if cursor.eat("STOP") {
        job::steered(cursor).map(Statement::StopJob)
    } else if cursor.eat("REPLAY") {
        replay::rejected_rows(cursor)
    } else if cursor.eat("CHECK") {
        cursor.expect("TABLE")?;
        cursor.object_name("a table name").map(Statement::CheckTable)
    } else if cursor.eat("TRUNCATE") {
        table_change::truncate(cursor)
    } else if let Some(what) = cursor.eat_any(&["INSERT", "UPDATE", "DELETE"]) {
        Err(cursor.unsupported(what))
    } else if cursor.eat("SET") {
        volume::set_default(cursor)
    } else {
        Err(cursor.unexpected())
    }
}

fn create(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.eat("ROUTINE") {
        job::create(cursor)
    } else if cursor.eat("DATABASE") || cursor.eat("SCHEMA") {
        database::create(cursor)
    } else if cursor.eat("TABLE") {
        table::create(cursor)
    } else if cursor.eat("STORAGE") {
        volume::create(cursor)
    } else if let Some(what) = cursor.eat_any(&["EXTERNAL", "TEMPORARY"]) {
        cursor.expect("TABLE")?;
        Err(cursor.unsupported(&format!("CREATE {what} TABLE")))
    } else if let Some(what) = cursor.eat_any(&["VIEW", "MATERIALIZED", "INDEX", "USER", "ROLE", "FUNCTION", "FILE"]) {
        Err(cursor.unsupported(&format!("CREATE {what}")))
    } else {
        Err(cursor.unexpected())
    }
}

fn drop_statement(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.eat("DATABASE") || cursor.eat("SCHEMA") {
        database::drop_database(cursor)
    } else if cursor.eat("TABLE") {
        table::drop_table(cursor)
    } else if cursor.eat("STORAGE") {
        volume::drop_volume(cursor)
    } else {
        Err(cursor.unexpected())
    }
}

fn alter(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.eat("ROUTINE") {
        job::alter(cursor)
    } else if cursor.eat("STORAGE") {
        volume::alter(cursor)
    } else if cursor.eat("TABLE") {
        table_change::alter(cursor)
    } else if let Some(what) = cursor.eat_any(&["DATABASE", "SCHEMA", "USER", "SYSTEM", "VIEW", "MATERIALIZED"]) {
        Err(cursor.unsupported(&format!("ALTER {what}")))
    } else {
        Err(cursor.unexpected())
    }
}

fn describe(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.eat("STORAGE") { volume::describe(cursor) } else { table::describe(cursor) }
}

fn show(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.eat("ROUTINE") {
        job_show::jobs(cursor, false)
    } else if cursor.eat("ALL") {
        cursor.expect("ROUTINE")?;
        job_show::jobs(cursor, true)
    } else if cursor.eat("DATABASES") || cursor.eat("SCHEMAS") {
        database::show(cursor)
    } else if cursor.eat("FILES") {
        if !cursor.eat("IN") {
            cursor.expect("FROM")?;
        }
        cursor.object_name("a table name").map(Statement::ShowFiles)
    } else if cursor.eat("MAINTENANCE") {
        cursor.database_clause().map(Statement::ShowMaintenance)
    } else if cursor.eat("CATALOGS") {
        Ok(Statement::ShowCatalogs)
    } else if cursor.eat("STORAGE") {
        volume::show(cursor)
    } else if cursor.eat("CREATE") {
        show_create(cursor)
    } else if cursor.eat("FULL") {
        if cursor.eat("TABLES") {
            table::show(cursor, true)
        } else if cursor.eat("COLUMNS") || cursor.eat("FIELDS") {
            table::show_columns(cursor, true)
        } else {
            Err(cursor.unexpected())
        }
    } else if cursor.eat("TABLES") {
        table::show(cursor, false)
    } else if cursor.eat("TABLE") {
        table::show_status(cursor)
    } else if cursor.eat("COLUMNS") || cursor.eat("FIELDS") {
        table::show_columns(cursor, false)
    } else if cursor.eat("INDEX") || cursor.eat("INDEXES") || cursor.eat("KEYS") {
        table::show_index(cursor)
    } else if cursor.eat("PARTITIONS") {
        table_change::show_partitions(cursor)
    } else if cursor.eat_any(&["TEMPORARY"]).is_some() {
        Err(cursor.unsupported("SHOW TEMPORARY PARTITIONS"))
    } else {
        Err(cursor.unexpected())
    }
}

fn show_create(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.eat("ROUTINE") {
        cursor.expect("LOAD")?;
        cursor.object_name("a job name").map(Statement::ShowCreateJob)
    } else if cursor.eat("DATABASE") || cursor.eat("SCHEMA") {
        cursor.name("a database name").map(Statement::ShowCreateDatabase)
    } else if cursor.eat("TABLE") {
        cursor.object_name("a table name").map(Statement::ShowCreateTable)
    } else {
        Err(cursor.unexpected())
    }
}
