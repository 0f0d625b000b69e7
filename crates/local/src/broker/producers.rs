//! What idempotent producers sent last to one source partition.
//!
//! A producer that repeats a batch, because the answer got lost, must not have it stored twice; one that skipped a
//! batch must not have a later one stored before it. For that the last [`REMEMBERED_BATCHES`] batches of each producer
//! are kept, which is as many as a client may have in flight. All of it is derived from the batches in the log, so it
//! survives a kill with them. This is not the allocation of producer ids.

use std::collections::{HashMap, VecDeque};

use super::log::batch::{BatchHeader, sequence_after};

/// How many batches a client may have unanswered: the protocol's limit of requests in flight.
const REMEMBERED_BATCHES: usize = 5;

/// How many producers one source partition remembers; the one that wrote longest ago is forgotten first. A forgotten
/// producer may go on at any sequence number, as if it were new.
const REMEMBERED_PRODUCERS: usize = 2_000;

/// The producers of one source partition, by id.
#[derive(Debug, Default)]
pub(crate) struct ProducerStates {
    producers: HashMap<i64, Producer>,
}

#[derive(Debug)]
struct Producer {
    epoch: i16,
    /// Oldest first, all of `epoch`.
    batches: VecDeque<Sent>,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    base_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
}

/// What to do with a batch that is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sequenced {
    /// Store it.
    New,
    /// It is stored already, from this offset on.
    Duplicate {
        /// Where its first record lies.
        base_offset: i64,
    },
}

/// Why a batch may not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SequenceError {
    #[error("expected sequence {expected}, found {found}")]
    OutOfOrder { expected: i32, found: i32 },
    #[error("epoch {found} was replaced by {current}")]
    Fenced { current: i16, found: i16 },
}

impl ProducerStates {
    /// Decides about a batch before it is stored. A batch of a producer that does not number them is always new.
    ///
    /// | epoch | sequence | outcome |
    /// |---|---|---|
    /// | older than the producer's | any | fenced |
    /// | the producer's | equal to a remembered batch's | duplicate |
    /// | the producer's | the next | new |
    /// | the producer's | any other | out of order |
    /// | newer | 0 | new |
    /// | newer | any other | out of order |
    /// | producer unknown | any | new |
    pub(crate) fn check(&self, header: &BatchHeader) -> Result<Sequenced, SequenceError> {
        if !header.is_idempotent() {
            return Ok(Sequenced::New);
        }
        let Some(producer) = self.producers.get(&header.producer_id) else {
            return Ok(Sequenced::New);
        };
        if header.producer_epoch < producer.epoch {
            return Err(SequenceError::Fenced { current: producer.epoch, found: header.producer_epoch });
        }
        let mut expected = 0;
        if header.producer_epoch == producer.epoch {
            let sent = (header.base_sequence, header.last_sequence());
            let same = |batch: &&Sent| (batch.base_sequence, batch.last_sequence) == sent;
            if let Some(batch) = producer.batches.iter().find(same) {
                return Ok(Sequenced::Duplicate { base_offset: batch.base_offset });
            }
            expected = producer.batches.back().map_or(0, |batch| sequence_after(batch.last_sequence, 1));
        }
        if header.base_sequence == expected {
            Ok(Sequenced::New)
        } else {
            Err(SequenceError::OutOfOrder { expected, found: header.base_sequence })
        }
    }

    /// Notes a batch that is in the log, `header` holding the offsets that it has there.
    pub(crate) fn note(&mut self, header: &BatchHeader) {
        if !header.is_idempotent() {
            return;
        }
        if self.producers.len() >= REMEMBERED_PRODUCERS && !self.producers.contains_key(&header.producer_id) {
            self.forget_oldest();
        }
        let producer = self
            .producers
            .entry(header.producer_id)
            .or_insert_with(|| Producer { epoch: header.producer_epoch, batches: VecDeque::new() });
        if producer.epoch != header.producer_epoch {
            producer.epoch = header.producer_epoch;
            producer.batches.clear();
        }
        if producer.batches.len() == REMEMBERED_BATCHES {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Sent {
            base_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset: header.base_offset,
        });
    }

    fn forget_oldest(&mut self) {
        let last_write = |producer: &Producer| producer.batches.back().map(|batch| batch.base_offset);
        let oldest = self.producers.iter().min_by_key(|(_, producer)| last_write(producer)).map(|(id, _)| *id);
        oldest.map(|id| self.producers.remove(&id));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::log::batch::samples::Sample, *};

    fn batch(epoch: i16, base_sequence: i32, records: usize, base_offset: i64) -> BatchHeader {
        let mut sample = Sample::of(&vec![1; records]);
        sample.producer = Some((7, epoch, base_sequence));
        BatchHeader { base_offset, ..BatchHeader::parse(&sample.bytes()).unwrap() }
    }

    #[test]
    fn each_of_the_last_five_batches_is_recognised_and_the_sixth_is_not() {
        let mut states = ProducerStates::default();
        for sequence in 0..6 {
            states.note(&batch(0, sequence, 1, 100 + i64::from(sequence)));
        }
        for sequence in 1..6 {
            let base_offset = 100 + i64::from(sequence);
            assert_eq!(states.check(&batch(0, sequence, 1, 0)), Ok(Sequenced::Duplicate { base_offset }));
        }
        assert_eq!(states.check(&batch(0, 0, 1, 0)), Err(SequenceError::OutOfOrder { expected: 6, found: 0 }));
        assert_eq!(states.check(&batch(0, 6, 1, 0)), Ok(Sequenced::New));
    }

    #[test]
    fn a_gap_is_out_of_order() {
        let mut states = ProducerStates::default();
        states.note(&batch(0, 0, 3, 0));
        assert_eq!(states.check(&batch(0, 4, 1, 0)), Err(SequenceError::OutOfOrder { expected: 3, found: 4 }));
    }

    #[test]
    fn an_older_epoch_is_fenced_and_a_newer_starts_at_zero() {
        let mut states = ProducerStates::default();
        states.note(&batch(2, 0, 1, 0));
        assert_eq!(states.check(&batch(1, 1, 1, 0)), Err(SequenceError::Fenced { current: 2, found: 1 }));
        assert_eq!(states.check(&batch(3, 1, 1, 0)), Err(SequenceError::OutOfOrder { expected: 0, found: 1 }));
        assert_eq!(states.check(&batch(3, 0, 1, 0)), Ok(Sequenced::New));
    }

    #[test]
    fn an_unknown_producer_may_start_anywhere() {
        assert_eq!(ProducerStates::default().check(&batch(4, 9, 1, 0)), Ok(Sequenced::New));
    }
}
