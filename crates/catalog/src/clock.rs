//! Time and unique names, as components that a simulation can replace.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where time and unique names come from.
pub trait Clock: Send + Sync {
    /// Milliseconds since the epoch.
    fn now_ms(&self) -> i64;
    /// A name that nobody else will ever get: 26 characters, sorting by time of making (a ULID).
    fn unique(&self) -> String;
}

/// The system's clock and randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        // A clock before 1970 is a broken machine; the epoch is as good a guess as any.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn unique(&self) -> String {
        ulid::Ulid::generate().to_string()
    }
}
