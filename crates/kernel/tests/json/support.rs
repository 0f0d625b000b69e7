//! What the tests of loading share: tables from text, jobs, and loaded rows as text.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::job::{ColumnItem, JobDefinition, KafkaSource, LoadClauses};
use penstock_kernel::loaded::Loaded;
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::property::JobProperties;
use penstock_kernel::table::{
    Column, ColumnDefault, ColumnType, Distribution, KeyKind, STRING_BYTES, StructField, TableDefinition,
};

/// 2023-11-14 22:13:20.999 UTC.
pub(crate) const NOW_MS: i64 = 1_700_000_000_999;

/// A row as text, column by column; `None` for NULL.
pub(crate) type Row = Vec<Option<String>>;

/// A table from lines such as `id BIGINT NOT NULL`.
pub(crate) fn table(columns: &[&str]) -> TableDefinition {
    let columns: Vec<Column> = (1..).zip(columns).map(|(id, text)| column(id, text)).collect();
    TableDefinition {
        id: TableId(2),
        database: DatabaseId(1),
        name: "t".to_owned(),
        key_columns: vec![columns[0].name.clone()],
        columns,
        key_kind: KeyKind::Duplicate,
        partitioning: Partitioning::None,
        distribution: Distribution { hash_columns: Vec::new(), buckets: None },
        comment: None,
        properties: BTreeMap::new(),
        volume: "builtin_storage_volume".to_owned(),
        created_at_ms: 0,
    }
}

fn column(id: u32, text: &str) -> Column {
    let (name, rest) = text.split_once(' ').expect("a type after the name");
    let (rest, default) = match rest.split_once(" DEFAULT ") {
        None => (rest, None),
        Some((rest, "CURRENT_TIMESTAMP")) => (rest, Some(ColumnDefault::CurrentTimestamp)),
        Some((rest, text)) => (rest, Some(ColumnDefault::Literal(text.trim_matches('\'').to_owned()))),
    };
    let (type_text, nullable) = match rest.strip_suffix(" NOT NULL") {
        Some(type_text) => (type_text, false),
        None => (rest, true),
    };
    Column { id, name: name.to_owned(), column_type: column_type(type_text), nullable, default, comment: None }
}

fn column_type(text: &str) -> ColumnType {
    let text = text.trim();
    if let Some((name, inner)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        let parts = parts(inner);
        return match name {
            "ARRAY" => ColumnType::Array(Box::new(column_type(parts[0]))),
            "MAP" => ColumnType::Map(Box::new(column_type(parts[0])), Box::new(column_type(parts[1]))),
            "STRUCT" => ColumnType::Struct(
                parts
                    .iter()
                    .map(|part| {
                        let (name, type_text) = part.trim().split_once(' ').expect("a type after the name");
                        StructField { name: name.to_owned(), column_type: column_type(type_text) }
                    })
                    .collect(),
            ),
            other => panic!("no type {other}"),
        };
    }
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.trim_end_matches(')').split(',').collect()),
        None => (text, Vec::new()),
    };
    let number = |place: usize| arguments[place].trim().parse::<u32>().expect("a number");
    match name {
        "BOOLEAN" => ColumnType::Boolean,
        "TINYINT" => ColumnType::TinyInt,
        "SMALLINT" => ColumnType::SmallInt,
        "INT" => ColumnType::Int,
        "BIGINT" => ColumnType::BigInt,
        "LARGEINT" => ColumnType::LargeInt,
        "FLOAT" => ColumnType::Float,
        "DOUBLE" => ColumnType::Double,
        "DECIMAL" => ColumnType::Decimal { precision: number(0) as u8, scale: number(1) as u8 },
        "CHAR" => ColumnType::Char(number(0)),
        "VARCHAR" => ColumnType::Varchar(number(0)),
        "STRING" => ColumnType::Varchar(STRING_BYTES),
        "DATE" => ColumnType::Date,
        "DATETIME" => ColumnType::DateTime,
        "JSON" => ColumnType::Json,
        "VARBINARY" => ColumnType::Varbinary(number(0)),
        other => panic!("no type {other}"),
    }
}

/// What commas outside of brackets separate.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' | b'(' => depth += 1,
            b'>' | b')' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A job with these plain names of COLUMNS and job properties; `format` is that of the test unless given.
pub(crate) fn job<'p>(
    columns: Option<&[&str]>,
    properties: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> JobDefinition {
    let pairs = [("format", crate::FORMAT)].into_iter().chain(properties);
    let names = |names: &[&str]| names.iter().map(|name| ColumnItem::Plain((*name).to_owned())).collect();
    JobDefinition {
        id: JobId(3),
        version: 1,
        name: "j".to_owned(),
        database: DatabaseId(1),
        table: TableId(2),
        clauses: LoadClauses { columns: columns.map(names), ..LoadClauses::default() },
        properties: JobProperties::from_pairs(pairs).expect("properties of a test"),
        source: KafkaSource {
            brokers: vec!["localhost:9092".to_owned()],
            topic: "topic".to_owned(),
            pinned: None,
            default_start: None,
            registry: None,
            custom: BTreeMap::new(),
        },
    }
}

/// Records of source partition 0 with offsets from 0.
pub(crate) fn batch<'a>(values: &[&'a [u8]]) -> Batch<'a> {
    let record = |(offset, value): (i64, &&'a [u8])| Record {
        source_partition: 0,
        offset,
        timestamp_ms: Some(offset),
        key: None,
        value: Some(*value),
        headers: Headers::default(),
    };
    Batch { topic: "topic".to_owned(), records: (0..).zip(values).map(record).collect() }
}

/// Every loaded row.
pub(crate) fn rows(loaded: &Loaded) -> Vec<Row> {
    loaded.tables.iter().flat_map(|(_, rows)| rows_of(rows)).collect()
}

/// The rows of one part.
pub(crate) fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let entry = |column: &dyn Array, row: usize| (!column.is_null(row)).then(|| shown(column, row));
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| entry(column, row)).collect()).collect()
}

fn shown(column: &dyn Array, row: usize) -> String {
    match column.data_type() {
        DataType::Boolean => u8::from(column.as_boolean().value(row)).to_string(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float32 => {
            float(f64::from(column.as_primitive::<Float32Type>().value(row)), |float| format!("{:e}", float as f32))
        }
        DataType::Float64 => float(column.as_primitive::<Float64Type>().value(row), |float| format!("{float:e}")),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Decimal256(..) => column.as_primitive::<Decimal256Type>().value_as_string(row),
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Date32 => date(i64::from(column.as_primitive::<Date32Type>().value(row))),
        DataType::Timestamp(..) => date_time(column.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Binary => String::from_utf8(column.as_binary::<i32>().value(row).to_vec()).expect("text"),
        DataType::List(_) => {
            let entries = column.as_list::<i32>().value(row);
            let entries: Vec<String> = (0..entries.len()).map(|place| inner(&entries, place)).collect();
            format!("[{}]", entries.join(","))
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let entries: Vec<String> =
                (0..entries.len()).map(|place| format!("{}:{}", inner(keys, place), inner(values, place))).collect();
            format!("{{{}}}", entries.join(","))
        }
        DataType::Struct(fields) => {
            let structs = column.as_struct();
            let entries: Vec<String> = fields
                .iter()
                .zip(structs.columns())
                .map(|(field, column)| format!("{}:{}", field.name(), inner(column, row)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        other => panic!("no column is {other}"),
    }
}

/// An entry of an entry: text in quotes, so that its end is seen.
fn inner(column: &dyn Array, row: usize) -> String {
    match column.data_type() {
        _ if column.is_null(row) => "null".to_owned(),
        DataType::Utf8 | DataType::Binary => format!("'{}'", shown(column, row)),
        _ => shown(column, row),
    }
}

fn float(float: f64, long: impl Fn(f64) -> String) -> String {
    if float.abs() < 1e16 || !float.is_finite() { float.to_string() } else { long(float) }
}

fn date_time(micros: i64) -> String {
    let (day, in_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let (second, fraction) = (in_day / 1_000_000, in_day % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    match fraction {
        0 => format!("{} {clock}", date(day)),
        _ => format!("{} {clock}.{fraction:06}", date(day)),
    }
}

/// Counts through the calendar year by year: slow, and nothing like the reader that it checks.
fn date(days: i64) -> String {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut left) = (1970, days);
    while left < 0 {
        year -= 1;
        left += 365 + i64::from(leap(year));
    }
    while left >= 365 + i64::from(leap(year)) {
        left -= 365 + i64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}", month + 1, left + 1)
}

/// Bytes of hexadecimal digits, blanks ignored.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let value = |digit: &u8| char::from(*digit).to_digit(16).expect("hexadecimal") as u8;
    digits.chunks(2).map(|pair| value(&pair[0]) << 4 | value(&pair[1])).collect()
}
