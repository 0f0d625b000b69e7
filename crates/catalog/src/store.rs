//! The few operations that the catalog needs of a key-value store, shaped so that DynamoDB has each of them.
//!
//! Items live under a partition key and a sort key. All reads are consistent. There is no scan.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::error::CatalogError;

pub mod memory;

/// Where an item lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
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

/// A key-value store with conditional writes and small transactions.
#[async_trait]
pub trait Store: Send + Sync {
    /// The item, or `None`.
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError>;

    /// All items under `pk` whose sort key begins with `prefix`, ascending by sort key, however many there are.
    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError>;

    /// One conditional write.
    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError>;

    /// All writes or none, on distinct keys, at most [`MAX_TRANSACTION_WRITES`]. `token` (1 to 36 characters) makes a repeated call with the
    /// same writes harmless. Conflicts with transactions in flight are retried inside.
    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError>;
}
