//! Results for programs: CSV, JSON and tab-separated text, row by row, so that no result has to fit into memory.

use std::borrow::Cow;
use std::io::{self, Write};

use base64_simd::STANDARD;
use penstock_gateway::text;
use penstock_sql::result::{Cell, CellType, ResultColumn};

/// A way to write results for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Csv,
    Json,
    Tsv,
}

impl Rows {
    /// Writes what comes before the first row.
    pub(super) fn begin(self, out: &mut impl Write, columns: &[ResultColumn]) -> io::Result<()> {
        match self {
            Self::Csv => joined(out, b",", columns, |out, column| csv_text(out, &column.name)),
            Self::Tsv => joined(out, b"\t", columns, |out, column| tsv_text(out, &column.name)),
            Self::Json => out.write_all(b"["),
        }
    }

    /// Writes a row; `index` counts from 0.
    pub(super) fn row(
        self,
        out: &mut impl Write,
        index: usize,
        cells: &[Cell],
        columns: &[ResultColumn],
    ) -> io::Result<()> {
        let cells: Vec<(&Cell, &ResultColumn)> = cells.iter().zip(columns).collect();
        match self {
            Self::Csv => joined(out, b",", &cells, |out, (cell, column)| match shown(cell, column.cell_type) {
                Some(text) => csv_text(out, &text),
                None => Ok(()),
            }),
            Self::Tsv => joined(out, b"\t", &cells, |out, (cell, column)| match shown(cell, column.cell_type) {
                Some(text) => tsv_text(out, &text),
                None => out.write_all(b"NULL"),
            }),
            Self::Json => {
                out.write_all(if index == 0 { b"\n{" } else { b",\n{" })?;
                for (number, (cell, column)) in cells.into_iter().enumerate() {
                    if number > 0 {
                        out.write_all(b", ")?;
                    }
                    serde_json::to_writer(&mut *out, &column.name)?;
                    out.write_all(b": ")?;
                    json_value(out, cell, column.cell_type)?;
                }
                out.write_all(b"}")
            }
        }
    }

    /// Writes what comes after the last of `rows` rows.
    pub(super) fn end(self, out: &mut impl Write, rows: usize) -> io::Result<()> {
        match self {
            Self::Csv | Self::Tsv => Ok(()),
            Self::Json if rows == 0 => out.write_all(b"]\n"),
            Self::Json => out.write_all(b"\n]\n"),
        }
    }
}

fn joined<W: Write, T>(
    out: &mut W,
    separator: &[u8],
    items: &[T],
    mut write: impl FnMut(&mut W, &T) -> io::Result<()>,
) -> io::Result<()> {
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.write_all(separator)?;
        }
        write(out, item)?;
    }
    out.write_all(b"\n")
}

/// A cell's text, bytes in hexadecimal; `None` for NULL.
fn shown(cell: &Cell, cell_type: CellType) -> Option<Cow<'_, str>> {
    let bytes = text::of(cell, cell_type)?;
    Some(match bytes {
        bytes if cell_type == CellType::Binary => Cow::Owned(text::hexadecimal(&bytes)),
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    })
}

/// Quotes what could be read otherwise, as RFC 4180 says; an empty text, too, since nothing is NULL.
fn csv_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    if !text.is_empty() && !text.contains([',', '"', '\n', '\r']) {
        return out.write_all(text.as_bytes());
    }
    write!(out, "\"{}\"", text.replace('"', "\"\""))
}

/// Escapes as `mysql --batch` does.
fn tsv_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    for character in text.chars() {
        match character {
            '\t' => out.write_all(b"\\t")?,
            '\n' => out.write_all(b"\\n")?,
            '\\' => out.write_all(b"\\\\")?,
            '\0' => out.write_all(b"\\0")?,
            other => write!(out, "{other}")?,
        }
    }
    Ok(())
}

/// Numbers that a double cannot hold (DECIMAL, LARGEINT) are strings, bytes are base64, JSON is itself.
fn json_value(out: &mut impl Write, cell: &Cell, cell_type: CellType) -> io::Result<()> {
    match (cell_type, cell) {
        (_, Cell::Null) => out.write_all(b"null"),
        (CellType::Boolean, Cell::Integer(truth)) => write!(out, "{}", *truth != 0),
        (_, Cell::Integer(number)) => write!(out, "{number}"),
        (_, Cell::Unsigned(number)) => write!(out, "{number}"),
        (_, Cell::Float(number)) if number.is_finite() => out.write_all(&text::of(cell, cell_type).unwrap_or_default()),
        // JSON has no NaN and no infinities.
        (_, Cell::Float(number)) => write!(out, "\"{number}\""),
        (CellType::Json, Cell::Text(document)) => {
            match serde_json::from_str::<&serde_json::value::RawValue>(document) {
                Ok(document) => out.write_all(document.get().as_bytes()),
                Err(_) => Ok(serde_json::to_writer(&mut *out, document)?),
            }
        }
        (_, Cell::Text(text)) => Ok(serde_json::to_writer(&mut *out, text)?),
        (_, Cell::Binary(bytes)) => Ok(serde_json::to_writer(&mut *out, &STANDARD.encode_to_string(bytes))?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: Rows, cells: &[&[(Cell, CellType)]]) -> String {
        let mut out = Vec::new();
        let columns = |row: &[(Cell, CellType)]| -> Vec<ResultColumn> {
            let names = ["a", "b,c", "d"].iter();
            row.iter()
                .zip(names)
                .map(|((_, cell_type), name)| ResultColumn { name: (*name).to_owned(), cell_type: *cell_type })
                .collect()
        };
        rows.begin(&mut out, &cells.first().map(|row| columns(row)).unwrap_or_default()).unwrap();
        for (index, row) in cells.iter().enumerate() {
            let only: Vec<Cell> = row.iter().map(|(cell, _)| cell.clone()).collect();
            rows.row(&mut out, index, &only, &columns(row)).unwrap();
        }
        rows.end(&mut out, cells.len()).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn text(text: &str) -> (Cell, CellType) {
        (Cell::Text(text.to_owned()), CellType::Varchar)
    }

    #[test]
    fn csv_quotes_what_needs_it_and_tells_null_from_nothing() {
        let rows = [
            &[text("plain"), text("a \"b\", c"), text("")][..],
            &[(Cell::Null, CellType::Varchar), text("two\nlines"), (Cell::Integer(5), CellType::Int)],
        ];
        assert_eq!(written(Rows::Csv, &rows), "a,\"b,c\",d\nplain,\"a \"\"b\"\", c\",\"\"\n,\"two\nlines\",5\n");
    }

    #[test]
    fn tsv_escapes_as_mysql_does() {
        let rows = [&[text("a\tb\nc\\"), (Cell::Null, CellType::Varchar), text("")][..]];
        assert_eq!(written(Rows::Tsv, &rows), "a\tb,c\td\na\\tb\\nc\\\\\tNULL\t\n");
    }

    #[test]
    fn json_keeps_types() {
        let rows = [
            &[(Cell::Integer(1), CellType::Boolean), text("it's \"ä\"\n"), (Cell::Null, CellType::Int)][..],
            &[
                (Cell::Float(0.1), CellType::Float),
                (Cell::Text("1.50".to_owned()), CellType::Decimal { precision: 3, scale: 2 }),
                (Cell::Text("{\"k\": [1]}".to_owned()), CellType::Json),
            ],
            &[
                (Cell::Float(f64::NAN), CellType::Double),
                (Cell::Binary(vec![0, 255]), CellType::Binary),
                (Cell::Unsigned(u64::MAX), CellType::UnsignedBigInt),
            ],
        ];
        let written = written(Rows::Json, &rows);
        assert_eq!(
            written,
            r#"[
{"a": true, "b,c": "it's \"ä\"\n", "d": null},
{"a": 0.1, "b,c": "1.50", "d": {"k": [1]}},
{"a": "NaN", "b,c": "AP8=", "d": 18446744073709551615}
]
"#
        );
        assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok());
    }

    #[test]
    fn no_rows_are_an_empty_array() {
        assert_eq!(written(Rows::Json, &[]), "[]\n");
    }
}
