//! Statements that create and steer routine load jobs.

use penstock_kernel::job::{ColumnItem, LoadClauses, MetadataItem};
use penstock_kernel::metadata::MetadataField;

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::similar::nearest;
use crate::statement::{AlterRoutineLoad, CreateRoutineLoad, ObjectName, Pairs, Statement};

/// Behind `CREATE ROUTINE`.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("LOAD")?;
    definition(cursor).map(|definition| Statement::CreateJob(Box::new(definition)))
}

/// Behind `CREATE ROUTINE LOAD`.
pub(super) fn definition(cursor: &mut Cursor<'_>) -> Result<CreateRoutineLoad, SqlError> {
    let name = cursor.object_name("a job name")?;
    cursor.expect("ON")?;
    let table = cursor.name("a table name")?;
    let clauses = load_clauses(cursor)?;
    let properties = cursor.properties()?;
    let Some(source) = source(cursor)? else {
        return Err(cursor.unexpected());
    };
    Ok(CreateRoutineLoad { name, table, clauses, properties, source })
}

/// Behind `ALTER ROUTINE`.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("LOAD")?;
    cursor.expect("FOR")?;
    let name = cursor.object_name("a job name")?;
    let clauses = load_clauses(cursor)?;
    let properties = cursor.properties()?;
    let source = source(cursor)?;
    if clauses == LoadClauses::default() && properties.0.is_empty() && source.is_none() {
        return Err(cursor.unexpected());
    }
    Ok(Statement::AlterJob(Box::new(AlterRoutineLoad { name, clauses, properties, source })))
}

/// Behind `PAUSE`, `RESUME` or `STOP`.
pub(super) fn steered(cursor: &mut Cursor<'_>) -> Result<ObjectName, SqlError> {
    cursor.expect("ROUTINE")?;
    cursor.expect("LOAD")?;
    cursor.expect("FOR")?;
    cursor.object_name("a job name")
}

/// `FROM KAFKA [(...)]`, if there.
fn source(cursor: &mut Cursor<'_>) -> Result<Option<Pairs>, SqlError> {
    if !cursor.eat("FROM") {
        return Ok(None);
    }
    if !cursor.eat("KAFKA") {
        if cursor.eat_any(&["PULSAR"]).is_some() {
            return Err(cursor.unsupported("routine load from PULSAR"));
        }
        let position = cursor.position();
        let found = cursor.name("a source type")?;
        let message = format!("routine load job does not support this type {found}");
        return Err(SqlError::analysis_at(position, &message).with_hint("expected `KAFKA`"));
    }
    if cursor.at_symbol("(") { cursor.pairs().map(Some) } else { Ok(Some(Pairs::default())) }
}

/// The clauses between the name and PROPERTIES, in any order, with commas between, each at most once.
fn load_clauses(cursor: &mut Cursor<'_>) -> Result<LoadClauses, SqlError> {
    let mut clauses = LoadClauses::default();
    if !load_clause(cursor, &mut clauses)? {
        return Ok(clauses);
    }
    while cursor.eat_symbol(",") {
        if !load_clause(cursor, &mut clauses)? {
            return Err(cursor.unexpected());
        }
    }
    Ok(clauses)
}

/// Reads one clause; false if none is there.
fn load_clause(cursor: &mut Cursor<'_>, clauses: &mut LoadClauses) -> Result<bool, SqlError> {
    let position = cursor.position();
    let twice = |what: &str| Err(SqlError::analysis_at(position, &format!("repeat setting of {what}")));
    if cursor.eat("COLUMNS") {
        if cursor.eat("TERMINATED") {
            let text = terminator(cursor)?;
            if clauses.column_separator.replace(text).is_some() {
                return twice("column separator");
            }
        } else {
            let items = cursor.bracketed(column_item)?;
            if clauses.columns.replace(items).is_some() {
                return twice("columns info");
            }
        }
    } else if cursor.eat("ROWS") {
        cursor.expect("TERMINATED")?;
        let text = terminator(cursor)?;
        if clauses.row_delimiter.replace(text).is_some() {
            return twice("row delimiter");
        }
    } else if cursor.eat("INCLUDE") {
        cursor.expect("METADATA")?;
        let items = cursor.bracketed(metadata_item)?;
        if clauses.metadata.replace(items).is_some() {
            return twice("metadata");
        }
    } else if cursor.eat("WHERE") {
        let text = cursor.expression("a condition")?;
        if clauses.filter.replace(text).is_some() {
            return twice("where predicate");
        }
    } else if cursor.eat("PARTITION") || cursor.eat("PARTITIONS") {
        let names = if cursor.at_symbol("(") {
            cursor.bracketed(|cursor| cursor.name("a partition name"))?
        } else {
            vec![cursor.name("a partition name")?]
        };
        if clauses.table_partitions.replace(names).is_some() {
            return twice("partition names");
        }
    } else if cursor.eat_any(&["TEMPORARY"]).is_some() {
        return Err(cursor.unsupported("TEMPORARY PARTITION"));
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn terminator(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    cursor.expect("BY")?;
    cursor.string("a separator in quotes")
}

/// `KEY AS k`; without a name, the column is named by the word.
fn metadata_item(cursor: &mut Cursor<'_>) -> Result<MetadataItem, SqlError> {
    let position = cursor.position();
    let words = || MetadataField::all().map(|field| field.to_string()).collect::<Vec<_>>();
    let found = cursor.word("`TOPIC`, `KEY`, `PARTITION`, `OFFSET`, `TIMESTAMP`, `TIMESTAMP_MS` or `HEADERS`")?;
    let Some(field) = MetadataField::named(&found) else {
        let words = words();
        let message = format!("`{found}` is no metadata of Kafka records");
        let hint = match nearest(&found, words.iter().map(String::as_str)) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("there are {}", words.join(", ")),
        };
        return Err(SqlError::analysis_at(position, &message).with_hint(&hint));
    };
    let alias = if cursor.eat("AS") { Some(cursor.name("a column name")?) } else { None };
    Ok(MetadataItem { field, alias })
}

fn column_item(cursor: &mut Cursor<'_>) -> Result<ColumnItem, SqlError> {
    let name = cursor.name("a column name")?;
    if cursor.eat_symbol("=") {
        let expression = cursor.expression("an expression")?;
        Ok(ColumnItem::Assignment { name, expression })
    } else {
        Ok(ColumnItem::Plain(name))
    }
}
