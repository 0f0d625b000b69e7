//! Aliases of functions: names that an invocation can carry. All of them mean the one version that there is.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The aliases of all functions. They are not kept: those of mappings are known again at each start.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    descriptions: Mutex<BTreeMap<String, String>>,
}

impl Aliases {
    /// Whether it is new.
    pub(super) fn put(&self, name: &str, description: &str) -> bool {
        let mut aliases = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
        if aliases.contains_key(name) {
            return false;
        }
        aliases.insert(name.to_owned(), description.to_owned());
        true
    }

    /// Its description.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.descriptions.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// One that is gone is success.
    pub(super) fn remove(&self, name: &str) {
        self.descriptions.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}
