//! Statements about tables.

use penstock_kernel::table::{ColumnDefault, Distribution};

use super::column_type::column_type;
use super::cursor::Cursor;
use super::partition_by::partition_by;
use crate::error::SqlError;
use crate::lexer::TokenKind;
use crate::statement::{
    ColumnClause, CreateTable, DropTable, ObjectName, ShowColumns, ShowTableStatus, ShowTables, Statement,
};

/// How a column is aggregated in tables of kinds that do not exist here yet.
const AGGREGATIONS: [&str; 9] = [
    "SUM",
    "MIN",
    "MAX",
    "REPLACE",
    "REPLACE_IF_NOT_NULL",
    "HLL_UNION",
    "BITMAP_UNION",
    "PERCENTILE_UNION",
    "AGG_STATE_UNION",
];

/// Behind `CREATE TABLE`.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let if_not_exists = cursor.if_not_exists()?;
    let name = cursor.object_name("a table name")?;
    if let Some(what) = cursor.eat_any(&["LIKE", "AS"]) {
        return Err(cursor.unsupported(&format!("CREATE TABLE ... {what}")));
    }
    let mut marked = Vec::new();
    let columns = cursor.bracketed(|cursor| {
        if let Some(what) = cursor.eat_any(&["INDEX"]) {
            return Err(cursor.unsupported(what));
        }
        let (column, key) = column(cursor)?;
        if key {
            marked.push(column.name.clone());
        }
        Ok(column)
    })?;
    engine(cursor)?;
    charset(cursor)?;
    let key = key_clause(cursor)?;
    let comment = comment(cursor)?;
    let partition_by = partition_by(cursor)?;
    let distribution = distribution(cursor)?;
    if cursor.eat_any(&["ORDER"]).is_some() {
        return Err(cursor.unsupported("ORDER BY of a table"));
    }
    let properties = cursor.properties()?;
    if cursor.eat_any(&["AS"]).is_some() {
        return Err(cursor.unsupported("CREATE TABLE ... AS"));
    }
    let key_columns = key.or(if marked.is_empty() { None } else { Some(marked) });
    Ok(Statement::CreateTable(Box::new(CreateTable {
        if_not_exists,
        name,
        columns,
        key_columns,
        comment,
        partition_by,
        distribution,
        properties,
    })))
}

/// A column, and whether it is marked KEY.
fn column(cursor: &mut Cursor<'_>) -> Result<(ColumnClause, bool), SqlError> {
    let position = cursor.position();
    let name = cursor.name("a column name")?;
    let column_type = column_type(cursor)?;
    charset(cursor)?;
    let key = cursor.eat("KEY");
    if let Some(what) = cursor.eat_any(&AGGREGATIONS) {
        return Err(cursor.unsupported(&format!("a column of an AGGREGATE KEY table ({what})")));
    }
    let mut nullable = nullability(cursor)?;
    let (default_at, mut null_default) = (cursor.position(), false);
    let default = if cursor.eat("DEFAULT") {
        let default = default(cursor)?;
        null_default = default.is_none();
        default
    } else {
        None
    };
    if let Some(what) = cursor.eat_any(&["AUTO_INCREMENT"]) {
        return Err(cursor.unsupported(what));
    }
    if cursor.eat_any(&["AS"]).is_some() {
        return Err(cursor.unsupported("a generated column"));
    }
    if nullable.is_none() {
        nullable = nullability(cursor)?;
    }
    let comment = comment(cursor)?;
    let nullable = nullable.unwrap_or(true);
    if null_default && !nullable {
        let detail = format!("Can not set null default value to non nullable column: {name}");
        return Err(SqlError::analysis_at(default_at, &detail));
    }
    Ok((ColumnClause { name, column_type, nullable, default, comment, position }, key))
}

fn nullability(cursor: &mut Cursor<'_>) -> Result<Option<bool>, SqlError> {
    if cursor.eat("NULL") {
        return Ok(Some(true));
    }
    if cursor.eat("NOT") {
        cursor.expect("NULL")?;
        return Ok(Some(false));
    }
    Ok(None)
}

/// Behind `DEFAULT`.
fn default(cursor: &mut Cursor<'_>) -> Result<Option<ColumnDefault>, SqlError> {
    if cursor.eat("NULL") {
        return Ok(None);
    }
    if cursor.eat("CURRENT_TIMESTAMP") {
        if cursor.eat_symbol("(") {
            if !cursor.at_symbol(")") {
                let position = cursor.position();
                if !(0..=6).contains(&cursor.integer("digits of a second")?) {
                    let detail = "CURRENT_TIMESTAMP takes 0 to 6 digits of a second";
                    return Err(SqlError::analysis_at(position, detail));
                }
            }
            cursor.expect_symbol(")")?;
        }
        return Ok(Some(ColumnDefault::CurrentTimestamp));
    }
    if cursor.at_symbol("(") {
        return Err(cursor.unsupported_at(cursor.position(), "DEFAULT with a function"));
    }
    let bare = cursor.peek().is_some_and(|token| matches!(token.kind, TokenKind::Integer | TokenKind::Number));
    let text = cursor.string("a default in quotes").map_err(|error| {
        if bare { error.with_hint("defaults stand in quotes, numbers too: DEFAULT \"0\"") } else { error }
    })?;
    Ok(Some(ColumnDefault::Literal(text)))
}

/// `COMMENT ["="] "<text>"`, if there.
fn comment(cursor: &mut Cursor<'_>) -> Result<Option<String>, SqlError> {
    if !cursor.eat("COMMENT") {
        return Ok(None);
    }
    cursor.eat_quietly("=");
    cursor.string("a comment in quotes").map(Some)
}

fn engine(cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    if !cursor.eat("ENGINE") {
        return Ok(());
    }
    cursor.expect_symbol("=")?;
    let position = cursor.position();
    let name = cursor.name("an engine name")?;
    if name.eq_ignore_ascii_case("OLAP") {
        return Ok(());
    }
    Err(cursor.unsupported_at(position, &format!("ENGINE = {name}")).with_hint("expected `OLAP`"))
}

/// `[DEFAULT] {CHARSET | CHARACTER SET} [=] <name>` and `COLLATE [=] <name>` mean nothing here, as in StarRocks.
fn charset(cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    loop {
        let default = cursor.at_keyword("DEFAULT")
            && cursor
                .peek_second()
                .is_some_and(|token| ["CHARSET", "CHARACTER", "COLLATE"].iter().any(|word| token.is_keyword(word)));
        if default {
            cursor.advance();
        }
        match cursor.eat_any(&["CHARSET", "CHARACTER", "COLLATE"]) {
            None => return Ok(()),
            Some("CHARACTER") => cursor.expect("SET")?,
            Some(_) => {}
        }
        cursor.eat_quietly("=");
        if cursor.peek().is_some_and(|token| token.kind == TokenKind::Text) {
            cursor.advance();
        } else {
            cursor.name("a name")?;
        }
    }
}

fn key_clause(cursor: &mut Cursor<'_>) -> Result<Option<Vec<String>>, SqlError> {
    if let Some(kind) = cursor.eat_any(&["PRIMARY", "UNIQUE", "AGGREGATE"]) {
        let error = cursor.unsupported(&format!("a table of {kind} KEY"));
        return Err(error.with_hint("DUPLICATE KEY keeps every row that was loaded"));
    }
    if !cursor.eat("DUPLICATE") {
        return Ok(None);
    }
    cursor.expect("KEY")?;
    names(cursor).map(Some)
}

fn names(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    cursor.bracketed(|cursor| cursor.name("a column name"))
}

fn distribution(cursor: &mut Cursor<'_>) -> Result<Option<Distribution>, SqlError> {
    if !cursor.eat("DISTRIBUTED") {
        return Ok(None);
    }
    cursor.expect("BY")?;
    let hash_columns = if cursor.eat("HASH") {
        names(cursor)?
    } else {
        cursor.expect("RANDOM")?;
        Vec::new()
    };
    let mut buckets = None;
    if cursor.eat("BUCKETS") {
        let position = cursor.position();
        let number = cursor.integer("a number of buckets")?;
        let wrong = || {
            let message = format!("expected a number of buckets from 1 to {}, found `{number}`", u32::MAX);
            SqlError::analysis_at(position, &message)
        };
        buckets = Some(u32::try_from(number).ok().filter(|buckets| *buckets > 0).ok_or_else(wrong)?);
    }
    Ok(Some(Distribution { hash_columns, buckets }))
}

/// Behind `DROP TABLE`.
pub(super) fn drop_table(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let if_exists = cursor.if_exists()?;
    let name = cursor.object_name("a table name")?;
    let force = cursor.eat("FORCE");
    Ok(Statement::DropTable(DropTable { if_exists, name, force }))
}

/// Behind `DESC`.
pub(super) fn describe(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let name = cursor.object_name("a table name")?;
    cursor.eat("ALL");
    Ok(Statement::DescribeTable(name))
}

/// Behind `SHOW [FULL] TABLES`.
pub(super) fn show(cursor: &mut Cursor<'_>, full: bool) -> Result<Statement, SqlError> {
    let database = cursor.database_clause()?;
    let filter = cursor.table_filter()?;
    Ok(Statement::ShowTables(ShowTables { full, database, filter }))
}

/// Behind `SHOW TABLE`.
pub(super) fn show_status(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("STATUS")?;
    let database = cursor.database_clause()?;
    let filter = cursor.table_filter()?;
    Ok(Statement::ShowTableStatus(ShowTableStatus { database, filter }))
}

/// Behind `SHOW [FULL] COLUMNS`.
pub(super) fn show_columns(cursor: &mut Cursor<'_>, full: bool) -> Result<Statement, SqlError> {
    let table = of_table(cursor)?;
    let filter = cursor.table_filter()?;
    Ok(Statement::ShowColumns(ShowColumns { full, table, filter }))
}

/// Behind `SHOW INDEX`.
pub(super) fn show_index(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    of_table(cursor).map(Statement::ShowIndex)
}

/// `FROM <table> [FROM <database>]`
pub(super) fn of_table(cursor: &mut Cursor<'_>) -> Result<ObjectName, SqlError> {
    if !(cursor.eat("FROM") || cursor.eat("IN")) {
        return Err(cursor.unexpected());
    }
    let mut table = cursor.object_name("a table name")?;
    if let Some(database) = cursor.database_clause()? {
        table.database = Some(database);
    }
    Ok(table)
}
