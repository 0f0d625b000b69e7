//! The topic as it is simulated: logs that grow, expire, get compacted, and vanish with their topic.
//!
//! Records are kept for ever here, gone ones marked so: the model asks what was there at which time.

use std::collections::BTreeMap;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// One row.
    Row,
    /// Two rows.
    TwoRows,
    /// A row, and one without its key column, which is rejected.
    RowAndRejected,
    /// A row without its key column: rejected.
    Rejected,
    /// No JSON: rejected as a whole.
    Broken,
    /// No value: no row.
    Tombstone,
}

/// A record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// Which life of the topic it belongs to.
    pub(crate) life: u8,
    pub(crate) source_partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
    pub(crate) content: Content,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// `None` for a transaction marker.
    record: Option<Record>,
    compacted: bool,
}

/// One source partition's log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    entries: Vec<Entry>,
    start_offset: i64,
}

/// The one topic of a simulation, with its earlier lives.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    life: u8,
    logs: Vec<Log>,
}

impl Log {
    pub(crate) fn start_offset(&self) -> i64 {
        self.start_offset
    }

    pub(crate) fn end_offset(&self) -> i64 {
        i64::try_from(self.entries.len()).unwrap_or(i64::MAX)
    }

    /// The records that are there from `offset` on, ascending.
    pub(crate) fn from(&self, offset: i64) -> impl Iterator<Item = &Record> {
        let first = usize::try_from(offset.max(self.start_offset)).unwrap_or(0);
        self.entries.iter().skip(first).filter(|entry| !entry.compacted).filter_map(|entry| entry.record.as_ref())
    }

    /// The offset of the first record at least that young; the end if there is none.
    pub(crate) fn since(&self, timestamp_ms: i64) -> i64 {
        let mut young = self.from(0).filter(|record| record.timestamp_ms >= timestamp_ms);
        young.next().map_or(self.end_offset(), |record| record.offset)
    }
}

impl Topic {
    pub(crate) fn new(source_partitions: usize) -> Self {
        Self { life: 0, logs: vec![Log::default(); source_partitions] }
    }

    /// How often the topic was created before.
    pub(crate) fn life(&self) -> u8 {
        self.life
    }

    pub(crate) fn logs(&self) -> impl Iterator<Item = (i32, &Log)> {
        (0..).zip(&self.logs)
    }

    pub(crate) fn log(&self, source_partition: i32) -> Option<&Log> {
        self.logs.get(usize::try_from(source_partition).ok()?)
    }

    fn log_mut(&mut self, number: u64) -> Option<(i32, &mut Log)> {
        let place = number.checked_rem(self.logs.len() as u64)?; // usize has at most 64 bits
        let place = usize::try_from(place).ok()?;
        Some((i32::try_from(place).ok()?, self.logs.get_mut(place)?))
    }

    pub(crate) fn produce(&mut self, number: u64, timestamp_ms: i64, content: Content) {
        let life = self.life;
        if let Some((source_partition, log)) = self.log_mut(number) {
            let offset = log.end_offset();
            let record = Record { life, source_partition, offset, timestamp_ms, content };
            log.entries.push(Entry { record: Some(record), compacted: false });
        }
    }

    /// A marker takes an offset and is no record.
    pub(crate) fn mark(&mut self, number: u64) {
        if let Some((_, log)) = self.log_mut(number) {
            log.entries.push(Entry { record: None, compacted: false });
        }
    }

    /// Takes one record out.
    pub(crate) fn compact(&mut self, number: u64, which: u64) {
        if let Some((_, log)) = self.log_mut(number)
            && let Some(place) = which.checked_rem(log.entries.len() as u64)
            && let Some(entry) = usize::try_from(place).ok().and_then(|place| log.entries.get_mut(place))
        {
            entry.compacted = true;
        }
    }

    /// Lets the oldest `count` offsets expire.
    pub(crate) fn expire(&mut self, number: u64, count: u64) {
        if let Some((_, log)) = self.log_mut(number) {
            log.start_offset = log.start_offset.saturating_add_unsigned(count).min(log.end_offset());
        }
    }

    pub(crate) fn add_source_partition(&mut self) {
        self.logs.push(Log::default());
    }

    /// Deletes the topic and creates it anew.
    pub(crate) fn recreate(&mut self) {
        *self = Self { life: self.life.saturating_add(1), logs: vec![Log::default(); self.logs.len()] };
    }

    /// Whether the record is still there.
    pub(crate) fn holds(&self, record: &Record) -> bool {
        record.life == self.life
            && self
                .log(record.source_partition)
                .is_some_and(|log| log.from(record.offset).next().is_some_and(|first| first.offset == record.offset))
    }
}

impl Record {
    /// Names a row of the record among all rows of all lives: life, source partition, offset, index.
    pub(crate) fn place(&self, index: i64) -> i64 {
        (i64::from(self.life) << 48) | (i64::from(self.source_partition) << 40) | (self.offset << 4) | index
    }

    /// The source partition and offset of a row's place.
    pub(crate) fn of_place(place: i64) -> (i64, i64) {
        ((place >> 40) & 0xff, (place >> 4) & 0xf_ffff_ffff)
    }

    /// The value as a producer sends it.
    pub(crate) fn value(&self) -> Option<String> {
        let row = |index| {
            let place = self.place(index);
            format!(r#"{{"place":{place},"spare":{place},"a":"a{place}","b":"b{place}"}}"#)
        };
        let unfit = |index| {
            let place = self.place(index);
            format!(r#"{{"place":null,"spare":{place},"a":"a{place}","b":null}}"#)
        };
        Some(match self.content {
            Content::Row => row(0),
            Content::TwoRows => row(0) + &row(1),
            Content::RowAndRejected => row(0) + " " + &unfit(1),
            Content::Rejected => unfit(0),
            Content::Broken => format!(r#"{{"place":{}"#, self.place(0)),
            Content::Tombstone => return None,
        })
    }

    /// Indexes of the rows that load, if the column `place` is fed by the key that is always there (`spare`) or not.
    pub(crate) fn rows(&self, spare: bool) -> std::ops::Range<i64> {
        match self.content {
            Content::RowAndRejected if spare => 0..2,
            Content::Row | Content::RowAndRejected => 0..1,
            Content::TwoRows => 0..2,
            Content::Rejected if spare => 0..1,
            Content::Rejected | Content::Broken | Content::Tombstone => 0..0,
        }
    }

    /// The row that is rejected, if one is: its index, or `None` for the whole record.
    pub(crate) fn rejected(&self, spare: bool) -> Option<Option<i64>> {
        match self.content {
            Content::RowAndRejected if !spare => Some(Some(1)),
            Content::Rejected if !spare => Some(Some(0)),
            Content::Broken => Some(None),
            _ => None,
        }
    }

    /// The bytes of its rejected row.
    pub(crate) fn raw(&self) -> Option<Vec<u8>> {
        let value = self.value()?;
        // Of a value that holds several rows, the row's own part.
        let raw = match self.content {
            Content::RowAndRejected => value.rsplit(' ').next().unwrap_or(&value),
            _ => &value,
        };
        Some(raw.as_bytes().to_vec())
    }
}

/// The event that brings `records`, as Lambda's event source mapping sends it.
pub(crate) fn event(topic: &str, records: &[Record]) -> Vec<u8> {
    let mut lists: BTreeMap<i32, String> = BTreeMap::new();
    for record in records {
        let Record { source_partition, offset, timestamp_ms, .. } = record;
        let list = lists.entry(*source_partition).or_default();
        if !list.is_empty() {
            list.push(',');
        }
        let value = record.value().map_or_else(
            || "null".to_owned(),
            |value| format!("\"{}\"", base64_simd::STANDARD.encode_to_string(value.as_bytes())),
        );
        list.push_str(&format!(
            r#"{{"topic":"{topic}","partition":{source_partition},"offset":{offset},"timestamp":{timestamp_ms},"timestampType":"CREATE_TIME","value":{value},"headers":[]}}"#
        ));
    }
    let lists: Vec<String> = lists.iter().map(|(number, list)| format!(r#""{topic}-{number}":[{list}]"#)).collect();
    format!(r#"{{"eventSource":"SelfManagedKafka","bootstrapServers":"b:9092","records":{{{}}}}}"#, lists.join(","))
        .into_bytes()
}
