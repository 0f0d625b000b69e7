//! Some error files' rows, and what becomes of them. Pure.

use std::collections::{BTreeMap, HashMap};

use penstock_catalog::rejected::ReplayCounts;
use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::facts::Facts;
use penstock_kernel::ids::SchemaId;
use penstock_kernel::loaded::{Loaded, RejectedRow};
use penstock_kernel::plan::Plan;
use penstock_kernel::rejected::Entry;

use crate::error::LoadError;

/// Keys of records.
type Keys<'a> = HashMap<(&'a str, i32, i64), &'a [u8]>;

/// Rejected rows of some error files.
#[derive(Debug, Default)]
pub(super) struct Piece {
    commits: Vec<String>,
    keys: Vec<String>,
    bytes: usize,
    wanted: Vec<Entry>,
    unwanted: Vec<Entry>,
}

/// What becomes of a piece.
pub(super) struct Outcome {
    /// What was loaded, by topic.
    pub(super) batches: Vec<(String, Loaded)>,
    /// Rows that stay rejected, wanted or not; those of one record stand together.
    pub(super) remaining: Vec<Entry>,
    pub(super) counts: ReplayCounts,
    /// Whether anything is different afterwards.
    pub(super) changes: bool,
}

/// About the memory that entries take.
pub(super) fn bytes(entries: &[Entry]) -> usize {
    entries
        .iter()
        .map(|Entry { row, .. }| {
            row.raw.len() + row.key.as_ref().map_or(0, Vec::len) + row.reason.len() + size_of::<Entry>()
        })
        .sum()
}

impl Piece {
    /// Adds the rows of the error file `key` of a commit.
    pub(super) fn add(&mut self, commit: &str, key: &str, entries: Vec<Entry>, wants: impl Fn(&Entry) -> bool) {
        self.commits.push(commit.to_owned());
        self.keys.push(key.to_owned());
        self.bytes = self.bytes.saturating_add(bytes(&entries));
        let (wanted, unwanted): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(wants);
        self.wanted.extend(wanted);
        self.unwanted.extend(unwanted);
    }

    pub(super) fn files(&self) -> usize {
        self.commits.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn commits(&self) -> &[String] {
        &self.commits
    }

    pub(super) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The first wanted row of a topic, for the names of files.
    pub(super) fn place(&self, topic: &str) -> Batch<'static> {
        let first = self.wanted.iter().filter(|entry| entry.topic == topic).map(|entry| Record {
            source_partition: entry.row.source_partition,
            offset: entry.row.offset,
            timestamp_ms: None,
            key: None,
            value: None,
            headers: Headers::default(),
        });
        Batch {
            topic: topic.to_owned(),
            records: first.min_by_key(|record| (record.source_partition, record.offset)).into_iter().collect(),
        }
    }

    /// The schemas that wanted rows name; ascending, none twice.
    pub(super) fn schemas_needed(&self, plan: &Plan) -> Vec<SchemaId> {
        let records = self.wanted.iter().map(|Entry { row, .. }| Record {
            source_partition: row.source_partition,
            offset: row.offset,
            timestamp_ms: row.timestamp_ms,
            key: None,
            value: Some(&row.raw),
            headers: Headers::default(),
        });
        plan.schemas_needed(&Batch { topic: String::new(), records: records.collect() })
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
        let mut batches = Vec::with_capacity(topics.len());
        let mut remaining = self.unwanted.clone();
        // A long key stands with the first row of its record only.
        let mut keys: Keys<'_> = HashMap::new();
        for entry in self.wanted.iter().chain(&self.unwanted) {
            if let Some(key) = &entry.row.key {
                keys.entry(record_of(entry)).or_insert(key);
            }
        }
        let mut counts = ReplayCounts { replayed: length(&self.wanted), ..ReplayCounts::default() };
        let mut same = 0;
        for (topic, mut entries) in topics {
            entries.sort_by_key(|entry| place(&entry.row));
            let loaded = replay(plan, topic, &entries, &keys, facts);
            check(&loaded, &entries)?;
            counts.loaded += loaded.statistics.loaded;
            counts.rejected += loaded.statistics.rejected;
            counts.unselected += loaded.statistics.unselected;
            let before: HashMap<_, _> = entries.iter().map(|entry| (place(&entry.row), *entry)).collect();
            for row in loaded.rejected.iter() {
                // A row that is rejected for the same reason was not rejected anew.
                if let Some(known) = before.get(&place(&row)).filter(|known| is_same(&known.row, &row)) {
                    same += 1;
                    remaining.push((*known).clone());
                    continue;
                }
                remaining.push(Entry { topic: topic.to_owned(), row, job_version, rejected_at_ms: facts.now_ms });
            }
            batches.push((topic.to_owned(), loaded));
        }
        remaining.sort_by(|one, other| (&one.topic, place(&one.row)).cmp(&(&other.topic, place(&other.row))));
        for rows in remaining.chunk_by_mut(|one, other| record_of(one) == record_of(other)) {
            if let Some((first, _)) = rows.split_first_mut() {
                first.row.key = keys.get(&record_of(first)).map(|key| key.to_vec());
            }
        }
        Ok(Outcome { batches, remaining, counts, changes: same != counts.replayed || counts.rejected != same })
    }
}

fn is_same(known: &RejectedRow, row: &RejectedRow) -> bool {
    (&known.reason, &known.column, &known.raw) == (&row.reason, &row.column, &row.raw)
}

/// What names a row's record.
fn record_of(entry: &Entry) -> (&str, i32, i64) {
    (&entry.topic, entry.row.source_partition, entry.row.offset)
}

/// What names a row within its topic.
fn place(row: &RejectedRow) -> (i32, i64, Option<u32>) {
    (row.source_partition, row.offset, row.index)
}

/// `entries` are of one topic, in order.
fn replay(plan: &Plan, topic: &str, entries: &[&Entry], keys: &Keys<'_>, facts: &Facts) -> Loaded {
    let records = entries.iter().map(|entry| (entry, &entry.row)).map(|(entry, row)| Record {
        source_partition: row.source_partition,
        offset: row.offset,
        timestamp_ms: row.timestamp_ms,
        key: keys.get(&record_of(entry)).copied(),
        value: Some(&row.raw),
        headers: Headers::default(),
    });
    let batch = Batch { topic: topic.to_owned(), records: records.collect() };
    let parts: Vec<Option<u32>> =
        entries.iter().map(|Entry { row, .. }| if row.whole { None } else { row.index }).collect();
    plan.replay(&batch, &parts, facts)
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
