//! FLOAT and DOUBLE: the nearest value; beyond the type's range is invalid, `true` and `false` too.

use std::str::FromStr;

use super::Invalid;
use crate::format::value::Value;

/// Reads a float. Text may also say `inf`, `infinity` or `nan`, in any case.
pub(super) fn read<T: FromStr + Float>(value: &Value<'_>) -> Result<T, Invalid> {
    let text = match value {
        Value::Number(text) => text,
        Value::Text(text) => text.trim_ascii(),
        _ => return Err(Invalid),
    };
    let float: T = text.parse().map_err(|_| Invalid)?;
    let overflow = float.infinite() && text.bytes().any(|byte| byte.is_ascii_digit());
    if overflow { Err(Invalid) } else { Ok(float) }
}

/// What both floats have.
pub(super) trait Float {
    /// Whether it is infinite.
    fn infinite(&self) -> bool;
}

impl Float for f32 {
    fn infinite(&self) -> bool {
        self.is_infinite()
    }
}

impl Float for f64 {
    fn infinite(&self) -> bool {
        self.is_infinite()
    }
}
