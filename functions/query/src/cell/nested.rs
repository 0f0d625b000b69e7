//! ARRAY, MAP and STRUCT as text: `[1,2,null]`, `{"k":1}`, `{"field":"value"}`.
//!
//! Text, dates and bytes (in hexadecimal) stand in double quotes, with JSON's escapes; numbers and JSON documents as they
//! are; truth as 1 and 0. The text is JSON but for the keys of a MAP that are no text: StarRocks prints `{1:2}`.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, Field, FieldRef};
use penstock_kernel::table::ColumnType;

use super::{JSON_FIELD, date_text, date_time_text};

/// How keys of a MAP are printed that are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// As StarRocks prints them.
    Bare,
    /// In quotes, so that the text is JSON.
    Quoted,
}

/// Whether entries of a column hold entries of their own.
pub(super) fn is_nested(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::LargeList(_) | DataType::Map(..) | DataType::Struct(_))
}

/// The field that describes a column of a table, wherever it lies: JSON is marked as such.
pub(crate) fn described(name: &str, column_type: &ColumnType, nullable: bool) -> Field {
    let data_type = match (column_type, column_type.arrow()) {
        (ColumnType::Array(entry), DataType::List(field)) => {
            DataType::List(Arc::new(described(field.name(), entry, field.is_nullable())))
        }
        (ColumnType::Map(key, value), DataType::Map(entries, sorted)) => {
            let pair = vec![described("key", key, false), described("value", value, true)];
            let entries = entries.as_ref().clone().with_data_type(DataType::Struct(pair.into()));
            DataType::Map(Arc::new(entries), sorted)
        }
        (ColumnType::Struct(fields), _) => {
            DataType::Struct(fields.iter().map(|field| described(&field.name, &field.column_type, true)).collect())
        }
        (_, data_type) => data_type,
    };
    let field = Field::new(name, data_type, nullable);
    match column_type {
        ColumnType::Json => field.with_metadata([(JSON_FIELD.to_owned(), String::new())].into()),
        _ => field,
    }
}

/// Appends the text of an entry that is not NULL. `field` describes the column.
pub(super) fn write(
    out: &mut String,
    column: &dyn Array,
    row: usize,
    field: &Field,
    keys: Keys,
) -> Result<(), ArrowError> {
    match (column.data_type(), field.data_type()) {
        (DataType::List(_), DataType::List(entry)) => {
            sequence(out, ['[', ']'], 0..column.as_list::<i32>().value(row).len(), |out, place| {
                entry_text(out, &column.as_list::<i32>().value(row), place, entry, keys)
            })
        }
        (DataType::Map(..), DataType::Map(entries, _)) => {
            let pairs = column.as_map().value(row);
            let DataType::Struct(fields) = entries.data_type() else {
                return Err(ArrowError::SchemaError("a map's entries are pairs".to_owned()));
            };
            let ([key, value], [key_field, value_field]) = (pairs.columns(), fields.as_ref()) else {
                return Err(ArrowError::SchemaError("a map's entries are pairs".to_owned()));
            };
            sequence(out, ['{', '}'], 0..pairs.len(), |out, place| {
                let mut text = String::new();
                entry_text(&mut text, key, place, key_field, keys)?;
                if keys == Keys::Quoted && !text.starts_with('"') {
                    quote(out, &text);
                } else {
                    out.push_str(&text);
                }
                out.push(':');
                entry_text(out, value, place, value_field, keys)
            })
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let columns = column.as_struct().columns();
            sequence(out, ['{', '}'], columns.iter().zip(fields), |out, (column, field): (_, &FieldRef)| {
                quote(out, field.name());
                out.push(':');
                entry_text(out, column, row, field, keys)
            })
        }
        _ => scalar(out, column, row, field),
    }
}

fn sequence<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    mut item: impl FnMut(&mut String, T) -> Result<(), ArrowError>,
) -> Result<(), ArrowError> {
    out.push(open);
    for (place, value) in items.enumerate() {
        if place > 0 {
            out.push(',');
        }
        item(out, value)?;
    }
    out.push(close);
    Ok(())
}

fn entry_text(out: &mut String, column: &dyn Array, row: usize, field: &Field, keys: Keys) -> Result<(), ArrowError> {
    if column.is_null(row) {
        out.push_str("null");
        return Ok(());
    }
    write(out, column, row, field, keys)
}

fn scalar(out: &mut String, column: &dyn Array, row: usize, field: &Field) -> Result<(), ArrowError> {
    match column.data_type() {
        DataType::Boolean => out.push(if column.as_boolean().value(row) { '1' } else { '0' }),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let text = match column.data_type() {
                DataType::Utf8 => column.as_string::<i32>().value(row),
                DataType::LargeUtf8 => column.as_string::<i64>().value(row),
                _ => column.as_string_view().value(row),
            };
            if field.metadata().contains_key(JSON_FIELD) { out.push_str(text) } else { quote(out, text) }
        }
        DataType::Date32 => {
            quote(out, &date_text(column.as_primitive::<arrow_array::types::Date32Type>().value(row)));
        }
        DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, _) => {
            let moment = column.as_primitive::<arrow_array::types::TimestampMicrosecondType>().value(row);
            quote(out, &date_time_text(moment));
        }
        DataType::Float32 => float(out, column.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => float(out, column.as_primitive::<Float64Type>().value(row)),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            // Arrow's formatter prints bytes in hexadecimal.
            quote(out, &formatted(column, row)?);
        }
        _ => out.push_str(&formatted(column, row)?),
    }
    Ok(())
}

fn formatted(column: &dyn Array, row: usize) -> Result<String, ArrowError> {
    ArrayFormatter::try_new(column, &FormatOptions::default())?.value(row).try_to_string()
}

/// Digits as few as say the value; JSON has no word for what is not finite.
fn float<T: std::fmt::Display + std::fmt::LowerExp + Into<f64> + Copy>(out: &mut String, value: T) {
    let wide: f64 = value.into();
    // Writing to a text cannot fail.
    let _ = match wide.abs() {
        _ if !wide.is_finite() => write!(out, "\"{value}\""),
        size if size != 0.0 && !(1e-5..1e16).contains(&size) => write!(out, "{value:e}"),
        _ => write!(out, "{value}"),
    };
}

/// Appends the text in double quotes, with JSON's escapes.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use arrow_array::builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder};
    use arrow_array::{ArrayRef, BinaryArray, Decimal128Array, Float64Array, StructArray};

    use super::*;

    fn text(column: &ArrayRef, row: usize, keys: Keys) -> String {
        let mut out = String::new();
        write(&mut out, column, row, &Field::new("c", column.data_type().clone(), true), keys).unwrap();
        out
    }

    #[test]
    fn arrays_are_printed_as_starrocks_prints_them() {
        let mut numbers = ListBuilder::new(Int32Builder::new());
        numbers.append_value([Some(1), Some(2), None]);
        numbers.append_value([]);
        let numbers: ArrayRef = Arc::new(numbers.finish());
        assert_eq!([text(&numbers, 0, Keys::Bare), text(&numbers, 1, Keys::Bare)], ["[1,2,null]", "[]"]);
        let mut texts = ListBuilder::new(StringBuilder::new());
        texts.append_value([Some("a\"b\\\n\u{1}é")]);
        let texts: ArrayRef = Arc::new(texts.finish());
        assert_eq!(text(&texts, 0, Keys::Bare), r#"["a\"b\\\n\u0001é"]"#);
    }

    #[test]
    fn keys_that_are_no_text_are_quoted_for_json_only() {
        let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
        map.keys().append_value(1);
        map.values().append_value("x");
        map.keys().append_value(2);
        map.values().append_null();
        map.append(true).unwrap();
        let map: ArrayRef = Arc::new(map.finish());
        assert_eq!(text(&map, 0, Keys::Bare), r#"{1:"x",2:null}"#);
        assert_eq!(text(&map, 0, Keys::Quoted), r#"{"1":"x","2":null}"#);
    }

    #[test]
    fn fields_of_a_struct_are_named_and_documents_stand_as_they_are() {
        let structure = [
            ("j", ColumnType::Json, Arc::new(arrow_array::StringArray::from(vec![r#"{"k":[1]}"#])) as ArrayRef),
            (
                "d",
                ColumnType::Decimal { precision: 5, scale: 2 },
                Arc::new(Decimal128Array::from(vec![150]).with_precision_and_scale(5, 2).unwrap()),
            ),
            ("b", ColumnType::Varbinary(9), Arc::new(BinaryArray::from(vec![b"\x00\xff".as_slice()]))),
            ("f", ColumnType::Double, Arc::new(Float64Array::from(vec![1e300]))),
            ("n", ColumnType::Double, Arc::new(Float64Array::from(vec![f64::NAN]))),
        ];
        let fields: Vec<FieldRef> =
            structure.iter().map(|(name, column_type, _)| Arc::new(described(name, column_type, true))).collect();
        let columns = structure.into_iter().map(|(_, _, column)| column).collect();
        let column: ArrayRef = Arc::new(StructArray::new(fields.into(), columns, None));
        let expected = r#"{"j":{"k":[1]},"d":1.50,"b":"00ff","f":1e300,"n":"NaN"}"#;
        assert_eq!(text(&column, 0, Keys::Bare), expected);
    }
}
