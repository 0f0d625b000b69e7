//! The invariants that are about what somebody was told: an acknowledgement, a reader's rows.

use std::collections::BTreeSet;

use penstock_catalog::job::Job;
use penstock_kernel::job::{KafkaSource, StartOffset};
use penstock_kernel::table::TableDefinition;

use crate::files::Row;
use crate::kafka::{Record, Topic};
use crate::model::{Committed, Model, SourceModel};
use crate::violation::Invariant::{FilesAreThere, ReadersSeeWholeCommits};
use crate::violation::{Violation, broken};
use crate::world::{MISSING, Seen};

/// Whether nobody need bring the record again.
///
/// | the record | |
/// | --- | --- |
/// | is of a source partition that the job does not list | yes |
/// | is committed | yes |
/// | is not in the topic any more | yes: it came while it was |
/// | lies before the start that the statement gave, or where ALTER skipped | yes |
/// | is of a topic created anew, and older than a job that starts at the end | yes |
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
    // A batch of the topic before was in flight when the topic was created anew, and took its place. Newer timestamps alone
    // would tell.
    let untold = |model: &SourceModel| {
        record.timestamp_ms <= model.newest_ms && model.mixed.iter().any(|mixed| mixed.contains(&record.offset))
    };
    if model.is_some_and(untold) {
        return true;
    }
    if model.is_some_and(|model| model.passed.iter().any(|passed| passed.contains(&record.offset))) {
        return true;
    }
    // The positions of a group go with its topic, and its mapping begins the next one at the moment of the statement.
    if start == StartOffset::End && record.life > 0 && record.timestamp_ms < job.created_at_ms {
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

/// A reader of `table` has seen this. `counted` says of the commits that the table had when the reader began which of them
/// counted then.
pub(crate) fn read(
    model: &Model,
    table: &TableDefinition,
    counted: &[bool],
    seen: &Result<Seen, String>,
) -> Result<(), Violation> {
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) if error.starts_with(MISSING) => return broken(FilesAreThere, error),
        // A service did not answer, and the reader said so.
        Err(_) => return Ok(()),
    };
    let wrong = |found: String| broken(ReadersSeeWholeCommits, format!("table {}: {found}", table.id));
    let Some(known) = model.tables.get(&table.id) else {
        return if seen.files.is_empty() { Ok(()) } else { wrong("files of no commit were seen".to_owned()) };
    };
    let mut of = BTreeSet::new();
    let mut found: Vec<Row> = Vec::new();
    for (key, rows) in &seen.files {
        let Some(file) = known.files.get(key) else { return wrong(format!("`{key}` is of no commit")) };
        of.extend(file.of.iter().copied());
        found.extend(rows.iter().cloned());
    }
    found.sort_unstable();
    let commits = || known.commits.iter().enumerate();
    let mut expected: Vec<Row> =
        commits().filter(|(place, _)| of.contains(place)).flat_map(|(_, one)| one.rows.iter().cloned()).collect();
    expected.sort_unstable();
    if found != expected {
        return wrong(format!("{} rows were seen of commits with {}", found.len(), expected.len()));
    }
    let mut youngest = None;
    let mut missed_removal = None;
    for (place, one) in commits() {
        let id = &one.commit.id;
        let has_files = !one.commit.files.is_empty();
        let began = counted.get(place);
        if !of.contains(&place) {
            if has_files && one.counts() && began == Some(&true) {
                return wrong(format!("commit {id} was not seen"));
            }
        } else if began == Some(&false) {
            return wrong(format!("commit {id} was seen after TRUNCATE"));
        } else {
            youngest = Some(place);
            missed_removal = one.removed_at.into_iter().chain(missed_removal).min();
        }
        // Rows of a replay and what they were before are never seen together, nor neither of them.
        let stands = seen.rejected.contains(id);
        if let Some(replay) = one.replaced_by.filter(|replay| known.commits.get(*replay).is_some_and(Committed::counts))
        {
            let replay_has_files = known.commits.get(replay).is_some_and(|replay| !replay.commit.files.is_empty());
            if stands && of.contains(&replay) {
                return wrong(format!("rejected rows of commit {id} were seen with those of their replay"));
            }
            if !stands && replay_has_files && began.is_some() && !of.contains(&replay) {
                return wrong(format!("neither rejected rows of commit {id} were seen nor their replay"));
            }
        } else if one.stands() && began.is_some() && !stands {
            return wrong(format!("rejected rows of commit {id} were not seen"));
        }
    }
    match (youngest, missed_removal) {
        (Some(youngest), Some(removed_at)) if youngest >= removed_at => {
            wrong("rows of before and after a TRUNCATE were seen together".to_owned())
        }
        _ => Ok(()),
    }
}
