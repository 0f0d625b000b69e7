//! Values that come from no JSON: fields of delimited text, and what Kafka knows of a record.
//!
//! Delimited text does not say what kind of value a field is, so the column's type decides: JSON is parsed, a number is a
//! BOOLEAN, and only the smaller integers and floats take exponents. An empty field is text and nothing else.

use std::fmt::Write;

use super::number::DecimalText;
use super::{ColumnBuilder, Outcome, Scratch, moment};
use crate::format::value::Value;

/// Appends a field of delimited text.
#[inline]
pub(super) fn append_text(column: &mut ColumnBuilder, text: &str, scratch: &mut Scratch) -> Outcome {
    match column {
        ColumnBuilder::Boolean(_) if DecimalText::parse(text.trim_ascii()).is_some() => {
            column.append(&Value::Number(text.trim_ascii()), scratch)
        }
        ColumnBuilder::BigInt(_) | ColumnBuilder::LargeInt(_) if text.contains(['e', 'E']) => invalid(column),
        _ => column.append_field_text(text, scratch),
    }
}

/// Appends any other value that is no JSON.
pub(super) fn append(column: &mut ColumnBuilder, value: &Value<'_>, scratch: &mut Scratch) -> Outcome {
    let mut room = std::mem::take(&mut scratch.built);
    room.clear();
    let outcome = match value {
        Value::EscapedField(raw, unescape) => {
            unescape.unescape(raw, &mut room);
            append_text(column, &room, scratch)
        }
        Value::Bytes(bytes) => append_bytes(column, bytes, scratch),
        Value::Integer(number) => {
            // Writing to text never fails.
            let _ = write!(room, "{number}");
            column.append(&Value::Number(&room), scratch)
        }
        Value::Moment(milliseconds) => match column {
            ColumnBuilder::Text { .. } | ColumnBuilder::Date(_) | ColumnBuilder::DateTime(_) => {
                match moment::write(*milliseconds, &mut room) {
                    Some(()) => column.append(&Value::Text(&room), scratch),
                    None => invalid(column),
                }
            }
            _ => {
                let _ = write!(room, "{milliseconds}");
                column.append(&Value::Number(&room), scratch)
            }
        },
        Value::Headers(headers) => {
            room.push_str(&headers.to_json());
            column.append(&Value::Container(&room), scratch)
        }
        other => column.append(other, scratch),
    };
    scratch.built = room;
    outcome
}

fn append_bytes(column: &mut ColumnBuilder, bytes: &[u8], scratch: &mut Scratch) -> Outcome {
    if let ColumnBuilder::Binary { builder, max_bytes } = column
        && u32::try_from(bytes.len()).is_ok_and(|length| length <= *max_bytes)
    {
        builder.append_value(bytes);
        return Outcome::Value;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => append_text(column, text, scratch),
        Err(_) => invalid(column),
    }
}

fn invalid(column: &mut ColumnBuilder) -> Outcome {
    column.append_null();
    Outcome::Invalid
}
