//! A parameter as a literal of SQL.
//!
//! Text is quoted with both escapes of the dialect: a quote is doubled, a backslash too. Nothing else has a meaning
//! between quotes.

use crate::protocol::parameter::Parameter;

/// Appends `parameter`. Where a count of rows is expected, a floating-point number without a fraction is written as an
/// integer: JavaScript clients have no other numbers.
pub(super) fn put(sql: &mut String, parameter: &Parameter, counts_rows: bool) {
    match parameter {
        Parameter::Null => sql.push_str("NULL"),
        // After a minus, a sign without space would begin a comment.
        Parameter::Integer(value) if *value < 0 => sql.push_str(&format!(" {value}")),
        Parameter::Integer(value) => sql.push_str(&value.to_string()),
        Parameter::Unsigned(value) => sql.push_str(&value.to_string()),
        Parameter::Double(value) if counts_rows && value.fract() == 0.0 => sql.push_str(&format!(" {value}")),
        Parameter::Double(value) => put_float(sql, value.is_finite().then(|| format!("{value:e}")), *value),
        Parameter::Float(value) => put_float(sql, value.is_finite().then(|| format!("{value:e}")), (*value).into()),
        Parameter::Decimal(digits) => match str::from_utf8(digits) {
            Ok(digits) if is_number(digits) => {
                sql.push(' ');
                sql.push_str(digits);
            }
            _ => put_bytes(sql, digits),
        },
        Parameter::Bytes(bytes) => put_bytes(sql, bytes),
        Parameter::Moment(text) => put_text(sql, text),
    }
}

/// `finite` are the digits with an exponent, which make it floating point and not decimal.
fn put_float(sql: &mut String, finite: Option<String>, value: f64) {
    match finite {
        Some(digits) => {
            sql.push(' ');
            sql.push_str(&digits);
        }
        None if value.is_nan() => sql.push_str("CAST('NaN' AS DOUBLE)"),
        None if value > 0.0 => sql.push_str("CAST('Infinity' AS DOUBLE)"),
        None => sql.push_str("CAST('-Infinity' AS DOUBLE)"),
    }
}

fn put_bytes(sql: &mut String, bytes: &[u8]) {
    match str::from_utf8(bytes) {
        Ok(text) => put_text(sql, text),
        Err(_) => {
            sql.push_str("X'");
            for byte in bytes {
                sql.push_str(&format!("{byte:02X}"));
            }
            sql.push('\'');
        }
    }
}

fn put_text(sql: &mut String, text: &str) {
    sql.push('\'');
    for character in text.chars() {
        if matches!(character, '\'' | '\\') {
            sql.push(character);
        }
        sql.push(character);
    }
    sql.push('\'');
}

/// Digits with at most one point and a sign before them: what is no number would else be SQL of the client's choice.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let points = digits.bytes().filter(|byte| *byte == b'.').count();
    digits.starts_with(|c: char| c.is_ascii_digit())
        && points <= 1
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}
