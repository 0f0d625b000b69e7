//! Cuts records into batches: pure, told the time, so that every cut can be tested with values alone.
//!
//! The rules are those of the event source mapping. A batch closes when it is full (records, or bytes of its event), or
//! when its first record has waited for the window. It may hold records of several source partitions, those of one in order
//! of offset. A source partition with a batch in flight waits until that one has ended.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::event::{EncodedRecord, Envelope};

/// Most bytes of an event: the payload limit of a synchronous invocation.
pub const MAX_EVENT_BYTES: usize = 6_291_456;

/// When a batch closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records it holds at most, at least 1.
    pub records: usize,
    /// How long its first record waits for more.
    pub window: Duration,
    /// Bytes of its event. A single record whose event is longer is delivered alone all the same: AWS would drop it
    /// or send it to a failure destination, and nothing may be lost here.
    pub bytes: usize,
}

/// Records that wait, by source partition, and which source partitions have a batch in flight.
#[derive(Debug)]
pub struct Batcher {
    limits: Limits,
    envelope: Envelope,
    queues: BTreeMap<i32, Queue>,
    waiting_bytes: usize,
}

#[derive(Debug, Default)]
struct Queue {
    records: VecDeque<(Instant, EncodedRecord)>,
    bytes: usize,
    in_flight: bool,
}

/// A closed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The event.
    pub event: Bytes,
    /// Its records.
    pub records: usize,
    /// For each of its source partitions, the offset after its last record: the group's position once it has ended.
    pub next_offsets: BTreeMap<i32, i64>,
}

impl Batcher {
    /// No records yet.
    pub fn new(limits: Limits, envelope: Envelope) -> Self {
        Self { limits, envelope, queues: BTreeMap::new(), waiting_bytes: 0 }
    }

    /// Adds a record that was read at `now`. Records of a source partition must come in order of offset.
    pub fn push(&mut self, now: Instant, record: EncodedRecord) {
        let queue = self.queues.entry(record.source_partition).or_default();
        queue.bytes += record.json.len();
        self.waiting_bytes += record.json.len();
        queue.records.push_back((now, record));
    }

    /// The next batch, if one is to be closed at `now`. Its source partitions are in flight from here on.
    pub fn cut(&mut self, now: Instant) -> Option<Batch> {
        let order = self.order();
        let due =
            order.first().is_some_and(|(arrived, _)| now.saturating_duration_since(*arrived) >= self.limits.window);
        if !due && !self.is_full(&order) {
            return None;
        }
        let mut taken: BTreeMap<i32, Vec<EncodedRecord>> = BTreeMap::new();
        let mut records = 0;
        let mut bytes = self.envelope.empty_len();
        'order: for (_, source_partition) in order {
            let Some(queue) = self.queues.get_mut(&source_partition) else {
                continue;
            };
            let mut overhead = self.envelope.source_partition_len(source_partition);
            while let Some((_, record)) = queue.records.front() {
                let length = record.json.len() + 1;
                let fits = bytes + overhead + length <= self.limits.bytes || records == 0;
                if records >= self.limits.records || !fits {
                    break 'order;
                }
                let Some((_, record)) = queue.records.pop_front() else {
                    break;
                };
                bytes += overhead + length;
                overhead = 0;
                records += 1;
                queue.bytes -= record.json.len();
                self.waiting_bytes -= record.json.len();
                queue.in_flight = true;
                taken.entry(source_partition).or_default().push(record);
            }
        }
        let next_offsets = taken
            .iter()
            .filter_map(|(source_partition, list)| {
                list.last().map(|last| (*source_partition, last.offset.saturating_add(1)))
            })
            .collect();
        Some(Batch { event: self.envelope.event(&taken), records, next_offsets })
    }

    /// When [`cut`](Self::cut) will next close a batch if nothing else happens; `None` if it will not.
    pub fn next_cut(&self) -> Option<Instant> {
        self.free().map(|(arrived, _)| arrived).min().map(|arrived| arrived + self.limits.window)
    }

    /// The batch that held these source partitions has ended well.
    pub fn release(&mut self, source_partitions: impl IntoIterator<Item = i32>) {
        for source_partition in source_partitions {
            if let Some(queue) = self.queues.get_mut(&source_partition) {
                queue.in_flight = false;
            }
        }
    }

    /// Bytes of the records that wait, those in flight not included.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Bytes of the records of one source partition that wait.
    pub fn waiting_bytes_of(&self, source_partition: i32) -> usize {
        self.queues.get(&source_partition).map_or(0, |queue| queue.bytes)
    }

    /// Arrival of the first record of each source partition that may be delivered.
    fn free(&self) -> impl Iterator<Item = (Instant, i32)> + '_ {
        self.queues.iter().filter(|(_, queue)| !queue.in_flight).filter_map(|(source_partition, queue)| {
            queue.records.front().map(|(arrived, _)| (*arrived, *source_partition))
        })
    }

    /// The same, longest waiting first.
    fn order(&self) -> Vec<(Instant, i32)> {
        let mut order: Vec<_> = self.free().collect();
        order.sort_unstable();
        order
    }

    fn is_full(&self, order: &[(Instant, i32)]) -> bool {
        let mut records = 0;
        let mut bytes = self.envelope.empty_len();
        for (_, source_partition) in order {
            let Some(queue) = self.queues.get(source_partition) else {
                continue;
            };
            records += queue.records.len();
            bytes += queue.bytes + queue.records.len() + self.envelope.source_partition_len(*source_partition);
        }
        records >= self.limits.records || bytes >= self.limits.bytes
    }
}

#[cfg(test)]
mod tests;
