//! Statements about what a table holds: its partitions, and all its rows.

use super::cursor::Cursor;
use super::partition_by::{batch, list_values, partition_name, range_values};
use super::table::of_table;
use crate::error::SqlError;
use crate::statement::{
    AddedPartition, AlterTable, RangeClause, RangeItem, ShowPartitions, Statement, TableChange, TruncateTable,
};

/// Behind `ALTER TABLE`.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let table = cursor.object_name("a table name")?;
    let change = if cursor.eat("ADD") {
        add(cursor)?
    } else if cursor.eat("DROP") {
        drop(cursor)?
    } else if let Some(what) = cursor.eat_any(&["RENAME", "SET", "SWAP", "MODIFY", "REPLACE", "TRUNCATE", "COMMENT"]) {
        return Err(cursor.unsupported(&format!("ALTER TABLE ... {what}")));
    } else {
        return Err(cursor.unexpected());
    };
    Ok(Statement::AlterTable(Box::new(AlterTable { table, change })))
}

/// Behind `ADD`.
fn add(cursor: &mut Cursor<'_>) -> Result<TableChange, SqlError> {
    if let Some(what) = cursor.eat_any(&["TEMPORARY", "COLUMN", "ROLLUP", "INDEX"]) {
        return Err(cursor.unsupported(&format!("ALTER TABLE ... ADD {what}")));
    }
    if !(cursor.eat("PARTITION") || cursor.eat("PARTITIONS")) {
        return Err(cursor.unexpected());
    }
    let if_not_exists = cursor.if_not_exists()?;
    let starts = cursor.at_keyword("START") && cursor.peek_second().is_some_and(|token| token.is_symbol("("));
    let added = if starts {
        AddedPartition::Range(RangeClause::Batch(batch(cursor)?))
    } else {
        let name = partition_name(cursor)?;
        cursor.expect("VALUES")?;
        if cursor.at_keyword("IN") {
            AddedPartition::List(list_values(cursor, name)?)
        } else {
            AddedPartition::Range(RangeClause::One(RangeItem { name, values: range_values(cursor)? }))
        }
    };
    Ok(TableChange::AddPartition { if_not_exists, added })
}

/// Behind `DROP`.
fn drop(cursor: &mut Cursor<'_>) -> Result<TableChange, SqlError> {
    if let Some(what) = cursor.eat_any(&["TEMPORARY", "COLUMN", "ROLLUP", "INDEX"]) {
        return Err(cursor.unsupported(&format!("ALTER TABLE ... DROP {what}")));
    }
    if !(cursor.eat("PARTITION") || cursor.eat("PARTITIONS")) {
        return Err(cursor.unexpected());
    }
    let if_exists = cursor.if_exists()?;
    let names = partition_names(cursor)?;
    let force = cursor.eat("FORCE");
    Ok(TableChange::DropPartitions { if_exists, names, force })
}

/// One name, or several in brackets.
fn partition_names(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    if cursor.at_symbol("(") {
        cursor.bracketed(|cursor| cursor.name("a partition name"))
    } else {
        Ok(vec![cursor.name("a partition name")?])
    }
}

/// Behind `TRUNCATE`.
pub(super) fn truncate(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("TABLE")?;
    let table = cursor.object_name("a table name")?;
    if cursor.eat_any(&["TEMPORARY"]).is_some() {
        return Err(cursor.unsupported("TRUNCATE of a TEMPORARY PARTITION"));
    }
    let some = cursor.eat("PARTITION") || cursor.eat("PARTITIONS");
    let partitions = if some { Some(partition_names(cursor)?) } else { None };
    Ok(Statement::TruncateTable(TruncateTable { table, partitions }))
}

/// Behind `SHOW PARTITIONS`.
pub(super) fn show_partitions(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let table = of_table(cursor)?;
    let filter = cursor.table_filter()?;
    Ok(Statement::ShowPartitions(ShowPartitions { table, filter }))
}
