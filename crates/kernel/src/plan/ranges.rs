//! Counts per source partition.

use crate::batch::Record;
use crate::loaded::{LoadStatistics, RangeOutcome, RejectedRows};

/// What became of each source partition so far.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    ranges: Vec<RangeOutcome>,
    current: usize,
}

impl Ranges {
    /// Counts a record.
    pub(super) fn meet(&mut self, record: &Record<'_>) {
        let range = self.of(record);
        range.first_offset = range.first_offset.min(record.offset);
        if record.offset >= range.last_offset {
            range.last_offset = record.offset;
            range.last_timestamp_ms = record.timestamp_ms;
        }
        range.max_timestamp_ms = range.max_timestamp_ms.max(record.timestamp_ms);
        range.statistics.records += 1;
        range.statistics.received_bytes += record.value.map_or(0, <[u8]>::len) as u64;
    }

    /// Counts rows that the record met last has given.
    pub(super) fn count_rows(&mut self, rows: u64) {
        if let Some(range) = self.ranges.get_mut(self.current) {
            range.statistics.total += rows;
        }
    }

    /// Counts a row of that source partition that WHERE left out.
    pub(super) fn count_unselected(&mut self, source_partition: i32) {
        if let Some(range) = self.ranges.iter_mut().find(|range| range.source_partition == source_partition) {
            range.statistics.unselected += 1;
        }
    }

    /// The outcome of each source partition, ascending, and the sum of all.
    pub(super) fn finish(mut self, rejected: &RejectedRows) -> (Vec<RangeOutcome>, LoadStatistics) {
        self.ranges.sort_by_key(|range| range.source_partition);
        for (source_partition, rows) in rejected.counts() {
            let found = self.ranges.binary_search_by_key(&source_partition, |range| range.source_partition);
            if let Some(range) = found.ok().and_then(|place| self.ranges.get_mut(place)) {
                range.statistics.rejected += rows;
            }
        }
        let mut sum = LoadStatistics::default();
        for RangeOutcome { statistics, .. } in &mut self.ranges {
            statistics.loaded = statistics.total - statistics.rejected - statistics.unselected;
            sum += *statistics;
        }
        (self.ranges, sum)
    }

    /// The range of the record's source partition; records of one come one after another, so it is mostly the last.
    fn of(&mut self, record: &Record<'_>) -> &mut RangeOutcome {
        let source_partition = record.source_partition;
        let is_current = |range: &RangeOutcome| range.source_partition == source_partition;
        if !self.ranges.get(self.current).is_some_and(is_current) {
            self.current = self.ranges.iter().position(is_current).unwrap_or(self.ranges.len());
        }
        if self.current == self.ranges.len() {
            self.ranges.push(RangeOutcome {
                source_partition,
                first_offset: record.offset,
                last_offset: record.offset,
                max_timestamp_ms: None,
                last_timestamp_ms: None,
                statistics: LoadStatistics::default(),
            });
        }
        match self.ranges.get_mut(self.current) {
            Some(range) => range,
            None => unreachable!("`current` is a place, or was just filled"),
        }
    }
}
