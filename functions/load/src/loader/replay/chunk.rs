//! Some rejected rows through the plan. Pure.

use std::collections::{BTreeMap, HashMap};

use penstock_catalog::rejected::ReplayCounts;
use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::facts::Facts;
use penstock_kernel::ids::SchemaId;
use penstock_kernel::loaded::{Loaded, RejectedRow};
use penstock_kernel::plan::Plan;
use penstock_kernel::rejected::Entry;

use crate::error::LoadError;

/// What names a record.
pub(super) type Place<'a> = (&'a str, i32, i64);

/// Keys of records.
type Keys<'a> = HashMap<Place<'a>, &'a [u8]>;

/// Rejected rows as error files have them: those of one record stand together, and a long key with the first only.
pub(super) struct Chunk<'a> {
    wanted: Vec<&'a Entry>,
    unwanted: Vec<&'a Entry>,
    keys: Keys<'a>,
}

/// What becomes of a chunk.
#[derive(Default)]
pub(super) struct Outcome {
    /// What was loaded, topic by topic.
    pub(super) loaded: Vec<Loaded>,
    /// Rows that stay rejected, wanted or not, in order.
    pub(super) remaining: Vec<Entry>,
    pub(super) counts: ReplayCounts,
    /// Rows that are rejected for the reason that they were rejected for.
    pub(super) same: u64,
}

/// A record whose rows may go on in the next chunk.
#[derive(Debug, Default)]
pub(super) struct Carried {
    record: Option<(String, i32, i64)>,
    key: Option<Vec<u8>>,
}

impl<'a> Chunk<'a> {
    /// `rows`, behind those that left `carried`.
    pub(super) fn new(rows: &'a [Entry], wants: impl Fn(&Entry) -> bool, carried: &'a Carried) -> Self {
        let mut keys = Keys::new();
        if let (Some((topic, source_partition, offset)), Some(key)) = (&carried.record, &carried.key) {
            keys.insert((topic, *source_partition, *offset), key);
        }
        for entry in rows {
            if let Some(key) = &entry.row.key {
                keys.entry(record_of(entry)).or_insert(key);
            }
        }
        let (wanted, unwanted) = rows.iter().partition(|entry| wants(entry));
        Self { wanted, unwanted, keys }
    }

    /// What the next chunk has to know, `rows` being this one's.
    pub(super) fn carry(&self, rows: &[Entry]) -> Carried {
        let record = rows.last().map(record_of);
        Carried {
            record: record.map(|(topic, source_partition, offset)| (topic.to_owned(), source_partition, offset)),
            key: record.and_then(|record| self.keys.get(&record)).map(|key| key.to_vec()),
        }
    }

    /// The schemas that wanted rows name; ascending, none twice.
    pub(super) fn schemas_needed(&self, plan: &Plan) -> Vec<SchemaId> {
        let records = self.wanted.iter().map(|entry| self.record(entry)).collect();
        plan.schemas_needed(&Batch { topic: String::new(), records })
    }

    /// Puts the wanted rows through `plan`, which is that of `job_version`.
    ///
    /// # Errors
    /// [`LoadError::Miscounted`] if the counts do not account for every row.
    pub(super) fn replayed(&self, plan: &Plan, job_version: u32, facts: &Facts) -> Result<Outcome, LoadError> {
        let mut topics: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.wanted {
            topics.entry(&entry.topic).or_default().push(entry);
        }
        let counts = ReplayCounts { replayed: length(&self.wanted), ..ReplayCounts::default() };
        let mut outcome = Outcome { counts, ..Outcome::default() };
        outcome.remaining.extend(self.unwanted.iter().copied().cloned());
        for (topic, entries) in topics {
            let loaded = self.replay(plan, topic, &entries, facts);
            check(&loaded, &entries)?;
            outcome.counts.loaded += loaded.statistics.loaded;
            outcome.counts.rejected += loaded.statistics.rejected;
            outcome.counts.unselected += loaded.statistics.unselected;
            let before: HashMap<_, _> = entries.iter().map(|entry| (place(&entry.row), *entry)).collect();
            for row in loaded.rejected.iter() {
                // A row that is rejected for the same reason was not rejected anew.
                outcome.remaining.push(match before.get(&place(&row)).filter(|known| is_same(&known.row, &row)) {
                    Some(known) => {
                        outcome.same += 1;
                        (*known).clone()
                    }
                    None => Entry { topic: topic.to_owned(), row, job_version, rejected_at_ms: facts.now_ms },
                });
            }
            outcome.loaded.push(loaded);
        }
        outcome.remaining.sort_by(|one, other| (&one.topic, place(&one.row)).cmp(&(&other.topic, place(&other.row))));
        Ok(outcome)
    }

    /// The key of the record of `entry`, which may stand with another row.
    pub(super) fn key_of(&self, entry: &Entry) -> Option<&'a [u8]> {
        self.keys.get(&record_of(entry)).copied()
    }

    fn record<'r>(&'r self, entry: &'r Entry) -> Record<'r> {
        let row = &entry.row;
        Record {
            source_partition: row.source_partition,
            offset: row.offset,
            timestamp_ms: row.timestamp_ms,
            key: self.key_of(entry),
            value: Some(&row.raw),
            headers: Headers::default(),
        }
    }

    /// `entries` are of one topic.
    fn replay(&self, plan: &Plan, topic: &str, entries: &[&Entry], facts: &Facts) -> Loaded {
        let records = entries.iter().map(|entry| self.record(entry)).collect();
        let parts: Vec<Option<u32>> =
            entries.iter().map(|Entry { row, .. }| if row.whole { None } else { row.index }).collect();
        plan.replay(&Batch { topic: topic.to_owned(), records }, &parts, facts)
    }
}

fn is_same(known: &RejectedRow, row: &RejectedRow) -> bool {
    (&known.reason, &known.column, &known.raw) == (&row.reason, &row.column, &row.raw)
}

/// What names a row's record.
pub(super) fn record_of(entry: &Entry) -> Place<'_> {
    (&entry.topic, entry.row.source_partition, entry.row.offset)
}

/// What names a row within its topic.
fn place(row: &RejectedRow) -> (i32, i64, Option<u32>) {
    (row.source_partition, row.offset, row.index)
}

/// Trusts nobody's sums: a row that is in no count would be lost for ever.
fn check(loaded: &Loaded, entries: &[&Entry]) -> Result<(), LoadError> {
    let statistics = &loaded.statistics;
    let expect = |what, expected: u64, found: u64| {
        if expected == found { Ok(()) } else { Err(LoadError::Miscounted { what, expected, found }) }
    };
    let rows = loaded.tables.iter().map(|(_, rows)| rows.num_rows() as u64).sum(); // usize has at most 64 bits
    expect("replayed records", length(entries), statistics.records)?;
    expect("rows to be written", statistics.loaded, rows)?;
    expect("rejected rows", statistics.rejected, loaded.rejected.len() as u64)?;
    expect("rows", statistics.total, statistics.loaded + statistics.rejected + statistics.unselected)
}

fn length<T>(rows: &[T]) -> u64 {
    rows.len() as u64 // usize has at most 64 bits
}
