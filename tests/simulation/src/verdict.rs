//! The invariants that are about what somebody was told: an acknowledgement, a reader's rows.

use std::collections::BTreeSet;

use penstock_catalog::commit::Commit;
use penstock_catalog::job::Job;
use penstock_kernel::job::{KafkaSource, StartOffset};
use penstock_kernel::table::TableDefinition;

use crate::kafka::{Record, Topic};
use crate::model::{Model, SourceModel};
use crate::violation::Invariant::{FilesAreThere, ReadersSeeWholeCommits};
use crate::violation::{Violation, broken};
use crate::world::MISSING;

/// Whether nobody need bring the record again.
///
/// | the record | |
/// | --- | --- |
/// | is of a source partition that the job does not list | yes |
/// | is committed | yes |
/// | is not in the topic any more | yes: it came while it was |
/// | lies before the start that the statement gave | yes |
/// | else | no |
pub(crate) fn is_accounted_for(
    record: &Record,
    model: Option<&SourceModel>,
    source: &KafkaSource,
    job: &Job,
    topic: &Topic,
) -> bool {
    let Some(start) = source.start_of(record.source_partition) else { return true };
    let covered = model.and_then(|model| model.covered.get(&record.offset));
    if covered == Some(&record.life) || !topic.holds(record) {
        return true;
    }
    match (start, model) {
        (StartOffset::Beginning, _) => false,
        (StartOffset::At(offset), _) => record.offset < offset,
        (StartOffset::End, Some(model)) => record.offset < model.start_offset,
        (StartOffset::End, None) => record.timestamp_ms < job.created_at_ms,
    }
}

/// A reader of `table`, which held the first `had` of its commits when the reader began, has seen these.
pub(crate) fn read(
    model: &Model,
    table: &TableDefinition,
    had: usize,
    seen: &Result<Vec<(Commit, Vec<i64>)>, String>,
) -> Result<(), Violation> {
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) if error.starts_with(MISSING) => return broken(FilesAreThere, error),
        // A service did not answer, and the reader said so.
        Err(_) => return Ok(()),
    };
    let committed = model.table(table.id);
    let mut ids = BTreeSet::new();
    for (commit, places) in seen {
        let known = committed.iter().find(|known| known.commit.id == commit.id);
        if !ids.insert(&commit.id) || known.is_none_or(|known| known.places != *places) {
            let found = format!("table {}: commit {} gave the rows {places:x?}", table.id, commit.id);
            return broken(ReadersSeeWholeCommits, found);
        }
    }
    match committed.iter().take(had).find(|known| !ids.contains(&known.commit.id)) {
        Some(unseen) => {
            let found = format!("table {}: commit {} was not seen", table.id, unseen.commit.id);
            broken(ReadersSeeWholeCommits, found)
        }
        None => Ok(()),
    }
}
