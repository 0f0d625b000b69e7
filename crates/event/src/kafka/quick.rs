//! The event as the platform writes it, read in one pass over its bytes.
//!
//! Takes what needs no judgement: JSON without escapes in what is read, whole numbers, known shapes. For anything else it
//! gives up, and the event is read once more by the reader that is right about everything and says what is wrong where. So it
//! decides nothing by itself; whatever it accepts, the other one reads the same.

use std::ops::Range;

use super::base64::decode;
use super::{Field, HeaderWish, Reading};
use crate::Entry;

use super::headers;

/// Containers within a value that is passed over: one bit each.
const MAX_DEPTH: u32 = 64;

/// Reads the whole event into `reading`; `None` if somebody else has to, who begins anew.
pub(super) fn read(json: &[u8], reading: &mut Reading) -> Option<()> {
    // Base64 takes four bytes for three, and an event is little else.
    reading.arena.reserve(json.len() / 4 * 3);
    let mut cursor = Cursor { bytes: json, at: 0 };
    let mut frame = None;
    let mut found = false;
    cursor.members(|cursor, key| {
        if key == b"records" {
            found = true;
            cursor.members(|cursor, _| cursor.elements(|cursor| record(cursor, reading, &mut frame)))
        } else {
            cursor.skip_value()
        }
    })?;
    (found && cursor.peek().is_none()).then_some(())
}

/// What records have in common: all but a few slots of them is the same text, record after record.
struct Frame<'a> {
    /// Text and the slot behind it.
    pieces: Vec<(&'a [u8], Slot)>,
    /// Text behind the last slot.
    end: &'a [u8],
    /// What the text says, with the topic that is everybody's.
    source_partition: i32,
}

/// A part of a record that is its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// A number.
    Offset,
    /// A number.
    Timestamp,
    /// Base64 between quotes that are no part of it.
    Key,
    /// Base64 likewise.
    Value,
}

fn record<'a>(cursor: &mut Cursor<'a>, reading: &mut Reading, frame: &mut Option<Frame<'a>>) -> Option<()> {
    let (start, arena_bytes) = (cursor.at, reading.arena.len());
    if let Some(frame) = frame {
        if let Some(entry) = framed(cursor, frame, &mut reading.arena) {
            reading.entries.push(entry);
            return Some(());
        }
        cursor.at = start;
        reading.arena.truncate(arena_bytes);
    }
    let mut slots = Vec::new();
    let entry = any_record(cursor, reading, &mut slots)?;
    *frame = Frame::of(cursor.bytes, start..cursor.at, &slots, &entry);
    reading.entries.push(entry);
    Some(())
}

impl<'a> Frame<'a> {
    /// The frame of the record that stands at `record`; `None` if one cannot go by it.
    fn of(bytes: &'a [u8], record: Range<usize>, slots: &[(Slot, Range<usize>)], entry: &Entry) -> Option<Self> {
        let mut pieces: Vec<(&[u8], Slot)> = Vec::new();
        let mut from = record.start;
        for (slot, place) in slots {
            if pieces.iter().any(|(_, before)| before == slot) {
                return None;
            }
            pieces.push((bytes.get(from..place.start)?, *slot));
            from = place.end;
        }
        let end = bytes.get(from..record.end)?;
        let plain = entry.headers.is_empty();
        plain.then_some(Self { pieces, end, source_partition: entry.source_partition })
    }
}

/// The next record, if it is in the frame.
#[inline]
fn framed(cursor: &mut Cursor<'_>, frame: &Frame<'_>, arena: &mut Vec<u8>) -> Option<Entry> {
    let mut entry = Entry { source_partition: frame.source_partition, ..Entry::default() };
    for (text, slot) in &frame.pieces {
        cursor.take_text(text)?;
        match slot {
            Slot::Offset => entry.offset = cursor.whole_number()?,
            Slot::Timestamp => entry.timestamp_ms = Some(cursor.whole_number()?).filter(|at| *at != -1),
            Slot::Key => entry.key = Some(base64_text(cursor, arena)?),
            Slot::Value => entry.value = Some(base64_text(cursor, arena)?),
        }
    }
    cursor.take_text(frame.end)?;
    Some(entry)
}

/// A record, and the places of what is its own.
fn any_record(cursor: &mut Cursor<'_>, reading: &mut Reading, slots: &mut Vec<(Slot, Range<usize>)>) -> Option<Entry> {
    let mut entry = Entry::default();
    let (mut topic, mut partition, mut offset) = (false, None, None);
    cursor.members(|cursor, key| {
        let start = cursor.at;
        match field(key) {
            Field::Topic => {
                let found = cursor.plain_text()?;
                topic = true;
                match &reading.topic {
                    Some(topic) if topic.as_bytes() == found => {}
                    Some(_) => return None,
                    None => reading.topic = Some(str::from_utf8(found).ok()?.to_owned()),
                }
            }
            Field::Partition => partition = Some(i32::try_from(cursor.whole_number()?).ok()?),
            Field::Offset => {
                offset = Some(cursor.whole_number()?);
                slots.push((Slot::Offset, start..cursor.at));
            }
            Field::Timestamp if cursor.null() => {
                entry.timestamp_ms = None;
                null(Slot::Timestamp, slots)?;
            }
            Field::Timestamp => {
                entry.timestamp_ms = Some(cursor.whole_number()?).filter(|at| *at != -1);
                slots.push((Slot::Timestamp, start..cursor.at));
            }
            named @ (Field::Key | Field::Value) => {
                let found = base64(cursor, &mut reading.arena)?;
                let (slot, place) = match named {
                    Field::Key => (Slot::Key, &mut entry.key),
                    _ => (Slot::Value, &mut entry.value),
                };
                match found {
                    Some(_) => slots.push((slot, start + 1..cursor.at - 1)),
                    None => null(slot, slots)?,
                }
                *place = found;
            }
            Field::Headers if reading.headers == HeaderWish::Read => {
                let text = cursor.skipped()?;
                entry.headers = headers::read(text, &mut reading.arena)?;
            }
            Field::Records | Field::Headers | Field::Other => cursor.skip_value()?,
        }
        Some(())
    })?;
    if !topic {
        return None;
    }
    entry.source_partition = partition?;
    entry.offset = offset?;
    Some(entry)
}

/// Gives up where null takes the place of a value of the same record: no frame can tell.
fn null(slot: Slot, slots: &[(Slot, Range<usize>)]) -> Option<()> {
    (!slots.iter().any(|(before, _)| *before == slot)).then_some(())
}

#[inline]
fn field(key: &[u8]) -> Field {
    match key {
        b"topic" => Field::Topic,
        b"partition" => Field::Partition,
        b"offset" => Field::Offset,
        b"timestamp" => Field::Timestamp,
        b"key" => Field::Key,
        b"value" => Field::Value,
        b"headers" => Field::Headers,
        _ => Field::Other,
    }
}

/// Base64 decoded to the end of the arena, or null.
#[inline]
fn base64(cursor: &mut Cursor<'_>, arena: &mut Vec<u8>) -> Option<Option<Range<usize>>> {
    if cursor.null() {
        return Some(None);
    }
    if !cursor.take(b'"') {
        return None;
    }
    let place = base64_text(cursor, arena)?;
    cursor.at += 1;
    Some(Some(place))
}

/// Base64 up to a quote, which is next then, decoded to the end of the arena.
#[inline]
fn base64_text(cursor: &mut Cursor<'_>, arena: &mut Vec<u8>) -> Option<Range<usize>> {
    // No byte of base64 needs an escape: what stands before the next quote is it, or is broken.
    let rest = cursor.rest();
    let text = rest.get(..memchr::memchr(b'"', rest)?)?;
    let start = arena.len();
    decode(text, arena)?;
    cursor.at += text.len();
    Some(start..arena.len())
}

/// A place in the event's text.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    /// Passes over `text` if it is next.
    #[inline]
    fn take_text(&mut self, text: &[u8]) -> Option<()> {
        self.rest().starts_with(text).then(|| self.at += text.len())
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes over `null` if it is next.
    #[inline]
    fn null(&mut self) -> bool {
        let next = self.rest().starts_with(b"null");
        self.at += if next { 4 } else { 0 };
        next
    }

    /// Has `read` read the value of each member of the object that is next; its key is ASCII without escapes.
    #[inline]
    fn members(&mut self, mut read: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.skip_space();
        if !self.take(b'{') {
            return None;
        }
        self.skip_space();
        let mut ended = self.take(b'}');
        while !ended {
            self.skip_space();
            let key = self.plain_text()?;
            self.skip_space();
            if !self.take(b':') {
                return None;
            }
            self.skip_space();
            read(self, key)?;
            self.skip_space();
            ended = !self.take(b',');
            if ended && !self.take(b'}') {
                return None;
            }
        }
        self.skip_space();
        Some(())
    }

    /// Has `read` read each element of the array that is next.
    #[inline]
    fn elements(&mut self, mut read: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if !self.take(b'[') {
            return None;
        }
        self.skip_space();
        let mut ended = self.take(b']');
        while !ended {
            self.skip_space();
            read(self)?;
            self.skip_space();
            ended = !self.take(b',');
            if ended && !self.take(b']') {
                return None;
            }
        }
        Some(())
    }

    /// A string of ASCII without escapes and control characters; what stands between its quotes.
    #[inline]
    fn plain_text(&mut self) -> Option<&'a [u8]> {
        if !self.take(b'"') {
            return None;
        }
        let rest = self.rest();
        for (length, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.at += length + 1;
                    return rest.get(..length);
                }
                b'\\' | 0..0x20 | 0x7f.. => return None,
                _ => {}
            }
        }
        None
    }

    /// A whole number of at most 18 digits.
    #[inline]
    fn whole_number(&mut self) -> Option<i64> {
        let negative = self.take(b'-');
        let mut magnitude: i64 = 0;
        let mut digits = 0;
        for byte in self.rest() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            magnitude = magnitude.wrapping_mul(10).wrapping_add(i64::from(digit));
            digits += 1;
        }
        let has_leading_zero = digits > 1 && self.peek() == Some(b'0');
        self.at += digits;
        let goes_on = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        // JSON has a float for the zero that is negative.
        if digits == 0 || digits > 18 || has_leading_zero || goes_on || negative && magnitude == 0 {
            return None;
        }
        Some(if negative { -magnitude } else { magnitude })
    }

    /// The value that is next, which is passed over.
    fn skipped(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        self.skip_value()?;
        self.bytes.get(start..self.at)
    }

    /// Passes over a value.
    #[inline]
    fn skip_value(&mut self) -> Option<()> {
        match self.peek()? {
            b'[' if self.rest().starts_with(b"[]") => {
                self.at += 2;
                Some(())
            }
            b'{' | b'[' => self.skip_container(),
            _ => self.skip_scalar(),
        }
    }

    #[inline]
    fn skip_scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.plain_text().map(|_| ()),
            b'-' | b'0'..=b'9' => self.whole_number().map(|_| ()),
            first => {
                let word: &[u8] = match first {
                    b't' => b"true",
                    b'f' => b"false",
                    _ => b"null",
                };
                let is_next = self.rest().starts_with(word);
                self.at += word.len();
                is_next.then_some(())
            }
        }
    }

    fn skip_container(&mut self) -> Option<()> {
        // Bit by bit whether the containers that are open are objects, the innermost last.
        let (mut objects, mut depth): (u64, u32) = (0, 0);
        loop {
            // A value is next.
            let opened = match self.peek()? {
                b'{' => Some(true),
                b'[' => Some(false),
                _ => None,
            };
            match opened {
                Some(is_object) => {
                    if depth == MAX_DEPTH {
                        return None;
                    }
                    self.at += 1;
                    depth += 1;
                    objects = objects << 1 | u64::from(is_object);
                    self.skip_space();
                    if !self.take(if is_object { b'}' } else { b']' }) {
                        if is_object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                    depth -= 1;
                    objects >>= 1;
                }
                None => self.skip_scalar()?,
            }
            // A value has ended.
            loop {
                if depth == 0 {
                    return Some(());
                }
                self.skip_space();
                let in_object = objects & 1 == 1;
                if self.take(b',') {
                    self.skip_space();
                    if in_object {
                        self.skip_key()?;
                    }
                    break;
                }
                if !self.take(if in_object { b'}' } else { b']' }) {
                    return None;
                }
                depth -= 1;
                objects >>= 1;
            }
        }
    }

    fn skip_key(&mut self) -> Option<()> {
        self.plain_text()?;
        self.skip_space();
        if !self.take(b':') {
            return None;
        }
        self.skip_space();
        Some(())
    }
}
