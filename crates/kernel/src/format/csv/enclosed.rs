//! Rows with enclosed fields and escapes, where only reading a field tells where it ends.
//!
//! | at | read as |
//! | --- | --- |
//! | the beginning of a field, after blanks if they are trimmed: the enclosing byte | an enclosed field |
//! | the enclosing byte within an enclosed field | its end; twice, once as itself |
//! | the enclosing byte anywhere else | itself |
//! | the escape byte anywhere | the separator, row delimiter or character behind it is data |

use super::escape::Unescape;
use super::{CsvReader, NULL};
use crate::format::value::Value;

/// A field's place in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    begin: usize,
    end: usize,
    /// Whether it holds escapes.
    escaped: bool,
    enclosed: bool,
}

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// At its delimiter, or the end of the record.
    Row,
    /// At the end of the record, within the enclosure of a field.
    Unclosed { field: usize },
    /// At the end of the record, behind an escape byte.
    Dangling { field: usize },
    /// At its delimiter, but a field has more behind its enclosure.
    GoesOn { field: usize },
}

impl Span {
    /// The field's value in the text of its row.
    pub(super) fn value<'a>(&self, row: &'a str, special: Unescape) -> Value<'a> {
        // A span begins and ends beside ASCII bytes or separators, so there is text between.
        let text = row.get(self.begin..self.end).unwrap_or_default();
        if text == NULL {
            return Value::Null;
        }
        if !self.escaped {
            return Value::Field(text);
        }
        // Outside an enclosure, the enclosing byte is itself.
        let special = Unescape { enclose: special.enclose.filter(|_| self.enclosed), ..special };
        if text.len() <= 2 * NULL.len() {
            let mut unescaped = String::new();
            special.unescape(text, &mut unescaped);
            if unescaped == NULL {
                return Value::Null;
            }
        }
        Value::EscapedField(text, special)
    }
}

/// The row at the beginning of `rest`, what follows its delimiter, and its fields in `spans`.
pub(super) fn row<'a>(
    reader: &CsvReader,
    special: Unescape,
    rest: &'a [u8],
    spans: &mut Vec<Span>,
) -> (&'a [u8], &'a [u8], Ended) {
    spans.clear();
    let mut cursor = Cursor { reader, special, bytes: rest, at: 0, goes_on: false };
    let mut ended = Ended::Row;
    loop {
        let field = spans.len();
        let (span, stop) = cursor.field();
        spans.push(span);
        if cursor.goes_on && ended == Ended::Row {
            ended = Ended::GoesOn { field };
        }
        let (end, next) = match stop {
            Stop::Separator => continue,
            Stop::Delimiter { at } => (at, cursor.at),
            Stop::End => (rest.len(), rest.len()),
            Stop::Unclosed => {
                ended = Ended::Unclosed { field };
                (rest.len(), rest.len())
            }
            Stop::Dangling => {
                ended = Ended::Dangling { field };
                (rest.len(), rest.len())
            }
        };
        return (rest.get(..end).unwrap_or(rest), rest.get(next..).unwrap_or_default(), ended);
    }
}

/// What comes after a field.
enum Stop {
    Separator,
    /// The row delimiter, which begins there.
    Delimiter {
        at: usize,
    },
    End,
    Unclosed,
    Dangling,
}

struct Cursor<'r, 'a> {
    reader: &'r CsvReader,
    special: Unescape,
    bytes: &'a [u8],
    at: usize,
    /// Whether an enclosed field had more behind its enclosure.
    goes_on: bool,
}

impl Cursor<'_, '_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Passes over one field and what ends it.
    fn field(&mut self) -> (Span, Stop) {
        if self.reader.trim_space {
            self.skip_spaces();
        }
        if self.special.enclose.is_some() && self.rest().first().copied() == self.special.enclose {
            self.at += 1;
            self.enclosed()
        } else {
            self.plain()
        }
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().iter().take_while(|byte| **byte == b' ').count();
    }

    /// A field without enclosure; what looks like one later is data.
    fn plain(&mut self) -> (Span, Stop) {
        let begin = self.at;
        let mut escaped = false;
        // Blanks before it stay, since they are escaped.
        let mut kept = begin;
        let (end, stop) = loop {
            match self.next_stop() {
                Next::Escape => {
                    escaped = true;
                    self.at += 1;
                    if !self.pass_escaped() {
                        break (self.bytes.len(), Stop::Dangling);
                    }
                    kept = self.at;
                }
                Next::Stop { end, stop } => break (end, stop),
            }
        };
        let mut span = Span { begin, end, escaped, enclosed: false };
        if self.reader.trim_space {
            let blanks = self.bytes.get(kept..end).unwrap_or_default().iter().rev();
            span.end -= blanks.take_while(|byte| **byte == b' ').count();
        }
        (span, stop)
    }

    /// A field behind its opening byte.
    fn enclosed(&mut self) -> (Span, Stop) {
        let begin = self.at;
        let mut escaped = false;
        let enclose = self.special.enclose.unwrap_or_default();
        let end = loop {
            let found = match self.special.escape {
                Some(escape) => memchr::memchr2(enclose, escape, self.rest()),
                None => memchr::memchr(enclose, self.rest()),
            };
            let Some(found) = found else {
                self.at = self.bytes.len();
                return (Span { begin, end: self.at, escaped, enclosed: true }, Stop::Unclosed);
            };
            let end = self.at + found;
            let closing = self.bytes.get(end).copied() == Some(enclose);
            self.at = end + 1;
            if !closing {
                escaped = true;
                if !self.pass_escaped() {
                    return (Span { begin, end, escaped, enclosed: true }, Stop::Unclosed);
                }
            } else if self.rest().first() == Some(&enclose) {
                escaped = true;
                self.at += 1;
            } else {
                break end;
            }
        };
        let span = Span { begin, end, escaped, enclosed: true };
        if self.reader.trim_space {
            self.skip_spaces();
        }
        let closed_at = self.at;
        let (_, stop) = self.plain();
        // The plain field behind the enclosure must be none.
        let length = match stop {
            Stop::Separator => self.at - self.reader.column_separator.len(),
            Stop::Delimiter { at } => at,
            Stop::End | Stop::Unclosed | Stop::Dangling => self.bytes.len(),
        } - closed_at;
        self.goes_on |= length > 0;
        (span, stop)
    }

    /// Passes over what an escape byte makes data: a row delimiter, a separator or one byte. False at the end.
    fn pass_escaped(&mut self) -> bool {
        let rest = self.rest();
        let length = if self.reader.row_delimiter.strip(rest).is_some() {
            self.reader.row_delimiter.len()
        } else if self.reader.column_separator.strip(rest).is_some() {
            self.reader.column_separator.len()
        } else {
            usize::from(!rest.is_empty())
        };
        self.at += length;
        length > 0
    }

    /// Goes to the next escape byte, or past the next separator or row delimiter.
    fn next_stop(&mut self) -> Next {
        let (separator, delimiter) = (&self.reader.column_separator, &self.reader.row_delimiter);
        loop {
            let rest = self.rest();
            let found = match self.special.escape {
                Some(escape) => memchr::memchr3(separator.first(), delimiter.first(), escape, rest),
                None => memchr::memchr2(separator.first(), delimiter.first(), rest),
            };
            let Some(found) = found else {
                self.at = self.bytes.len();
                return Next::Stop { end: self.at, stop: Stop::End };
            };
            let end = self.at + found;
            let rest = rest.get(found..).unwrap_or_default();
            if rest.first().copied() == self.special.escape {
                self.at = end;
                return Next::Escape;
            }
            if delimiter.strip(rest).is_some() {
                self.at = end + delimiter.len();
                return Next::Stop { end, stop: Stop::Delimiter { at: end } };
            }
            if separator.strip(rest).is_some() {
                self.at = end + separator.len();
                return Next::Stop { end, stop: Stop::Separator };
            }
            self.at = end + 1;
        }
    }
}

enum Next {
    /// The cursor stands at an escape byte.
    Escape,
    /// A field ends; the cursor stands behind what ends it.
    Stop { end: usize, stop: Stop },
}
