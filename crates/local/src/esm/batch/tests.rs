//! Where batches are cut.

use proptest::prelude::*;

use super::super::event::EventSource;
use super::*;

const WINDOW: Duration = Duration::from_secs(10);

fn batcher(records: usize, bytes: usize) -> Batcher {
    let envelope = Envelope::new(&EventSource::SelfManaged, &["a:9092".to_owned()], "t");
    Batcher::new(Limits { records, window: WINDOW, bytes }, envelope)
}

fn record(source_partition: i32, offset: i64, length: usize) -> EncodedRecord {
    EncodedRecord { source_partition, offset, json: vec![b'1'; length] }
}

#[test]
fn batch_closes_when_it_is_full() {
    let start = Instant::now();
    let mut batcher = batcher(3, MAX_EVENT_BYTES);
    batcher.push(start, record(0, 0, 1));
    batcher.push(start, record(0, 1, 1));
    assert_eq!(batcher.cut(start), None);
    batcher.push(start, record(0, 2, 1));
    batcher.push(start, record(0, 3, 1));
    let batch = batcher.cut(start).unwrap();
    assert_eq!((batch.records, batch.next_offsets), (3, BTreeMap::from([(0, 3)])));
}

#[test]
fn batch_closes_when_its_first_record_has_waited() {
    let start = Instant::now();
    let mut batcher = batcher(100, MAX_EVENT_BYTES);
    assert_eq!(batcher.next_cut(), None);
    batcher.push(start, record(0, 7, 1));
    batcher.push(start + WINDOW / 2, record(1, 9, 1));
    assert_eq!(batcher.next_cut(), Some(start + WINDOW));
    assert_eq!(batcher.cut(start + WINDOW - Duration::from_millis(1)), None);
    let batch = batcher.cut(start + WINDOW).unwrap();
    assert_eq!(batch.next_offsets, BTreeMap::from([(0, 8), (1, 10)]));
}

#[test]
fn source_partition_in_flight_waits_and_others_do_not() {
    let start = Instant::now();
    let mut batcher = batcher(1, MAX_EVENT_BYTES);
    batcher.push(start, record(0, 0, 1));
    batcher.push(start, record(0, 1, 1));
    let first = batcher.cut(start).unwrap();
    assert_eq!(batcher.cut(start + WINDOW), None);
    batcher.push(start, record(1, 0, 1));
    assert_eq!(batcher.cut(start).unwrap().next_offsets, BTreeMap::from([(1, 1)]));
    batcher.release(first.next_offsets.into_keys());
    assert_eq!(batcher.cut(start).unwrap().next_offsets, BTreeMap::from([(0, 2)]));
}

#[test]
fn event_never_exceeds_the_limit_of_bytes() {
    let start = Instant::now();
    let mut batcher = batcher(10_000, 1_000);
    for offset in 0..50 {
        batcher.push(start, record(0, offset, 100));
    }
    let batch = batcher.cut(start).unwrap();
    assert!(batch.event.len() <= 1_000 && batch.event.len() > 850, "{}", batch.event.len());
}

#[test]
fn record_beyond_the_limit_is_delivered_alone() {
    let start = Instant::now();
    let mut batcher = batcher(10, 1_000);
    batcher.push(start, record(0, 0, 5_000));
    batcher.push(start, record(0, 1, 1));
    assert_eq!(batcher.cut(start).unwrap().records, 1);
}

proptest! {
    /// Every record leaves once, in order within its source partition, within the limits.
    #[test]
    fn every_record_is_delivered_once_in_order(
        records in prop::collection::vec((0_i32..4, 1_usize..400), 1..200),
        limit in 1_usize..20,
        release_later in prop::collection::vec(any::<bool>(), 200),
    ) {
        let start = Instant::now();
        let mut batcher = batcher(limit, 1_000);
        let mut next = BTreeMap::new();
        for (source_partition, length) in &records {
            let offset = next.entry(*source_partition).or_insert(0_i64);
            batcher.push(start, record(*source_partition, *offset, *length));
            *offset += 1;
        }
        let mut delivered = 0;
        let mut reached: BTreeMap<i32, i64> = BTreeMap::new();
        let mut in_flight: Vec<i32> = Vec::new();
        let mut later = release_later.into_iter();
        loop {
            let Some(batch) = batcher.cut(start + WINDOW) else {
                if in_flight.is_empty() { break }
                batcher.release(in_flight.drain(..));
                continue;
            };
            prop_assert!(batch.records >= 1 && batch.records <= limit);
            prop_assert!(batch.event.len() <= 1_000);
            delivered += batch.records;
            for (source_partition, next_offset) in &batch.next_offsets {
                prop_assert!(!in_flight.contains(source_partition));
                let before = reached.insert(*source_partition, *next_offset).unwrap_or(0);
                prop_assert!(before < *next_offset);
            }
            if later.next().unwrap_or(false) {
                in_flight.extend(batch.next_offsets.into_keys());
            } else {
                batcher.release(batch.next_offsets.into_keys());
            }
        }
        prop_assert_eq!(delivered, records.len());
        prop_assert_eq!(reached, next);
        prop_assert_eq!(batcher.waiting_bytes(), 0);
    }
}
