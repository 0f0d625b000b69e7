//! What a job says about its format, into the reader of its records.
//!
//! Properties and clauses of another format are accepted and mean nothing, as in StarRocks.

use super::error::DefinitionError;
use super::mapping::Mapping;
use super::paths;
use crate::format::Reader;
use crate::format::avro::{AvroReader, Zone};
use crate::format::csv::CsvReader;
use crate::format::csv::escape::Unescape;
use crate::format::json::JsonReader;
use crate::job::JobDefinition;
use crate::property::{Format, JobProperties};
use crate::separator::{self, DEFAULT_COLUMN_SEPARATOR, DEFAULT_ROW_DELIMITER};
use crate::table::TableDefinition;

/// The reader of the job's records.
pub(super) fn reader(
    job: &JobDefinition,
    mapping: &Mapping<'_>,
    table: &TableDefinition,
) -> Result<Reader, DefinitionError> {
    match job.properties.format() {
        Format::Json => json(&job.properties, mapping, table).map(Reader::Json),
        Format::Csv => csv(job, mapping).map(|reader| Reader::Csv(Box::new(reader))),
        Format::Avro => avro(&job.properties, mapping, table).map(Reader::Avro),
    }
}

fn json(
    properties: &JobProperties,
    mapping: &Mapping<'_>,
    table: &TableDefinition,
) -> Result<JsonReader, DefinitionError> {
    let mut reader = match paths::jsonpaths(properties.jsonpaths())? {
        Some((paths, texts)) => JsonReader::matched(&mapping.fit_paths(paths, &texts, table)?),
        None => JsonReader::simple(mapping.names()),
    };
    if let Some(root) = paths::json_root(properties.json_root())? {
        reader = reader.with_root(&root);
    }
    Ok(reader.with_strip_outer_array(properties.strip_outer_array()))
}

/// `json_root` and `strip_outer_array` say nothing about Avro, which has one record a message.
fn avro(
    properties: &JobProperties,
    mapping: &Mapping<'_>,
    table: &TableDefinition,
) -> Result<AvroReader, DefinitionError> {
    let zone = Zone::of(&properties.timezone());
    Ok(match paths::jsonpaths(properties.jsonpaths())? {
        Some((paths, texts)) => AvroReader::matched(&mapping.fit_paths(paths, &texts, table)?, zone),
        None => AvroReader::simple(mapping.names(), zone),
    })
}

fn csv(job: &JobDefinition, mapping: &Mapping<'_>) -> Result<CsvReader, DefinitionError> {
    const SEPARATOR: &str = "column separator";
    const DELIMITER: &str = "row delimiter";
    let properties = &job.properties;
    let decode = |what, written: &Option<String>, default: &str| {
        let written = written.as_deref().unwrap_or(default);
        separator::decode(written).map_err(|source| DefinitionError::Separator {
            what,
            written: written.to_owned(),
            source,
        })
    };
    let column_separator = decode(SEPARATOR, &job.clauses.column_separator, DEFAULT_COLUMN_SEPARATOR)?;
    let row_delimiter = decode(DELIMITER, &job.clauses.row_delimiter, DEFAULT_ROW_DELIMITER)?;
    if column_separator.contains(&row_delimiter) {
        return Err(DefinitionError::HiddenSeparator);
    }
    for (property, text) in [("enclose", properties.get("enclose")), ("escape", properties.get("escape"))] {
        let Some(first) = text.and_then(|text| text.chars().next()) else {
            continue;
        };
        if !first.is_ascii() {
            return Err(DefinitionError::NotAscii { property, found: first });
        }
        for (what, separator) in [(SEPARATOR, &column_separator), (DELIMITER, &row_delimiter)] {
            if separator.contains(first) {
                return Err(DefinitionError::SpecialInSeparator { property, found: first, what });
            }
        }
    }
    let enclose = properties.enclose();
    // Equal bytes mean what doubling means anyway.
    let escape = properties.escape().filter(|escape| Some(*escape) != enclose);
    let special = (enclose.is_some() || escape.is_some()).then_some(Unescape { enclose, escape });
    let fields = mapping.names().len();
    Ok(CsvReader::new(&column_separator, &row_delimiter, fields, properties.trim_space(), special))
}
