//! A plan in words: what feeds which column through which conversion. EXPLAIN prints it.
//!
//! It is said of the definition and the table, not of the compiled form, so that it reads as they were written; whether
//! they go together is for [`Plan::compile`](super::Plan::compile) to say first.

use crate::job::{ColumnItem, JobDefinition};
use crate::property::Format;
use crate::table::{Column, ColumnDefault, ColumnType, TableDefinition};

/// A job's plan in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The table's columns in their order.
    pub columns: Vec<ColumnDescription>,
    /// Source fields that no column takes as they are, in their order: placeholders, and what expressions read.
    pub fields_aside: Vec<(String, String)>,
    /// What else decides about records and rows, as title and text, in the order in which it takes effect.
    pub rules: Vec<(&'static str, String)>,
}

/// Where one column comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDescription {
    /// Its name, as in the table.
    pub name: String,
    /// Its type, as SHOW prints it.
    pub column_type: String,
    /// What feeds it: a path, a key, a field's number, metadata, an expression, the default, or nothing.
    pub fed_by: String,
    /// What becomes of what feeds it.
    pub conversion: String,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// The plan of `job` on `table`, which compile.
pub fn describe(job: &JobDefinition, table: &TableDefinition) -> Description {
    let properties = &job.properties;
    let items = job.clauses.columns.as_deref().unwrap_or_default();
    let mut plain: Vec<&str> = items
        .iter()
        .filter_map(|item| match item {
            ColumnItem::Plain(name) => Some(name.as_str()),
            ColumnItem::Assignment { .. } => None,
        })
        .collect();
    let metadata = job.clauses.metadata.as_deref().unwrap_or_default();
    let included = |name: &str| metadata.iter().find(|item| item.name().eq_ignore_ascii_case(name));
    if plain.is_empty() {
        plain =
            table.columns.iter().map(|column| column.name.as_str()).filter(|name| included(name).is_none()).collect();
    }
    let paths: Vec<String> = serde_json::from_str(properties.jsonpaths()).unwrap_or_default();
    let field = |index: usize, name: &str| match (properties.format(), paths.get(index)) {
        (Format::Csv, _) => format!("field {}", index + 1),
        (_, Some(path)) => format!("path {path}"),
        // A path for each but this one: nothing can feed it.
        (_, None) if !paths.is_empty() => "nothing: there is no path for it".to_owned(),
        (_, None) => format!("key `{name}`"),
    };
    let assigned = |column: &Column| {
        items.iter().find_map(|item| match item {
            ColumnItem::Assignment { name, expression } if name.eq_ignore_ascii_case(&column.name) => Some(expression),
            _ => None,
        })
    };
    let columns = table.columns.iter().map(|column| {
        let slot = plain.iter().position(|name| name.eq_ignore_ascii_case(&column.name));
        let (fed_by, conversion) = match (assigned(column), slot) {
            (Some(expression), _) => (format!("expression {expression}"), format!("cast to {}", column.column_type)),
            (None, Some(index)) => (
                field(index, plain.get(index).copied().unwrap_or_default()),
                conversion(column, properties.strict_mode()),
            ),
            (None, None) => match (included(&column.name), &column.default) {
                (Some(item), _) => (format!("metadata {}", item.field), conversion(column, properties.strict_mode())),
                (None, Some(ColumnDefault::Literal(text))) => (format!("default \"{text}\""), "none".to_owned()),
                (None, Some(ColumnDefault::CurrentTimestamp)) => {
                    ("default CURRENT_TIMESTAMP".to_owned(), "time of the batch".to_owned())
                }
                (None, _) => ("nothing".to_owned(), "NULL".to_owned()),
            },
        };
        ColumnDescription {
            name: column.name.clone(),
            column_type: column.column_type.to_string(),
            fed_by,
            conversion,
            nullable: column.nullable,
        }
    });
    let columns = columns.collect();
    let taken = |name: &str| table.column(name).is_some_and(|column| assigned(column).is_none());
    let aside = plain.iter().enumerate().filter(|(_, name)| !taken(name));
    let fields = aside.map(|(index, name)| ((*name).to_owned(), field(index, name)));
    let metadata = metadata.iter().filter(|item| !taken(item.name()));
    let metadata = metadata.map(|item| (item.name().to_owned(), format!("metadata {}", item.field)));
    let fields_aside = fields.chain(metadata).collect();
    Description { columns, fields_aside, rules: rules(job) }
}

/// What the column's type accepts, and what happens to the rest.
fn conversion(column: &Column, strict: bool) -> String {
    let accepts = match column.column_type {
        ColumnType::Boolean => "true, false, or a number".to_owned(),
        ColumnType::TinyInt | ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt | ColumnType::LargeInt => {
            "an integer in range; fractions are cut off".to_owned()
        }
        ColumnType::Float | ColumnType::Double => "a finite number".to_owned(),
        ColumnType::Decimal { scale, .. } => format!("a number in range, rounded to {scale} decimals"),
        ColumnType::Char(bytes) | ColumnType::Varchar(bytes) => {
            format!("text of at most {bytes} bytes; others as JSON")
        }
        ColumnType::Date => "a date".to_owned(),
        ColumnType::DateTime => "a date with time; a zone behind it is dropped".to_owned(),
        ColumnType::Json => "any value, as it is".to_owned(),
        #[allow(unreachable_patterns, reason = "a type that is described nowhere else is described by its name")]
        _ => format!("to {}", column.column_type),
    };
    let otherwise = if strict || !column.nullable { "the row is rejected" } else { "NULL" };
    format!("{accepts}; else {otherwise}")
}

fn rules(job: &JobDefinition) -> Vec<(&'static str, String)> {
    let properties = &job.properties;
    let mut rules = vec![("format", properties.format().to_string())];
    match properties.format() {
        Format::Csv => {
            let separator = job.clauses.column_separator.as_deref().unwrap_or("\t");
            rules.push(("column separator", separator.escape_default().to_string()));
            let delimiter = job.clauses.row_delimiter.as_deref().unwrap_or("\n");
            rules.push(("row delimiter", delimiter.escape_default().to_string()));
        }
        Format::Json => {
            if !properties.json_root().is_empty() {
                rules.push(("json_root", properties.json_root().to_owned()));
            }
            let rows = if properties.strip_outer_array() {
                "one for each element of the array"
            } else {
                "one for each object"
            };
            rules.push(("rows of a record", rows.to_owned()));
        }
        Format::Avro => {}
    }
    let unsuitable = if properties.strict_mode() { "rejects the row" } else { "becomes NULL" };
    rules.push(("unsuitable value", unsuitable.to_owned()));
    rules.push(("where", job.clauses.filter.clone().unwrap_or_else(|| "none: every row".to_owned())));
    let partitions = job.clauses.table_partitions.as_ref().map(|names| names.join(", "));
    rules.push(("table partitions", partitions.unwrap_or_else(|| "all".to_owned())));
    let unparsable = if properties.pause_on_fatal_parse_error() { "pauses the job" } else { "is one rejected row" };
    rules.push(("record that cannot be parsed", unparsable.to_owned()));
    rules.push((
        "rejected rows",
        format!(
            "more than {} in {} rows pause the job; a share above {:?} refuses the batch",
            properties.max_error_number(),
            properties.max_batch_rows().saturating_mul(10),
            properties.max_filter_ratio()
        ),
    ));
    rules
}
