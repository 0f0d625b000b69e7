//! CHAR, VARCHAR and STRING: any value has a text; one of more bytes than declared is invalid.

use super::Invalid;
use crate::format::json::text::minify;
use crate::format::value::Value;

/// The value's text: a number as written, `1` and `0` for `true` and `false`, a JSON document minified, a whole row as
/// written. `scratch` is where it is built if the record does not hold it as it is.
#[inline]
pub(super) fn read<'t>(value: &Value<'t>, max_bytes: u32, scratch: &'t mut String) -> Result<&'t str, Invalid> {
    let text = match *value {
        Value::Number(text) | Value::Text(text) | Value::Row(text) => text,
        Value::Boolean(true) => "1",
        Value::Boolean(false) => "0",
        Value::Container(document) => {
            scratch.clear();
            minify(document, scratch);
            scratch
        }
        _ => return Err(Invalid),
    };
    let fits = u32::try_from(text.len()).is_ok_and(|bytes| bytes <= max_bytes);
    if fits { Ok(text) } else { Err(Invalid) }
}
