//! The clock of one process: virtual time, wrong by its own skew, and names from the seed.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use penstock_catalog::clock::Clock;
use ulid::Ulid;

use crate::net::Net;

/// A [`Clock`] over virtual time.
pub(crate) struct SkewedClock {
    net: Arc<Net>,
    skew_ms: i64,
}

impl SkewedClock {
    /// A clock that goes ahead of virtual time by `skew_ms`, or behind it.
    pub(crate) fn new(net: Arc<Net>, skew_ms: i64) -> Self {
        Self { net, skew_ms }
    }
}

impl Clock for SkewedClock {
    fn now_ms(&self) -> i64 {
        self.net.now_ms().saturating_add(self.skew_ms)
    }

    fn unique(&self) -> String {
        let time_ms = u64::try_from(self.now_ms()).unwrap_or(0);
        Ulid::from_parts(time_ms, self.net.unique()).to_string()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.net.sleep(micros(duration)))
    }

    fn any_while(&self, most: Duration) -> Duration {
        Duration::from_micros(self.net.any(micros(most)))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
