//! A record's headers: a list of objects, each a name with the bytes of its value as numbers.
//!
//! AWS writes bytes as signed numbers, its documentation shows unsigned ones, and of a null value nothing is said: both
//! kinds of number are taken, and what is no list of bytes is a null value. Headers of any other shape are none: a job
//! must not stop for them.

use std::fmt;

use crate::Span;
use penstock_kernel::batch::Headers;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Writes headers to the end of the buffer; gives their place there.
pub(super) struct HeaderList<'a>(pub(super) &'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for HeaderList<'_> {
    type Value = Span;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        let start = self.0.len();
        from.deserialize_any(List(self.0))?;
        Ok(Span::new(start, self.0.len()))
    }
}

/// The headers that a whole JSON text lists, written likewise; `None` if it is no JSON.
pub(super) fn read(json: &[u8], into: &mut Vec<u8>) -> Option<Span> {
    let mut from = serde_json::Deserializer::from_slice(json);
    let place = HeaderList(into).deserialize(&mut from).ok()?;
    from.end().ok()?;
    Some(place)
}

/// Visits of values that are not of the shape that is looked for: each gives what stands for "none".
macro_rules! others_are {
    ($none:expr; $($visit:ident($value:ty)),* $(,)?) => {
        $(fn $visit<E: Error>(self, _: $value) -> Result<Self::Value, E> {
            Ok($none)
        })*

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($none)
        }
    };
}

fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// The list, or one object of it.
struct List<'a>(&'a mut Vec<u8>);

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of headers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Object(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        skip_map(map)
    }

    others_are! { (); visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str) }
}

/// An object of the list: usually one header.
struct Object<'a>(&'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut bytes = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            bytes.clear();
            let is_value = map.next_value_seed(HeaderValue(&mut bytes))?;
            Headers::push(self.0, &name, is_value.then_some(&bytes));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        skip_list(list)
    }

    others_are! { (); visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str) }
}

/// A value; says whether it is one, and not null.
struct HeaderValue<'a>(&'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for HeaderValue<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for HeaderValue<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut is_value = true;
        while let Some(byte) = list.next_element_seed(Byte)? {
            match byte {
                Some(byte) => self.0.push(byte),
                None => is_value = false,
            }
        }
        Ok(is_value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        skip_map(map)?;
        Ok(false)
    }

    others_are! { false; visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str) }
}

/// A byte, signed or not; `None` for anything else.
struct Byte;

impl<'de> DeserializeSeed<'de> for Byte {
    type Value = Option<u8>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Byte {
    type Value = Option<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        let signed = i8::try_from(number).map(i8::cast_unsigned);
        Ok(signed.or_else(|_| u8::try_from(number)).ok())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(u8::try_from(number).ok())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        skip_list(list)?;
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        skip_map(map)?;
        Ok(None)
    }

    others_are! { None; visit_bool(bool), visit_f64(f64), visit_str(&str) }
}
