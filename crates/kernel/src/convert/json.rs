//! JSON arrays and objects into ARRAY, MAP and STRUCT from where they stand.
//!
//! What an entry is made of its value is what the way through the whole value's text makes of it; only keys with escapes, and
//! what is no JSON, are for that way.

use super::nested::{Lists, Maps, Structs};
use super::{ColumnBuilder, Scratch};
use crate::format::json::raw::RawCursor;
use crate::format::json::scan::MAX_DEPTH;

impl ColumnBuilder {
    /// Appends the array or object that is next, between `depth` open containers, and passes over it. If not, entries have to
    /// be taken back, and the cursor with them.
    pub(crate) fn append_json_nested(
        &mut self,
        cursor: &mut RawCursor<'_>,
        depth: usize,
        scratch: &mut Scratch,
    ) -> Option<()> {
        match (self, cursor.peek()) {
            _ if depth >= MAX_DEPTH => None,
            (Self::Array(lists), Some(b'[')) => list(lists, cursor, depth + 1, scratch),
            (Self::Struct(structs), Some(b'{')) => structure(structs, cursor, depth + 1, scratch),
            (Self::Map(maps), Some(b'{')) => map(maps, cursor, depth + 1, scratch),
            _ => None,
        }
    }
}

/// Appends an entry, NULL for a value that is none of its type. Recursion follows the column's type.
#[inline]
fn entry(column: &mut ColumnBuilder, cursor: &mut RawCursor<'_>, depth: usize, scratch: &mut Scratch) -> Option<()> {
    if column.append_next(cursor) {
        return Some(());
    }
    if column.is_nested() && matches!(cursor.peek(), Some(b'[' | b'{')) {
        let (entries, before) = (column.len(), *cursor);
        if column.append_json_nested(cursor, depth, scratch).is_some() {
            return Some(());
        }
        column.truncate(entries);
        *cursor = before;
    }
    let value = cursor.value(depth)?;
    column.append(&value, scratch);
    Some(())
}

fn list(lists: &mut Lists, cursor: &mut RawCursor<'_>, depth: usize, scratch: &mut Scratch) -> Option<()> {
    let mut entries = 0;
    each(cursor, [b'[', b']'], |cursor| {
        entries += 1;
        entry(&mut lists.entries, cursor, depth, scratch)
    })?;
    lists.close(entries);
    Some(())
}

fn structure(structs: &mut Structs, cursor: &mut RawCursor<'_>, depth: usize, scratch: &mut Scratch) -> Option<()> {
    let (rows, mut number) = (structs.len(), 0);
    each(cursor, [b'{', b'}'], |cursor| {
        let key = key(cursor)?;
        let place = structs.place_near(key, number);
        number += 1;
        match place.and_then(|place| structs.columns.get_mut(place)) {
            // Of equal keys the first one counts.
            Some(column) if column.len() == rows => entry(column, cursor, depth, scratch),
            _ => cursor.skip(depth),
        }
    })?;
    structs.close(rows);
    Some(())
}

fn map(maps: &mut Maps, cursor: &mut RawCursor<'_>, depth: usize, scratch: &mut Scratch) -> Option<()> {
    maps.open();
    let mut entries = 0;
    each(cursor, [b'{', b'}'], |cursor| match maps.push_key(key(cursor)?, scratch) {
        Ok(()) => {
            entries += 1;
            entry(&mut maps.values, cursor, depth, scratch)
        }
        Err(_) => cursor.skip(depth),
    })?;
    maps.close(entries);
    Some(())
}

/// A key without escapes and what stands behind it, up to its value.
#[inline]
fn key<'a>(cursor: &mut RawCursor<'a>) -> Option<&'a str> {
    if cursor.peek() != Some(b'"') {
        return None;
    }
    let key = std::str::from_utf8(cursor.plain_text()?).ok()?;
    cursor.skip_space();
    if !cursor.take(b':') {
        return None;
    }
    cursor.skip_space();
    Some(key)
}

/// Has `read` read what stands between brackets, piece after piece.
#[inline]
fn each<'a>(
    cursor: &mut RawCursor<'a>,
    [open, close]: [u8; 2],
    mut read: impl FnMut(&mut RawCursor<'a>) -> Option<()>,
) -> Option<()> {
    if !cursor.take(open) {
        return None;
    }
    cursor.skip_space();
    if cursor.take(close) {
        return Some(());
    }
    loop {
        cursor.skip_space();
        read(cursor)?;
        cursor.skip_space();
        if cursor.take(close) {
            return Some(());
        }
        if !cursor.take(b',') {
            return None;
        }
    }
}
