//! What became of records, as JSON lines.
//!
//! Numbers that a double cannot hold (LARGEINT, DECIMAL) are strings; a JSON column's value is the document itself, an
//! ARRAY is an array, MAP and STRUCT are objects, whose entries are printed as SELECT prints them. VARBINARY is base64.

use std::io::{self, Write};

use base64_simd::STANDARD;
use penstock_kernel::loaded::{LoadStatistics, Loaded, RejectedRow};
use penstock_kernel::table::{Column, ColumnType};
use penstock_query::cell;
use penstock_sql::result::Cell;
use serde_json::{Map, Value, json};

/// Writes the rows of `loaded`, then its rejected rows.
pub(super) fn loaded(out: &mut impl Write, columns: &[Column], loaded: &Loaded) -> io::Result<()> {
    for (_, batch) in &loaded.tables {
        for cells in cell::json_rows(batch, columns).map_err(io::Error::other)? {
            row(out, columns, &cells)?;
        }
    }
    loaded.rejected.iter().try_for_each(|one| rejected(out, &one))
}

/// Writes the closing line.
pub(super) fn statistics(out: &mut impl Write, statistics: &LoadStatistics) -> io::Result<()> {
    line(out, &json!({ "statistics": statistics }))
}

fn line(out: &mut impl Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn row(out: &mut impl Write, columns: &[Column], cells: &[Cell]) -> io::Result<()> {
    out.write_all(b"{\"row\": {")?;
    for (number, (column, cell)) in columns.iter().zip(cells).enumerate() {
        if number > 0 {
            out.write_all(b", ")?;
        }
        serde_json::to_writer(&mut *out, &column.name)?;
        out.write_all(b": ")?;
        value(out, &column.column_type, cell)?;
    }
    out.write_all(b"}}\n")
}

fn value(out: &mut impl Write, column_type: &ColumnType, cell: &Cell) -> io::Result<()> {
    match (column_type, cell) {
        (_, Cell::Null) => out.write_all(b"null"),
        (ColumnType::Boolean, Cell::Integer(truth)) => write!(out, "{}", *truth != 0),
        // The kernel lets only valid JSON into a JSON column, and the text of the others is JSON.
        (
            ColumnType::Json | ColumnType::Array(_) | ColumnType::Map(..) | ColumnType::Struct(_),
            Cell::Text(document),
        ) => out.write_all(document.as_bytes()),
        (_, Cell::Integer(number)) => write!(out, "{number}"),
        (_, Cell::Unsigned(number)) => write!(out, "{number}"),
        #[expect(clippy::cast_possible_truncation, reason = "a FLOAT cell holds a widened 32-bit value")]
        (ColumnType::Float, Cell::Float(number)) if number.is_finite() => {
            Ok(serde_json::to_writer(&mut *out, &(*number as f32))?)
        }
        (_, Cell::Float(number)) if number.is_finite() => Ok(serde_json::to_writer(&mut *out, number)?),
        // JSON has no NaN and no infinities.
        (_, Cell::Float(number)) => write!(out, "\"{number}\""),
        (_, Cell::Text(text)) => Ok(serde_json::to_writer(&mut *out, text)?),
        (_, Cell::Binary(bytes)) => Ok(serde_json::to_writer(&mut *out, &STANDARD.encode_to_string(bytes))?),
    }
}

fn rejected(out: &mut impl Write, one: &RejectedRow) -> io::Result<()> {
    let mut members = Map::new();
    members.insert("record".to_owned(), json!(one.offset));
    if let Some(index) = one.index {
        members.insert("index".to_owned(), json!(index));
    }
    members.insert("reason".to_owned(), json!(one.reason));
    members.insert("column".to_owned(), json!(one.column));
    match std::str::from_utf8(&one.raw) {
        Ok(text) => members.insert("raw".to_owned(), json!(text)),
        Err(_) => members.insert("raw_base64".to_owned(), json!(STANDARD.encode_to_string(&one.raw))),
    };
    line(out, &json!({ "rejected": members }))
}
