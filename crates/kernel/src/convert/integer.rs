//! TINYINT to BIGINT, and LARGEINT.
//!
//! A fraction is cut off towards zero, an exponent is carried out; what is out of range afterwards is invalid.

use super::Invalid;
use super::number::DecimalText;
use crate::digits;
use crate::format::value::Value;

/// Reads TINYINT to BIGINT. `true` and `false` are invalid.
#[inline]
pub(super) fn read<T: TryFrom<i64>>(value: &Value<'_>) -> Result<T, Invalid> {
    let wide = match value {
        Value::Number(text) => read_wide(text)?,
        Value::Text(text) => read_wide(text.trim_ascii())?,
        _ => return Err(Invalid),
    };
    T::try_from(wide).map_err(|_| Invalid)
}

/// Reads LARGEINT; `true` is 1, `false` 0.
pub(super) fn read_large(value: &Value<'_>) -> Result<i128, Invalid> {
    let text = match value {
        Value::Number(text) => text,
        Value::Text(text) => text.trim_ascii(),
        Value::Boolean(flag) => return Ok(i128::from(*flag)),
        _ => return Err(Invalid),
    };
    DecimalText::parse(text).and_then(|number| number.truncated()).ok_or(Invalid)
}

#[inline]
fn read_wide(text: &str) -> Result<i64, Invalid> {
    if let Some(plain) = read_plain(text.as_bytes()) {
        return Ok(plain);
    }
    let number = DecimalText::parse(text).ok_or(Invalid)?;
    number.truncated().and_then(|wide| i64::try_from(wide).ok()).ok_or(Invalid)
}

/// The usual case: digits only, few enough to need no check of range. `None` for anything else.
#[inline]
pub(super) fn read_plain(bytes: &[u8]) -> Option<i64> {
    let (negative, all) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    if all.is_empty() || all.len() > 18 {
        return None;
    }
    let (eights, rest) = all.as_chunks::<8>();
    let mut magnitude: i64 = 0;
    for eight in eights {
        magnitude = magnitude * 100_000_000 + digits::eight(eight)?;
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude * 10 + i64::from(digit);
    }
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_digits_only() {
        for number in [0, 7, 12_345_678, 99_999_999, 100_000_000, 999_999_999_999_999_999, -1, -12_345_678_901] {
            assert_eq!(read_plain(number.to_string().as_bytes()), Some(number));
        }
        for byte in 0..=u8::MAX {
            for place in 0..17 {
                let mut text = *b"12345678901234567";
                text[place] = byte;
                let expected =
                    str::from_utf8(&text).ok().filter(|_| byte.is_ascii_digit() || place == 0 && byte == b'-');
                assert_eq!(read_plain(&text), expected.and_then(|text| text.parse().ok()), "{byte} at {place}");
            }
        }
    }
}
