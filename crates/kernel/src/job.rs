//! A routine load job as its definition says it; one immutable value a version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{DatabaseId, JobId, TableId};
use crate::metadata::MetadataField;
use crate::property::JobProperties;
use crate::registry::SchemaRegistry;

/// One version of a job's definition. ALTER makes the next version; none is ever changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDefinition {
    /// The job.
    pub id: JobId,
    /// 1 at CREATE, one more with each ALTER.
    pub version: u32,
    /// Its name, unique among the live jobs of the database.
    pub name: String,
    /// The database that job and table live in.
    pub database: DatabaseId,
    /// The table it loads, by id: a table of the same name created later is another.
    pub table: TableId,
    /// `COLUMNS (...)`, `WHERE` and their like.
    pub clauses: LoadClauses,
    /// `PROPERTIES (...)`.
    pub properties: JobProperties,
    /// `FROM KAFKA (...)`.
    pub source: KafkaSource,
}

/// What stands between `ON table` and `PROPERTIES`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadClauses {
    /// `COLUMNS (...)`, items in the order written; `None` if the clause is absent.
    pub columns: Option<Vec<ColumnItem>>,
    /// `COLUMNS TERMINATED BY`, as written.
    pub column_separator: Option<String>,
    /// `ROWS TERMINATED BY`, as written.
    pub row_delimiter: Option<String>,
    /// `INCLUDE METADATA (...)`, items in the order written; `None` if the clause is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Vec<MetadataItem>>,
    /// Text of the `WHERE` expression.
    pub filter: Option<String>,
    /// `PARTITION (...)`: table partitions that the job may load into.
    pub table_partitions: Option<Vec<String>>,
}

/// An item of `COLUMNS (...)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnItem {
    /// Takes the next source field, jsonpath, or equally named key.
    Plain(String),
    /// A destination column computed from source columns.
    Assignment {
        /// The destination column.
        name: String,
        /// The expression's text.
        expression: String,
    },
}

/// An item of `INCLUDE METADATA (...)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataItem {
    /// What is included.
    pub field: MetadataField,
    /// `AS name`, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

impl MetadataItem {
    /// The name of the source column.
    pub fn name(&self) -> &str {
        self.alias.as_deref().unwrap_or_else(|| self.field.default_name())
    }
}

/// Where in a source partition reading starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartOffset {
    /// `OFFSET_BEGINNING`: the oldest record that Kafka still has.
    Beginning,
    /// `OFFSET_END`: only records that come after CREATE.
    End,
    /// The next offset to read, 0 or more.
    At(i64),
}

/// `FROM KAFKA (...)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KafkaSource {
    /// `host:port` each, as written; never empty.
    pub brokers: Vec<String>,
    /// The one topic.
    pub topic: String,
    /// `kafka_partitions`, each with its `kafka_offsets` entry: the job reads these source partitions and no others.
    /// `None`: all, and those added later.
    pub pinned: Option<BTreeMap<i32, Option<StartOffset>>>,
    /// `property.kafka_default_offsets`, if given.
    pub default_start: Option<StartOffset>,
    /// `property.*` with the prefix removed, as given, `group.id` always among them (generated if not given);
    /// `kafka_default_offsets` included when given.
    pub custom: BTreeMap<String, String>,
    /// `confluent.schema.registry.*`: where the schemas of the records are. Jobs whose format needs one have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<SchemaRegistry>,
}

impl KafkaSource {
    /// Where a source partition that has no progress yet starts; `None` if the job does not read it.
    ///
    /// An entry of `kafka_offsets` wins, then `kafka_default_offsets`, then `OFFSET_END`.
    pub fn start_of(&self, source_partition: i32) -> Option<StartOffset> {
        let default = self.default_start.unwrap_or(StartOffset::End);
        match &self.pinned {
            None => Some(default),
            Some(pinned) => pinned.get(&source_partition).map(|start| start.unwrap_or(default)),
        }
    }

    /// The consumer group; empty only if a definition was built by hand without one.
    pub fn group_id(&self) -> &str {
        self.custom.get("group.id").map_or("", String::as_str)
    }
}
