//! The few operations that the catalog needs of a key-value store, shaped so that DynamoDB has each of them.
//!
//! Items live under a partition key and a sort key. All reads are consistent. There is no scan.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use async_trait::async_trait;

use crate::error::CatalogError;

pub mod dynamodb;
pub mod memory;

/// Where an item lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    /// The key of these two parts.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pk, self.sk)
    }
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// An item's attributes, keys not included.
pub type Item = BTreeMap<String, Value>;

/// What must hold for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Always,
    /// The item does not exist.
    Absent,
    /// The item exists and these attributes have these values.
    Equals(Vec<(String, Value)>),
}

/// What a write does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Replaces the whole item.
    Put(Item),
    /// Removes it; an absent one is success.
    Delete,
    /// Only checks the condition (within a transaction).
    Check,
}

/// Bytes that DynamoDB counts for an item: names and values of its attributes, the keys among them.
fn item_bytes(key: &Key, item: &Item) -> usize {
    let attributes = item.iter().map(|(name, value)| {
        name.len()
            + match value {
                Value::Text(text) => text.len(),
                Value::Bytes(bytes) => bytes.len(),
                // Two digits a byte, one for the exponent, one for a sign.
                Value::Number(number) => number.unsigned_abs().to_string().len().div_ceil(2) + 2,
            }
    });
    "pk".len() + key.pk.len() + "sk".len() + key.sk.len() + attributes.sum::<usize>()
}

/// Write units that DynamoDB counts for a transaction: two for each KiB that is begun, of each item. What a check looks at,
/// or a deletion takes away, is taken for less than one.
pub(crate) fn transaction_units(writes: &[Write]) -> u64 {
    let units = |write: &Write| match &write.action {
        Action::Put(item) => 2 * item_bytes(&write.key, item).div_ceil(1024) as u64, // usize has at most 64 bits
        Action::Delete | Action::Check => 2,
    };
    writes.iter().map(units).sum()
}

/// A conditional write of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The item.
    pub key: Key,
    /// Its condition.
    pub condition: Condition,
    /// What to do.
    pub action: Action,
}

/// The outcome of a transaction or a single write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// All of it happened, now or at an earlier try with the same token.
    Done,
    /// None of it happened: the condition of the write at `index` does not hold; `stored` is what is there instead.
    ConditionFailed {
        /// Index of the first write whose condition failed.
        index: usize,
        /// The item as it is, `None` if absent.
        stored: Option<Item>,
    },
}

/// Most writes of one transaction.
pub const MAX_TRANSACTION_WRITES: usize = 100;

/// Longest token of a transaction, in characters.
pub const MAX_TOKEN_CHARACTERS: usize = 36;

/// What every store refuses, whatever it holds: so that the one in memory is no laxer than DynamoDB.
///
/// # Errors
/// [`CatalogError::Refused`] for a token or a number of writes out of bounds, and for two writes of one key.
fn check_transaction(token: &str, writes: &[Write]) -> Result<(), CatalogError> {
    let refused = |message: String| Err(CatalogError::Refused { operation: "transact", message });
    let characters = token.chars().count();
    if characters == 0 || characters > MAX_TOKEN_CHARACTERS {
        return refused(format!("token: expected 1 to {MAX_TOKEN_CHARACTERS} characters, found {characters}"));
    }
    if writes.is_empty() || writes.len() > MAX_TRANSACTION_WRITES {
        return refused(format!("writes: expected 1 to {MAX_TRANSACTION_WRITES}, found {}", writes.len()));
    }
    let mut keys = HashSet::new();
    match writes.iter().find(|write| !keys.insert(&write.key)) {
        Some(write) => refused(format!("two writes of `{}`", write.key)),
        None => Ok(()),
    }
}

/// What every store refuses of a write by itself.
///
/// # Errors
/// [`CatalogError::Refused`] for a check, which says nothing outside a transaction that a read would not.
fn check_write(write: &Write) -> Result<(), CatalogError> {
    if write.action == Action::Check {
        let message = format!("a check of `{}` outside a transaction", write.key);
        return Err(CatalogError::Refused { operation: "write", message });
    }
    Ok(())
}

/// A key-value store with conditional writes and small transactions.
#[async_trait]
pub trait Store: Send + Sync {
    /// The item, or `None`.
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError>;

    /// All items under `pk` whose sort key begins with `prefix`, ascending by sort key, however many there are.
    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError>;

    /// One conditional write. A lost reply is asked for again: so a write that did happen may be answered with
    /// [`WriteOutcome::ConditionFailed`] and its own item. Where that matters, [`transact`](Self::transact) knows better.
    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError>;

    /// All writes or none, on distinct keys, at most [`MAX_TRANSACTION_WRITES`]. `token` (1 to 36 characters) makes a repeated call with the
    /// same writes harmless. Conflicts with transactions in flight are retried inside.
    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError>;
}
