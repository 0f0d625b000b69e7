//! How far a job has come, as SHOW prints it.
//!
//! StarRocks shows the last offset that was consumed, not the next one, and words where there is none; what a job has
//! not looked at yet does not appear.

use std::collections::{BTreeMap, BTreeSet};

use penstock_catalog::job::JobSnapshot;
use penstock_kernel::job::{KafkaSource, StartOffset};
use penstock_kernel::progress::SourceProgress;

use crate::json::Object;

/// Source partitions and offsets of a job at one moment.
pub struct Position<'a> {
    snapshot: &'a JobSnapshot,
    source: &'a KafkaSource,
}

/// A place in a source partition, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next offset to load.
    Offset(i64),
    /// The oldest record, wherever that is.
    Beginning,
    /// The end of the log, wherever that is.
    End,
}

impl Next {
    /// The last offset that was consumed, if there is one.
    fn last_offset(self) -> Option<i64> {
        match self {
            Self::Offset(next_offset) if next_offset > 0 => Some(next_offset - 1),
            _ => None,
        }
    }

    fn text(self) -> String {
        match (self, self.last_offset()) {
            (_, Some(last_offset)) => last_offset.to_string(),
            (Self::Beginning, None) => "OFFSET_BEGINNING".to_owned(),
            (Self::End, None) => "OFFSET_END".to_owned(),
            (Self::Offset(_), None) => "OFFSET_ZERO".to_owned(),
        }
    }
}

impl<'a> Position<'a> {
    /// Of the snapshot's job, which reads `source`.
    pub fn new(snapshot: &'a JobSnapshot, source: &'a KafkaSource) -> Self {
        Self { snapshot, source }
    }

    /// The source partitions that the job is known to read, ascending.
    pub fn source_partitions(&self) -> BTreeSet<i32> {
        match &self.source.pinned {
            Some(pinned) => pinned.keys().copied().collect(),
            None => {
                let seen = self.snapshot.progress.keys().chain(self.snapshot.report.latest.keys());
                seen.copied().collect()
            }
        }
    }

    fn progress(&self, source_partition: i32) -> Option<&'a SourceProgress> {
        Some(&self.snapshot.progress.get(&source_partition)?.value)
    }

    /// What is to be loaded next, for every source partition of which that can be said.
    pub fn next(&self) -> BTreeMap<i32, Next> {
        let next = |source_partition: i32| match (self.progress(source_partition), &self.source.pinned) {
            (Some(progress), _) => Some(Next::Offset(progress.next_offset)),
            (None, Some(_)) => match self.source.start_of(source_partition)? {
                StartOffset::Beginning => Some(Next::Beginning),
                StartOffset::End => Some(Next::End),
                StartOffset::At(offset) => Some(Next::Offset(offset)),
            },
            (None, None) => None,
        };
        self.source_partitions()
            .into_iter()
            .filter_map(|source_partition| Some((source_partition, next(source_partition)?)))
            .collect()
    }

    /// High watermarks. What has been read since they were last asked for is certain to exist, and raises them.
    pub fn latest(&self) -> BTreeMap<i32, i64> {
        let read = |source_partition: i32| {
            let progress = self.progress(source_partition)?;
            // Where nothing was read, the job may begin behind the end.
            (progress.statistics.records > 0 || progress.skipped > 0).then_some(progress.next_offset)
        };
        self.source_partitions()
            .into_iter()
            .filter_map(|source_partition| {
                let reported = self.snapshot.report.latest.get(&source_partition).copied();
                Some((source_partition, reported.max(read(source_partition))?))
            })
            .collect()
    }

    /// `Progress`
    pub fn progress_json(&self) -> String {
        object(self.next().into_iter().map(|(number, next)| (number, next.text())))
    }

    /// `TimestampProgress`
    pub fn timestamps_json(&self) -> String {
        object(
            self.source_partitions()
                .into_iter()
                .filter_map(|number| Some((number, self.progress(number)?.last_timestamp_ms?.to_string()))),
        )
    }

    /// `LatestSourcePosition`
    pub fn latest_json(&self) -> String {
        object(self.latest().into_iter().map(|(number, latest)| (number, latest.to_string())))
    }

    /// `OffsetLag`: watermark less the last consumed offset, so that a job that has read everything has a lag of 1.
    pub fn lag_json(&self) -> String {
        let next = self.next();
        object(self.latest().into_iter().filter_map(|(number, latest)| {
            let last_offset = next.get(&number)?.last_offset()?;
            Some((number, latest.saturating_sub(last_offset).max(0).to_string()))
        }))
    }
}

fn object(members: impl Iterator<Item = (i32, String)>) -> String {
    members.fold(Object::default(), |object, (number, text)| object.text(&number.to_string(), text)).print()
}
