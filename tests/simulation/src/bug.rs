//! Bugs to plant: each a mutation of what the handlers' trait objects send or answer, so that no released code knows of it.
//!
//! They show that the simulation would notice.

use std::fmt;
use std::str::FromStr;

use penstock_catalog::store::memory::MemoryStore;
use penstock_catalog::store::{Action, Condition, Item, Key, Store as _, Value, Write, WriteOutcome};
use serde_json::Value as Json;

use crate::bucket::Bucket;
use crate::check::VOLUME_PATH;
use crate::ready;

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bug {
    /// A batch is acknowledged when its commit is sent, not when it took place.
    AcknowledgesBeforeCommit,
    /// Files are named by job, version and first record alone: tries share them.
    SharesFileKeys,
    /// A batch whose commit failed advances progress all the same.
    AdvancesOnFailure,
    /// A commit looks at `next_offset`, but not at the fence that PAUSE, ALTER and STOP raise.
    IgnoresFence,
    /// A commit that lost its race is taken for one that took place.
    TakesConflictForSuccess,
    /// Each try of a transaction goes out under another token.
    ChangesToken,
    /// The last record that was committed is not trimmed from a redelivery.
    TrimsOneShort,
    /// Rejected rows are put, but the commit does not name their file.
    LeavesRejectedRowsOut,
    /// What a merge takes the place of is deleted before the merge is visible.
    DeletesBeforeVisible,
    /// What was replaced is deleted by the next run, whoever reads it still.
    SweepsWithoutGrace,
    /// Files that nobody names are deleted however young they are.
    CollectsWithoutGrace,
    /// Merges and folds take place whatever became of the layout since it was read.
    FoldsWhateverCameFirst,
    /// A replay does not say which rejected rows it takes the place of.
    ReplaysWithoutTaking,
    /// A replay takes place whatever other replays did since it read the rejected rows.
    ReplaysSideBySide,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::AcknowledgesBeforeCommit,
        Self::SharesFileKeys,
        Self::AdvancesOnFailure,
        Self::IgnoresFence,
        Self::TakesConflictForSuccess,
        Self::ChangesToken,
        Self::TrimsOneShort,
        Self::LeavesRejectedRowsOut,
        Self::DeletesBeforeVisible,
        Self::SweepsWithoutGrace,
        Self::CollectsWithoutGrace,
        Self::FoldsWhateverCameFirst,
        Self::ReplaysWithoutTaking,
        Self::ReplaysSideBySide,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::AcknowledgesBeforeCommit => "acknowledges-before-commit",
            Self::SharesFileKeys => "shares-file-keys",
            Self::AdvancesOnFailure => "advances-on-failure",
            Self::IgnoresFence => "ignores-fence",
            Self::TakesConflictForSuccess => "takes-conflict-for-success",
            Self::ChangesToken => "changes-token",
            Self::TrimsOneShort => "trims-one-short",
            Self::LeavesRejectedRowsOut => "leaves-rejected-rows-out",
            Self::DeletesBeforeVisible => "deletes-before-visible",
            Self::SweepsWithoutGrace => "sweeps-without-grace",
            Self::CollectsWithoutGrace => "collects-without-grace",
            Self::FoldsWhateverCameFirst => "folds-whatever-came-first",
            Self::ReplaysWithoutTaking => "replays-without-taking",
            Self::ReplaysSideBySide => "replays-side-by-side",
        }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No bug has that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownBug {
    found: String,
}

impl fmt::Display for UnknownBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        write!(f, "expected one of {}, found `{}`", names.join(", "), self.found)
    }
}

impl std::error::Error for UnknownBug {}

impl FromStr for Bug {
    type Err = UnknownBug;

    fn from_str(text: &str) -> Result<Self, UnknownBug> {
        Self::ALL.into_iter().find(|bug| bug.name() == text).ok_or_else(|| UnknownBug { found: text.to_owned() })
    }
}

/// Whether the transaction is a commit.
pub(crate) fn is_commit(writes: &[Write]) -> bool {
    let put = |write: &Write| write.key.sk.starts_with("commit#") && matches!(write.action, Action::Put(_));
    writes.first().is_some_and(put)
}

/// What a buggy client sends.
pub(crate) fn sent(bug: Option<Bug>, mut writes: Vec<Write>) -> Vec<Write> {
    let Some(bug) = bug else { return writes };
    match bug {
        Bug::SweepsWithoutGrace | Bug::FoldsWhateverCameFirst => layouts(bug, &mut writes),
        Bug::ReplaysWithoutTaking | Bug::ReplaysSideBySide => replays(bug, &mut writes),
        _ => {}
    }
    if !is_commit(&writes) {
        return writes;
    }
    let Some(Write { action: Action::Put(commit), .. }) = writes.first_mut() else { return writes };
    match bug {
        Bug::SharesFileKeys => edit(commit, |commit| {
            for file in commit.pointer_mut("/files").and_then(Json::as_array_mut).into_iter().flatten() {
                if let Some(key) = file.get_mut("key") {
                    *key = Json::from(shared_key(key.as_str().unwrap_or_default()));
                }
            }
        }),
        Bug::LeavesRejectedRowsOut => edit(commit, |commit| {
            if let Some(errors) = commit.get_mut("errors") {
                *errors = Json::Null;
            }
        }),
        _ => {}
    }
    writes
}

/// Layouts as a buggy client writes them.
fn layouts(bug: Bug, writes: &mut [Write]) {
    for write in writes.iter_mut().filter(|write| write.key.sk == "layout") {
        let Action::Put(layout) = &mut write.action else { continue };
        if bug == Bug::FoldsWhateverCameFirst {
            write.condition = Condition::Always;
            continue;
        }
        edit(layout, |layout| {
            for fold in layout.get_mut("folds").and_then(Json::as_array_mut).into_iter().flatten() {
                if let Some(at_ms) = fold.get_mut("seen_at_ms") {
                    *at_ms = Json::from(0);
                }
            }
        });
    }
}

/// Replays as a buggy client commits them.
fn replays(bug: Bug, writes: &mut [Write]) {
    let is_replay = writes.iter().any(|write| write.key.sk == "replays");
    for write in writes.iter_mut().filter(|_| is_replay) {
        let Action::Put(item) = &mut write.action else { continue };
        if bug == Bug::ReplaysSideBySide && write.key.sk == "replays" {
            write.condition = Condition::Always;
        }
        if bug == Bug::ReplaysWithoutTaking && write.key.pk.starts_with("rejected#") {
            edit(item, |rejection| {
                if let Some(replaces) = rejection.get_mut("replaces") {
                    *replaces = Json::Array(Vec::new());
                }
            });
        }
    }
}

/// How far ahead the clock of those goes who clean up.
pub(crate) fn clock_ahead_ms(bug: Option<Bug>) -> i64 {
    if bug == Some(Bug::CollectsWithoutGrace) { 25 * 3_600_000 } else { 0 }
}

/// Full keys of what a layout takes the place of, if it is to be deleted before the layout is written.
pub(crate) fn deleted_early(bug: Option<Bug>, writes: &[Write], bucket: &Bucket) -> Vec<String> {
    if bug != Some(Bug::DeletesBeforeVisible) {
        return Vec::new();
    }
    let layouts = writes.iter().filter(|write| write.key.sk == "layout").filter_map(|write| match &write.action {
        Action::Put(layout) => body(layout),
        _ => None,
    });
    let mut keys = Vec::new();
    for layout in layouts {
        let fold = layout.get("folds").and_then(Json::as_array).and_then(|folds| folds.last());
        let list = fold.and_then(|fold| fold.pointer("/garbage/key")).and_then(Json::as_str);
        let bytes = list.and_then(|list| bucket.object(&format!("{VOLUME_PATH}/{list}")));
        let text = bytes.and_then(|bytes| zstd::decode_all(bytes.as_ref()).ok()).unwrap_or_default();
        let json = text.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default();
        let garbage: Vec<String> = serde_json::from_slice(json).unwrap_or_default();
        keys.extend(garbage.into_iter().map(|key| format!("{VOLUME_PATH}/{key}")));
    }
    keys
}

/// The key without its unique part, if it is a data file's.
pub(crate) fn shared_key(key: &str) -> String {
    let shared = key.strip_suffix(".parquet").and_then(|name| name.rsplit_once('-'));
    match shared {
        Some((shared, _)) if key.contains("table/") && key.contains("/job-") => format!("{shared}.parquet"),
        _ => key.to_owned(),
    }
}

/// What a commit that looks at `next_offset` alone asks of the store as it is.
pub(crate) fn unfenced(held: &MemoryStore, mut writes: Vec<Write>) -> Vec<Write> {
    let ranges = match writes.first().map(|write| &write.action) {
        Some(Action::Put(commit)) => body(commit).and_then(|mut commit| commit.get_mut("ranges").map(Json::take)),
        _ => None,
    };
    let from_offset = |key: &Key| {
        let source_partition: i64 = key.sk.strip_prefix("progress#")?.parse().ok()?;
        let mut ranges = ranges.as_ref()?.as_array()?.iter();
        let range = ranges.find(|range| range.get("source_partition").and_then(Json::as_i64) == Some(source_partition));
        range?.get("from_offset")?.as_i64()
    };
    writes.retain(|write| write.action != Action::Check);
    for write in &mut writes {
        let Some(from_offset) = from_offset(&write.key).filter(|_| write.condition != Condition::Absent) else {
            continue;
        };
        let Some(Ok(Some(stored))) = ready(held.get(&write.key)) else { continue };
        if number(&stored, "next_offset") == Some(from_offset)
            && let Some(revision) = stored.get("revision")
        {
            write.condition = Condition::Equals(vec![("revision".to_owned(), revision.clone())]);
        }
    }
    writes
}

/// The writes of a commit that move progress, whatever is stored.
pub(crate) fn progress_alone(writes: &[Write]) -> Vec<Write> {
    let moves = writes.iter().filter(|write| write.key.sk.starts_with("progress#"));
    moves.map(|write| Write { condition: Condition::Always, ..write.clone() }).collect()
}

/// What a buggy client makes of an answer to a commit.
pub(crate) fn understood(bug: Option<Bug>, commit: bool, outcome: WriteOutcome) -> WriteOutcome {
    match outcome {
        WriteOutcome::ConditionFailed { .. } if commit && bug == Some(Bug::TakesConflictForSuccess) => {
            WriteOutcome::Done
        }
        outcome => outcome,
    }
}

/// What a buggy client makes of items that it read.
pub(crate) fn read(bug: Option<Bug>, items: &mut [(Key, Item)]) {
    if bug != Some(Bug::TrimsOneShort) {
        return;
    }
    for (_, item) in items.iter_mut().filter(|(key, _)| key.sk.starts_with("progress#")) {
        let (start, next) = (number(item, "start_offset"), number(item, "next_offset"));
        if start < next {
            edit(item, |progress| {
                if let Some(offset) = progress.get_mut("next_offset") {
                    *offset = Json::from(next.unwrap_or_default() - 1);
                }
            });
        }
    }
}

fn body(item: &Item) -> Option<Json> {
    match item.get("body") {
        Some(Value::Text(body)) => serde_json::from_str(body).ok(),
        Some(Value::Bytes(body)) => serde_json::from_slice(&zstd::decode_all(body.as_slice()).ok()?).ok(),
        _ => None,
    }
}

fn number(item: &Item, name: &str) -> Option<i64> {
    body(item)?.get(name)?.as_i64()
}

fn edit(item: &mut Item, change: impl FnOnce(&mut Json)) {
    if let Some(mut changed) = body(item) {
        change(&mut changed);
        item.insert("body".to_owned(), Value::Text(changed.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_printed() {
        for bug in Bug::ALL {
            assert_eq!(bug.to_string().parse(), Ok(bug));
        }
        let unknown = "typo".parse::<Bug>().unwrap_err().to_string();
        assert!(unknown.contains("ignores-fence") && unknown.ends_with("found `typo`"), "{unknown}");
    }

    #[test]
    fn only_data_files_lose_their_unique_part() {
        assert_eq!(shared_key("p/table/1/job-2-v1/0-5-01J0.parquet"), "p/table/1/job-2-v1/0-5.parquet");
        assert_eq!(shared_key("rejected/2/0-5-01J0.parquet"), "rejected/2/0-5-01J0.parquet");
    }
}
