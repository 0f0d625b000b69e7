//! The event as the platform writes it, read in one pass over its bytes.
//!
//! Takes what needs no judgement: JSON without escapes in what is read, whole numbers, known shapes. For anything else it
//! gives up, and the event is read once more by the reader that is right about everything and says what is wrong where. So it
//! decides nothing by itself; whatever it accepts, the other one reads the same.

use std::ops::Range;

use super::base64::Pending;
use super::{Field, HeaderWish, Reading};
use crate::{Entry, Span};
use penstock_kernel::digits;

use super::headers;

/// Containers within a value that is passed over: one bit each.
const MAX_DEPTH: u32 = 64;

/// Reads the whole event into `reading`; `None` if somebody else has to, who begins anew.
pub(super) fn read(json: &[u8], reading: &mut Reading) -> Option<()> {
    // Base64 takes four bytes for three, and an event is little else.
    reading.arena.reserve(json.len() / 4 * 3);
    let mut room = Room::default();
    let mut cursor = Cursor { bytes: json, at: 0 };
    let mut frame = None;
    let mut found = false;
    cursor.members(|cursor, key| {
        if key == b"records" {
            found = true;
            cursor.members(|cursor, _| cursor.elements(|cursor| record(cursor, reading, &mut room, &mut frame)))
        } else {
            cursor.skip_value()
        }
    })?;
    if !found || cursor.peek().is_some() {
        return None;
    }
    room.texts.decode(&mut reading.arena)?;
    let start = reading.arena.len();
    reading.arena.extend_from_slice(&room.headers);
    for entry in reading.entries.iter_mut().filter(|_| !room.headers.is_empty()) {
        entry.headers = entry.headers.map(|span| Span::new(start + span.range().start, start + span.range().end));
    }
    Some(())
}

/// What is still to come into the arena.
#[derive(Default)]
struct Room {
    /// Keys and values, which come next.
    texts: Pending,
    /// Headers, which come behind all else; their spans count from where they begin.
    headers: Vec<u8>,
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

#[inline]
fn record<'a>(
    cursor: &mut Cursor<'a>,
    reading: &mut Reading,
    room: &mut Room,
    frame: &mut Option<Frame<'a>>,
) -> Option<()> {
    room.texts.decode_enough(&mut reading.arena)?;
    let (start, pending) = (cursor.at, room.texts.len());
    if let Some(frame) = frame {
        if let Some(entry) = framed(cursor, frame, &mut room.texts, &mut reading.arena) {
            reading.entries.push(entry);
            return Some(());
        }
        cursor.at = start;
        room.texts.truncate(pending);
    }
    let mut slots = Vec::new();
    let entry = any_record(cursor, reading, room, &mut slots)?;
    *frame = Frame::of(cursor.bytes, start..cursor.at, &slots, &entry);
    // As many as there are if all are as long.
    reading.entries.reserve(cursor.rest().len() / (cursor.at - start).max(1) + 1);
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
        let plain = entry.headers.is_none_or(|headers| headers.range().is_empty());
        plain.then_some(Self { pieces, end, source_partition: entry.source_partition })
    }
}

/// The next record, if it is in the frame.
#[inline]
fn framed(cursor: &mut Cursor<'_>, frame: &Frame<'_>, texts: &mut Pending, arena: &mut Vec<u8>) -> Option<Entry> {
    let mut entry = Entry { source_partition: frame.source_partition, ..Entry::default() };
    for (text, slot) in &frame.pieces {
        cursor.take_text(text)?;
        match slot {
            Slot::Offset => entry.offset = cursor.whole_number()?,
            Slot::Timestamp => entry.timestamp_ms = Some(cursor.whole_number()?).filter(|at| *at != -1),
            Slot::Key => entry.key = Some(base64_text(cursor, texts, arena)?),
            Slot::Value => entry.value = Some(base64_text(cursor, texts, arena)?),
        }
    }
    cursor.take_text(frame.end)?;
    Some(entry)
}

/// A record, and the places of what is its own.
fn any_record(
    cursor: &mut Cursor<'_>,
    reading: &mut Reading,
    room: &mut Room,
    slots: &mut Vec<(Slot, Range<usize>)>,
) -> Option<Entry> {
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
                let found = base64_or_null(cursor, &mut room.texts, &mut reading.arena)?;
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
                entry.headers = Some(headers::read(text, &mut room.headers)?);
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

/// Base64, which will be decoded to the end of the arena, or null.
#[inline]
fn base64_or_null(cursor: &mut Cursor<'_>, texts: &mut Pending, arena: &mut Vec<u8>) -> Option<Option<Span>> {
    if cursor.null() {
        return Some(None);
    }
    if !cursor.take(b'"') {
        return None;
    }
    let place = base64_text(cursor, texts, arena)?;
    cursor.at += 1;
    Some(Some(place))
}

/// Base64 up to a quote, which is next then; it will be decoded to the end of the arena.
#[inline]
fn base64_text(cursor: &mut Cursor<'_>, texts: &mut Pending, arena: &mut Vec<u8>) -> Option<Span> {
    // No byte of base64 needs an escape: what stands before the next quote is it, or is broken.
    let rest = cursor.rest();
    let text = rest.get(..quote(rest)?)?;
    let span = texts.push(text, arena)?;
    cursor.at += text.len();
    Some(span)
}

/// Where the next quote stands. Most often it is near: then looking for it takes less than getting ready to look fast.
#[inline]
fn quote(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let (words, _) = text.get(..16).unwrap_or_default().as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let other = u64::from_le_bytes(*word) ^ (ONES * b'"' as u64);
        // The high bit of the first quote's byte; a borrow reaches only bytes above it.
        let quotes = other.wrapping_sub(ONES) & !other & (ONES * 0x80);
        if quotes != 0 {
            return Some(place * 8 + quotes.trailing_zeros() as usize / 8); // at most 7
        }
    }
    let after = words.len() * 8;
    Some(after + memchr::memchr(b'"', text.get(after..)?)?)
}

/// A number of 1 to 15 digits, and how many they are; `None` for others, and for the last bytes of the event.
#[inline]
fn short_number(text: &[u8]) -> Option<(i64, usize)> {
    let (first, rest) = text.split_first_chunk::<8>()?;
    let (number, digits) = digits::leading(first);
    if digits < 8 {
        return (digits > 0).then_some((number, digits));
    }
    let (more, digits) = digits::leading(rest.first_chunk::<8>()?);
    Some((number * digits::POWERS.get(digits)? + more, 8 + digits))
}

/// A number of 1 to 18 digits, and how many they are.
fn any_number(text: &[u8]) -> Option<(i64, usize)> {
    let digits = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let number = text
        .get(..digits)?
        .iter()
        .try_fold(0_i64, |number, digit| number.checked_mul(10)?.checked_add(i64::from(digit - b'0')))?;
    (1..=18).contains(&digits).then_some((number, digits))
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
        let rest = self.rest();
        let (magnitude, digits) = short_number(rest).or_else(|| any_number(rest))?;
        let has_leading_zero = digits > 1 && rest.first() == Some(&b'0');
        let goes_on = matches!(rest.get(digits), Some(b'.' | b'e' | b'E'));
        // JSON has a float for the zero that is negative.
        if has_leading_zero || goes_on || negative && magnitude == 0 {
            return None;
        }
        self.at += digits;
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
