//! ARRAY, MAP and STRUCT out of a text field, such as CSV has them: `[1,2,"x"]`, `{"k":1}`, `{name:value}`.
//!
//! The text is like JSON, but not JSON: a doubled quote stands for one, keys and the values of MAP and STRUCT need no
//! quotes, and numbers, dates and truth are read by the rules of text. `null` without quotes is NULL. One bad entry makes
//! the whole field invalid, so all is read before anything is appended. As in StarRocks, the text elements of an ARRAY
//! need quotes, and text inside may be longer than its type says.

use std::borrow::Cow;

use super::{ColumnBuilder, Scratch, scalar};
use crate::format::json::document;
use crate::format::json::text::unescape;
use crate::format::value::Value;

/// A field of text, read and found good for its column.
#[derive(Debug)]
pub(super) enum FieldText<'a> {
    Null,
    Scalar(Cow<'a, str>),
    Document(Value<'a>),
    List(Vec<FieldText<'a>>),
    Map(Vec<(Cow<'a, str>, FieldText<'a>)>),
    /// One entry a field of the type.
    Struct(Vec<FieldText<'a>>),
}

/// Reads the text of a whole field; `None` if the column does not accept it.
pub(super) fn read<'a>(column: &ColumnBuilder, text: &'a str) -> Option<FieldText<'a>> {
    read_entry(column, text.trim_ascii(), Quotes::Needed)
}

/// Appends what was read for this column.
pub(super) fn append(column: &mut ColumnBuilder, field: &FieldText<'_>, scratch: &mut Scratch) {
    match (column, field) {
        (ColumnBuilder::Array(lists), FieldText::List(items)) => {
            lists.append_each(items.iter(), |entries, item| append(entries, item, scratch));
        }
        (ColumnBuilder::Map(maps), FieldText::Map(pairs)) => {
            maps.append_each(pairs.iter(), |maps, (key, value)| {
                maps.push_key(key, scratch)?;
                append(&mut maps.values, value, scratch);
                Ok(())
            });
        }
        (ColumnBuilder::Struct(structs), FieldText::Struct(items)) => {
            structs.append_each(items.iter(), |column, item| append(column, item, scratch));
        }
        (ColumnBuilder::Text { builder, .. } | ColumnBuilder::Binary { builder, .. }, FieldText::Scalar(text)) => {
            builder.append_value(&**text);
        }
        (column, FieldText::Scalar(text)) => {
            column.append(&Value::Text(text), scratch);
        }
        (column, FieldText::Document(value)) => {
            column.append(value, scratch);
        }
        (column, _) => column.append_null(),
    }
}

/// Whether text has to stand in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Needed,
    Optional,
}

fn read_entry<'a>(column: &ColumnBuilder, text: &'a str, quotes: Quotes) -> Option<FieldText<'a>> {
    if text == "null" {
        return Some(FieldText::Null);
    }
    match column {
        ColumnBuilder::Array(lists) => {
            let items = split(inside(text, '[', ']')?, ',')?;
            let read = items.into_iter().map(|item| read_entry(&lists.entries, item, Quotes::Needed));
            read.collect::<Option<_>>().map(FieldText::List)
        }
        ColumnBuilder::Map(maps) => {
            let pairs = pairs(text)?;
            let read = pairs.into_iter().map(|(key, value)| {
                scalar::read(&maps.keys, &Value::Text(&key)).ok()?;
                Some((key, read_entry(&maps.values, value, Quotes::Optional)?))
            });
            read.collect::<Option<_>>().map(FieldText::Map)
        }
        ColumnBuilder::Struct(structs) => {
            let mut found: Vec<Option<FieldText<'a>>> = structs.columns.iter().map(|_| None).collect();
            for (key, value) in pairs(text)? {
                let Some(place) = structs.place(&key) else { continue };
                let read = read_entry(structs.columns.get(place)?, value, Quotes::Optional)?;
                found.get_mut(place)?.get_or_insert(read);
            }
            Some(FieldText::Struct(found.into_iter().map(|field| field.unwrap_or(FieldText::Null)).collect()))
        }
        ColumnBuilder::Json(_) => document(text).map(FieldText::Document),
        ColumnBuilder::Text { .. } | ColumnBuilder::Binary { .. } => match unquoted(text) {
            Some(text) => Some(FieldText::Scalar(text)),
            None if quotes == Quotes::Optional => Some(FieldText::Scalar(Cow::Borrowed(text))),
            None => None,
        },
        _ => {
            let text = unquoted(text).unwrap_or(Cow::Borrowed(text));
            scalar::read(column, &Value::Text(&text)).ok()?;
            Some(FieldText::Scalar(text))
        }
    }
}

/// What stands between two brackets, without white space around it.
fn inside(text: &str, open: char, close: char) -> Option<&str> {
    text.strip_prefix(open)?.strip_suffix(close).map(str::trim_ascii)
}

/// Keys without their quotes, and the texts of their values.
fn pairs(text: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let entries = split(inside(text, '{', '}')?, ',')?;
    let pair = |entry| match split(entry, ':')?.as_slice() {
        [key, _, ..] => {
            let after = entry.get(key_end(entry)?..)?;
            Some((unquoted(key).unwrap_or(Cow::Borrowed(key)), after.trim_ascii()))
        }
        _ => None,
    };
    entries.into_iter().map(pair).collect()
}

/// The byte after the first colon outside of quotes.
fn key_end(entry: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in entry.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b':' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The parts between separators that stand outside of quotes and brackets, without white space around them; none of an
/// empty text. `None` if quotes or brackets do not close.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let separator = u8::try_from(separator).ok()?;
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.checked_sub(1)?,
            byte if byte == separator && depth == 0 => {
                parts.push(text.get(start..at)?.trim_ascii());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?.trim_ascii());
    (!quoted && depth == 0).then_some(parts)
}

/// What quotes around all of the text hold; `None` if there are none.
fn unquoted(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains(['"', '\\']) {
        return Some(Cow::Borrowed(inner));
    }
    let single = inner.replace("\"\"", "\"");
    let mut plain = String::new();
    // A backslash that begins no escape of JSON is one that is meant.
    let escapes = single.contains('\\') && crate::format::json::is_string_body(inner);
    Some(Cow::Owned(if escapes && unescape(inner, &mut plain).is_ok() { plain } else { single }))
}
