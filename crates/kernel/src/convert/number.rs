//! Decimal text, exact: what integers, LARGEINT and DECIMAL are read from.
//!
//! Text is split, never calculated with as a float, so `9223372036854775807.5` and `1e3` give what they say.

/// A number as written, in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DecimalText<'a> {
    negative: bool,
    /// Digits before the point.
    integer: &'a [u8],
    /// Digits after the point.
    fraction: &'a [u8],
    /// Power of ten, at the ends of its range if the text says more.
    exponent: i64,
}

impl<'a> DecimalText<'a> {
    /// Splits `[+-] digits [. digits] [e [+-] digits]`, one digit at least before the exponent; `None` for other text.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (negative, bytes) = match bytes.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, bytes),
        };
        let (integer, bytes) = split_digits(bytes);
        let (fraction, bytes) = match bytes.split_first() {
            Some((b'.', rest)) => split_digits(rest),
            _ => (&[][..], bytes),
        };
        if integer.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match bytes.split_first() {
            None => 0,
            Some((b'e' | b'E', rest)) => read_exponent(rest)?,
            Some(_) => return None,
        };
        Some(Self { negative, integer, fraction, exponent })
    }

    /// The number without its fraction; `None` beyond 128 bits.
    pub(super) fn truncated(&self) -> Option<i128> {
        self.signed(self.shifted(0)?.0)
    }

    /// The number times 10^`scale`, rounded half away from zero; `None` beyond 128 bits.
    pub(super) fn scaled(&self, scale: u8) -> Option<i128> {
        let (magnitude, next) = self.shifted(scale)?;
        self.signed(magnitude.checked_add(u128::from(next >= b'5'))?)
    }

    /// Whether any digit is other than zero.
    pub(super) fn is_zero(&self) -> bool {
        self.integer.iter().chain(self.fraction).all(|digit| *digit == b'0')
    }

    /// The digits before the point after it was moved `scale` and the exponent to the right, and the digit that follows.
    fn shifted(&self, scale: u8) -> Option<(u128, u8)> {
        if self.is_zero() {
            return Some((0, b'0'));
        }
        let written = i64::try_from(self.integer.len()).ok()?;
        let before = written.saturating_add(self.exponent).saturating_add(i64::from(scale));
        let Ok(before) = usize::try_from(before) else {
            return Some((0, b'0'));
        };
        let mut digits = self.integer.iter().chain(self.fraction).copied();
        let mut magnitude: u128 = 0;
        for taken in 0..before {
            let Some(digit) = digits.next() else {
                // Only zeros follow; a number that is not zero has room for 39 of them at most.
                let zeros = u32::try_from(before - taken).ok()?;
                let factor = 10_u128.checked_pow(zeros)?;
                return Some((magnitude.checked_mul(factor)?, b'0'));
            };
            magnitude = magnitude.checked_mul(10)?.checked_add(u128::from(digit - b'0'))?;
        }
        Some((magnitude, digits.next().unwrap_or(b'0')))
    }

    fn signed(&self, magnitude: u128) -> Option<i128> {
        if self.negative { 0_i128.checked_sub_unsigned(magnitude) } else { i128::try_from(magnitude).ok() }
    }
}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

fn read_exponent(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude =
        digits.iter().fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests;
