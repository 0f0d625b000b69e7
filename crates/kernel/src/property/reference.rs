//! The reference of job properties as a Markdown table, so that what is documented is what is checked.

use std::fmt::Write;

use super::{Kind, PROPERTIES};

/// A row a property, in the order of [`PROPERTIES`], under a heading row.
pub fn table() -> String {
    let mut text = String::from(
        "| property | type | default | accepted | ALTER | what it does |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for property in PROPERTIES {
        let default = match (property.name, property.default) {
            ("timezone", _) => "the session's `time_zone`".to_owned(),
            (_, "") => "none".to_owned(),
            (_, default) => format!("`{default}`"),
        };
        let alterable = if property.alterable { "yes" } else { "no" };
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {default} | {} | {alterable} | {} |",
            property.name,
            type_name(property.kind),
            accepted(property.kind, property.default),
            property.doc,
        );
    }
    text
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::Integer { .. } => "integer",
        Kind::Number { .. } => "number",
        Kind::Word(_) => "word",
        Kind::Text => "text",
        Kind::Byte => "one byte",
        Kind::TimeZone => "time zone",
        Kind::NotYet => "not supported yet",
    }
}

/// The values that are taken, in words.
fn accepted(kind: Kind, default: &str) -> String {
    match kind {
        Kind::Boolean => "`true` in any case; anything else is false".to_owned(),
        Kind::Integer { min: i64::MIN, max: i64::MAX } => "any integer".to_owned(),
        Kind::Integer { min, max: i64::MAX } => format!("{min} or more"),
        Kind::Integer { min, max } => format!("{min} to {max}"),
        Kind::Number { min, max } => format!("{min:?} to {max:?}"),
        Kind::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::Text => "any text".to_owned(),
        Kind::Byte => "the first byte counts; empty for none".to_owned(),
        Kind::TimeZone => "an IANA name, `CST`, or `-12:00` to `+14:00`".to_owned(),
        Kind::NotYet if default.is_empty() => "empty only".to_owned(),
        Kind::NotYet => format!("`{default}` only"),
    }
}
