//! The connections that are open: for SHOW PROCESSLIST, KILL, and the bound on their number.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// All open connections.
#[derive(Default)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    last: u32,
    entries: BTreeMap<u32, Arc<Entry>>,
}

/// An open connection as others see it.
pub(crate) struct Entry {
    /// Its number.
    pub(crate) connection: u32,
    /// Address and port of the client.
    pub(crate) peer: String,
    activity: Mutex<Activity>,
    interrupt: Notify,
    close: Notify,
}

/// What a connection does.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) user: String,
    pub(crate) database: Option<String>,
    /// The command that runs, or `Sleep`.
    pub(crate) command: &'static str,
    /// The statement's beginning.
    pub(crate) statement: Option<String>,
    /// Since when it does this.
    pub(crate) since: Instant,
}

/// What KILL ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    /// The running statement; the connection goes on.
    Query,
    /// The connection.
    Connection,
}

impl Registry {
    /// Adds a connection; `None` if there are `most` already. Numbers are not used again before they run out.
    pub(crate) fn add(&self, peer: String, most: usize) -> Option<Arc<Entry>> {
        let mut inner = lock(&self.inner);
        if inner.entries.len() >= most {
            return None;
        }
        loop {
            inner.last = inner.last.wrapping_add(1).max(1);
            if !inner.entries.contains_key(&inner.last) {
                break;
            }
        }
        let activity = Activity {
            user: "unauthenticated user".to_owned(),
            database: None,
            command: "Connect",
            statement: None,
            since: Instant::now(),
        };
        let entry = Arc::new(Entry {
            connection: inner.last,
            peer,
            activity: Mutex::new(activity),
            interrupt: Notify::new(),
            close: Notify::new(),
        });
        inner.entries.insert(entry.connection, Arc::clone(&entry));
        Some(entry)
    }

    pub(crate) fn remove(&self, connection: u32) {
        lock(&self.inner).entries.remove(&connection);
    }

    /// Every open connection, by number.
    pub(crate) fn all(&self) -> Vec<Arc<Entry>> {
        lock(&self.inner).entries.values().cloned().collect()
    }

    /// Ends what `kill` says; false if there is no such connection.
    pub(crate) fn kill(&self, connection: u32, kill: Kill) -> bool {
        let entry = lock(&self.inner).entries.get(&connection).cloned();
        let Some(entry) = entry else {
            return false;
        };
        match kill {
            // Only a statement that runs now is meant, not the next one.
            Kill::Query => entry.interrupt.notify_waiters(),
            Kill::Connection => entry.close.notify_one(),
        }
        true
    }
}

impl Entry {
    pub(crate) fn activity(&self) -> Activity {
        lock(&self.activity).clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Activity)) {
        change(&mut lock(&self.activity));
    }

    /// Waits for KILL QUERY.
    pub(crate) async fn interrupted(&self) {
        self.interrupt.notified().await;
    }

    /// Waits for KILL.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }
}

/// A holder that panicked left whole values behind: each change here is one assignment or insertion.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_connections_is_bounded_and_freed() {
        let registry = Registry::default();
        let first = registry.add("a".to_owned(), 1).unwrap();
        assert!(registry.add("b".to_owned(), 1).is_none());
        registry.remove(first.connection);
        assert_eq!(registry.add("c".to_owned(), 1).unwrap().connection, 2);
    }

    #[tokio::test]
    async fn kill_reaches_the_connection_even_before_it_waits() {
        let registry = Registry::default();
        let entry = registry.add("a".to_owned(), 1).unwrap();
        assert!(registry.kill(entry.connection, Kill::Connection));
        entry.closed().await;
        assert!(!registry.kill(99, Kill::Query));
    }
}
