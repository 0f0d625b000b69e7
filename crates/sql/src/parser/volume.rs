//! Statements about storage volumes.

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::statement::{ShowVolumes, Statement};

pub(super) fn show(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("VOLUMES")?;
    let like = if cursor.eat("LIKE") { Some(cursor.string("a pattern in quotes")?) } else { None };
    Ok(Statement::ShowVolumes(ShowVolumes { like }))
}

pub(super) fn describe(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("VOLUME")?;
    cursor.name("a storage volume's name").map(Statement::DescribeVolume)
}

/// `SET <name> AS DEFAULT STORAGE VOLUME`; what else SET says is for the connection, not for this parser.
pub(super) fn set_default(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.name("a storage volume's name")?;
    for keyword in ["AS", "DEFAULT", "STORAGE", "VOLUME"] {
        cursor.expect(keyword)?;
    }
    Err(cursor.unsupported("SET ... AS DEFAULT STORAGE VOLUME"))
}
