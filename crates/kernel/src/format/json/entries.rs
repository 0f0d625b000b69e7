//! What an array or object holds, one value after another; for text that the scanner has passed already.
//!
//! Text that it would not pass ends the iteration early, so nothing here can fail.

use super::scan::{Cursor, Quoted};
use super::value_of;
use crate::format::value::Value;

/// The elements of an array, in order; none if the text is no array.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = Value<'_>> {
    let mut cursor = open(text, b'[');
    std::iter::from_fn(move || {
        let entry = cursor.as_mut()?;
        if entry.take(b']') {
            return None;
        }
        let value = value(entry)?;
        entry.skip_space();
        if entry.take(b',') {
            entry.skip_space();
        }
        Some(value)
    })
}

/// The members of an object, in order, equal keys included; none if the text is no object.
pub(crate) fn members(text: &str) -> impl Iterator<Item = (Quoted<'_>, Value<'_>)> {
    let mut cursor = open(text, b'{');
    std::iter::from_fn(move || {
        let entry = cursor.as_mut()?;
        if entry.take(b'}') {
            return None;
        }
        let key = entry.key().ok()?;
        let value = value(entry)?;
        entry.skip_space();
        if entry.take(b',') {
            entry.skip_space();
        }
        Some((key, value))
    })
}

fn open(text: &str, bracket: u8) -> Option<Cursor<'_>> {
    let mut cursor = Cursor::new(text);
    cursor.take(bracket).then(|| {
        cursor.skip_space();
        cursor
    })
}

fn value<'a>(cursor: &mut Cursor<'a>) -> Option<Value<'a>> {
    let start = cursor.at();
    cursor.skip_value(0).ok()?;
    value_of(cursor.text_since(start))
}
