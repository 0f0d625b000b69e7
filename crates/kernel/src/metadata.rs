//! What Kafka knows of a record besides its value, as source columns: `INCLUDE METADATA (KEY AS k, OFFSET AS o)`.
//!
//! A metadata column is a source column like a field of the value: it feeds the column of its name, and expressions may
//! read it. It is never looked for in the value, so a field of the same name does not hide it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::batch::Record;
use crate::format::value::Value;
use crate::table::{ColumnType, STRING_BYTES};

/// A property of a record that may be included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataField {
    /// `TOPIC`: its name.
    Topic,
    /// `KEY`: its bytes, NULL if it has none.
    Key,
    /// `PARTITION`: number of the source partition.
    SourcePartition,
    /// `OFFSET`
    Offset,
    /// `TIMESTAMP`: a moment in UTC; milliseconds since the epoch for columns that hold numbers. NULL if it has none.
    Timestamp,
    /// `TIMESTAMP_MS`: milliseconds since the epoch, NULL if it has none.
    TimestampMs,
    /// `HEADERS`: names and values.
    Headers,
}

/// Every field with the word for it, in the order in which references list them.
const WORDS: [(MetadataField, &str, &str); 7] = [
    (MetadataField::Topic, "TOPIC", "topic"),
    (MetadataField::Key, "KEY", "key"),
    (MetadataField::SourcePartition, "PARTITION", "partition"),
    (MetadataField::Offset, "OFFSET", "offset"),
    (MetadataField::Timestamp, "TIMESTAMP", "timestamp"),
    (MetadataField::TimestampMs, "TIMESTAMP_MS", "timestamp_ms"),
    (MetadataField::Headers, "HEADERS", "headers"),
];

impl MetadataField {
    /// Every field, in the order in which references list them.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().map(|(field, ..)| *field)
    }

    /// The field of that word, in any case.
    pub fn named(word: &str) -> Option<Self> {
        WORDS.iter().find_map(|(field, other, _)| other.eq_ignore_ascii_case(word).then_some(*field))
    }

    /// Name of the source column if the statement gives none: the word in lower case.
    pub fn default_name(self) -> &'static str {
        WORDS.iter().find_map(|(field, _, name)| (*field == self).then_some(*name)).unwrap_or_default()
    }

    /// Its type where an expression reads it.
    pub fn column_type(self) -> ColumnType {
        match self {
            Self::Topic | Self::Key => ColumnType::Varchar(STRING_BYTES),
            Self::SourcePartition => ColumnType::Int,
            Self::Offset | Self::TimestampMs => ColumnType::BigInt,
            Self::Timestamp => ColumnType::DateTime,
            Self::Headers => ColumnType::Json,
        }
    }

    /// Its value in a record of `topic`.
    pub(crate) fn value<'a>(self, topic: &'a str, record: &Record<'a>) -> Value<'a> {
        match self {
            Self::Topic => Value::Text(topic),
            Self::Key => record.key.map_or(Value::Null, Value::Bytes),
            Self::SourcePartition => Value::Integer(i64::from(record.source_partition)),
            Self::Offset => Value::Integer(record.offset),
            Self::Timestamp => record.timestamp_ms.map_or(Value::Null, Value::Moment),
            Self::TimestampMs => record.timestamp_ms.map_or(Value::Null, Value::Integer),
            Self::Headers => Value::Headers(record.headers),
        }
    }

    /// Bytes of text that its value takes at most in one row, beyond those of a number or a moment. JSON needs six for a
    /// byte that does not print.
    pub(crate) fn text_bytes(self, topic: &str, record: &Record<'_>) -> usize {
        match self {
            Self::Topic => topic.len(),
            Self::Key => record.key.map_or(0, <[u8]>::len),
            Self::Headers => record.headers.bytes().saturating_mul(6),
            Self::SourcePartition | Self::Offset | Self::Timestamp | Self::TimestampMs => 0,
        }
    }
}

/// Prints the word, as statements have it.
impl fmt::Display for MetadataField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find_map(|(field, word, _)| (field == self).then_some(*word));
        f.write_str(word.unwrap_or_default())
    }
}
