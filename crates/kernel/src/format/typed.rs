//! A source field whose type its format knows: what binary formats deliver, straight from the record's bytes.

use std::fmt::{self, Write};

use super::avro::{Nested, TimeUnit};

/// A value with a type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Typed<'a> {
    /// A whole number.
    Long(i64),
    /// 32 bits, IEEE 754.
    Float(f32),
    /// 64 bits, IEEE 754.
    Double(f64),
    /// Text, free of any escapes.
    Text(&'a str),
    /// Bytes, text or not.
    Bytes(&'a [u8]),
    /// A number in two's complement, big-endian, of any length, over 10^`scale`.
    Decimal { unscaled: &'a [u8], scale: u32 },
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight, and the number as the record has it.
    Time { raw: i64, micros: i64 },
    /// Microseconds since 1970-01-01 00:00:00 of a wall clock, and the number as the record has it.
    DateTime { raw: i64, micros: i64 },
    /// A UUID's bytes.
    Uuid(&'a [u8; 16]),
    /// Months, days and milliseconds, each four bytes, little-endian.
    Duration(&'a [u8; 12]),
    /// A value with parts.
    Nested(&'a Nested<'a>),
}

/// What of the above takes 16 bytes at most, so that a [`Value`](super::value::Value) stays as small as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Small<'a> {
    Long(i64),
    Float(f32),
    Double(f64),
    Date(i32),
    Time {
        raw: i64,
        unit: TimeUnit,
    },
    /// Told by a clock that is `ahead_s` seconds ahead of the one that `raw` counts by.
    DateTime {
        raw: i64,
        unit: TimeUnit,
        ahead_s: i32,
    },
    Uuid(&'a [u8; 16]),
    Duration(&'a [u8; 12]),
    Nested(&'a Nested<'a>),
}

impl<'a> Small<'a> {
    #[inline]
    pub(crate) fn typed(self) -> Typed<'a> {
        match self {
            Self::Long(number) => Typed::Long(number),
            Self::Float(number) => Typed::Float(number),
            Self::Double(number) => Typed::Double(number),
            Self::Date(days) => Typed::Date(days),
            Self::Time { raw, unit } => Typed::Time { raw, micros: unit.micros(raw) },
            Self::DateTime { raw, unit, ahead_s } => {
                let micros = unit.micros(raw).saturating_add(i64::from(ahead_s) * 1_000_000);
                Typed::DateTime { raw, micros }
            }
            Self::Uuid(bytes) => Typed::Uuid(bytes),
            Self::Duration(bytes) => Typed::Duration(bytes),
            Self::Nested(nested) => Typed::Nested(nested),
        }
    }
}

/// Bytes of JSON text that a value may have: what a JSON column holds.
pub(crate) const MAX_JSON_BYTES: usize = 16 << 20;

/// The value has no text of a sensible length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unprintable;

impl Typed<'_> {
    /// Appends the value's text, as text columns take it.
    ///
    /// # Errors
    /// [`Unprintable`]: bytes that are no UTF-8, a day that no calendar has, a number or document that is too long.
    pub(crate) fn write_text(&self, into: &mut String) -> Result<(), Unprintable> {
        match self {
            Self::Long(number) => push(into, format_args!("{number}")),
            Self::Float(number) => push(into, format_args!("{number:?}")),
            Self::Double(number) => push(into, format_args!("{number:?}")),
            Self::Text(text) => into.push_str(text),
            Self::Bytes(bytes) => into.push_str(std::str::from_utf8(bytes).map_err(|_| Unprintable)?),
            Self::Decimal { unscaled, scale } => push_decimal(unscaled, *scale, into)?,
            Self::Date(days) => push_date(i64::from(*days), into)?,
            Self::Time { micros, .. } if (0..MICROS_PER_DAY).contains(micros) => push_time(*micros, into),
            Self::Time { raw, .. } => push(into, format_args!("{raw}")),
            Self::DateTime { micros, .. } => {
                push_date(micros.div_euclid(MICROS_PER_DAY), into)?;
                into.push(' ');
                push_time(micros.rem_euclid(MICROS_PER_DAY), into);
            }
            Self::Uuid(bytes) => push_uuid(bytes, into),
            Self::Duration(bytes) => push_duration(bytes, into),
            Self::Nested(nested) => nested.write_json(into)?,
        }
        Ok(())
    }

    /// Appends the value as JSON: numbers as numbers, bytes as the characters of their numbers (what Avro's own JSON
    /// does), all else in text's form within quotes. A day or a time that has no text is its number.
    ///
    /// # Errors
    /// [`Unprintable`]: a number or document that is too long.
    pub(crate) fn write_json(&self, into: &mut String) -> Result<(), Unprintable> {
        match self {
            Self::Long(_) | Self::Decimal { .. } | Self::Nested(_) => self.write_text(into),
            Self::Float(number) if number.is_finite() => self.write_text(into),
            Self::Double(number) if number.is_finite() => self.write_text(into),
            Self::Float(number) => {
                push(into, format_args!("\"{number:?}\""));
                Ok(())
            }
            Self::Double(number) => {
                push(into, format_args!("\"{number:?}\""));
                Ok(())
            }
            Self::Text(text) => {
                quote(text, into);
                Ok(())
            }
            Self::Bytes(bytes) => {
                let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
                quote(&text, into);
                Ok(())
            }
            Self::Date(_) | Self::Time { .. } | Self::DateTime { .. } | Self::Uuid(_) | Self::Duration(_) => {
                let start = into.len();
                into.push('"');
                if self.write_text(into).is_err() {
                    into.truncate(start);
                    push(into, format_args!("{}", self.raw().unwrap_or_default()));
                    return Ok(());
                }
                into.push('"');
                Ok(())
            }
        }
    }

    /// The number that a moment is in the record; `None` for what is no moment.
    pub(crate) fn raw(&self) -> Option<i64> {
        match self {
            Self::Date(days) => Some(i64::from(*days)),
            Self::Time { raw, .. } | Self::DateTime { raw, .. } => Some(*raw),
            _ => None,
        }
    }
}

/// Prints the value as a reason quotes it.
impl fmt::Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        match (self.write_text(&mut text), self) {
            (Ok(()), _) | (Err(Unprintable), Self::Nested(_)) => f.write_str(&text),
            (Err(Unprintable), Self::Bytes(bytes) | Self::Decimal { unscaled: bytes, .. }) => {
                f.write_str("0x")?;
                bytes.iter().take(48).try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            (Err(Unprintable), _) => write!(f, "{}", self.raw().unwrap_or_default()),
        }
    }
}

/// Appends a JSON string that says `text`.
pub(crate) fn quote(text: &str, into: &mut String) {
    into.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
        into.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some('"') => into.push_str("\\\""),
            Some('\\') => into.push_str("\\\\"),
            Some('\n') => into.push_str("\\n"),
            Some('\r') => into.push_str("\\r"),
            Some('\t') => into.push_str("\\t"),
            Some(control) => push(into, format_args!("\\u{:04x}", u32::from(control))),
            None => {}
        }
        rest = characters.as_str();
    }
    into.push_str(rest);
    into.push('"');
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Writing to a string does not fail.
fn push(into: &mut String, arguments: fmt::Arguments<'_>) {
    let _ = into.write_fmt(arguments);
}

/// Bytes of a decimal that are still taken for a number, and digits after its point.
const MAX_DECIMAL_BYTES: usize = 256;
const MAX_DECIMAL_SCALE: u32 = 1_000;

fn push_decimal(unscaled: &[u8], scale: u32, into: &mut String) -> Result<(), Unprintable> {
    if unscaled.len() > MAX_DECIMAL_BYTES || scale > MAX_DECIMAL_SCALE {
        return Err(Unprintable);
    }
    let negative = unscaled.first().is_some_and(|byte| *byte >= 0x80);
    // Nine digits each, the lowest first.
    let mut groups: Vec<u64> = vec![0];
    let magnitude = magnitude(unscaled, negative);
    for byte in magnitude {
        let mut carry = u64::from(byte);
        for group in &mut groups {
            let value = *group * 256 + carry;
            *group = value % 1_000_000_000;
            carry = value / 1_000_000_000;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let mut digits = String::new();
    for (place, group) in groups.iter().rev().enumerate() {
        match place {
            0 => push(&mut digits, format_args!("{group}")),
            _ => push(&mut digits, format_args!("{group:09}")),
        }
    }
    let scale = scale as usize; // at most 1000
    let missing = (scale + 1).saturating_sub(digits.len());
    let digits = format!("{}{digits}", "0".repeat(missing));
    let (integer, fraction) = digits.split_at_checked(digits.len() - scale).unwrap_or((&digits, ""));
    if negative {
        into.push('-');
    }
    into.push_str(integer);
    if !fraction.is_empty() {
        into.push('.');
        into.push_str(fraction);
    }
    Ok(())
}

/// The bytes of the number without its sign, big-endian.
fn magnitude(unscaled: &[u8], negative: bool) -> Vec<u8> {
    if !negative {
        return unscaled.to_vec();
    }
    let mut bytes: Vec<u8> = unscaled.iter().map(|byte| !byte).collect();
    for byte in bytes.iter_mut().rev() {
        let (sum, carry) = byte.overflowing_add(1);
        *byte = sum;
        if !carry {
            break;
        }
    }
    // Only zeros would be the power of two that needs one more byte, but there the first bit was set before and is so
    // still.
    bytes
}

fn push_date(days: i64, into: &mut String) -> Result<(), Unprintable> {
    if !(FIRST_DAY..=LAST_DAY).contains(&days) {
        return Err(Unprintable);
    }
    // Years from March of the year 0, in eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    push(into, format_args!("{year:04}-{month:02}-{day:02}"));
    Ok(())
}

/// 0000-01-01, in days since 1970-01-01.
pub(crate) const FIRST_DAY: i64 = -719_528;
/// 9999-12-31.
pub(crate) const LAST_DAY: i64 = 2_932_896;

fn push_time(micros: i64, into: &mut String) {
    let seconds = micros / 1_000_000;
    push(into, format_args!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60));
    let fraction = micros % 1_000_000;
    if fraction != 0 {
        push(into, format_args!(".{fraction:06}"));
    }
}

fn push_uuid(bytes: &[u8; 16], into: &mut String) {
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            into.push('-');
        }
        push(into, format_args!("{byte:02x}"));
    }
}

/// As ISO 8601 has it: `P1M2DT3.5S`.
fn push_duration(bytes: &[u8; 12], into: &mut String) {
    let [m1, m2, m3, m4, d1, d2, d3, d4, s1, s2, s3, s4] = *bytes;
    let (months, days) = (u32::from_le_bytes([m1, m2, m3, m4]), u32::from_le_bytes([d1, d2, d3, d4]));
    let millis = u32::from_le_bytes([s1, s2, s3, s4]);
    into.push('P');
    if months > 0 {
        push(into, format_args!("{months}M"));
    }
    if days > 0 {
        push(into, format_args!("{days}D"));
    }
    if millis > 0 || (months == 0 && days == 0) {
        push(into, format_args!("T{}", millis / 1_000));
        if millis % 1_000 > 0 {
            let fraction = format!(".{:03}", millis % 1_000);
            into.push_str(fraction.trim_end_matches('0'));
        }
        into.push('S');
    }
}
