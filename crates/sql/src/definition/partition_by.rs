//! PARTITION BY into a table's partitioning, and what ALTER TABLE adds to it or takes from it.
//!
//! Values are brought into the one spelling that the kernel keeps, so that what SHOW CREATE TABLE prints gives an equal
//! table.

use penstock_kernel::partitioning::{
    BoundKey, MAX_NAMED_PARTITIONS, PartitionExpression, PartitionValue, Partitioning, can_divide,
};
use penstock_kernel::table::{Column, ColumnType, TableDefinition};

use super::table::unknown_column;
use crate::error::SqlError;
use crate::position::{Placed, Position};
use crate::statement::{AddedPartition, BatchClause, PartitionBy, RangeClause};

mod batch;
mod lists;
mod ranges;

use lists::Lists;
use ranges::Ranges;

/// Characters that a partition's name has at most.
const LONGEST_NAME: usize = 64;

/// Bytes that the definition of all partitions takes at most: it is a part of one item of the catalog.
const MOST_BYTES: usize = 256 << 10;

/// The partitioning that `clause` says, of a table of these columns.
pub(super) fn partitioning(clause: Option<&PartitionBy>, columns: &[Column]) -> Result<Partitioning, SqlError> {
    let partitioning = match clause {
        None => Partitioning::None,
        Some(PartitionBy::Range { columns: names, partitions }) => {
            let deciding = deciding(names, columns)?;
            let mut ranges = Ranges::empty(deciding);
            for partition in partitions {
                ranges.add(partition)?;
            }
            Partitioning::Range(ranges.finish())
        }
        Some(PartitionBy::List { columns: names, partitions }) => {
            let deciding = deciding(names, columns)?;
            let mut lists = Lists::empty(deciding);
            for partition in partitions {
                lists.add(partition)?;
            }
            Partitioning::List(lists.finish())
        }
        Some(PartitionBy::Expressions { expressions, batches }) => automatic(expressions, batches, columns)?,
    };
    check_size(&partitioning)?;
    Ok(partitioning)
}

/// The table's partitioning with `added` in it; `None` if there is one of that name and `if_not_exists` says that this
/// is no error.
///
/// # Errors
/// [`SqlError`]: a table that is divided in another way, a name in use, values that are none, a range or a tuple that
/// another partition has.
pub fn with_partition(
    table: &TableDefinition,
    added: &AddedPartition,
    if_not_exists: bool,
) -> Result<Option<Partitioning>, SqlError> {
    let mut partitioning = table.partitioning.clone();
    let name = match added {
        AddedPartition::Range(RangeClause::One(item)) => Some(&item.name),
        AddedPartition::Range(RangeClause::Batch(_)) => None,
        AddedPartition::List(list) => Some(&list.name),
    };
    if if_not_exists && name.is_some_and(|name| partitioning.id_of(&name.value).is_some()) {
        return Ok(None);
    }
    match (&mut partitioning, added) {
        (Partitioning::Range(range), AddedPartition::Range(clause)) => {
            let mut ranges = Ranges::of(range.clone(), types_of(table)?);
            ranges.skip_known(if_not_exists);
            ranges.add(clause)?;
            *range = ranges.finish();
        }
        (Partitioning::List(list), AddedPartition::List(clause)) => {
            let mut lists = Lists::of(list.clone(), types_of(table)?);
            lists.add(clause)?;
            *list = lists.finish();
        }
        (Partitioning::Automatic(_), _) => {
            let detail = format!("partitions of table `{}` come with their rows", table.name);
            return Err(SqlError::analysis(&detail).with_hint("no partition has to be added"));
        }
        (other, _) => {
            let kind = match other {
                Partitioning::Range(_) => "by RANGE: expected VALUES LESS THAN (...) or VALUES [(...), (...))",
                Partitioning::List(_) => "by LIST: expected VALUES IN (...)",
                _ => "by nothing: it has no PARTITION BY",
            };
            return Err(SqlError::analysis(&format!("table `{}` is divided {kind}", table.name)));
        }
    }
    check_size(&partitioning)?;
    Ok(Some(partitioning))
}

/// The table's partitioning without these partitions; `None` if none of them is there and `if_exists` says that this is no
/// error.
///
/// # Errors
/// [`SqlError`]: a partition that does not exist, or a table without defined ones.
pub fn without_partitions(
    table: &TableDefinition,
    names: &[String],
    if_exists: bool,
) -> Result<Option<Partitioning>, SqlError> {
    let mut partitioning = table.partitioning.clone();
    let mut ids = Vec::new();
    for name in names {
        match partitioning.id_of(name) {
            Some(id) => ids.push(id),
            None if if_exists => {}
            None => return Err(unknown_partition(name, table)),
        }
    }
    if ids.is_empty() {
        return Ok(None);
    }
    match &mut partitioning {
        Partitioning::Range(range) => range.partitions.retain(|one| !ids.contains(&one.id)),
        Partitioning::List(list) => list.partitions.retain(|one| !ids.contains(&one.id)),
        _ => {}
    }
    Ok(Some(partitioning))
}

/// The error that `name` is no partition of the table.
pub fn unknown_partition(name: &str, table: &TableDefinition) -> SqlError {
    let error = SqlError::analysis(&format!("Partition {name} does not exist"));
    match crate::similar::nearest(name, table.partitioning.named().into_iter().map(|(_, name)| name)) {
        Some(known) => error.with_hint(format!("did you mean `{known}`?")),
        None => error,
    }
}

/// Types of the columns that decide, in order.
///
/// # Errors
/// [`SqlError`] if the definition names a column that the table does not have.
pub fn types_of(table: &TableDefinition) -> Result<Vec<ColumnType>, SqlError> {
    let column_type = |name: &str| match table.column(name) {
        Some(column) => Ok(column.column_type.clone()),
        None => Err(unknown_column(name, &table.columns)),
    };
    table.partitioning.columns().into_iter().map(column_type).collect()
}

fn analysis<T>(position: Position, detail: &str) -> Result<T, SqlError> {
    Err(SqlError::analysis_at(position, detail))
}

/// The columns of these names, each once and of a type that can divide a table.
fn deciding<'c>(names: &[Placed<String>], columns: &'c [Column]) -> Result<Vec<&'c Column>, SqlError> {
    let mut deciding: Vec<&Column> = Vec::new();
    for name in names {
        let column = deciding_column(&name.value, name.position, columns)?;
        if deciding.iter().any(|other| other.name == column.name) {
            return analysis(name.position, &format!("column `{}` stands twice in PARTITION BY", column.name));
        }
        deciding.push(column);
    }
    Ok(deciding)
}

fn deciding_column<'c>(name: &str, position: Position, columns: &'c [Column]) -> Result<&'c Column, SqlError> {
    let Some(column) = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)) else {
        let mut error = SqlError::analysis_at(position, &format!("column `{name}` does not exist"));
        error.hint = unknown_column(name, columns).hint;
        return Err(error);
    };
    if !can_divide(&column.column_type) {
        let detail = format!("a column of type {} cannot partition a table: `{name}`", column.column_type);
        return Err(SqlError::analysis_at(position, &detail)
            .with_hint("expected an integer, BOOLEAN, DATE, DATETIME, CHAR or VARCHAR"));
    }
    Ok(column)
}

fn automatic(
    expressions: &[Placed<PartitionExpression>],
    batches: &[BatchClause],
    columns: &[Column],
) -> Result<Partitioning, SqlError> {
    let mut resolved: Vec<PartitionExpression> = Vec::new();
    for Placed { value: expression, position } in expressions {
        let column = deciding_column(expression.column(), *position, columns)?;
        if let Some((_, unit)) = expression.slice() {
            match column.column_type {
                ColumnType::DateTime => {}
                ColumnType::Date if !unit.is_within_day() => {}
                ColumnType::Date => {
                    let detail = format!("column `{}` of type date has no {}", column.name, unit.name());
                    return analysis(*position, &detail);
                }
                _ => {
                    let detail = format!("expected a column of type DATE or DATETIME, found `{}`", column.name);
                    return analysis(*position, &detail);
                }
            }
        }
        let mut expression = expression.clone();
        match &mut expression {
            PartitionExpression::Column(name)
            | PartitionExpression::DateTrunc { column: name, .. }
            | PartitionExpression::TimeSlice { column: name, .. } => name.clone_from(&column.name),
        }
        if resolved.contains(&expression) {
            return analysis(*position, &format!("column `{}` stands twice in PARTITION BY", column.name));
        }
        resolved.push(expression);
    }
    check_ahead(&resolved, batches, columns)?;
    Ok(Partitioning::Automatic(resolved))
}

/// Partitions that StarRocks makes ahead of their rows have to be such as rows would make. There is nothing to be made
/// here, since a partition is no more than its files.
fn check_ahead(
    expressions: &[PartitionExpression],
    batches: &[BatchClause],
    columns: &[Column],
) -> Result<(), SqlError> {
    for batch in batches {
        let position = batch.step.position;
        let (Some(slice), [expression]) = (expressions.first().and_then(PartitionExpression::slice), expressions)
        else {
            let detail = "START ... END ... EVERY needs one expression of date_trunc or time_slice";
            return analysis(batch.start.position, detail);
        };
        let column = deciding_column(expression.column(), position, columns)?;
        let made = batch::ranges(batch, &column.column_type)?;
        if made.interval != Some((u64::from(slice.0), slice.1)) {
            let detail = format!("expected EVERY (INTERVAL {} {}), as the table is divided", slice.0, slice.1.name());
            return analysis(position, &detail);
        }
    }
    Ok(())
}

/// Checks the name of the partition that is to follow `count` others.
fn check_name<'n>(
    name: &Placed<String>,
    mut known: impl Iterator<Item = &'n str>,
    count: usize,
) -> Result<(), SqlError> {
    let text = &name.value;
    let begins = text.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
    let all = text.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if !begins || !all || text.chars().count() > LONGEST_NAME {
        let start: String = text.chars().take(LONGEST_NAME).collect();
        let error = SqlError::analysis_at(name.position, &format!("Incorrect partition name '{start}'"));
        return Err(error.with_hint("at most 64 letters, digits and underscores, beginning with a letter"));
    }
    if known.any(|other| other.eq_ignore_ascii_case(text)) {
        return analysis(name.position, &format!("Duplicate partition name {text}"));
    }
    if count >= MAX_NAMED_PARTITIONS {
        return Err(too_many(name.position));
    }
    Ok(())
}

fn too_many(position: Position) -> SqlError {
    let detail = format!("expected at most {MAX_NAMED_PARTITIONS} partitions, found more");
    SqlError::analysis_at(position, &detail)
        .with_hint("PARTITION BY date_trunc('day', column) makes partitions as their rows come, without a limit")
}

fn check_size(partitioning: &Partitioning) -> Result<(), SqlError> {
    let bytes = serde_json::to_vec(partitioning).map_or(usize::MAX, |text| text.len());
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    let detail = format!("expected partitions of at most {MOST_BYTES} bytes in all, found {bytes}");
    Err(SqlError::analysis(&detail).with_hint("shorten their names and values, or make fewer"))
}

/// The value of a literal.
fn value(text: &str, column_type: &ColumnType, column: &str, position: Position) -> Result<PartitionValue, SqlError> {
    PartitionValue::parse(column_type, text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let detail = format!("Invalid value for partition column '{column}': expected {column_type}, found `{shown}`");
        SqlError::analysis_at(position, &detail)
    })
}

fn spelling(value: &PartitionValue, column_type: &ColumnType) -> Option<String> {
    value.text(column_type)
}

/// A bound as StarRocks prints it.
fn shown(keys: &[BoundKey], types: &[ColumnType]) -> String {
    let entries: Vec<String> = keys
        .iter()
        .zip(types)
        .map(|(key, column_type)| match key {
            BoundKey::Max => "MAXVALUE".to_owned(),
            BoundKey::Value(value) => value.text(column_type).unwrap_or_else(|| "NULL".to_owned()),
        })
        .collect();
    if entries.is_empty() { "MINVALUE".to_owned() } else { entries.join(", ") }
}

#[cfg(test)]
mod tests;
