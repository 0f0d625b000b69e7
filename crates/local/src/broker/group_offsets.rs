//! The offsets that consumer groups committed.
//!
//! All of them are in memory; every change is a line in a file, written before it is answered. The file is rewritten
//! with what still counts at start and whenever it has grown to a multiple of that. A line has a checksum, so that a
//! torn one at the end is recognised and dropped.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// The file is not rewritten before it has this many bytes.
const LEAST_REWRITE_BYTES: u64 = 4 << 20;

/// How much larger than what counts the file may become.
const REWRITE_FACTOR: u64 = 4;

/// What a group committed for one source partition. `next_offset` is the first not yet consumed (exclusive end).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Committed {
    pub(crate) next_offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: String,
}

/// A source partition by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct TopicPartition {
    pub(crate) topic: String,
    pub(crate) partition_index: i32,
}

/// One group's offsets.
pub(crate) type OffsetsOfGroup = BTreeMap<TopicPartition, Committed>;

/// The committed offsets of all groups.
#[derive(Debug)]
pub(crate) struct GroupOffsets {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    groups: BTreeMap<String, OffsetsOfGroup>,
    file: File,
    bytes: u64,
    rewrite_at_bytes: u64,
}

/// One line: an offset that was committed, or (without one) forgotten.
#[derive(Serialize, Deserialize)]
struct Line {
    group: String,
    #[serde(flatten)]
    source_partition: TopicPartition,
    committed: Option<Committed>,
}

impl GroupOffsets {
    /// Reads the file at `path`, which need not exist, and rewrites it.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let groups = load(&path)?;
        let (file, bytes) = rewrite(&path, &groups)?;
        let state = State { groups, file, bytes, rewrite_at_bytes: rewrite_at(bytes) };
        Ok(Self { path, state: Mutex::new(state) })
    }

    /// Stores offsets of one group; all of them are in the file when this returns.
    pub(crate) fn commit(&self, group: &str, offsets: Vec<(TopicPartition, Committed)>) -> io::Result<()> {
        let lines = offsets.into_iter().map(|(source_partition, committed)| Line {
            group: group.to_owned(),
            source_partition,
            committed: Some(committed),
        });
        self.change(lines.collect())
    }

    /// Forgets offsets of one group for which `is_unwanted` holds.
    pub(crate) fn forget(&self, group: &str, is_unwanted: impl Fn(&TopicPartition) -> bool) -> io::Result<()> {
        let unwanted = self.of_group(group).into_keys().filter(is_unwanted);
        self.change(unwanted.map(|at| forgotten(group, at)).collect())
    }

    /// Forgets what all groups committed for a topic.
    pub(crate) fn forget_topic(&self, topic: &str) -> io::Result<()> {
        for group in self.groups() {
            self.forget(&group, |at| at.topic == topic)?;
        }
        Ok(())
    }

    /// What one group committed; empty if nothing.
    pub(crate) fn of_group(&self, group: &str) -> OffsetsOfGroup {
        self.lock().groups.get(group).cloned().unwrap_or_default()
    }

    pub(crate) fn has_group(&self, group: &str) -> bool {
        self.lock().groups.contains_key(group)
    }

    /// The groups that committed anything.
    pub(crate) fn groups(&self) -> Vec<String> {
        self.lock().groups.keys().cloned().collect()
    }

    /// Waits until the disk has all that was committed.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.lock().file.sync_data()
    }

    fn change(&self, lines: Vec<Line>) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for line in &lines {
            write_line(&mut text, line)?;
        }
        let mut state = self.lock();
        if let Err(error) = state.file.write_all(&text) {
            state.file.set_len(state.bytes)?;
            return Err(error);
        }
        state.bytes += text.len() as u64;
        for line in lines {
            apply(&mut state.groups, line);
        }
        if state.bytes >= state.rewrite_at_bytes {
            let (file, bytes) = rewrite(&self.path, &state.groups)?;
            (state.file, state.bytes, state.rewrite_at_bytes) = (file, bytes, rewrite_at(bytes));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forgotten(group: &str, source_partition: TopicPartition) -> Line {
    Line { group: group.to_owned(), source_partition, committed: None }
}

fn apply(groups: &mut BTreeMap<String, OffsetsOfGroup>, line: Line) {
    match line.committed {
        Some(committed) => {
            groups.entry(line.group).or_default().insert(line.source_partition, committed);
        }
        None => {
            if let Some(offsets) = groups.get_mut(&line.group) {
                offsets.remove(&line.source_partition);
                if offsets.is_empty() {
                    groups.remove(&line.group);
                }
            }
        }
    }
}

/// `checksum json newline`; JSON text has no newline in it.
fn write_line(out: &mut Vec<u8>, line: &Line) -> io::Result<()> {
    let json = serde_json::to_vec(line)?;
    write!(out, "{:08x} ", crc32c::crc32c(&json))?;
    out.extend_from_slice(&json);
    out.push(b'\n');
    Ok(())
}

fn parse_line(line: &[u8]) -> Option<Line> {
    let (checksum, json) = line.strip_suffix(b"\n")?.split_at_checked(9)?;
    let expected = u32::from_str_radix(std::str::from_utf8(checksum).ok()?.trim_end(), 16).ok()?;
    (crc32c::crc32c(json) == expected).then(|| serde_json::from_slice(json).ok())?
}

fn load(path: &PathBuf) -> io::Result<BTreeMap<String, OffsetsOfGroup>> {
    let mut groups = BTreeMap::new();
    let mut reader = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(groups),
        file => BufReader::new(file?),
    };
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let Some(parsed) = parse_line(&line) else {
            tracing::warn!(file = %path.display(), "torn tail cut");
            break;
        };
        apply(&mut groups, parsed);
        line.clear();
    }
    Ok(groups)
}

/// Replaces the file by one line for each offset; returns it, open for appending, with its length.
fn rewrite(path: &PathBuf, groups: &BTreeMap<String, OffsetsOfGroup>) -> io::Result<(File, u64)> {
    let mut text = Vec::new();
    for (group, offsets) in groups {
        for (source_partition, committed) in offsets {
            let (source_partition, committed) = (source_partition.clone(), Some(committed.clone()));
            write_line(&mut text, &Line { group: group.clone(), source_partition, committed })?;
        }
    }
    let next = path.with_extension("next");
    fs::write(&next, &text)?;
    let file = File::options().append(true).open(&next)?;
    file.sync_data()?;
    fs::rename(&next, path)?;
    Ok((file, text.len() as u64))
}

fn rewrite_at(bytes: u64) -> u64 {
    bytes.saturating_mul(REWRITE_FACTOR).max(LEAST_REWRITE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(topic: &str, partition_index: i32) -> TopicPartition {
        TopicPartition { topic: topic.to_owned(), partition_index }
    }

    fn committed(next_offset: i64) -> Committed {
        Committed { next_offset, leader_epoch: 0, metadata: "note \n \" ü".to_owned() }
    }

    #[test]
    fn a_restart_keeps_what_counts_and_drops_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offsets");
        let offsets = GroupOffsets::open(path.clone()).unwrap();
        for next_offset in 0..10 {
            offsets.commit("g", vec![(at("t", 0), committed(next_offset)), (at("t", 1), committed(7))]).unwrap();
        }
        offsets.commit("gone", vec![(at("t", 0), committed(1))]).unwrap();
        offsets.forget("gone", |_| true).unwrap();
        let line = fs::read(&path).unwrap().split_inclusive(|byte| *byte == b'\n').next().unwrap().to_vec();
        File::options().append(true).open(&path).unwrap().write_all(&line[..line.len() - 3]).unwrap();
        drop(offsets);

        let offsets = GroupOffsets::open(path.clone()).unwrap();
        assert_eq!(offsets.groups(), ["g"]);
        let expected = OffsetsOfGroup::from([(at("t", 0), committed(9)), (at("t", 1), committed(7))]);
        assert_eq!(offsets.of_group("g"), expected);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn the_file_does_not_grow_with_the_number_of_commits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offsets");
        let offsets = GroupOffsets::open(path.clone()).unwrap();
        for round in 0..500 {
            let many = (0..100).map(|index| (at("t", index), committed(round)));
            offsets.commit("g", many.collect()).unwrap();
        }
        assert!(fs::metadata(&path).unwrap().len() < LEAST_REWRITE_BYTES + 100_000);
        assert_eq!(GroupOffsets::open(path).unwrap().of_group("g").len(), 100);
    }

    #[test]
    fn a_deleted_topic_takes_its_commits_along() {
        let folder = tempfile::tempdir().unwrap();
        let offsets = GroupOffsets::open(folder.path().join("offsets")).unwrap();
        offsets.commit("g", vec![(at("t", 0), committed(1)), (at("u", 0), committed(2))]).unwrap();
        offsets.forget_topic("t").unwrap();
        assert_eq!(offsets.of_group("g").into_keys().collect::<Vec<_>>(), [at("u", 0)]);
    }
}
