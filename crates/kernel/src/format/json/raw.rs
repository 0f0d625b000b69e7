//! A cursor over a record's bytes that reads what needs no judgement: whole numbers, texts without escapes, fields of fixed
//! shape. Of anything else it says `None`, and [`Cursor`] or another reader of the same record has to judge.
//!
//! What it passes over is JSON, as [`Cursor`] would have it. Bytes are UTF-8 as far as they are ASCII; the first one that is
//! not has the whole record checked, once.
//!
//! It is made to live in registers: what is usual is inlined wherever it is used, what is not goes to functions that take
//! the cursor by value and give it back.

use super::scan::{Cursor, WORD_BYTES, Word, plain_end};
use super::value_of;
use crate::format::value::Value;
use crate::{block, digits};

/// A place in a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawCursor<'a> {
    rest: &'a [u8],
    whole: &'a [u8],
    /// The whole record, once it was checked.
    text: Option<&'a str>,
}

impl<'a> RawCursor<'a> {
    /// Stands before the first byte.
    #[inline]
    pub(crate) fn new(whole: &'a [u8]) -> Self {
        Self { rest: whole, whole, text: None }
    }

    /// The byte that is next, from 0.
    pub(crate) fn at(&self) -> usize {
        self.whole.len() - self.rest.len()
    }

    /// What is left, to come [back](Self::back_to) to.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Stands where so much was left.
    #[inline(always)]
    pub(crate) fn back_to(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    /// The next byte, if any.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Passes over `byte` if it is next.
    #[inline(always)]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Passes over white space.
    #[inline(always)]
    pub(crate) fn skip_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Passes over the word if it is next.
    #[inline(always)]
    pub(crate) fn take_word(&mut self, word: &Word<'_>) -> bool {
        let next = match self.rest.first_chunk::<WORD_BYTES>() {
            Some(chunk) => word.begins(chunk) && (word.len() <= WORD_BYTES || self.rest.starts_with(word.text())),
            None => self.rest.starts_with(word.text()),
        };
        if next {
            self.rest = self.rest.get(word.len()..).unwrap_or_default();
        }
        next
    }

    /// A whole number of at most 18 digits, whose first byte is next.
    #[inline(always)]
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let (negative, digits) = match self.rest {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (magnitude, rest) = usual_integer(digits).or_else(|| any_integer(digits))?;
        if matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.rest = rest;
        Some(if negative { -magnitude } else { magnitude })
    }

    /// A number without exponent of at most 18 digits, without its point, and how many digits stand behind that; never
    /// negative zero.
    #[inline]
    pub(crate) fn short_decimal(&mut self) -> Option<(i64, usize)> {
        let (negative, digits) = match self.rest {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (whole, rest) = usual_integer(digits).or_else(|| any_integer(digits))?;
        let (fraction, places, rest) = match rest {
            [b'.', rest @ ..] => {
                let (fraction, places) = digits::leading(rest.first_chunk::<8>()?);
                if places == 0 || places == 8 {
                    return None;
                }
                (fraction, places, rest.get(places..)?)
            }
            rest => (0, 0, rest),
        };
        if matches!(rest.first(), Some(b'e' | b'E')) {
            return None;
        }
        let number = whole.checked_mul(*digits::POWERS.get(places)?)?.checked_add(fraction)?;
        if negative && number == 0 {
            return None;
        }
        self.rest = rest;
        Some((if negative { -number } else { number }, places))
    }

    /// What stands between the quotes of a string without escapes, whose opening quote is next; it is UTF-8.
    #[inline(always)]
    pub(crate) fn plain_text(&mut self) -> Option<&'a [u8]> {
        let body = self.rest.get(1..)?;
        let end = ascii_end(body);
        if let Some(b'"') = body.get(end) {
            self.rest = body.get(end + 1..)?;
            return body.get(..end);
        }
        if !matches!(body.get(end), Some(0x80..)) {
            return None;
        }
        let (text, after) = self.other_text(end);
        *self = after;
        text
    }

    /// The same for a text that is ASCII up to `end` only. If it is none, it is still next: what is kept is that the record
    /// was checked.
    #[inline(never)]
    fn other_text(mut self, end: usize) -> (Option<&'a [u8]>, Self) {
        let body = self.rest.get(1..).unwrap_or_default();
        let (Some(_), end) = (self.text(), plain_end(body, end)) else {
            return (None, self);
        };
        let text = body.get(..end).zip(body.get(end..).and_then(|rest| rest.strip_prefix(b"\"")));
        self.rest = text.map_or(self.rest, |(_, rest)| rest);
        (text.map(|(text, _)| text), self)
    }

    /// Any value, between `depth` open containers.
    #[inline(always)]
    pub(crate) fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        let (value, after) = self.any_value(depth)?;
        *self = after;
        Some(value)
    }

    #[inline(never)]
    fn any_value(mut self, depth: usize) -> Option<(Value<'a>, Self)> {
        let value = match self.peek()? {
            b't' => self.word(b"true").map(|()| Value::Boolean(true))?,
            b'f' => self.word(b"false").map(|()| Value::Boolean(false))?,
            b'n' => self.word(b"null").map(|()| Value::Null)?,
            _ => {
                let begin = self.at();
                self = self.skip_by_cursor(depth)?;
                value_of(self.text()?.get(begin..self.at())?)?
            }
        };
        Some((value, self))
    }

    /// Passes over any value, between `depth` open containers.
    #[inline(always)]
    pub(crate) fn skip(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' if self.plain_text().is_some() => return Some(()),
            b'-' | b'0'..=b'9' if self.skip_number().is_some() => return Some(()),
            b't' => return self.word(b"true"),
            b'f' => return self.word(b"false"),
            b'n' => return self.word(b"null"),
            _ => {}
        }
        *self = self.skip_by_cursor(depth)?;
        Some(())
    }

    /// Passes over a number without exponent whose parts are short.
    #[inline(always)]
    fn skip_number(&mut self) -> Option<()> {
        let digits = match self.rest {
            [b'-', digits @ ..] => digits,
            digits => digits,
        };
        let (_, mut rest) = usual_integer(digits).or_else(|| any_integer(digits))?;
        if let [b'.', fraction @ ..] = rest {
            let (_, places) = digits::leading(fraction.first_chunk::<8>()?);
            if places == 0 || places == 8 {
                return None;
            }
            rest = fraction.get(places..)?;
        }
        if matches!(rest.first(), Some(b'e' | b'E')) {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    #[inline(never)]
    fn skip_by_cursor(mut self, depth: usize) -> Option<Self> {
        let mut cursor = Cursor::at_byte(self.text()?, self.at());
        cursor.skip_value(depth).ok()?;
        self.rest = self.whole.get(cursor.at()..)?;
        Some(self)
    }

    #[inline(always)]
    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    /// The whole record, if it is UTF-8.
    fn text(&mut self) -> Option<&'a str> {
        if self.text.is_none() {
            self.text = simdutf8::basic::from_utf8(self.whole).ok();
        }
        self.text
    }
}

/// A number of at most 15 digits with enough bytes behind it, and what follows it; `None` for others, be they numbers or not.
#[inline(always)]
fn usual_integer(digits: &[u8]) -> Option<(i64, &[u8])> {
    let (first, more) = digits.split_first_chunk::<8>()?;
    let (number, count) = digits::leading(first);
    if count < 8 {
        let zeros_in_front = count > 1 && first.first() == Some(&b'0');
        return if count == 0 || zeros_in_front { None } else { Some((number, digits.get(count..)?)) };
    }
    if first.first() == Some(&b'0') {
        return None;
    }
    let Some(second) = more.first_chunk::<8>() else {
        // The last number of a record.
        let mut number = number;
        let mut rest = more;
        while let [digit @ b'0'..=b'9', after @ ..] = rest {
            number = number * 10 + i64::from(digit - b'0');
            rest = after;
        }
        return Some((number, rest));
    };
    let (second, count) = digits::leading(second);
    if count == 8 {
        return None;
    }
    Some((number * *digits::POWERS.get(count)? + second, more.get(count..)?))
}

/// A number of at most 18 digits, and what follows it.
#[inline(never)]
fn any_integer(digits: &[u8]) -> Option<(i64, &[u8])> {
    let count = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let zeros_in_front = count > 1 && digits.first() == Some(&b'0');
    if count == 0 || count > 18 || zeros_in_front {
        return None;
    }
    let (digits, rest) = digits.split_at_checked(count)?;
    Some((digits.iter().fold(0, |number, byte| number * 10 + i64::from(byte - b'0')), rest))
}

/// Where the first byte of a string's body stands that is a quote, a backslash, a control character or not ASCII.
#[inline(always)]
fn ascii_end(body: &[u8]) -> usize {
    let (blocks, rest) = body.as_chunks();
    for (place, block) in blocks.iter().enumerate() {
        let others = block::not_ascii_text(block);
        if others != 0 {
            return place * block::BYTES + others.trailing_zeros() as usize; // less than 16
        }
    }
    let stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20 | 0x80..);
    body.len() - rest.len() + rest.iter().position(stop).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A value by the cursor that is right about everything, and how many bytes it has.
    fn by_cursor(bytes: &[u8]) -> Option<(Value<'_>, usize)> {
        let mut cursor = Cursor::new(std::str::from_utf8(bytes).ok()?);
        cursor.skip_value(0).ok()?;
        Some((value_of(cursor.text_since(0))?, cursor.at()))
    }

    fn agrees(bytes: &[u8]) {
        let expected = by_cursor(bytes);
        let mut cursor = RawCursor::new(bytes);
        let found = cursor.value(0).map(|value| (value, cursor.at()));
        // What is no text may be found out later than at the value, where nothing of it is read.
        if std::str::from_utf8(bytes).is_ok() {
            assert_eq!(found, expected, "{}", bytes.escape_ascii());
        }
        let mut cursor = RawCursor::new(bytes);
        if let Some(text) = cursor.plain_text().filter(|_| bytes.first() == Some(&b'"')) {
            let text = std::str::from_utf8(text).unwrap();
            if let Some(expected) = expected {
                assert_eq!((Value::Text(text), cursor.at()), expected);
            }
        }
        let mut cursor = RawCursor::new(bytes);
        if let Some(number) = cursor.integer() {
            let (Value::Number(text), end) = expected.unwrap() else { panic!("no number") };
            assert_eq!((number.to_string(), cursor.at()), (text.replace("-0", "0"), end));
        }
        let mut cursor = RawCursor::new(bytes);
        if std::str::from_utf8(bytes).is_ok() {
            assert_eq!(cursor.skip(0).map(|()| cursor.at()), expected.map(|(_, end)| end), "{}", bytes.escape_ascii());
        }
        let mut cursor = RawCursor::new(bytes);
        if let Some((number, digits)) = cursor.short_decimal() {
            let (Value::Number(text), end) = expected.unwrap() else { panic!("no number") };
            let (before, after) = text.split_once('.').unwrap_or((text, ""));
            assert_eq!((after.len(), cursor.at()), (digits, end), "{text}");
            assert_eq!(number, format!("{before}{after}").parse::<i64>().unwrap(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn values_are_what_the_other_cursor_has(
            value in "-?[0-9]{1,20}|-?[0-9]{1,9}\\.[0-9]{0,9}|[0-9.eE+-]{1,9}|\"[a-zä\\\\\"\u{1}]{0,70}\"|true|false|null|nul|\\[[0-9,\\[\\]]{0,9}|\\PC{0,9}",
            after in "[,}\\] ]?|[,}][\"a-z0-9]{0,20}",
        ) {
            agrees(format!("{value}{after}").as_bytes());
        }

        #[test]
        fn bytes_that_are_no_text_make_no_text(begin in "\"[a-z]{0,40}", byte in 0x80_u8.., end in "[a-z]{0,40}\"") {
            let bytes = [begin.as_bytes(), &[byte], end.as_bytes()].concat();
            prop_assert!(RawCursor::new(&bytes).plain_text().is_none());
            prop_assert!(RawCursor::new(&bytes).value(0).is_none());
        }
    }
}
