//! CREATE and ALTER ROUTINE LOAD into a job's definition.

use std::collections::BTreeMap;

use penstock_kernel::ids::{DatabaseId, JobId};
use penstock_kernel::job::{JobDefinition, LoadClauses, StartOffset};
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::property::{Format, JobProperties, Property, PropertyError};
use penstock_kernel::separator::{self, SeparatorError};
use penstock_kernel::table::TableDefinition;

use super::partition_by::unknown_partition;
use super::{kafka, registry};
use crate::error::{SqlError, code};
use crate::position::Position;
use crate::statement::{AlterRoutineLoad, CreateRoutineLoad, Pairs};

/// What a job's definition needs to know besides the statement.
#[derive(Debug, Clone, Copy)]
pub struct JobContext<'a> {
    /// The database that the job lives in.
    pub database: DatabaseId,
    /// The table that it loads.
    pub table: &'a TableDefinition,
    /// Unique; becomes part of the consumer group if the statement names none.
    pub uuid: &'a str,
    /// The session's `time_zone`: the job's, if the statement says none.
    pub time_zone: &'a str,
}

/// Version 1 of the job that `statement` creates. Its id is 0 until the catalog gives it one.
///
/// # Errors
/// [`SqlError`]: the name (5063), a property of the job or of the source, a separator's length (5605), or a table
/// partition that does not exist.
pub fn job_definition(statement: &CreateRoutineLoad, context: JobContext<'_>) -> Result<JobDefinition, SqlError> {
    let name = &statement.name.name;
    check_name(name)?;
    let mut pairs = statement.properties.clone();
    let known_zone = JobProperties::from_pairs([("timezone", context.time_zone)]).is_ok();
    if pairs.get("timezone").is_none() && known_zone {
        // Kept with the job, since the session that it comes from will be gone.
        pairs.0.push(crate::statement::Pair {
            key: "timezone".to_owned(),
            value: context.time_zone.to_owned(),
            position: Position::START,
        });
    }
    check_clauses(&statement.clauses, context.table)?;
    let definition = JobDefinition {
        id: JobId(0),
        version: 1,
        name: name.clone(),
        database: context.database,
        table: context.table.id,
        clauses: statement.clauses.clone(),
        properties: properties(&pairs)?,
        source: kafka::source(&statement.source, &format!("{name}_{}", context.uuid))?,
    };
    check_registry(&definition)?;
    Ok(definition)
}

/// The version of a job that follows `current` when `statement` alters it. Moving the progress to start offsets that the
/// statement gives ([`altered_starts`]) is for the caller.
///
/// # Errors
/// [`SqlError`]: a property that is unknown, out of range or fixed at CREATE; or as [`job_definition`].
pub fn altered_definition(
    current: &JobDefinition,
    statement: &AlterRoutineLoad,
    table: &TableDefinition,
) -> Result<JobDefinition, SqlError> {
    check_clauses(&statement.clauses, table)?;
    // That a property is fixed is said whatever its value.
    let fixed = statement.properties.iter().find_map(|(key, _)| Property::named(key).filter(|known| !known.alterable));
    if let Some(property) = fixed {
        let error = PropertyError::NotAlterable { key: property.name };
        return Err(property_error(&error, &statement.properties));
    }
    let altered = properties(&statement.properties)?;
    let properties =
        current.properties.merged(&altered).map_err(|error| property_error(&error, &statement.properties))?;
    let source = match &statement.source {
        Some(pairs) => kafka::altered(&current.source, pairs)?,
        None => current.source.clone(),
    };
    let (old, new) = (&current.clauses, &statement.clauses);
    let clauses = LoadClauses {
        columns: new.columns.clone().or_else(|| old.columns.clone()),
        column_separator: new.column_separator.clone().or_else(|| old.column_separator.clone()),
        row_delimiter: new.row_delimiter.clone().or_else(|| old.row_delimiter.clone()),
        metadata: new.metadata.clone().or_else(|| old.metadata.clone()),
        filter: new.filter.clone().or_else(|| old.filter.clone()),
        table_partitions: new.table_partitions.clone().or_else(|| old.table_partitions.clone()),
    };
    let altered =
        JobDefinition { version: current.version.saturating_add(1), clauses, properties, source, ..current.clone() };
    check_registry(&altered)?;
    Ok(altered)
}

/// A format whose records only name their schemas needs to know where those are.
fn check_registry(definition: &JobDefinition) -> Result<(), SqlError> {
    if definition.properties.format() != Format::Avro || definition.source.registry.is_some() {
        return Ok(());
    }
    Err(SqlError::analysis(&format!("{} is a required property of format = `avro`", registry::URL))
        .with_hint(format!("FROM KAFKA (..., \"{}\" = \"http://localhost:8081\")", registry::URL)))
}

/// The source partitions that `statement` moves, each with where it is to go on; empty without `kafka_offsets`.
///
/// # Errors
/// [`SqlError`] as [`altered_definition`].
pub fn altered_starts(statement: &AlterRoutineLoad) -> Result<BTreeMap<i32, StartOffset>, SqlError> {
    statement.source.as_ref().map_or(Ok(BTreeMap::new()), kafka::starts)
}

/// At most 64 letters, digits and underscores; a letter first, or an underscore and then a letter or digit.
fn check_name(name: &str) -> Result<(), SqlError> {
    let mut letters = name.chars();
    let begins = match letters.next() {
        Some('_') => letters.next().is_some_and(|second| second.is_ascii_alphanumeric()),
        Some(first) => first.is_ascii_alphabetic(),
        None => false,
    };
    let all = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if begins && all && name.len() <= 64 {
        return Ok(());
    }
    let message = format!("Incorrect ROUTINE LOAD NAME name '{name}'");
    Err(SqlError::new(code::BAD_NAME, message)
        .with_hint("at most 64 letters, digits and underscores, beginning with a letter"))
}

fn properties(pairs: &Pairs) -> Result<JobProperties, SqlError> {
    JobProperties::from_pairs(pairs.iter()).map_err(|error| property_error(&error, pairs))
}

/// `error` in the shape of SQL, with the place of the pair that causes it where a pair alone does.
fn property_error(error: &PropertyError, pairs: &Pairs) -> SqlError {
    let guilty = pairs.0.iter().find(|pair| {
        let alone = JobProperties::from_pairs([(pair.key.as_str(), pair.value.as_str())]);
        match error {
            PropertyError::NotAlterable { key } => *key == pair.key,
            _ => alone.as_ref() == Err(error),
        }
    });
    let detail = error.to_string();
    let mut refused = match (error.mysql_code(), guilty) {
        (Some(code), _) => SqlError::new(code, detail),
        (None, Some(pair)) => SqlError::analysis_at(pair.position, &detail),
        (None, None) => SqlError::analysis(&detail),
    };
    refused.hint = error.hint();
    refused
}

fn check_clauses(clauses: &LoadClauses, table: &TableDefinition) -> Result<(), SqlError> {
    for (what, written) in [("column separator", &clauses.column_separator), ("row delimiter", &clauses.row_delimiter)]
    {
        let Some(written) = written else {
            continue;
        };
        match separator::decode(written) {
            Ok(_) => {}
            Err(SeparatorError::Length { bytes }) => {
                let message =
                    format!("The valid bytes length for {what} is [1, {}], found {bytes}", separator::MAX_BYTES);
                return Err(SqlError::new(code::DELIMITER_LENGTH, message));
            }
            Err(error) => return Err(SqlError::analysis(&format!("Invalid {what} '{written}': {error}"))),
        }
    }
    let exists = |name: &str| match &table.partitioning {
        // A table without PARTITION BY is one partition that has the table's name.
        Partitioning::None => name.eq_ignore_ascii_case(&table.name),
        // Which ones exist is known by the files of the table, which are for the caller to look at.
        Partitioning::Automatic(_) => true,
        partitioning => partitioning.id_of(name).is_some(),
    };
    match clauses.table_partitions.iter().flatten().find(|name| !exists(name)) {
        Some(name) => Err(unknown_partition(name, table)),
        None => Ok(()),
    }
}
