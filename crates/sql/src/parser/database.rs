//! Statements about databases.

use super::cursor::Cursor;
use super::names::DEFAULT_CATALOG;
use crate::error::SqlError;
use crate::statement::{CreateDatabase, DropDatabase, ShowDatabases, Statement};

pub(super) fn create(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let if_not_exists = cursor.if_not_exists()?;
    let name = qualified(cursor)?;
    let properties = cursor.properties()?;
    Ok(Statement::CreateDatabase(CreateDatabase { if_not_exists, name, properties }))
}

pub(super) fn drop_database(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let if_exists = cursor.if_exists()?;
    let name = qualified(cursor)?;
    let force = cursor.eat("FORCE");
    Ok(Statement::DropDatabase(DropDatabase { if_exists, name, force }))
}

pub(super) fn show(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.eat("FROM") || cursor.eat("IN") {
        let position = cursor.position();
        let catalog = cursor.name("a catalog name")?;
        check_catalog(position, &catalog)?;
    }
    let filter = cursor.table_filter()?;
    Ok(Statement::ShowDatabases(ShowDatabases { filter }))
}

pub(super) fn use_database(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    qualified(cursor).map(Statement::Use)
}

/// `[default_catalog.]<database>`
fn qualified(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    let position = cursor.position();
    let first = cursor.name("a database name")?;
    if !cursor.eat_quietly(".") {
        return Ok(first);
    }
    check_catalog(position, &first)?;
    cursor.name("a database name")
}

fn check_catalog(position: crate::position::Position, catalog: &str) -> Result<(), SqlError> {
    if catalog == DEFAULT_CATALOG {
        return Ok(());
    }
    let message = format!("expected catalog `{DEFAULT_CATALOG}`, found `{catalog}`");
    Err(SqlError::analysis_at(position, &message))
}
