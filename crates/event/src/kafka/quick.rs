//! The event as the platform writes it, read in one pass over its bytes.
//!
//! Takes what needs no judgement: JSON without escapes in what is read, whole numbers, known shapes. For anything else it
//! gives up, and the event is read once more by the reader that is right about everything and says what is wrong where. So it
//! decides nothing by itself; whatever it accepts, the other one reads the same.

use std::ops::Range;

mod cursor;
mod guess;

use super::base64::Pending;
use super::{Field, HeaderWish, Reading, headers};
use crate::{Entry, Span};
use cursor::Cursor;
use guess::Guess;

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
    /// Text and the slot behind it, with what the number there is likely to look like if it is one.
    pieces: Vec<(&'a [u8], Slot, Guess)>,
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
        let mut pieces: Vec<(&[u8], Slot, Guess)> = Vec::new();
        let mut from = record.start;
        for (slot, place) in slots {
            if pieces.iter().any(|(_, before, _)| before == slot) {
                return None;
            }
            pieces.push((bytes.get(from..place.start)?, *slot, Guess::default()));
            from = place.end;
        }
        let end = bytes.get(from..record.end)?;
        let plain = entry.headers.is_none_or(|headers| headers.range().is_empty());
        plain.then_some(Self { pieces, end, source_partition: entry.source_partition })
    }
}

/// The next record, if it is in the frame.
#[inline]
fn framed(cursor: &mut Cursor<'_>, frame: &mut Frame<'_>, texts: &mut Pending, arena: &mut Vec<u8>) -> Option<Entry> {
    let mut entry = Entry { source_partition: frame.source_partition, ..Entry::default() };
    for (text, slot, guess) in &mut frame.pieces {
        cursor.take_text(text)?;
        match slot {
            Slot::Offset => entry.offset = number(cursor, guess)?,
            Slot::Timestamp => entry.timestamp_ms = Some(number(cursor, guess)?).filter(|at| *at != -1),
            Slot::Key | Slot::Value => {
                let span = Some(base64_text(cursor, texts, arena)?);
                *(if *slot == Slot::Key { &mut entry.key } else { &mut entry.value }) = span;
            }
        }
    }
    cursor.take_text(frame.end)?;
    Some(entry)
}

/// A whole number. That it does not go on with a digit, a point or an exponent is for the text behind it to say.
#[inline(always)]
fn number(cursor: &mut Cursor<'_>, guess: &mut Guess) -> Option<i64> {
    if let Some(number) = guess.read(cursor.rest()) {
        cursor.at += guess.digits;
        return Some(number);
    }
    let start = cursor.at;
    let number = cursor.whole_number()?;
    *guess = Guess::after(number, cursor.bytes.get(start..)?, cursor.at - start);
    Some(number)
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
#[inline(never)]
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
#[inline(always)]
fn base64_text(cursor: &mut Cursor<'_>, texts: &mut Pending, arena: &mut Vec<u8>) -> Option<Span> {
    // No byte of base64 needs an escape: what stands before the next quote is it, or is broken.
    let (span, length) = texts.push_quoted(cursor.rest(), arena)?;
    cursor.at += length;
    Some(span)
}
