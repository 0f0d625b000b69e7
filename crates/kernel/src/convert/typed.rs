//! Values whose type the format knows into columns: straight where the types agree, through their text elsewhere.
//!
//! | value | columns that take it as it is | through its text |
//! | --- | --- | --- |
//! | whole number | integers, BOOLEAN, FLOAT, DOUBLE, DECIMAL | text; as any number elsewhere |
//! | float | FLOAT, DOUBLE (the nearest) | integers (cut off towards zero), DECIMAL, text |
//! | text | text | all else, as text of JSON |
//! | bytes, UUIDs, durations | VARBINARY | text, bytes only if they are UTF-8 |
//! | decimal | DECIMAL | integers (cut off), FLOAT, DOUBLE, text |
//! | date, moment | DATE, DATETIME; numbers take the record's number | text |
//! | time of day | numbers take the record's number; no DATE, no DATETIME | text |
//! | record, array, map | | JSON text; ARRAY, MAP and STRUCT take it as they take JSON |
//!
//! A JSON column takes every value, as JSON.

use super::builder::Texts;
use super::{ColumnBuilder, Invalid, Outcome, Scratch};
use crate::format::avro::Nested;
use crate::format::json::select::{BYTES_A_BYTE, BYTES_BORNE};
use crate::format::typed::{FIRST_DAY, LAST_DAY, MAX_JSON_BYTES, Typed, Unprintable};
use crate::format::value::Value;

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl From<Unprintable> for Invalid {
    fn from(_: Unprintable) -> Self {
        Self
    }
}

/// Appends one entry.
#[inline]
pub(super) fn append(column: &mut ColumnBuilder, value: &Value<'_>, scratch: &mut Scratch) -> Outcome {
    let appended = match value.typed() {
        None => Err(Invalid),
        Some(value) => match direct(column, &value) {
            Some(appended) => appended.map(|()| Outcome::Value),
            None => through_text(column, &value, scratch),
        },
    };
    appended.unwrap_or_else(|Invalid| {
        column.append_null();
        Outcome::Invalid
    })
}

/// Where no text is needed; `None` elsewhere.
#[inline]
fn direct(column: &mut ColumnBuilder, value: &Typed<'_>) -> Option<Result<(), Invalid>> {
    use ColumnBuilder as C;
    let appended = match (column, value) {
        (C::BigInt(builder), Typed::Long(number)) => {
            builder.append_value(*number);
            Ok(())
        }
        (C::Int(builder), Typed::Long(number)) => i32::try_from(*number).map(|number| builder.append_value(number)),
        (C::SmallInt(builder), Typed::Long(number)) => {
            i16::try_from(*number).map(|number| builder.append_value(number))
        }
        (C::TinyInt(builder), Typed::Long(number)) => i8::try_from(*number).map(|number| builder.append_value(number)),
        (C::Boolean(builder), Typed::Long(number)) => {
            builder.append_value(*number != 0);
            Ok(())
        }
        (C::Double(builder), Typed::Double(number)) => {
            builder.append_value(*number);
            Ok(())
        }
        (C::Double(builder), Typed::Float(number)) => {
            builder.append_value(f64::from(*number));
            Ok(())
        }
        (C::Double(builder), Typed::Long(number)) => {
            builder.append_value(*number as f64); // the nearest one
            Ok(())
        }
        (C::Float(builder), Typed::Float(number)) => {
            builder.append_value(*number);
            Ok(())
        }
        (C::Float(builder), Typed::Double(number)) => {
            let nearest = *number as f32; // infinite if there is none
            if nearest.is_infinite() && number.is_finite() {
                return Some(Err(Invalid));
            }
            builder.append_value(nearest);
            Ok(())
        }
        (C::Float(builder), Typed::Long(number)) => {
            builder.append_value(*number as f32); // the nearest one
            Ok(())
        }
        (C::Decimal { builder, precision, scale }, Typed::Decimal { unscaled, scale: found })
            if *found == u32::from(*scale) =>
        {
            let number = whole(unscaled)?;
            if number.unsigned_abs() >= 10_u128.checked_pow(u32::from(*precision))? {
                return Some(Err(Invalid));
            }
            builder.append_value(number);
            Ok(())
        }
        (C::Date(builder), Typed::Date(days)) => {
            if !(FIRST_DAY..=LAST_DAY).contains(&i64::from(*days)) {
                return Some(Err(Invalid));
            }
            builder.append_value(*days);
            Ok(())
        }
        (C::Date(builder), Typed::DateTime { micros, .. }) => {
            let days = micros.div_euclid(MICROS_PER_DAY);
            match i32::try_from(days) {
                Ok(known) if (FIRST_DAY..=LAST_DAY).contains(&days) => builder.append_value(known),
                _ => return Some(Err(Invalid)),
            }
            Ok(())
        }
        (C::DateTime(builder), Typed::DateTime { micros, .. }) => {
            if !(FIRST_DAY..=LAST_DAY).contains(&micros.div_euclid(MICROS_PER_DAY)) {
                return Some(Err(Invalid));
            }
            builder.append_value(*micros);
            Ok(())
        }
        (C::DateTime(builder), Typed::Date(days)) => {
            let days = i64::from(*days);
            if !(FIRST_DAY..=LAST_DAY).contains(&days) {
                return Some(Err(Invalid));
            }
            builder.append_value(days * MICROS_PER_DAY);
            Ok(())
        }
        (C::Binary { builder, max_bytes }, Typed::Bytes(bytes)) => {
            return Some(append_bytes(builder, *max_bytes, bytes));
        }
        (C::Binary { builder, max_bytes }, Typed::Uuid(bytes)) => {
            return Some(append_bytes(builder, *max_bytes, &bytes[..]));
        }
        (C::Binary { builder, max_bytes }, Typed::Duration(bytes)) => {
            return Some(append_bytes(builder, *max_bytes, &bytes[..]));
        }
        // The text of a time of day reads as a date of three short numbers.
        (C::Date(_) | C::DateTime(_), Typed::Time { .. }) => return Some(Err(Invalid)),
        _ => return None,
    };
    Some(appended.map_err(|_| Invalid))
}

fn append_bytes(builder: &mut Texts, max_bytes: u32, bytes: &[u8]) -> Result<(), Invalid> {
    if u32::try_from(bytes.len()).is_ok_and(|length| length <= max_bytes) {
        builder.append_value(bytes);
        Ok(())
    } else {
        Err(Invalid)
    }
}

/// The number that at most 16 bytes are; `None` for more.
fn whole(unscaled: &[u8]) -> Option<i128> {
    let filler = if unscaled.first().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
    let mut bytes = [filler; 16];
    let from = bytes.len().checked_sub(unscaled.len())?;
    bytes.get_mut(from..)?.copy_from_slice(unscaled);
    Some(i128::from_be_bytes(bytes))
}

/// An error has appended nothing yet.
fn through_text(column: &mut ColumnBuilder, value: &Typed<'_>, scratch: &mut Scratch) -> Result<Outcome, Invalid> {
    // Taken, so that the rest of the scratch is free for the conversion of what it holds.
    let mut made = std::mem::take(&mut scratch.made);
    made.clear();
    let appended = with_text(column, value, scratch, &mut made);
    let bytes = match value {
        Typed::Nested(Nested { selection: Some(_), .. }) => {
            BYTES_BORNE.saturating_add(made.len().saturating_mul(BYTES_A_BYTE))
        }
        _ => made.len(),
    };
    scratch.made_bytes = scratch.made_bytes.saturating_add(bytes);
    scratch.made = made;
    appended
}

fn with_text(
    column: &mut ColumnBuilder,
    value: &Typed<'_>,
    scratch: &mut Scratch,
    made: &mut String,
) -> Result<Outcome, Invalid> {
    if let Typed::Nested(nested @ Nested { selection: Some(number), .. }) = value {
        nested.write_json(made)?;
        return Ok(column.append_selected(made, *number, scratch));
    }
    if let ColumnBuilder::Json(builder) = column {
        value.write_json(made)?;
        if made.len() > MAX_JSON_BYTES {
            return Err(Invalid);
        }
        builder.append_value(&*made);
        return Ok(Outcome::Value);
    }
    let numeric = matches!(
        column,
        ColumnBuilder::TinyInt(_)
            | ColumnBuilder::SmallInt(_)
            | ColumnBuilder::Int(_)
            | ColumnBuilder::BigInt(_)
            | ColumnBuilder::LargeInt(_)
            | ColumnBuilder::Float(_)
            | ColumnBuilder::Double(_)
            | ColumnBuilder::Decimal { .. }
    );
    match value.raw().filter(|_| numeric) {
        Some(raw) => Typed::Long(raw).write_text(made)?,
        None => value.write_text(made)?,
    }
    let settled = match value {
        Typed::Long(_) | Typed::Decimal { .. } => Value::Number(made),
        Typed::Float(number) if number.is_finite() => Value::Number(made),
        Typed::Double(number) if number.is_finite() => Value::Number(made),
        Typed::Date(_) | Typed::Time { .. } | Typed::DateTime { .. } if numeric => Value::Number(made),
        Typed::Nested(_) => Value::Container(made),
        _ => Value::Text(made),
    };
    Ok(column.append(&settled, scratch))
}
