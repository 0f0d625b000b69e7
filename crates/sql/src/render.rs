//! `SHOW CREATE ...`: definitions as statements that create them again.

use std::fmt::Write;

use penstock_kernel::job::{JobDefinition, StartOffset};
pub use penstock_kernel::security::is_secret;
use penstock_kernel::table::{ColumnDefault, TableDefinition, Wide};

use crate::definition::registry;
use crate::print::{Name, Names, Quoted};
use crate::statement::{DistributedBy, JobClauses, PartitionBy};

/// What stands in the place of a secret.
pub const MASK: &str = "******";

/// `CREATE DATABASE`, with the storage volume if there is one.
pub fn create_database(name: &str, volume: Option<&str>) -> String {
    let mut text = format!("CREATE DATABASE {}", Name(name));
    if let Some(volume) = volume {
        text += &format!("\nPROPERTIES (\"storage_volume\" = {})", Quoted(volume));
    }
    text
}

/// `CREATE TABLE`, in the layout of StarRocks.
pub fn create_table(table: &TableDefinition) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let null = if column.nullable { "NULL" } else { "NOT NULL" };
            let mut text = format!("  {} {} {null}", Name(&column.name), Wide(&column.column_type));
            match &column.default {
                Some(ColumnDefault::Literal(value)) => text += &format!(" DEFAULT {}", Quoted(value)),
                Some(ColumnDefault::CurrentTimestamp) => text += " DEFAULT CURRENT_TIMESTAMP",
                Some(_) | None => {}
            }
            if let Some(comment) = &column.comment {
                text += &format!(" COMMENT {}", Quoted(comment));
            }
            text
        })
        .collect();
    let mut text = format!("CREATE TABLE {} (\n{}\n) ENGINE=OLAP", Name(&table.name), columns.join(",\n"));
    if !table.key_columns.is_empty() {
        text += &format!("\nDUPLICATE KEY({})", Names(&table.key_columns));
    }
    if let Some(comment) = &table.comment {
        text += &format!("\nCOMMENT {}", Quoted(comment));
    }
    if let Some(partition_by) = PartitionBy::of(&table.partitioning) {
        text += &format!("\n{partition_by}");
    }
    text += &format!("\n{}", DistributedBy(&table.distribution));
    let mut properties = table.properties.clone();
    properties.insert("storage_volume".to_owned(), table.volume.clone());
    let pairs: Vec<String> =
        properties.iter().map(|(key, value)| format!("{} = {}", Quoted(key), Quoted(value))).collect();
    text += &format!("\nPROPERTIES (\n{}\n);", pairs.join(",\n"));
    text
}

/// `CREATE ROUTINE LOAD`, secrets masked and a generated consumer group left out, so that it creates an equal job of a
/// group of its own.
pub fn create_job(job: &JobDefinition, table: &str) -> String {
    let mut text = format!("CREATE ROUTINE LOAD {} ON {}", Name(&job.name), Name(table));
    // Writing to a text cannot fail.
    let _ = write!(text, "{}", JobClauses(&job.clauses));
    let properties: Vec<(String, String)> =
        job.properties.given().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if !properties.is_empty() {
        text += &format!("\nPROPERTIES\n{}", pairs(&properties));
    }
    text += &format!("\nFROM KAFKA\n{};", pairs(&source(job)));
    text
}

fn pairs(pairs: &[(String, String)]) -> String {
    let lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{} = {}", Quoted(key), Quoted(value))).collect();
    format!("(\n{}\n)", lines.join(",\n"))
}

/// The pairs of `FROM KAFKA (...)`.
fn source(job: &JobDefinition) -> Vec<(String, String)> {
    let source = &job.source;
    let mut pairs = vec![
        ("kafka_broker_list".to_owned(), source.brokers.join(",")),
        ("kafka_topic".to_owned(), source.topic.clone()),
    ];
    if let Some(pinned) = &source.pinned {
        let numbers: Vec<String> = pinned.keys().map(ToString::to_string).collect();
        pairs.push(("kafka_partitions".to_owned(), numbers.join(",")));
        let default = source.default_start.unwrap_or(StartOffset::End);
        if pinned.values().any(Option::is_some) {
            let starts: Vec<String> = pinned.values().map(|start| start_text(start.unwrap_or(default))).collect();
            pairs.push(("kafka_offsets".to_owned(), starts.join(",")));
        }
    }
    if let Some(known) = &source.registry {
        pairs.push((registry::URL.to_owned(), known.url.clone()));
        if known.credentials.is_some() {
            pairs.push((registry::USER_INFO.to_owned(), MASK.to_owned()));
        }
    }
    for (key, value) in &source.custom {
        if key == "group.id" && is_generated_group(&job.name, value) {
            continue;
        }
        let shown = if is_secret(key) { MASK } else { value };
        pairs.push((format!("property.{key}"), shown.to_owned()));
    }
    pairs
}

/// Whether a consumer group is `<job>_<uuid>`, as given to jobs that name none.
fn is_generated_group(job: &str, group: &str) -> bool {
    let uuid = group.strip_prefix(job).and_then(|rest| rest.strip_prefix('_'));
    // ALTER that moves the job gives it a group of its own: `-v<version>` behind.
    let uuid = uuid.map(|uuid| uuid.rsplit_once("-v").map_or(uuid, |(uuid, _)| uuid));
    uuid.is_some_and(|uuid| uuid.len() == 36 && uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
}

/// A start as the source properties spell it.
pub fn start_text(start: StartOffset) -> String {
    match start {
        StartOffset::Beginning => "OFFSET_BEGINNING".to_owned(),
        StartOffset::End => "OFFSET_END".to_owned(),
        StartOffset::At(offset) => offset.to_string(),
    }
}
