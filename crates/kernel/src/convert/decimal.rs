//! DECIMAL(P, S): exact, rounded half away from zero; a value with more than P digits then is invalid.

use super::Invalid;
use super::number::DecimalText;
use crate::format::value::Value;

/// Reads the unscaled value; `true` is one, `false` zero.
pub(super) fn read(value: &Value<'_>, precision: u8, scale: u8) -> Result<i128, Invalid> {
    let text = match value {
        Value::Number(text) => text,
        Value::Text(text) => text.trim_ascii(),
        Value::Boolean(true) => "1",
        Value::Boolean(false) => "0",
        _ => return Err(Invalid),
    };
    let unscaled = DecimalText::parse(text).and_then(|number| number.scaled(scale)).ok_or(Invalid)?;
    let limit = 10_u128.checked_pow(u32::from(precision)).ok_or(Invalid)?;
    if unscaled.unsigned_abs() < limit { Ok(unscaled) } else { Err(Invalid) }
}
