//! CREATE TABLE into a table's definition.

use penstock_kernel::ids::{DatabaseId, TableId};
use penstock_kernel::table::{Column, ColumnDefault, ColumnType, Distribution, KeyKind, MAX_COLUMNS, TableDefinition};

use super::default::misfit;
use super::partition_by::partitioning;
use crate::error::{SqlError, code};
use crate::similar::nearest;
use crate::statement::{ColumnClause, CreateTable};

/// Characters that a table's or column's name has at most.
const LONGEST_NAME: usize = 1024;
/// Characters that a database's name has at most.
const LONGEST_DATABASE_NAME: usize = 256;
/// Bytes that a table's or database's name has at most: the catalog's store takes no longer keys.
const LONGEST_NAME_BYTES: usize = 1000;
/// Names that mean something else in loads.
const RESERVED_COLUMNS: [&str; 2] = ["__op", "__row"];
/// Limits of a key that is inferred.
const INFERRED_KEY_COLUMNS: usize = 3;
const INFERRED_KEY_BYTES: u32 = 36;

/// What a table's definition needs to know besides the statement.
#[derive(Debug, Clone, Copy)]
pub struct TableContext<'a> {
    /// The database that it is to live in.
    pub database: DatabaseId,
    /// The storage volume that is to hold its files.
    pub volume: &'a str,
    /// Milliseconds since the epoch.
    pub now_ms: i64,
}

/// The table that `statement` creates. Its id is 0 until the catalog gives it one.
///
/// # Errors
/// [`SqlError`]: names, defaults that do not fit their column, key columns that do not lead, columns that do not exist,
/// or partitions that contradict each other.
pub fn table_definition(statement: &CreateTable, context: TableContext<'_>) -> Result<TableDefinition, SqlError> {
    check_length("table", &statement.name.name, LONGEST_NAME)?;
    check_bytes("table", &statement.name.name)?;
    let columns = columns(&statement.columns)?;
    let key_columns = match &statement.key_columns {
        Some(names) => named_key(names, &columns)?,
        None => inferred_key(&columns),
    };
    Ok(TableDefinition {
        id: TableId(0),
        database: context.database,
        name: statement.name.name.clone(),
        key_kind: KeyKind::Duplicate,
        key_columns,
        partitioning: partitioning(statement.partition_by.as_ref(), &columns)?,
        distribution: distribution(statement, &columns)?,
        comment: statement.comment.clone(),
        properties: statement.properties.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        volume: context.volume.to_owned(),
        created_at_ms: context.now_ms,
        columns,
    })
}

/// Checks the name of a database that is to be created.
///
/// # Errors
/// [`SqlError`] 5063 unless it has at most 256 characters, none of them a control character or a slash, and begins with
/// a letter or an underscore.
pub fn check_database_name(name: &str) -> Result<(), SqlError> {
    check_length("database", name, LONGEST_DATABASE_NAME)?;
    check_bytes("database", name)?;
    let begins = name.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
    if begins && !name.chars().any(|letter| letter.is_control() || letter == '/') {
        return Ok(());
    }
    Err(SqlError::new(code::BAD_NAME, format!("Incorrect database name '{name}'"))
        .with_hint("names begin with a letter or an underscore"))
}

fn check_length(what: &str, name: &str, longest: usize) -> Result<(), SqlError> {
    if name.chars().count() <= longest && !name.trim().is_empty() {
        return Ok(());
    }
    Err(bad_name(what, name, format!("1 to {longest} characters")))
}

fn check_bytes(what: &str, name: &str) -> Result<(), SqlError> {
    if name.len() <= LONGEST_NAME_BYTES {
        return Ok(());
    }
    Err(bad_name(what, name, format!("at most {LONGEST_NAME_BYTES} bytes of UTF-8")))
}

fn bad_name(what: &str, name: &str, hint: String) -> SqlError {
    let start: String = name.chars().take(40).collect();
    SqlError::new(code::BAD_NAME, format!("Incorrect {what} name '{start}'")).with_hint(hint)
}

fn columns(clauses: &[ColumnClause]) -> Result<Vec<Column>, SqlError> {
    if clauses.len() > MAX_COLUMNS {
        let detail = format!("expected at most {MAX_COLUMNS} columns, found {}", clauses.len());
        return Err(SqlError::analysis(&detail));
    }
    let mut seen = std::collections::HashSet::new();
    let mut columns = Vec::new();
    for (id, clause) in (1..).zip(clauses) {
        let wrong = |detail: &str| SqlError::analysis_at(clause.position, detail);
        check_length("column", &clause.name, LONGEST_NAME)?;
        let name = clause.name.to_lowercase();
        if RESERVED_COLUMNS.contains(&name.as_str()) {
            return Err(wrong(&format!("column name `{name}` is reserved")));
        }
        if !seen.insert(name) {
            return Err(wrong(&format!("Duplicate column name '{}'", clause.name)));
        }
        check_default(clause)?;
        columns.push(Column {
            id,
            name: clause.name.clone(),
            column_type: clause.column_type.clone(),
            nullable: clause.nullable,
            default: clause.default.clone(),
            comment: clause.comment.clone(),
        });
    }
    Ok(columns)
}

fn check_default(clause: &ColumnClause) -> Result<(), SqlError> {
    let wrong = |expected: &str, found: &str| {
        let detail = format!(
            "Invalid default value for '{}': a column of type {} expects {expected}, found `{found}`",
            clause.name, clause.column_type
        );
        Err(SqlError::analysis_at(clause.position, &detail))
    };
    match &clause.default {
        Some(ColumnDefault::Literal(text)) => match misfit(&clause.column_type, text) {
            Some(expected) => wrong(&expected, text),
            None => Ok(()),
        },
        Some(ColumnDefault::CurrentTimestamp) if clause.column_type != ColumnType::DateTime => {
            wrong("a literal", "CURRENT_TIMESTAMP")
        }
        _ => Ok(()),
    }
}

/// Whether rows can be ordered and spread by a column of this type.
fn can_be_key(column_type: &ColumnType) -> bool {
    !matches!(
        column_type,
        ColumnType::Float
            | ColumnType::Double
            | ColumnType::Json
            | ColumnType::Varbinary(_)
            | ColumnType::Array(_)
            | ColumnType::Map(..)
            | ColumnType::Struct(_)
    )
}

pub(super) fn unknown_column(name: &str, columns: &[Column]) -> SqlError {
    let error = SqlError::analysis(&format!("column `{name}` does not exist"));
    match nearest(name, columns.iter().map(|column| column.name.as_str())) {
        Some(known) => error.with_hint(format!("did you mean `{known}`?")),
        None => error,
    }
}

/// The key columns as spelled in the column list.
fn named_key(names: &[String], columns: &[Column]) -> Result<Vec<String>, SqlError> {
    if names.len() > columns.len() {
        return Err(SqlError::analysis("more key columns than columns"));
    }
    let mut key = Vec::new();
    for (name, column) in names.iter().zip(columns) {
        if !column.name.eq_ignore_ascii_case(name) {
            if !columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)) {
                return Err(unknown_column(name, columns));
            }
            let detail = "Key columns must be the first few columns of the schema and in the same order";
            return Err(SqlError::analysis(detail).with_hint(format!("expected `{}`, found `{name}`", column.name)));
        }
        if !can_be_key(&column.column_type) {
            let detail = format!("a column of type {} cannot be a key: `{name}`", column.column_type);
            return Err(SqlError::analysis(&detail));
        }
        key.push(column.name.clone());
    }
    Ok(key)
}

/// The leading columns that make the key if none is named: at most three of 36 bytes in all; a VARCHAR is the last one.
/// Empty if the first column cannot be a key.
fn inferred_key(columns: &[Column]) -> Vec<String> {
    let mut key = Vec::new();
    let mut bytes = 0_u32;
    for column in columns {
        bytes = bytes.saturating_add(key_bytes(&column.column_type));
        let text = matches!(column.column_type, ColumnType::Varchar(_) | ColumnType::Char(_));
        let room = key.len() < INFERRED_KEY_COLUMNS && bytes <= INFERRED_KEY_BYTES;
        if !can_be_key(&column.column_type) || !(room || (key.is_empty() && text)) {
            break;
        }
        key.push(column.name.clone());
        if matches!(column.column_type, ColumnType::Varchar(_)) || !room {
            break;
        }
    }
    key
}

/// Bytes that a column adds to an inferred key, as StarRocks counts them.
fn key_bytes(column_type: &ColumnType) -> u32 {
    match column_type {
        ColumnType::Boolean | ColumnType::TinyInt => 1,
        ColumnType::SmallInt => 2,
        ColumnType::Date => 3,
        ColumnType::Int | ColumnType::Float => 4,
        ColumnType::BigInt | ColumnType::Double | ColumnType::DateTime => 8,
        ColumnType::Decimal { precision, .. } if *precision <= 9 => 4,
        ColumnType::Decimal { precision, .. } if *precision <= 18 => 8,
        ColumnType::Char(bytes) => *bytes,
        ColumnType::Varchar(_) => 20,
        _ => 16,
    }
}

fn distribution(statement: &CreateTable, columns: &[Column]) -> Result<Distribution, SqlError> {
    let Some(distribution) = &statement.distribution else {
        return Ok(Distribution { hash_columns: Vec::new(), buckets: None });
    };
    let mut hash_columns = Vec::new();
    for name in &distribution.hash_columns {
        let column = columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| unknown_column(name, columns))?;
        if !can_be_key(&column.column_type) {
            let detail = format!("a column of type {} cannot distribute a table: `{name}`", column.column_type);
            return Err(SqlError::analysis(&detail));
        }
        hash_columns.push(column.name.clone());
    }
    Ok(Distribution { hash_columns, buckets: distribution.buckets })
}
