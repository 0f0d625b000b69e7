//! The event of Lambda's Kafka event source mappings, MSK and self-managed.
//!
//! Read leniently and in one pass, base64 decoded straight into one buffer: a key or value may be null or missing, a
//! timestamp too, and whatever is not needed here is passed over whatever its shape (schema metadata, fields that come
//! later, headers unless they are wished for), at any depth, without recursion. Topic, source partition and offset are the record's own; the keys
//! of `records` are not taken apart, since topics may hold the very sign that joins them.
//!
//! Events as the platform writes them take a shorter way (`quick`), which gives up at anything unusual.
//!
//! It is not a filter: base64 or an envelope that is broken says that bytes were lost on the way, so it fails the event
//! as a whole instead of one record. What the decoded bytes hold is not looked at.
//!
//! # References
//! - <https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Entry, Event, EventError, HeaderWish, MAX_EVENT_BYTES, Span};

mod base64;
mod headers;
mod quick;

use headers::HeaderList;

/// Reads the JSON of one invocation, with headers if they are wished for.
///
/// # Errors
/// [`EventError`] if it is no JSON, has no `records`, a record lacks topic, partition or offset, records are of two
/// topics, or base64 is broken.
pub fn read(json: &[u8], headers: HeaderWish) -> Result<Event, EventError> {
    if json.len() > MAX_EVENT_BYTES {
        return Err(too_long(json.len()));
    }
    let mut reading = Reading { headers, ..Reading::default() };
    match quick::read(json, &mut reading) {
        Some(()) => Ok(reading.event()),
        None => read_any(json, headers),
    }
}

#[cold]
fn too_long(bytes: usize) -> EventError {
    let message = format!("expected less than 4 GiB, found {bytes} bytes");
    EventError { place: "the top level".to_owned(), line: 1, column: 1, message }
}

/// Reads whatever is an event, and says what is wrong with what is none.
fn read_any(json: &[u8], headers: HeaderWish) -> Result<Event, EventError> {
    let mut reading = Reading { headers, ..Reading::default() };
    let mut from = serde_json::Deserializer::from_slice(json);
    let read = (&mut from).deserialize_map(Envelope(&mut reading)).and_then(|()| from.end());
    match read {
        Ok(()) => Ok(reading.event()),
        Err(error) => Err(reading.failed(&error)),
    }
}

/// What was read so far, and where the reader stands.
#[derive(Default)]
struct Reading {
    topic: Option<String>,
    arena: Vec<u8>,
    entries: Vec<Entry>,
    headers: HeaderWish,
    list: Option<String>,
    index: Option<usize>,
    field: Option<Field>,
}

impl Reading {
    fn event(self) -> Event {
        Event::new(self.topic.unwrap_or_default(), self.arena, self.entries, self.headers)
    }

    fn failed(&self, error: &serde_json::Error) -> EventError {
        let mut place = match (&self.list, self.index) {
            (None, _) => "the top level".to_owned(),
            (Some(list), None) => format!("records[{list:?}]"),
            (Some(list), Some(index)) => format!("records[{list:?}][{index}]"),
        };
        if let Some(name) = self.field.and_then(Field::name) {
            place.push('.');
            place.push_str(name);
        }
        EventError {
            place,
            line: error.line(),
            column: error.column(),
            message: match self.field {
                // The reader's words would quote what it found.
                Some(Field::Key | Field::Value) if error.is_data() => "expected base64 text or null".to_owned(),
                _ => without_position(error),
            },
        }
    }
}

/// The reader's words without line and column, which have fields of their own.
fn without_position(error: &serde_json::Error) -> String {
    let position = format!(" at line {} column {}", error.line(), error.column());
    let words = error.to_string();
    match words.strip_suffix(&position) {
        Some(words) => words.to_owned(),
        None => words,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Records,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    Value,
    Headers,
    Other,
}

impl Field {
    const NAMED: [(&'static str, Self); 8] = [
        ("records", Self::Records),
        ("topic", Self::Topic),
        ("partition", Self::Partition),
        ("offset", Self::Offset),
        ("timestamp", Self::Timestamp),
        ("key", Self::Key),
        ("value", Self::Value),
        ("headers", Self::Headers),
    ];

    fn name(self) -> Option<&'static str> {
        Self::NAMED.iter().find_map(|(name, field)| (*field == self).then_some(*name))
    }
}

/// Reads an object's key.
struct FieldName;

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Field;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Field, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, found: &str) -> Result<Field, E> {
        Ok(Field::NAMED.iter().find_map(|(name, field)| (*name == found).then_some(*field)).unwrap_or(Field::Other))
    }
}

/// The top level.
struct Envelope<'a>(&'a mut Reading);

impl<'de> Visitor<'de> for Envelope<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kafka event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(field) = map.next_key_seed(FieldName)? {
            if field == Field::Records {
                found = true;
                map.next_value_seed(Lists(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field("records")) }
    }
}

/// `records`: lists of records under keys that do not matter.
struct Lists<'a>(&'a mut Reading);

impl<'de> DeserializeSeed<'de> for Lists<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Lists<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of lists of records")
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            self.0.list = Some(name);
            map.next_value_seed(Records(self.0))?;
        }
        self.0.list = None;
        Ok(())
    }
}

/// One list.
struct Records<'a>(&'a mut Reading);

impl<'de> DeserializeSeed<'de> for Records<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for index in 0.. {
            self.0.index = Some(index);
            match list.next_element_seed(Record(self.0))? {
                Some(entry) => self.0.entries.push(entry),
                None => break,
            }
        }
        self.0.index = None;
        Ok(())
    }
}

/// One record.
struct Record<'a>(&'a mut Reading);

impl<'de> DeserializeSeed<'de> for Record<'_> {
    type Value = Entry;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Entry, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_> {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let Self(reading) = self;
        let mut entry = Entry::default();
        let (mut topic, mut partition, mut offset) = (None, None, None);
        while let Some(field) = map.next_key_seed(FieldName)? {
            reading.field = Some(field);
            match field {
                Field::Topic => topic = Some(map.next_value_seed(Topic(&mut reading.topic))?),
                Field::Partition => partition = Some(map.next_value()?),
                Field::Offset => offset = Some(map.next_value()?),
                Field::Timestamp => {
                    // Kafka's word for "none" is −1.
                    entry.timestamp_ms = map.next_value::<Option<i64>>()?.filter(|at| *at != -1);
                }
                Field::Key => entry.key = map.next_value_seed(Base64(&mut reading.arena))?,
                Field::Value => entry.value = map.next_value_seed(Base64(&mut reading.arena))?,
                Field::Headers if reading.headers == HeaderWish::Read => {
                    entry.headers = Some(map.next_value_seed(HeaderList(&mut reading.arena))?);
                }
                Field::Records | Field::Headers | Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            reading.field = None;
        }
        let () = topic.ok_or_else(|| A::Error::missing_field("topic"))?;
        entry.source_partition = partition.ok_or_else(|| A::Error::missing_field("partition"))?;
        entry.offset = offset.ok_or_else(|| A::Error::missing_field("offset"))?;
        Ok(entry)
    }
}

/// A record's topic, which must be that of the records before.
struct Topic<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Topic<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Topic<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a topic")
    }

    fn visit_str<E: Error>(self, found: &str) -> Result<(), E> {
        match self.0 {
            Some(topic) if topic == found => Ok(()),
            Some(topic) => {
                Err(E::custom(format_args!("expected topic `{topic}` as in the records before, found `{found}`")))
            }
            none => {
                *none = Some(found.to_owned());
                Ok(())
            }
        }
    }
}

/// Base64 decoded to the end of the buffer; gives its place there, `None` for null.
struct Base64<'a>(&'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Base64<'_> {
    type Value = Option<Span>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Base64<'_> {
    type Value = Option<Span>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64 text or null")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        // As bytes, because base64 needs no check for UTF-8 before its own.
        from.deserialize_bytes(self)
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Self::Value, E> {
        let start = self.0.len();
        base64_simd::STANDARD.decode_append(text, self.0).map_err(|_| E::custom("broken base64"))?;
        Ok(Some(Span::new(start, self.0.len())))
    }
}

#[cfg(test)]
mod tests;
