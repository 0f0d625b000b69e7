//! Values as items: JSON in `body`, beside the `revision` that conditions compare and the `format` that says who can read it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::CatalogError;
use crate::job::Revised;
use crate::store::{Action, Condition, Item, Key, Value, Write};

/// The newest format that this version reads, and the one that it writes.
pub(crate) const FORMAT: i64 = 1;

const BODY: &str = "body";
const FORMAT_NAME: &str = "format";
const REVISION: &str = "revision";

/// A value that is kept as an item.
pub(crate) trait Record: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// Numbers that conditions of other items' writes look at, beside `revision`.
    fn attributes(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// The value as an item of that revision.
pub(crate) fn encode<T: Record>(key: &Key, value: &T, revision: i64) -> Result<Item, CatalogError> {
    let body = serde_json::to_string(value).map_err(|error| unreadable(key, error.to_string()))?;
    let mut item = Item::from([
        (BODY.to_owned(), Value::Text(body)),
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
    let Some(Value::Text(body)) = item.get(BODY) else {
        return Err(unreadable(key, format!("expected a text `{BODY}`")));
    };
    let value = serde_json::from_str(body).map_err(|error| unreadable(key, error.to_string()))?;
    Ok(Revised { value, revision })
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
