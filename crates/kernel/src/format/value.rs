//! A source field as a format delivers it: still text, borrowed from the record, valid in its format's grammar.

use std::fmt;

/// A source field before its column's type is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// The record says nothing about it.
    Missing,
    /// An explicit null.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A JSON number's source text.
    Number(&'a str),
    /// Text as it stands.
    Text(&'a str),
    /// What stands between the quotes of a JSON string that holds escapes.
    Escaped(&'a str),
    /// Source text of a JSON object or array.
    Container(&'a str),
    /// Source text of the whole row, wanted by the path `$`.
    Row(&'a str),
    /// What the selection of this number finds in an object or array; empty text if there is none.
    Selected(&'a str, u32),
    /// The path has an index where the record has neither array nor null.
    NoArray,
}

/// Bytes of a value that a reason quotes.
const SHOWN_BYTES: usize = 80;

/// Prints the value as the record has it, cut short.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Missing | Self::Null | Self::NoArray => "null",
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Number(text)
            | Self::Text(text)
            | Self::Escaped(text)
            | Self::Container(text)
            | Self::Row(text)
            | Self::Selected(text, _) => text,
        };
        let end = text.floor_char_boundary(SHOWN_BYTES);
        match text.get(..end) {
            Some(start) if end < text.len() => write!(f, "{start}..."),
            _ => f.write_str(text),
        }
    }
}
