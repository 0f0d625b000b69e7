//! Values as text.

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use chrono::{DateTime, Datelike, Timelike};
use datafusion_common::{DataFusionError, Result};

use super::{DAY_US, plain, unquoted};
use crate::document;
use crate::types::widest;

/// Bytes of text that one column may have: Arrow's offsets end at 2 GiB.
pub(crate) const MAX_COLUMN_BYTES: usize = 3 << 29;

/// Every value's text; types are the widest of their kind.
///
/// # Errors
/// If the texts would not fit one column.
pub(crate) fn texts(column: &ArrayRef) -> Result<StringArray> {
    let mut builder = StringBuilder::with_capacity(column.len(), 0);
    for row in 0..column.len() {
        let text = text_of(column, row);
        if text.as_ref().map_or(0, String::len) + builder.values_slice().len() > MAX_COLUMN_BYTES {
            return Err(DataFusionError::ResourcesExhausted("text of one column".to_owned()));
        }
        builder.append_option(text);
    }
    Ok(builder.finish())
}

fn text_of(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Boolean => u8::from(column.as_boolean().value(row)).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => double_text(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Decimal256(..) => column.as_primitive::<Decimal256Type>().value_as_string(row),
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => return unquoted(column.as_string::<i64>().value(row)),
        DataType::Date32 => date_text(column.as_primitive::<Date32Type>().value(row).into())?,
        DataType::Timestamp(..) => moment_text(column.as_primitive::<TimestampMicrosecondType>().value(row))?,
        DataType::Binary => String::from_utf8(column.as_binary::<i32>().value(row).to_vec()).ok()?,
        _ => return json_text(column, row),
    })
}

/// A column of JSON as the texts that other types are read from.
pub(super) fn plain_texts(column: &ArrayRef) -> StringArray {
    column.as_string::<i64>().iter().map(|json| json.and_then(plain)).collect()
}

/// One value as JSON; `None` for NULL.
pub(crate) fn json_text(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Boolean => if column.as_boolean().value(row) { "true" } else { "false" }.to_owned(),
        DataType::LargeUtf8 => column.as_string::<i64>().value(row).to_owned(),
        DataType::Float64 => {
            let double = column.as_primitive::<Float64Type>().value(row);
            if double.is_finite() { double_text(double) } else { "null".to_owned() }
        }
        DataType::Int64 | DataType::Decimal128(..) | DataType::Decimal256(..) => text_of(column, row)?,
        DataType::List(_) => {
            let elements = column.as_list::<i32>().value(row);
            let widest = arrow_cast::cast(&elements, &widest(elements.data_type())).ok()?;
            let texts = (0..widest.len()).map(|at| json_text(&widest, at).unwrap_or_else(|| "null".to_owned()));
            format!("[{}]", texts.collect::<Vec<_>>().join(","))
        }
        DataType::Struct(fields) => {
            let members = column.as_struct();
            let pairs = fields.iter().zip(members.columns()).map(|(field, values)| member(field.name(), values, row));
            format!("{{{}}}", pairs.collect::<Option<Vec<_>>>()?.join(","))
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let (keys, values) = (entries.columns().first()?, entries.columns().get(1)?);
            let keys = arrow_cast::cast(keys, &widest(keys.data_type())).ok()?;
            let pairs = (0..entries.len()).map(|at| member(&text_of(&keys, at)?, values, at));
            format!("{{{}}}", pairs.collect::<Option<Vec<_>>>()?.join(","))
        }
        DataType::Utf8 | DataType::Binary | DataType::Date32 | DataType::Timestamp(..) => {
            document::quote(&text_of(column, row)?)
        }
        _ => return None,
    })
}

/// `"name":value`.
fn member(name: &str, values: &ArrayRef, row: usize) -> Option<String> {
    let value = values.slice(row, 1);
    let value = arrow_cast::cast(&value, &widest(value.data_type())).ok()?;
    Some(format!("{}:{}", document::quote(name), json_text(&value, 0).unwrap_or_else(|| "null".to_owned())))
}

/// The shortest text that reads as the same number.
fn double_text(double: f64) -> String {
    let size = double.abs();
    if double.is_nan() {
        "nan".to_owned()
    } else if double.is_infinite() {
        if double > 0.0 { "inf" } else { "-inf" }.to_owned()
    } else if size != 0.0 && !(1e-5..1e16).contains(&size) {
        let text = format!("{double:e}");
        match text.split_once('e') {
            Some((digits, exponent)) => {
                let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
                format!("{digits}e{sign}{exponent:0>2}")
            }
            None => text,
        }
    } else {
        double.to_string()
    }
}

/// `2024-06-10`; days since 1970-01-01. `None` outside the years 0000 to 9999.
fn date_text(days: i64) -> Option<String> {
    let moment = DateTime::from_timestamp_micros(days.checked_mul(DAY_US)?)?;
    (0..=9999)
        .contains(&moment.year())
        .then(|| format!("{:04}-{:02}-{:02}", moment.year(), moment.month(), moment.day()))
}

/// `2024-06-10 15:53:13`, with six more digits if there is a fraction; microseconds since 1970-01-01.
fn moment_text(us: i64) -> Option<String> {
    let moment = DateTime::from_timestamp_micros(us)?;
    let date = date_text(us.div_euclid(DAY_US))?;
    let clock = format!("{:02}:{:02}:{:02}", moment.hour(), moment.minute(), moment.second());
    Some(match moment.timestamp_subsec_micros() {
        0 => format!("{date} {clock}"),
        fraction => format!("{date} {clock}.{fraction:06}"),
    })
}
