//! What registries said, for as long as it holds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use penstock_kernel::facts::SchemaFact;
use penstock_kernel::ids::SchemaId;
use tokio::time::Instant;

use super::RegistrySettings;

/// Facts by registry and id.
#[derive(Debug)]
pub(super) struct Cache {
    facts: Mutex<HashMap<(String, SchemaId), Kept>>,
    max: usize,
    keep_unusable: Duration,
}

#[derive(Debug)]
struct Kept {
    fact: SchemaFact,
    /// For what may change: an unknown id may be registered later.
    until: Option<Instant>,
}

impl Cache {
    pub(super) fn new(settings: &RegistrySettings) -> Self {
        Self { facts: Mutex::default(), max: settings.max_kept, keep_unusable: settings.keep_unusable }
    }

    pub(super) fn get(&self, url: &str, id: SchemaId) -> Option<SchemaFact> {
        let facts = self.lock();
        let kept = facts.get(&(url.to_owned(), id))?;
        let holds = kept.until.is_none_or(|until| Instant::now() < until);
        holds.then(|| kept.fact.clone())
    }

    pub(super) fn put(&self, url: &str, id: SchemaId, fact: SchemaFact) {
        let until = match &fact {
            SchemaFact::Avro(_) => None,
            SchemaFact::Unusable(_) => Some(Instant::now() + self.keep_unusable),
        };
        let mut facts = self.lock();
        if facts.len() >= self.max {
            // What does not hold any more goes first; then, rather than keep books for a case that is rare, all.
            let now = Instant::now();
            facts.retain(|_, kept| kept.until.is_none_or(|until| now < until));
            if facts.len() >= self.max {
                facts.clear();
            }
        }
        facts.insert((url.to_owned(), id), Kept { fact, until });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, SchemaId), Kept>> {
        // Poison only means that another thread ended while it held the lock; entries are whole always.
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
