//! Names of automatic partitions, made of their values as StarRocks makes them.

use super::{PartitionExpression, TimeUnit};
use crate::table::ColumnType;

/// Characters of a name at most, checksum included.
const LONGEST_NAME: usize = 50;

/// `p`, then each value with `_` between; a checksum at the end if that does not say all of the values.
pub(super) fn of_values(
    expressions: &[PartitionExpression],
    types: &[ColumnType],
    values: &[Option<String>],
) -> String {
    let mut exact = true;
    let mut parts = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let slice = expressions.get(index).and_then(PartitionExpression::slice);
        parts.push(match (value, types.get(index)) {
            (None, _) => "NULL".to_owned(),
            (Some(text), Some(ColumnType::Date | ColumnType::DateTime)) => digits(text, slice.map(|(_, unit)| unit)),
            (Some(text), _) => plain(text, &mut exact),
        });
    }
    let name = format!("p{}", parts.join("_"));
    if exact && name.len() <= LONGEST_NAME {
        return name;
    }
    // Names are ASCII, so bytes are characters.
    format!("{}_{:08x}", name.get(..name.len().min(LONGEST_NAME - 9)).unwrap_or("p"), checksum(values))
}

/// The digits of a date that its unit leaves.
fn digits(text: &str, unit: Option<TimeUnit>) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let length = match unit {
        None => digits.len(),
        Some(TimeUnit::Year) => 4,
        Some(TimeUnit::Month | TimeUnit::Quarter) => 6,
        Some(TimeUnit::Day | TimeUnit::Week) => 8,
        Some(TimeUnit::Hour) => 10,
        Some(TimeUnit::Minute) => 12,
        Some(TimeUnit::Second) => 14,
    };
    digits.get(..length).unwrap_or(&digits).to_owned()
}

/// Letters and digits; a minus in front becomes `_`. Anything else falls away, and the name is not exact. Nor is the
/// text `NULL`, which would pass for NULL.
fn plain(text: &str, exact: &mut bool) -> String {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("_", rest),
        None => ("", text),
    };
    let kept: String = rest.chars().filter(char::is_ascii_alphanumeric).take(LONGEST_NAME).collect();
    *exact &= kept.len() == rest.len() && !kept.is_empty() && kept != "NULL";
    format!("{sign}{kept}")
}

/// FNV-1a over the values, each with its length in front.
fn checksum(values: &[Option<String>]) -> u32 {
    let mut sum = 0x811c_9dc5_u32;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            sum = (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    };
    for value in values {
        match value {
            None => add(b"-"),
            Some(text) => {
                add(text.len().to_string().as_bytes());
                add(b":");
                add(text.as_bytes());
            }
        }
    }
    sum
}
