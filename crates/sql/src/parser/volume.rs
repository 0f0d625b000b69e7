//! Statements about storage volumes.

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::statement::{AlterVolume, CreateVolume, DropVolume, Pairs, ShowVolumes, Statement};

const NAME: &str = "a storage volume's name";

/// Behind `CREATE STORAGE`.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("VOLUME")?;
    let if_not_exists = cursor.if_not_exists()?;
    let name = cursor.name(NAME)?;
    cursor.expect("TYPE")?;
    cursor.expect_symbol("=")?;
    let type_position = cursor.position();
    let volume_type = cursor.name("`S3`")?;
    cursor.expect("LOCATIONS")?;
    cursor.expect_symbol("=")?;
    let locations = cursor.bracketed(|cursor| cursor.string("a location in quotes"))?;
    let comment = if cursor.eat("COMMENT") { cursor.string("a comment in quotes")? } else { String::new() };
    let properties = cursor.properties()?;
    let statement = CreateVolume { if_not_exists, name, volume_type, type_position, locations, comment, properties };
    Ok(Statement::CreateVolume(Box::new(statement)))
}

/// Behind `ALTER STORAGE`.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("VOLUME")?;
    let if_exists = cursor.if_exists()?;
    let name = cursor.name(NAME)?;
    let mut statement = AlterVolume { if_exists, name, comment: None, properties: Pairs::default() };
    loop {
        if cursor.eat("COMMENT") {
            cursor.expect_symbol("=")?;
            statement.comment = Some(cursor.string("a comment in quotes")?);
        } else if cursor.eat("SET") {
            statement.properties.0.extend(cursor.pairs()?.0);
        } else {
            return Err(cursor.unexpected());
        }
        if !cursor.eat_symbol(",") {
            return Ok(Statement::AlterVolume(statement));
        }
    }
}

/// Behind `DROP STORAGE`.
pub(super) fn drop_volume(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("VOLUME")?;
    let if_exists = cursor.if_exists()?;
    let name = cursor.name(NAME)?;
    Ok(Statement::DropVolume(DropVolume { if_exists, name }))
}

pub(super) fn show(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("VOLUMES")?;
    let like = if cursor.eat("LIKE") { Some(cursor.string("a pattern in quotes")?) } else { None };
    Ok(Statement::ShowVolumes(ShowVolumes { like }))
}

pub(super) fn describe(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("VOLUME")?;
    cursor.name(NAME).map(Statement::DescribeVolume)
}

/// `SET <name> AS DEFAULT STORAGE VOLUME`; what else SET says is for the connection, not for this parser.
pub(super) fn set_default(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let name = cursor.name(NAME)?;
    for keyword in ["AS", "DEFAULT", "STORAGE", "VOLUME"] {
        cursor.expect(keyword)?;
    }
    Ok(Statement::SetDefaultVolume(name))
}
