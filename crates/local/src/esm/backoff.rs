//! How long to wait before the next try, and how often to tell a person about the same trouble.

use std::time::{Duration, Instant};

/// Waits that double from `first` to `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// The longest wait. Raising it spares a broken function; lowering it notices sooner that it works again.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), cap: Duration::from_secs(10) }
    }
}

impl Backoff {
    /// The wait after `failures` failures in a row, counted from 1.
    pub fn after(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.cap)
    }
}

/// Lets the same message through at most once in an interval, and another one at once.
#[derive(Debug)]
pub struct Quiet {
    interval: Duration,
    last: Option<(Instant, String)>,
}

impl Quiet {
    /// Nothing said yet.
    pub fn new(interval: Duration) -> Self {
        Self { interval, last: None }
    }

    /// Whether `message` is to be said at `now`; it counts as said then.
    pub fn admits(&mut self, now: Instant, message: &str) -> bool {
        let repeated = self
            .last
            .as_ref()
            .is_some_and(|(at, said)| said == message && now.saturating_duration_since(*at) < self.interval);
        if !repeated {
            self.last = Some((now, message.to_owned()));
        }
        !repeated
    }

    /// What was said last is over: the same message is news again.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let waits: Vec<u128> = (1..=7).map(|failures| Backoff::default().after(failures).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        assert_eq!(Backoff::default().after(u32::MAX), Duration::from_secs(10));
    }

    #[test]
    fn same_message_is_said_once_an_interval() {
        let start = Instant::now();
        let mut quiet = Quiet::new(Duration::from_secs(30));
        assert!(quiet.admits(start, "a"));
        assert!(!quiet.admits(start + Duration::from_secs(29), "a"));
        assert!(quiet.admits(start + Duration::from_secs(29), "b"));
        assert!(quiet.admits(start + Duration::from_secs(30), "a"));
        quiet.forget();
        assert!(quiet.admits(start + Duration::from_secs(30), "a"));
    }
}
