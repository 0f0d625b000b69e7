//! Items, keys and conditions in DynamoDB's terms.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::CatalogError;
use crate::record::unreadable;
use crate::store::{Condition, Item, Key, Value};

/// Attribute of the partition key.
pub(super) const PK: &str = "pk";
/// Attribute of the sort key.
pub(super) const SK: &str = "sk";

type Attributes = HashMap<String, AttributeValue>;

pub(super) fn key_attributes(key: &Key) -> Attributes {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(key.pk.clone())),
        (SK.to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

/// The whole item as DynamoDB keeps it, key included.
pub(super) fn attributes(key: &Key, item: &Item) -> Attributes {
    let mut attributes = key_attributes(key);
    attributes.extend(item.iter().map(|(name, value)| (name.clone(), attribute(value))));
    attributes
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Text(text) => AttributeValue::S(text.clone()),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::Bytes(bytes) => AttributeValue::B(Blob::new(bytes.clone())),
    }
}

/// The item without its key.
pub(super) fn item(key: &Key, attributes: Attributes) -> Result<Item, CatalogError> {
    let mut item = Item::new();
    for (name, value) in attributes {
        if name == PK || name == SK {
            continue;
        }
        let value = match value {
            AttributeValue::S(text) => Some(Value::Text(text)),
            AttributeValue::N(number) => number.parse().ok().map(Value::Number),
            AttributeValue::B(bytes) => Some(Value::Bytes(bytes.into_inner())),
            _ => None,
        };
        let Some(value) = value else {
            return Err(unreadable(key, format!("attribute `{name}`: expected text, bytes or a number of 64 bits")));
        };
        item.insert(name, value);
    }
    Ok(item)
}

pub(super) fn key_of(attributes: &Attributes) -> Result<Key, CatalogError> {
    match (attributes.get(PK), attributes.get(SK)) {
        (Some(AttributeValue::S(pk)), Some(AttributeValue::S(sk))) => Ok(Key::new(pk, sk)),
        _ => Err(CatalogError::Refused {
            operation: "query",
            message: format!("expected the text keys `{PK}` and `{SK}` in every item"),
        }),
    }
}

/// A condition's text and what it stands for. Names are written out as placeholders always, so that none is a
/// reserved word.
#[derive(Debug, Default)]
pub(super) struct Expression {
    /// `None`: no condition.
    pub(super) text: Option<String>,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<Attributes>,
}

impl Expression {
    pub(super) fn of(condition: &Condition) -> Self {
        match condition {
            Condition::Always => Self::default(),
            Condition::Absent => Self::of_key("attribute_not_exists(#pk)"),
            Condition::Equals(expected) if expected.is_empty() => Self::of_key("attribute_exists(#pk)"),
            Condition::Equals(expected) => {
                let mut terms = Vec::new();
                let mut names = HashMap::new();
                let mut values = HashMap::new();
                for (index, (name, value)) in expected.iter().enumerate() {
                    terms.push(format!("#n{index} = :v{index}"));
                    names.insert(format!("#n{index}"), name.clone());
                    values.insert(format!(":v{index}"), attribute(value));
                }
                Self { text: Some(terms.join(" AND ")), names: Some(names), values: Some(values) }
            }
        }
    }

    /// The expression, or one that always holds: a check has to have one.
    pub(super) fn or_true(self) -> Self {
        match self.text {
            Some(_) => self,
            None => Self::of_key("attribute_exists(#pk) OR attribute_not_exists(#pk)"),
        }
    }

    fn of_key(text: &str) -> Self {
        Self {
            text: Some(text.to_owned()),
            names: Some(HashMap::from([("#pk".to_owned(), PK.to_owned())])),
            values: None,
        }
    }
}
