//! A source field as a format delivers it: still text, borrowed from the record, valid in its format's grammar.

use std::fmt;

use super::csv::escape::Unescape;
use super::typed::{Small, Typed};
use crate::batch::Headers;

/// A source field before its column's type is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    /// A field of delimited text, as it stands: any type may be read from it.
    Field(&'a str),
    /// A field of delimited text that holds escapes; without its enclosing bytes.
    EscapedField(&'a str, Unescape),
    /// Bytes, text or not.
    Bytes(&'a [u8]),
    /// A whole number.
    Integer(i64),
    /// A moment, milliseconds since the epoch.
    Moment(i64),
    /// A record's headers.
    Headers(Headers<'a>),
    /// A value of a binary format, small or borrowed as a whole.
    Small(Small<'a>),
    /// Text of a binary format: no escapes, any characters.
    Plain(&'a str),
    /// Bytes of a binary format, text or not.
    Octets(&'a [u8]),
    /// A decimal of a binary format, as [`Typed::Decimal`] has it.
    Decimal(&'a [u8], u32),
    /// The path has an index where the record has neither array nor null.
    NoArray,
}

impl Value<'_> {
    /// Bytes of a field of delimited text, without its escapes; 0 for other values.
    pub(crate) fn field_bytes(&self) -> usize {
        match self {
            Self::Field(text) => text.len(),
            Self::EscapedField(raw, unescape) => {
                let mut field = String::new();
                unescape.unescape(raw, &mut field);
                field.len()
            }
            _ => 0,
        }
    }
}

impl<'a> Value<'a> {
    /// The value with its type, if its format knows that.
    #[inline]
    pub(crate) fn typed(&self) -> Option<Typed<'a>> {
        match *self {
            Self::Small(small) => Some(small.typed()),
            Self::Plain(text) => Some(Typed::Text(text)),
            Self::Octets(bytes) => Some(Typed::Bytes(bytes)),
            Self::Decimal(unscaled, scale) => Some(Typed::Decimal { unscaled, scale }),
            _ => None,
        }
    }
}

/// Bytes of a value that a reason quotes.
const SHOWN_BYTES: usize = 80;

/// Prints the value as the record has it, cut short.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let built: String;
        let text = match self {
            Self::Small(_) | Self::Plain(_) | Self::Octets(_) | Self::Decimal(..) => {
                built = self.typed().map(|typed| typed.to_string()).unwrap_or_default();
                &built
            }
            Self::Missing | Self::Null | Self::NoArray => "null",
            Self::EscapedField(raw, unescape) => {
                let mut field = String::new();
                unescape.unescape(raw, &mut field);
                built = field;
                &built
            }
            Self::Bytes(bytes) => {
                let start = bytes.get(..SHOWN_BYTES.min(bytes.len())).unwrap_or_default();
                built = start.escape_ascii().to_string();
                &built
            }
            Self::Integer(number) | Self::Moment(number) => return write!(f, "{number}"),
            Self::Headers(headers) => {
                built = headers.to_json();
                &built
            }
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Number(text)
            | Self::Text(text)
            | Self::Field(text)
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
