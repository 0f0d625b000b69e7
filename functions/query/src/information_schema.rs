//! `information_schema`: what exists, as tables that any query can read.
//!
//! Names match in any case, as clients write them both ways. Tables about what does not exist here (views, routines,
//! triggers) are there and empty, because clients join them.

mod filter;
mod load;
mod partitions;
mod provider;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::TableProvider;
use penstock_catalog::Catalog;
use penstock_catalog::database::Database;
use penstock_catalog::removal::Committed;
use penstock_kernel::table::{Column, ColumnDefault, ColumnType, TableDefinition};
use penstock_sql::error::SqlError;
use penstock_storage::Volumes;

use crate::cell::JSON_FIELD;
use crate::failure::of_catalog;
use crate::report::Report;
use filter::Wanted;
use penstock_sql::information_schema::{self, Kind, SHAPES, Shape};
use provider::SchemaTable;

const NAME: &str = "information_schema";

/// Columns of `tables` that only its commits know.
const OF_COMMITS: [&str; 4] = ["table_rows", "avg_row_length", "data_length", "update_time"];

/// Whether a database is `information_schema`, in any case.
pub(crate) fn is(database: &str) -> bool {
    database.eq_ignore_ascii_case(NAME)
}

/// Where rows come from.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) catalog: Catalog,
    pub(crate) volumes: Arc<dyn Volumes>,
    pub(crate) report: Arc<Report>,
}

/// The names of the columns as they are titled, and the table of that name; `None` if there is none. Rows are made when
/// it is scanned, and only as far as the scan wants them.
pub(crate) fn table(origin: Origin, name: &str) -> Option<(Vec<String>, Arc<dyn TableProvider>)> {
    let shape = information_schema::table(name)?;
    let titles = shape.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    Some((titles, Arc::new(SchemaTable::new(shape, origin))))
}

/// The rows of a table, at least those that are wanted.
async fn rows(origin: &Origin, shape: &'static Shape, wanted: &Wanted<'_>) -> Result<Rows, SqlError> {
    let catalog = &origin.catalog;
    let mut rows = Rows { shape, rows: Vec::new() };
    match shape.name {
        "schemata" => {
            rows.schema(NAME);
            for database in catalog.databases().await.map_err(|error| of_catalog(&error))? {
                rows.schema(&database.name);
            }
        }
        "tables" | "columns" => {
            for own in SHAPES {
                if shape.name == "tables" { rows.own_table(own) } else { rows.own_columns(own) }
            }
            for database in wanted.databases(catalog, "table_schema").await? {
                for table in wanted.tables(catalog, &database, "table_name").await? {
                    if shape.name == "columns" {
                        rows.columns(&database, &table);
                        continue;
                    }
                    let commits = match OF_COMMITS.iter().any(|column| wanted.reads(column)) {
                        true => Some(catalog.committed(&table).await.map_err(|error| of_catalog(&error))?),
                        false => None,
                    };
                    rows.table(&database, &table, commits.as_ref());
                }
            }
        }
        "partitions_meta" => partitions::fill(origin, wanted, &mut rows).await?,
        "routine_load_jobs" => load::jobs(origin, wanted, &mut rows).await?,
        "loads" => load::commits(origin, wanted, &mut rows).await?,
        "load_tracking_logs" => load::logs(origin, wanted, &mut rows).await?,
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
    Ok(rows)
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

/// Numbers beyond 63 bits do not come up; the largest stands for them.
fn count(value: u64) -> Value {
    Value::Number(i64::try_from(value).unwrap_or(i64::MAX))
}

fn moment(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Moment)
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

    /// `commits` are what the table's hold; without them what only they know is NULL.
    fn table(&mut self, database: &Database, table: &TableDefinition, commits: Option<&Committed>) {
        let files = || commits.into_iter().flat_map(|commits| &commits.files);
        let known = |number: u64| commits.map_or(Value::Null, |_| count(number));
        let rows: u64 = files().map(|file| file.rows).sum();
        let bytes: u64 = files().map(|file| file.bytes).sum();
        let updated = commits.and_then(|commits| commits.last_commit_ms);
        self.push(&[
            ("TABLE_ROWS", known(rows)),
            ("DATA_LENGTH", known(bytes)),
            ("AVG_ROW_LENGTH", known(bytes.checked_div(rows).unwrap_or_default())),
            ("UPDATE_TIME", moment(updated)),
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
            let (data_type, full) = kind.names();
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

    /// All columns, in the types of [`schema`].
    fn batch(&self) -> Result<RecordBatch, arrow_schema::ArrowError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.shape.columns.len());
        for (index, (_, kind)) in self.shape.columns.iter().enumerate() {
            let cells = self.rows.iter().map(|row| row.get(index));
            let column: ArrayRef = match kind {
                Kind::Text | Kind::Json => Arc::new(
                    cells
                        .map(|cell| if let Some(Value::Text(text)) = cell { Some(text.as_str()) } else { None })
                        .collect::<StringArray>(),
                ),
                Kind::Number => Arc::new(
                    cells
                        .map(|cell| if let Some(Value::Number(number)) = cell { Some(*number) } else { None })
                        .collect::<Int64Array>(),
                ),
                Kind::Moment => {
                    let seconds = |ms: i64| (ms - ms.rem_euclid(1000)).saturating_mul(1000);
                    Arc::new(
                        cells
                            .map(|cell| if let Some(Value::Moment(ms)) = cell { Some(seconds(*ms)) } else { None })
                            .collect::<TimestampMicrosecondArray>(),
                    )
                }
            };
            columns.push(column);
        }
        RecordBatch::try_new(schema(self.shape), columns)
    }
}

/// Names in lower case, as queries see them.
fn schema(shape: &Shape) -> SchemaRef {
    let fields: Vec<Field> = shape
        .columns
        .iter()
        .map(|(name, kind)| {
            let (data_type, json) = match kind {
                Kind::Text => (DataType::Utf8, false),
                Kind::Json => (DataType::Utf8, true),
                Kind::Number => (DataType::Int64, false),
                Kind::Moment => (DataType::Timestamp(TimeUnit::Microsecond, None), false),
            };
            let field = Field::new(name.to_lowercase(), data_type, true);
            if json { field.with_metadata([(JSON_FIELD.to_owned(), String::new())].into()) } else { field }
        })
        .collect();
    Arc::new(Schema::new(fields))
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
