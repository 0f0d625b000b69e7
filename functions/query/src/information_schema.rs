//! `information_schema`: what exists, as tables that any query can read.
//!
//! Names match in any case, as clients write them both ways. Tables about what does not exist here (views, routines,
//! triggers) are there and empty, because clients join them.

mod shape;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use datafusion::catalog::{MemTable, TableProvider};
use penstock_catalog::Catalog;
use penstock_catalog::database::Database;
use penstock_catalog::error::CatalogError;
use penstock_kernel::table::{Column, ColumnDefault, ColumnType, TableDefinition};

use shape::{Kind, SHAPES, Shape};

const NAME: &str = "information_schema";

/// Whether a database is `information_schema`, in any case.
pub(crate) fn is(database: &str) -> bool {
    database.eq_ignore_ascii_case(NAME)
}

/// The names of the columns as they are titled, and the rows, of the table of that name; `None` if there is none.
///
/// # Errors
/// [`CatalogError`] if what exists cannot be read.
pub(crate) async fn table(
    catalog: &Catalog,
    name: &str,
) -> Result<Option<(Vec<String>, Arc<dyn TableProvider>)>, CatalogError> {
    let Some(shape) = SHAPES.iter().find(|shape| shape.name.eq_ignore_ascii_case(name)) else {
        return Ok(None);
    };
    let mut rows = Rows { shape, rows: Vec::new() };
    match shape.name {
        "schemata" => {
            rows.schema(NAME);
            for database in catalog.databases().await? {
                rows.schema(&database.name);
            }
        }
        "tables" | "columns" => {
            for own in SHAPES {
                if shape.name == "tables" { rows.own_table(own) } else { rows.own_columns(own) }
            }
            for database in catalog.databases().await? {
                for table in catalog.tables(database.id).await? {
                    if shape.name == "tables" { rows.table(&database, &table) } else { rows.columns(&database, &table) }
                }
            }
        }
        "engines" => rows.push(&[
            ("ENGINE", text("StarRocks")),
            ("SUPPORT", text("DEFAULT")),
            ("COMMENT", text("Parquet files on S3")),
            ("TRANSACTIONS", text("YES")),
            ("XA", text("NO")),
            ("SAVEPOINTS", text("NO")),
        ]),
        "character_sets" => rows.push(&[
            ("CHARACTER_SET_NAME", text("utf8mb4")),
            ("DEFAULT_COLLATE_NAME", text("utf8mb4_bin")),
            ("DESCRIPTION", text("UTF-8 Unicode")),
            ("MAXLEN", Value::Number(4)),
        ]),
        "collations" => rows.push(&[
            ("COLLATION_NAME", text("utf8mb4_bin")),
            ("CHARACTER_SET_NAME", text("utf8mb4")),
            ("ID", Value::Number(46)),
            ("IS_DEFAULT", text("Yes")),
            ("IS_COMPILED", text("Yes")),
            ("SORTLEN", Value::Number(1)),
        ]),
        _ => {}
    }
    let titles = shape.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    Ok(rows.provider().map(|provider| (titles, provider)))
}

/// A cell.
#[derive(Debug, Clone, Default)]
enum Value {
    #[default]
    Null,
    Text(String),
    Number(i64),
    /// Milliseconds since the epoch.
    Moment(i64),
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

fn number(value: Option<u32>) -> Value {
    value.map_or(Value::Null, |value| Value::Number(value.into()))
}

struct Rows {
    shape: &'static Shape,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    /// Adds a row of these columns; the others are NULL.
    fn push(&mut self, cells: &[(&str, Value)]) {
        let find = |name: &str| cells.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        self.rows.push(self.shape.columns.iter().map(|(name, _)| find(name).unwrap_or_default()).collect());
    }

    fn schema(&mut self, name: &str) {
        self.push(&[
            ("CATALOG_NAME", text("def")),
            ("SCHEMA_NAME", text(name)),
            ("DEFAULT_CHARACTER_SET_NAME", text("utf8mb4")),
            ("DEFAULT_COLLATION_NAME", text("utf8mb4_bin")),
        ]);
    }

    fn table(&mut self, database: &Database, table: &TableDefinition) {
        self.push(&[
            ("TABLE_CATALOG", text("def")),
            ("TABLE_SCHEMA", text(&database.name)),
            ("TABLE_NAME", text(&table.name)),
            ("TABLE_TYPE", text("BASE TABLE")),
            ("ENGINE", text("StarRocks")),
            ("CREATE_TIME", Value::Moment(table.created_at_ms)),
            ("TABLE_COLLATION", text("utf8mb4_bin")),
            ("CREATE_OPTIONS", text("")),
            ("TABLE_COMMENT", text(table.comment.clone().unwrap_or_default())),
        ]);
    }

    fn own_table(&mut self, table: &Shape) {
        self.push(&[
            ("TABLE_CATALOG", text("def")),
            ("TABLE_SCHEMA", text(NAME)),
            ("TABLE_NAME", text(table.name)),
            ("TABLE_TYPE", text("SYSTEM VIEW")),
            ("ENGINE", text("MEMORY")),
            ("CREATE_OPTIONS", text("")),
            ("TABLE_COMMENT", text("")),
        ]);
    }

    fn columns(&mut self, database: &Database, table: &TableDefinition) {
        for (position, column) in (1..).zip(&table.columns) {
            let is_key = table.key_columns.iter().any(|key| key.eq_ignore_ascii_case(&column.name));
            let kind = Described::of(&column.column_type);
            self.push(&[
                ("TABLE_CATALOG", text("def")),
                ("TABLE_SCHEMA", text(&database.name)),
                ("TABLE_NAME", text(&table.name)),
                ("COLUMN_NAME", text(&column.name)),
                ("ORDINAL_POSITION", Value::Number(position)),
                ("COLUMN_DEFAULT", default(column)),
                ("IS_NULLABLE", text(if column.nullable { "YES" } else { "NO" })),
                ("DATA_TYPE", text(kind.name)),
                ("CHARACTER_MAXIMUM_LENGTH", number(kind.bytes)),
                ("CHARACTER_OCTET_LENGTH", number(kind.bytes)),
                ("NUMERIC_PRECISION", number(kind.precision)),
                ("NUMERIC_SCALE", number(kind.scale)),
                ("DATETIME_PRECISION", number((column.column_type == ColumnType::DateTime).then_some(6))),
                ("CHARACTER_SET_NAME", if kind.is_text() { text("utf8mb4") } else { Value::Null }),
                ("COLLATION_NAME", if kind.is_text() { text("utf8mb4_bin") } else { Value::Null }),
                ("COLUMN_TYPE", text(kind.full)),
                ("COLUMN_KEY", text(if is_key { "DUP" } else { "" })),
                ("EXTRA", text("")),
                ("PRIVILEGES", text("")),
                ("COLUMN_COMMENT", text(column.comment.clone().unwrap_or_default())),
                ("COLUMN_SIZE", number(kind.bytes.or(kind.precision))),
                ("DECIMAL_DIGITS", number(kind.scale)),
                ("GENERATION_EXPRESSION", text("")),
            ]);
        }
    }

    fn own_columns(&mut self, table: &Shape) {
        for (position, (name, kind)) in (1..).zip(table.columns) {
            let (data_type, full) = match kind {
                Kind::Text => ("varchar", "varchar(2048)"),
                Kind::Number => ("bigint", "bigint(20)"),
                Kind::Moment => ("datetime", "datetime"),
            };
            self.push(&[
                ("TABLE_CATALOG", text("def")),
                ("TABLE_SCHEMA", text(NAME)),
                ("TABLE_NAME", text(table.name)),
                ("COLUMN_NAME", text(*name)),
                ("ORDINAL_POSITION", Value::Number(position)),
                ("IS_NULLABLE", text("YES")),
                ("DATA_TYPE", text(data_type)),
                ("COLUMN_TYPE", text(full)),
                ("COLUMN_KEY", text("")),
                ("EXTRA", text("")),
                ("PRIVILEGES", text("")),
                ("COLUMN_COMMENT", text("")),
                ("GENERATION_EXPRESSION", text("")),
            ]);
        }
    }

    fn provider(self) -> Option<Arc<dyn TableProvider>> {
        let mut fields = Vec::with_capacity(self.shape.columns.len());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.shape.columns.len());
        for (index, (name, kind)) in self.shape.columns.iter().enumerate() {
            let cells = self.rows.iter().map(|row| row.get(index));
            let (data_type, column): (DataType, ArrayRef) = match kind {
                Kind::Text => {
                    let texts: StringArray = cells
                        .map(|cell| if let Some(Value::Text(text)) = cell { Some(text.as_str()) } else { None })
                        .collect();
                    (DataType::Utf8, Arc::new(texts))
                }
                Kind::Number => {
                    let numbers: Int64Array = cells
                        .map(|cell| if let Some(Value::Number(number)) = cell { Some(*number) } else { None })
                        .collect();
                    (DataType::Int64, Arc::new(numbers))
                }
                Kind::Moment => {
                    let seconds = |ms: i64| (ms - ms.rem_euclid(1000)).saturating_mul(1000);
                    let moments: TimestampMicrosecondArray = cells
                        .map(|cell| if let Some(Value::Moment(ms)) = cell { Some(seconds(*ms)) } else { None })
                        .collect();
                    (DataType::Timestamp(TimeUnit::Microsecond, None), Arc::new(moments))
                }
            };
            fields.push(Field::new(name.to_lowercase(), data_type, true));
            columns.push(column);
        }
        let schema = Arc::new(Schema::new(fields));
        // Columns are built by their fields, and all have one cell a row.
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).ok()?;
        Some(Arc::new(MemTable::try_new(schema, vec![vec![batch]]).ok()?))
    }
}

fn default(column: &Column) -> Value {
    match &column.default {
        Some(ColumnDefault::Literal(literal)) => text(literal),
        Some(ColumnDefault::CurrentTimestamp) => text("CURRENT_TIMESTAMP"),
        _ => Value::Null,
    }
}

/// A type in MySQL's words, since clients of MySQL read them.
struct Described {
    name: &'static str,
    full: String,
    bytes: Option<u32>,
    precision: Option<u32>,
    scale: Option<u32>,
}

impl Described {
    fn is_text(&self) -> bool {
        matches!(self.name, "char" | "varchar")
    }

    fn of(column_type: &ColumnType) -> Self {
        let plain = |name: &'static str, full: &str, precision: Option<u32>, scale: Option<u32>| Self {
            name,
            full: full.to_owned(),
            bytes: None,
            precision,
            scale,
        };
        match column_type {
            ColumnType::Boolean => plain("tinyint", "tinyint(1)", Some(1), Some(0)),
            ColumnType::TinyInt => plain("tinyint", "tinyint(4)", Some(3), Some(0)),
            ColumnType::SmallInt => plain("smallint", "smallint(6)", Some(5), Some(0)),
            ColumnType::Int => plain("int", "int(11)", Some(10), Some(0)),
            ColumnType::BigInt => plain("bigint", "bigint(20)", Some(19), Some(0)),
            ColumnType::LargeInt => plain("bigint unsigned", "bigint(20) unsigned", Some(20), Some(0)),
            ColumnType::Float => plain("float", "float", Some(7), Some(7)),
            ColumnType::Double => plain("double", "double", Some(15), Some(15)),
            ColumnType::Decimal { precision, scale } => {
                let full = format!("decimal({precision},{scale})");
                plain("decimal", &full, Some(u32::from(*precision)), Some(u32::from(*scale)))
            }
            ColumnType::Char(bytes) => {
                Self { bytes: Some(*bytes), ..plain("char", &format!("char({bytes})"), None, None) }
            }
            ColumnType::Varchar(bytes) => {
                Self { bytes: Some(*bytes), ..plain("varchar", &format!("varchar({bytes})"), None, None) }
            }
            ColumnType::Date => plain("date", "date", None, None),
            ColumnType::DateTime => plain("datetime", "datetime", None, None),
            ColumnType::Json => plain("json", "json", None, None),
            ColumnType::Varbinary(bytes) => {
                Self { bytes: Some(*bytes), ..plain("varbinary", &column_type.to_string(), None, None) }
            }
            ColumnType::Array(_) => plain("array", &column_type.to_string(), None, None),
            ColumnType::Map(..) => plain("map", &column_type.to_string(), None, None),
            ColumnType::Struct(_) => plain("struct", &column_type.to_string(), None, None),
            // A type of a newer kernel: its own name is better than none.
            other => plain("unknown", &other.to_string(), None, None),
        }
    }
}
