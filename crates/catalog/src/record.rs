//! Values as items: JSON in `body`, beside the `revision` that conditions compare and the `format` that says who can read it.
//!
//! A short body is text, so that a person can read it in the store; a long one is bytes, compressed by zstd: the definition
//! of a table with thousands of columns would not fit an item otherwise, and what is written with every batch is paid by the KiB.

use std::io::Read;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::CatalogError;
use crate::job::Revised;
use crate::store::{Action, Condition, Item, Key, Value, Write};

/// The newest format that this version reads, and the one that it writes.
pub(crate) const FORMAT: i64 = 1;

const BODY: &str = "body";
/// Bytes of a body in the store. DynamoDB takes items of 400 KiB, names and keys included.
const MAX_BYTES: usize = 390_000;
/// Bytes of a body as text that are read; none is written that is as long.
const MAX_TEXT_BYTES: u64 = 64 << 20;
const FORMAT_NAME: &str = "format";
const REVISION: &str = "revision";

/// A value that is kept as an item.
pub(crate) trait Record: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// Bytes of a body that stays text, at most [`MAX_BYTES`].
    const PLAIN_BYTES: usize = 4_096;

    /// Numbers that conditions of other items' writes look at, beside `revision`.
    fn attributes(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// The value as an item of that revision.
///
/// # Errors
/// [`CatalogError::TooLarge`] if it would fit no item.
pub(crate) fn encode<T: Record>(key: &Key, value: &T, revision: i64) -> Result<Item, CatalogError> {
    let body = serde_json::to_string(value).map_err(|error| unreadable(key, error.to_string()))?;
    let mut item = Item::from([
        (BODY.to_owned(), stored(key, body, T::PLAIN_BYTES)?),
        (FORMAT_NAME.to_owned(), Value::Number(FORMAT)),
        (REVISION.to_owned(), Value::Number(revision)),
    ]);
    for (name, number) in value.attributes() {
        item.insert(name.to_owned(), number_value(number));
    }
    Ok(item)
}

/// The value of an item.
///
/// # Errors
/// [`CatalogError::Unreadable`] if a newer version wrote it, or it is damaged.
pub(crate) fn decode<T: Record>(key: &Key, item: &Item) -> Result<Revised<T>, CatalogError> {
    let format = number(key, item, FORMAT_NAME)?;
    if format != FORMAT {
        let message = format!(
            "expected format {FORMAT}, found {format}, which another version of penstock wrote\nhint: upgrade this one"
        );
        return Err(unreadable(key, message));
    }
    let revision = number(key, item, REVISION)?;
    let value = match item.get(BODY) {
        Some(Value::Text(body)) => serde_json::from_str(body),
        Some(Value::Bytes(bytes)) => {
            let mut body = Vec::new();
            zstd::Decoder::new(bytes.as_slice())
                .and_then(|decoder| decoder.take(MAX_TEXT_BYTES).read_to_end(&mut body))
                .map_err(|error| unreadable(key, format!("`{BODY}`: {error}")))?;
            serde_json::from_slice(&body)
        }
        _ => return Err(unreadable(key, format!("expected text or bytes in `{BODY}`"))),
    };
    Ok(Revised { value: value.map_err(|error| unreadable(key, error.to_string()))?, revision })
}

/// The body as the store keeps it.
fn stored(key: &Key, body: String, plain_bytes: usize) -> Result<Value, CatalogError> {
    if body.len() <= plain_bytes {
        return Ok(Value::Text(body));
    }
    // Not as a stream: that would clear tables for megabytes to come.
    let bytes = zstd::bulk::compress(body.as_bytes(), 3).map_err(|error| unreadable(key, error.to_string()))?;
    if bytes.len() > MAX_BYTES {
        return Err(CatalogError::TooLarge { key: key.to_string(), bytes: bytes.len(), limit: MAX_BYTES });
    }
    Ok(Value::Bytes(bytes))
}

/// Puts the first revision of a value, if there is none.
pub(crate) fn first<T: Record>(key: &Key, value: &T) -> Result<Write, CatalogError> {
    Ok(Write { key: key.clone(), condition: Condition::Absent, action: Action::Put(encode(key, value, 1)?) })
}

/// Puts the revision after `read`, if nobody did so before.
pub(crate) fn next<T: Record>(key: &Key, value: &T, read: i64) -> Result<Write, CatalogError> {
    let item = encode(key, value, read.saturating_add(1))?;
    Ok(Write { key: key.clone(), condition: unchanged(read), action: Action::Put(item) })
}

/// Holds while the item is of that revision.
pub(crate) fn unchanged(revision: i64) -> Condition {
    Condition::Equals(vec![(REVISION.to_owned(), Value::Number(revision))])
}

/// Holds while the item's attribute of [`Record::attributes`] has that number.
pub(crate) fn attribute_is(name: &'static str, number: u64) -> Condition {
    Condition::Equals(vec![(name.to_owned(), number_value(number))])
}

fn number_value(number: u64) -> Value {
    // Counters that start at 0 or 1 and grow by one do not come this far.
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

fn number(key: &Key, item: &Item, name: &str) -> Result<i64, CatalogError> {
    match item.get(name) {
        Some(Value::Number(number)) => Ok(*number),
        _ => Err(unreadable(key, format!("expected a number `{name}`"))),
    }
}

/// The same of an object on a volume.
pub(crate) fn unreadable_object(key: &str, message: String) -> CatalogError {
    CatalogError::Unreadable { key: key.to_owned(), message }
}

pub(crate) fn unreadable(key: &Key, message: String) -> CatalogError {
    CatalogError::Unreadable { key: key.to_string(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Record for Vec<String> {}

    fn written(value: &Vec<String>) -> Result<Item, CatalogError> {
        encode(&Key::new("p", "s"), value, 7)
    }

    /// Text that no compression shortens much.
    fn noise(bytes: usize) -> String {
        let mut state = 1_u64;
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
        };
        (0..bytes).map(|_| letter()).collect()
    }

    #[test]
    fn long_bodies_are_compressed_and_read_back() {
        for (texts, plain) in [(10, true), (4_096, false)] {
            let value: Vec<String> =
                (0..texts).map(|number| format!("a column of a long name, number {number}")).collect();
            let item = written(&value).unwrap();
            assert_eq!(matches!(item.get(BODY), Some(Value::Text(_))), plain, "{texts}");
            let read: Revised<Vec<String>> = decode(&Key::new("p", "s"), &item).unwrap();
            assert_eq!((read.value, read.revision), (value, 7));
        }
    }

    #[test]
    fn bodies_that_fit_no_item_are_refused_before_they_are_written() {
        assert!(written(&vec![noise(300_000)]).is_ok());
        let error = written(&vec![noise(700_000)]).unwrap_err();
        assert!(matches!(error, CatalogError::TooLarge { limit: MAX_BYTES, .. }), "{error}");
    }

    #[test]
    fn damaged_bodies_are_told() {
        let mut item = written(&vec!["x".repeat(Vec::<String>::PLAIN_BYTES)]).unwrap();
        item.insert(BODY.to_owned(), Value::Bytes(vec![1, 2, 3]));
        let error = decode::<Vec<String>>(&Key::new("p", "s"), &item).unwrap_err();
        assert!(matches!(error, CatalogError::Unreadable { .. }), "{error}");
    }
}
