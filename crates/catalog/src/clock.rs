//! Time and unique names, as components that a simulation can replace.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use ulid::Ulid;

/// Where time, pauses and unique names come from.
pub trait Clock: Send + Sync {
    /// Milliseconds since the epoch.
    fn now_ms(&self) -> i64;
    /// A name that nobody else will ever get: 26 characters, sorting by time of making (a ULID).
    fn unique(&self) -> String;
    /// Comes back after `duration`. Whoever waits for time to pass waits here, so that a simulation can let it pass.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
    /// A random while of at most `most`, so that writers who lost the same race do not meet again.
    fn any_while(&self, most: Duration) -> Duration {
        most.mul_f64(rand::random_range(0.0..=1.0))
    }
}

/// When a name of [`Clock::unique`] was made, milliseconds since the epoch; `None` if it is no such name.
pub fn made_at_ms(name: &str) -> Option<i64> {
    let ulid = Ulid::from_string(name).ok()?;
    i64::try_from(ulid.timestamp_ms()).ok()
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
        Ulid::generate().to_string()
    }
}

/// A clock that stands still until it is set, and whose names follow each other: for tests and simulations.
///
/// Two of them give the same names, so one store wants one clock.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ms: AtomicI64,
    made: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `now_ms`, milliseconds since the epoch.
    pub fn at(now_ms: i64) -> Self {
        Self { now_ms: AtomicI64::new(now_ms), made: AtomicU64::new(0) }
    }

    /// Sets it, forwards or back.
    pub fn set(&self, now_ms: i64) {
        self.now_ms.store(now_ms, Ordering::SeqCst);
    }

    /// Moves it by `ms`.
    pub fn advance(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn unique(&self) -> String {
        // Before the epoch there is no ULID; names stay unique there, which is all that is left to want.
        let time_ms = u64::try_from(self.now_ms()).unwrap_or(0);
        Ulid::from_parts(time_ms, u128::from(self.made.fetch_add(1, Ordering::SeqCst))).to_string()
    }
}
