//! JSON columns: the value's document, minified, numbers and escapes as written.
//!
//! StarRocks turns integers beyond 64 bits into doubles here; they stay exact with us.

use super::Invalid;
use crate::format::json::text::{is_representable, minify};
use crate::format::value::Value;

/// Bytes of minified text that a JSON column holds at most.
const MAX_BYTES: usize = 16 << 20;

/// Appends the document's text. A string is a JSON string, whatever it says; one that no text can hold is invalid.
pub(super) fn read(value: &Value<'_>, into: &mut String) -> Result<(), Invalid> {
    match *value {
        Value::Boolean(flag) => into.push_str(if flag { "true" } else { "false" }),
        Value::Number(text) => into.push_str(text),
        Value::Text(raw) | Value::Escaped(raw) => {
            into.push('"');
            into.push_str(raw);
            into.push('"');
        }
        Value::Container(document) | Value::Row(document) => minify(document, into),
        _ => return Err(Invalid),
    }
    if into.len() <= MAX_BYTES && is_representable(into) { Ok(()) } else { Err(Invalid) }
}
