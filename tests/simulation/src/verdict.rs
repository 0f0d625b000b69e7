//! The invariants that are about what somebody was told: an acknowledgement, a reader's rows.

use std::collections::BTreeMap;

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
/// | lies before the start that the statement gave, or where ALTER skipped | yes |
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
    // A batch of the topic before was in flight when the topic was created anew, and took its place.
    if model.is_some_and(|model| model.mixed && covered.is_some()) {
        return true;
    }
    if model.is_some_and(|model| model.passed.iter().any(|passed| passed.contains(&record.offset))) {
        return true;
    }
    match (start, model) {
        (StartOffset::Beginning, _) => false,
        (StartOffset::At(offset), model) => {
            record.offset < model.map_or(offset, |model| model.start_offset.min(offset))
        }
        (StartOffset::End, Some(model)) => record.offset < model.start_offset,
        (StartOffset::End, None) => record.timestamp_ms < job.created_at_ms,
    }
}

/// A reader of `table` has seen these files. `counted` says of the commits that the table had when the reader began which of
/// them counted then.
pub(crate) fn read(
    model: &Model,
    table: &TableDefinition,
    counted: &[bool],
    seen: &Result<Vec<(String, Vec<i64>)>, String>,
) -> Result<(), Violation> {
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) if error.starts_with(MISSING) => return broken(FilesAreThere, error),
        // A service did not answer, and the reader said so.
        Err(_) => return Ok(()),
    };
    let wrong = |found: String| broken(ReadersSeeWholeCommits, format!("table {}: {found}", table.id));
    let mut places = BTreeMap::new();
    for (key, found) in seen {
        if places.insert(key.as_str(), found).is_some() {
            return wrong(format!("`{key}` was seen twice"));
        }
    }
    let mut youngest = None;
    let mut missed_removal = None;
    for (number, known) in model.table(table.id).iter().enumerate() {
        let id = &known.commit.id;
        let files = &known.commit.files;
        let found: Vec<_> = files.iter().filter_map(|file| places.remove(file.key.as_str())).collect();
        if found.is_empty() && !files.is_empty() {
            if known.counts() && counted.get(number) == Some(&true) {
                return wrong(format!("commit {id} was not seen"));
            }
            continue;
        }
        let mut rows: Vec<i64> = found.into_iter().flatten().copied().collect();
        rows.sort_unstable();
        if rows != known.places {
            return wrong(format!("commit {id} gave the rows {rows:x?}"));
        }
        if counted.get(number) == Some(&false) {
            return wrong(format!("commit {id} was seen after TRUNCATE"));
        }
        if !files.is_empty() {
            youngest = Some(number);
            missed_removal = known.removed_at.into_iter().chain(missed_removal).min();
        }
    }
    match (youngest, missed_removal) {
        (Some(youngest), Some(removed_at)) if youngest >= removed_at => {
            wrong("rows of before and after a TRUNCATE were seen together".to_owned())
        }
        _ if !places.is_empty() => wrong(format!("files of no commit were seen: {:?}", places.keys())),
        _ => Ok(()),
    }
}
