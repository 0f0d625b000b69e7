//! Tables as the kernel sees them: columns, their types, and how each is held in Arrow and Parquet.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::ids::{DatabaseId, TableId};
use crate::partitioning::Partitioning;

/// Bytes that a `STRING` column holds at most; `STRING` is only another spelling of this `VARCHAR`.
pub const STRING_BYTES: u32 = 65_533;

/// Columns that a table, and names and assignments that COLUMNS has at most.
pub const MAX_COLUMNS: usize = 4096;

/// Bytes that a `VARBINARY` holds at most, and if nothing else is said.
pub const MAX_VARBINARY_BYTES: u32 = 1_048_576;

/// A column's type, as StarRocks names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColumnType {
    /// Printed as `0` and `1`.
    Boolean,
    /// 8 bits, signed.
    TinyInt,
    /// 16 bits, signed.
    SmallInt,
    /// 32 bits, signed.
    Int,
    /// 64 bits, signed.
    BigInt,
    /// 128 bits, signed: −2^127 to 2^127−1. Held as `Decimal256(39, 0)`, the narrowest Arrow type that has room.
    LargeInt,
    /// IEEE 754, 32 bits.
    Float,
    /// IEEE 754, 64 bits.
    Double,
    /// Exact: `precision` digits in all (1 to 38), `scale` of them after the point (0 to `precision`).
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// UTF-8 of at most so many bytes (1 to 255).
    Char(u32),
    /// UTF-8 of at most so many bytes (1 to 1,048,576).
    Varchar(u32),
    /// A calendar day, 0000-01-01 to 9999-12-31.
    Date,
    /// A wall-clock moment without a zone, in microseconds, years 0000 to 9999.
    DateTime,
    /// Any JSON document, held as its minified text.
    Json,
    /// Bytes, at most so many (1 to 1,048,576).
    Varbinary(u32),
    /// A list of entries of one type, each of which may be NULL.
    Array(Box<ColumnType>),
    /// Entries under keys; keys are of a type that holds no others, and not NULL; values may be NULL.
    Map(Box<ColumnType>, Box<ColumnType>),
    /// Named fields in order, each of which may be NULL; never empty.
    Struct(Vec<StructField>),
}

/// A field of a `STRUCT`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StructField {
    /// As written; JSON keys match it exactly.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
}

impl ColumnType {
    /// The Arrow type of a column of this type, without regard to nullability.
    pub fn arrow(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Int => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::LargeInt => DataType::Decimal256(39, 0),
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            // Scale is at most 38, so it fits.
            Self::Decimal { precision, scale } => {
                DataType::Decimal128(*precision, i8::try_from(*scale).unwrap_or(i8::MAX))
            }
            Self::Char(_) | Self::Varchar(_) | Self::Json => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Varbinary(_) => DataType::Binary,
            Self::Array(entry) => DataType::List(Arc::new(Field::new("element", entry.arrow(), true))),
            Self::Map(key, value) => {
                let entry = vec![Field::new("key", key.arrow(), false), Field::new("value", value.arrow(), true)];
                DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entry.into()), false)), false)
            }
            Self::Struct(fields) => {
                let field = |field: &StructField| Field::new(&field.name, field.column_type.arrow(), true);
                DataType::Struct(fields.iter().map(field).collect())
            }
        }
    }
}

/// Prints the type as `DESC` does: `bigint`, `varchar(65533)`, `decimal(10, 2)`, `array<int(11)>`.
impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::LargeInt => f.write_str("largeint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision}, {scale})"),
            Self::Char(bytes) => write!(f, "char({bytes})"),
            Self::Varchar(bytes) => write!(f, "varchar({bytes})"),
            Self::Date => f.write_str("date"),
            Self::DateTime => f.write_str("datetime"),
            Self::Json => f.write_str("json"),
            Self::Varbinary(MAX_VARBINARY_BYTES) => f.write_str("varbinary"),
            Self::Varbinary(bytes) => write!(f, "varbinary({bytes})"),
            Self::Array(entry) => write!(f, "array<{}>", Wide(entry)),
            Self::Map(key, value) => write!(f, "map<{},{}>", Wide(key), Wide(value)),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (place, StructField { name, column_type }) in fields.iter().enumerate() {
                    let name = FieldName(name);
                    write!(f, "{}{name} {}", if place > 0 { ", " } else { "" }, Wide(column_type))?;
                }
                f.write_str(">")
            }
        }
    }
}

/// Prints a type with the display width that `SHOW CREATE TABLE` gives integers: `bigint(20)`. Inside of other types
/// StarRocks always prints it.
#[derive(Debug, Clone, Copy)]
pub struct Wide<'a>(pub &'a ColumnType);

impl fmt::Display for Wide<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = match self.0 {
            ColumnType::TinyInt => "(4)",
            ColumnType::SmallInt => "(6)",
            ColumnType::Int => "(11)",
            ColumnType::BigInt => "(20)",
            ColumnType::LargeInt => "(40)",
            _ => "",
        };
        write!(f, "{}{width}", self.0)
    }
}

/// A field's name, in backquotes unless it is a word.
struct FieldName<'a>(&'a str);

impl fmt::Display for FieldName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins = self.0.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if begins && self.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            f.write_str(self.0)
        } else {
            write!(f, "`{}`", self.0.replace('`', "``"))
        }
    }
}

/// What a column gets when no source column feeds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColumnDefault {
    /// The text of a literal, converted to the column's type as a field's text would be.
    Literal(String),
    /// The moment at which the batch is loaded; one value a batch.
    CurrentTimestamp,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Stays the same for the column's life and is never used again; becomes the Parquet field id. Starts at 1.
    pub id: u32,
    /// As written; SQL matches it without regard to case, JSON keys match it exactly.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// False for NOT NULL.
    pub nullable: bool,
    /// What `DEFAULT` said, if anything.
    pub default: Option<ColumnDefault>,
    /// What `COMMENT` said, if anything.
    pub comment: Option<String>,
}

/// How rows with equal keys relate. Only duplicate-key tables exist yet; the others will be variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyKind {
    /// Every loaded row is kept; the key is only the sort prefix.
    Duplicate,
}

/// How `DISTRIBUTED BY` spread the rows. Kept and shown; files are not bucketed by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// Columns of `HASH(...)`; empty for `RANDOM`.
    pub hash_columns: Vec<String>,
    /// What `BUCKETS` said, if anything.
    pub buckets: Option<u32>,
}

/// A table, as CREATE TABLE defined it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDefinition {
    /// Its id.
    pub id: TableId,
    /// The database it lives in.
    pub database: DatabaseId,
    /// Its name, case-sensitive.
    pub name: String,
    /// Columns in order; never empty.
    pub columns: Vec<Column>,
    /// Kind of its key.
    pub key_kind: KeyKind,
    /// Names of the key columns, which lead `columns` in the same order.
    pub key_columns: Vec<String>,
    /// How PARTITION BY divides it.
    #[serde(default)]
    pub partitioning: Partitioning,
    /// How DISTRIBUTED BY spread it.
    pub distribution: Distribution,
    /// What `COMMENT` said, if anything.
    pub comment: Option<String>,
    /// `PROPERTIES(...)` as given.
    pub properties: BTreeMap<String, String>,
    /// The storage volume that holds its files.
    pub volume: String,
    /// Milliseconds since the epoch.
    pub created_at_ms: i64,
}

impl TableDefinition {
    /// The Arrow schema of the table's data files: columns in order, each with its `PARQUET:field_id`.
    pub fn arrow_schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|column| {
                Field::new(&column.name, column.column_type.arrow(), column.nullable)
                    .with_metadata([("PARQUET:field_id".to_owned(), column.id.to_string())].into())
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// The column of that name, matched without regard to case, as SQL does.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }
}
