//! Whether the text of a DEFAULT is a value of its column's type.
//!
//! Only what can be told without converting: the loader converts, and what it cannot is a rejected row.

use penstock_kernel::table::ColumnType;

/// What `text` should be to be a default of a column of this type; `None` if it is.
pub(super) fn misfit(column_type: &ColumnType, text: &str) -> Option<String> {
    let integer = |bits: u32| {
        let bound = 1_i128.checked_shl(bits - 1);
        let fits = text.trim().parse::<i128>().is_ok_and(|value| match bound {
            Some(bound) if bits < 128 => (-bound..bound).contains(&value),
            _ => true,
        });
        (!fits).then(|| format!("an integer of {bits} bits"))
    };
    match column_type {
        ColumnType::Boolean => {
            let words = ["true", "false", "0", "1"];
            let fits = words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
            (!fits).then(|| "true or false".to_owned())
        }
        ColumnType::TinyInt => integer(8),
        ColumnType::SmallInt => integer(16),
        ColumnType::Int => integer(32),
        ColumnType::BigInt => integer(64),
        ColumnType::LargeInt => integer(128),
        ColumnType::Float | ColumnType::Double => {
            let fits = text.trim().parse::<f64>().is_ok_and(f64::is_finite);
            (!fits).then(|| "a number".to_owned())
        }
        ColumnType::Decimal { precision, scale } => (!is_decimal(text.trim(), precision - scale.min(precision)))
            .then(|| format!("a number of at most {} digits before the point", precision - scale.min(precision))),
        ColumnType::Array(_) | ColumnType::Map(..) | ColumnType::Struct(_) => Some("no default".to_owned()),
        ColumnType::Char(bytes) | ColumnType::Varchar(bytes) | ColumnType::Varbinary(bytes) => {
            let fits = u32::try_from(text.len()).is_ok_and(|length| length <= *bytes);
            (!fits).then(|| format!("text of at most {bytes} bytes"))
        }
        ColumnType::Date | ColumnType::DateTime => {
            let begins = text.trim().bytes().next().is_some_and(|byte| byte.is_ascii_digit());
            (!begins).then(|| "a date such as `2024-06-12`".to_owned())
        }
        ColumnType::Json => {
            let fits = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            (!fits).then(|| "a JSON document".to_owned())
        }
        _ => None,
    }
}

/// `[+-]digits[.digits]`, with at most `whole` significant digits before the point.
fn is_decimal(text: &str, whole: u8) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (before, after) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let some = before.len() + after.len() > 0;
    some && digits(before) && digits(after) && before.trim_start_matches('0').len() <= usize::from(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_measured_against_their_type() {
        let decimal = ColumnType::Decimal { precision: 6, scale: 2 };
        for (column_type, text, fits) in [
            (ColumnType::TinyInt, "127", true),
            (ColumnType::TinyInt, "128", false),
            (ColumnType::TinyInt, "-128", true),
            (ColumnType::LargeInt, "170141183460469231731687303715884105727", true),
            (ColumnType::LargeInt, "170141183460469231731687303715884105728", false),
            (ColumnType::BigInt, "x", false),
            (ColumnType::Boolean, "TRUE", true),
            (ColumnType::Boolean, "yes", false),
            (ColumnType::Double, "1e3", true),
            (ColumnType::Double, "inf", false),
            (decimal.clone(), "9999.99", true),
            (decimal.clone(), "10000", false),
            (decimal, ".", false),
            (ColumnType::Varchar(2), "ab", true),
            (ColumnType::Varchar(2), "abc", false),
            (ColumnType::Json, "{\"a\":1}", true),
            (ColumnType::Json, "{", false),
            (ColumnType::Date, "2024-01-01", true),
            (ColumnType::Date, "today", false),
            (ColumnType::Varbinary(2), "abc", false),
            (ColumnType::Array(Box::new(ColumnType::Int)), "[1]", false),
        ] {
            assert_eq!(misfit(&column_type, text).is_none(), fits, "{column_type} {text}");
        }
    }
}
