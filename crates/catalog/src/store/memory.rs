//! The store in memory: for tests, and the reference for what a store does.
//!
//! One mutex makes every operation atomic, so its answers are those of DynamoDB without its delays. It is not
//! durable, and it forgets no transaction token.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Action, Condition, Item, Key, Store, Write, WriteOutcome, check_transaction, check_write};
use crate::error::CatalogError;

/// A [`Store`] that lives as long as the value.
#[derive(Debug, Default)]
pub struct MemoryStore {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    items: BTreeMap<Key, Item>,
    /// Transactions that took place, by token.
    transactions: HashMap<String, Vec<Write>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every item, ascending by key: what a test compares when it must not matter how a state was reached.
    pub fn dump(&self) -> BTreeMap<Key, Item> {
        self.held().items.clone()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here leaves a half-done change behind when it panics: checks come before changes.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn failed_condition(&self, writes: &[Write]) -> Option<WriteOutcome> {
        writes.iter().enumerate().find_map(|(index, write)| {
            let stored = self.items.get(&write.key);
            let holds = write.condition.holds(stored);
            (!holds).then(|| WriteOutcome::ConditionFailed { index, stored: stored.cloned() })
        })
    }

    fn apply(&mut self, write: Write) {
        match write.action {
            Action::Put(item) => {
                self.items.insert(write.key, item);
            }
            Action::Delete => {
                self.items.remove(&write.key);
            }
            Action::Check => {}
        }
    }
}

impl Condition {
    fn holds(&self, stored: Option<&Item>) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => stored.is_none(),
            Self::Equals(expected) => {
                stored.is_some_and(|item| expected.iter().all(|(name, value)| item.get(name) == Some(value)))
            }
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        Ok(self.held().items.get(key).cloned())
    }

    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError> {
        let from = Key::new(pk, prefix);
        Ok(self
            .held()
            .items
            .range(from..)
            .take_while(|(key, _)| key.pk == pk && key.sk.starts_with(prefix))
            .map(|(key, item)| (key.clone(), item.clone()))
            .collect())
    }

    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError> {
        check_write(&write)?;
        let mut held = self.held();
        if let Some(failed) = held.failed_condition(std::slice::from_ref(&write)) {
            return Ok(failed);
        }
        held.apply(write);
        Ok(WriteOutcome::Done)
    }

    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        check_transaction(token, &writes)?;
        let mut held = self.held();
        if let Some(earlier) = held.transactions.get(token) {
            return if *earlier == writes {
                Ok(WriteOutcome::Done)
            } else {
                Err(CatalogError::Refused {
                    operation: "transact",
                    message: format!("token `{token}` was used with other writes"),
                })
            };
        }
        if let Some(failed) = held.failed_condition(&writes) {
            return Ok(failed);
        }
        for write in writes.iter().cloned() {
            held.apply(write);
        }
        held.transactions.insert(token.to_owned(), writes);
        Ok(WriteOutcome::Done)
    }
}
