//! BOOLEAN: a number is true unless it is zero, text must be an integer or a word.

use super::Invalid;
use super::number::DecimalText;
use crate::format::value::Value;

/// Reads a boolean; `"1.5"` and `"yes"` are invalid.
pub(super) fn read(value: &Value<'_>) -> Result<bool, Invalid> {
    match value {
        Value::Boolean(flag) => Ok(*flag),
        Value::Number(text) => DecimalText::parse(text).map(|number| !number.is_zero()).ok_or(Invalid),
        Value::Text(text) => read_text(text.trim_ascii()),
        _ => Err(Invalid),
    }
}

fn read_text(text: &str) -> Result<bool, Invalid> {
    if text.eq_ignore_ascii_case("true") {
        return Ok(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Ok(false);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Invalid);
    }
    Ok(digits.bytes().any(|byte| byte != b'0'))
}
