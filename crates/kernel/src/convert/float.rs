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

/// The nearest float of a whole number over a power of ten; `None` where one division would not say so.
///
/// Both are floats themselves as long as they are short, and a division of floats is rounded once. Zero is positive.
#[inline]
pub(super) fn nearest((number, digits): (i64, usize)) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    const EXACT: i64 = 1 << f64::MANTISSA_DIGITS;
    let power = POWERS.get(digits)?;
    (-EXACT < number && number < EXACT).then(|| number as f64 / power)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn division_gives_what_reading_gives(number in any::<i64>(), shift in 0..64, digits in 0..20_usize) {
            let number = number >> shift;
            if let Some(found) = nearest((number, digits)) {
                let expected: f64 = format!("{number}e-{digits}").parse().unwrap();
                prop_assert_eq!(found.to_bits(), expected.to_bits());
            }
        }
    }
}
