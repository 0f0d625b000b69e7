//! What loading used of what a bill counts.

use serde::{Deserialize, Serialize};

/// Sums over the batches that one source partition led, since they are counted: its lowest one leads a commit. Batches that
/// failed, or brought nothing new, are in none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// When the first of them began, milliseconds since the epoch.
    pub since_ms: i64,
    /// When the last one was about to be committed, milliseconds since the epoch.
    pub until_ms: i64,
    /// Their records.
    pub records: u64,
    /// Bytes of their records' values.
    pub received_bytes: u64,
    /// Bytes of the events that brought them, values in base64 and whatever else included.
    pub event_bytes: u64,
    /// Invocations of the function.
    pub invocations: u64,
    /// Time of the function until the commit, milliseconds.
    pub milliseconds: u64,
    /// The same times the function's memory in megabytes, of those functions that know it.
    pub megabyte_ms: u64,
    /// Objects put.
    pub puts: u64,
    /// Write units of the commits' transactions.
    pub write_units: u64,
}

impl Usage {
    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what was counted elsewhere, or later.
    pub fn add(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        self.since_ms = if self.is_empty() { other.since_ms } else { self.since_ms.min(other.since_ms) };
        self.until_ms = self.until_ms.max(other.until_ms);
        for (sum, more) in [
            (&mut self.records, other.records),
            (&mut self.received_bytes, other.received_bytes),
            (&mut self.event_bytes, other.event_bytes),
            (&mut self.invocations, other.invocations),
            (&mut self.milliseconds, other.milliseconds),
            (&mut self.megabyte_ms, other.megabyte_ms),
            (&mut self.puts, other.puts),
            (&mut self.write_units, other.write_units),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_span_from_the_first_to_the_last() {
        let usage = |since_ms, until_ms, puts| Usage { since_ms, until_ms, puts, ..Usage::default() };
        let mut sum = Usage::default();
        for other in [Usage::default(), usage(50, 60, 1), usage(10, 20, 2), Usage::default()] {
            sum.add(&other);
        }
        assert_eq!(sum, usage(10, 60, 3));
    }
}
