//! What was read before and can never change: kept by name up to so many bytes; what was asked for least recently goes
//! first. It saves a read, and nothing is wrong without it.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Values of any type by name. A clone keeps the same values.
#[derive(Clone, Default)]
pub struct Kept {
    limit: usize,
    values: Arc<Mutex<Values>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Values {
    by_name: HashMap<Arc<str>, Value>,
    /// Names by when they were asked for last.
    by_age: BTreeMap<u64, Arc<str>>,
    bytes: usize,
    /// Counts what was asked for.
    asked: u64,
}

struct Value {
    value: Arc<dyn Any + Send + Sync>,
    bytes: usize,
    asked: u64,
}

impl Kept {
    /// Keeps values of `limit` bytes in all, as whoever puts them says; the default keeps none.
    pub fn up_to(limit: usize) -> Self {
        Self { limit, values: Arc::default() }
    }

    /// Whether a value of so many bytes would be kept.
    pub fn takes(&self, bytes: usize) -> bool {
        bytes <= self.limit
    }

    /// The value of that name, if it is there and a `T`.
    pub fn get<T: Send + Sync + 'static>(&self, name: &str) -> Option<Arc<T>> {
        // A poisoned lock only means that another thread ended between whole values.
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let values = &mut *values;
        values.asked += 1;
        let found = values.by_name.get_mut(name)?;
        if let Some(name) = values.by_age.remove(&found.asked) {
            values.by_age.insert(values.asked, name);
        }
        found.asked = values.asked;
        Arc::clone(&found.value).downcast().ok()
    }

    /// Keeps a value that takes about `bytes`; one that alone is more than the limit is not kept.
    pub fn put<T: Send + Sync + 'static>(&self, name: String, value: Arc<T>, bytes: usize) {
        if !self.takes(bytes) {
            return;
        }
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let values = &mut *values;
        values.asked += 1;
        let (name, asked): (Arc<str>, u64) = (name.into(), values.asked);
        if let Some(before) = values.by_name.insert(Arc::clone(&name), Value { value, bytes, asked }) {
            values.bytes = values.bytes.saturating_sub(before.bytes);
            values.by_age.remove(&before.asked);
        }
        values.by_age.insert(asked, name);
        values.bytes = values.bytes.saturating_add(bytes);
        while values.bytes > self.limit
            && let Some((_, oldest)) = values.by_age.pop_first()
            && let Some(gone) = values.by_name.remove(&oldest)
        {
            values.bytes = values.bytes.saturating_sub(gone.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_recently_used_goes_first() {
        let kept = Kept::up_to(20);
        for name in ["a", "b"] {
            kept.put(name.to_owned(), Arc::new(name.to_owned()), 10);
        }
        assert_eq!(*kept.get::<String>("a").unwrap(), "a");
        kept.put("c".to_owned(), Arc::new("c".to_owned()), 10);
        assert!(kept.get::<String>("b").is_none());
        assert!(kept.get::<String>("a").is_some() && kept.get::<String>("c").is_some());
    }

    #[test]
    fn bytes_never_exceed_the_limit() {
        let kept = Kept::up_to(20);
        kept.put("large".to_owned(), Arc::new(1), 21);
        assert!(kept.get::<i32>("large").is_none());
        for number in 0..100 {
            kept.put("same".to_owned(), Arc::new(number), 15);
        }
        assert_eq!(*kept.get::<i32>("same").unwrap(), 99);
        assert_eq!(kept.values.lock().unwrap().bytes, 15);
        assert!(kept.get::<String>("same").is_none(), "of another type");
    }

    #[test]
    fn default_keeps_nothing() {
        let kept = Kept::default();
        kept.put("a".to_owned(), Arc::new(1), 1);
        assert!(kept.get::<i32>("a").is_none());
    }
}
