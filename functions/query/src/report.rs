//! What a query did, counted while it runs, and its one line in the log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use penstock_sql::error::SqlError;

/// Counts of one query. Shared by all parts that work on it.
#[derive(Debug)]
pub(crate) struct Report {
    started: Instant,
    /// Files that the commits of the scanned tables name, once a scan.
    pub(crate) files: AtomicU64,
    /// Files that statistics ruled out before any was opened.
    pub(crate) pruned: AtomicU64,
    /// Requests to object stores.
    pub(crate) requests: AtomicU64,
    /// Bytes asked of object stores.
    pub(crate) bytes: AtomicU64,
    /// Rows answered.
    pub(crate) rows: AtomicU64,
    /// The first failure of an object store, as it said it.
    storage_failure: Mutex<Option<String>>,
    logged: Mutex<bool>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            files: AtomicU64::new(0),
            pruned: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            storage_failure: Mutex::new(None),
            logged: Mutex::new(false),
        }
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn storage_failed(&self, error: &object_store::Error) {
        // A poisoned lock only means that another thread ended between whole values.
        self.storage_failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
    }

    /// What the object store said when it failed, if it did.
    pub(crate) fn storage_failure(&self) -> Option<String> {
        self.storage_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes the query's line, the first time it is called.
    pub(crate) fn log(&self, outcome: Outcome<'_>) {
        if std::mem::replace(&mut *self.logged.lock().unwrap_or_else(PoisonError::into_inner), true) {
            return;
        }
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (files, pruned) = (count(&self.files), count(&self.pruned));
        let (requests, bytes, rows) = (count(&self.requests), count(&self.bytes), count(&self.rows));
        let milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match outcome {
            Outcome::Answered => {
                tracing::info!(rows, files, pruned, requests, bytes, milliseconds, "query answered");
            }
            Outcome::Left => {
                tracing::info!(rows, files, pruned, requests, bytes, milliseconds, "query left by its client");
            }
            // The client's statement was wrong, or a service did not answer: both are told to the client.
            Outcome::Failed(error, cause) => {
                let message = error.message.as_str();
                tracing::warn!(
                    code = error.code,
                    error = message,
                    cause,
                    rows,
                    files,
                    pruned,
                    requests,
                    bytes,
                    milliseconds,
                    "query failed"
                );
            }
        }
    }
}

/// How a query ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome<'a> {
    /// All rows were taken.
    Answered,
    /// The client went before the last row.
    Left,
    /// With an error, and what was behind it if that says more.
    Failed(&'a SqlError, Option<&'a str>),
}
