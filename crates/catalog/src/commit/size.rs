//! How long a commit may be, and what it leaves out to be no longer.
//!
//! Statistics only save readers work, so they are what goes; files, ranges and counts are the commit itself.

use std::borrow::Cow;
use std::cmp::Reverse;

use serde::Serialize;

use super::Commit;
use crate::error::CatalogError;
use crate::key;
use crate::record;

/// Bytes of a commit's text. DynamoDB takes items of 400 KiB, names and keys included.
pub(super) const MAX_COMMIT_BYTES: usize = 380_000;

/// The commit, without the statistics of the files that have the longest if it is too long with all.
pub(crate) fn fitting(commit: &Commit) -> Result<Cow<'_, Commit>, CatalogError> {
    let mut bytes = length(commit, commit)?;
    if bytes <= MAX_COMMIT_BYTES {
        return Ok(Cow::Borrowed(commit));
    }
    let mut statistics = Vec::new();
    for (index, file) in commit.files.iter().enumerate() {
        statistics.push((length(commit, &file.columns)?, index));
    }
    statistics.sort_unstable_by_key(|(length, index)| (Reverse(*length), *index));
    let mut shorter = commit.clone();
    for (length, index) in statistics {
        if bytes <= MAX_COMMIT_BYTES {
            break;
        }
        if let Some(file) = shorter.files.get_mut(index) {
            file.columns.clear();
            // `[]` stays.
            bytes = bytes.saturating_sub(length).saturating_add(2);
        }
    }
    if bytes > MAX_COMMIT_BYTES {
        return Err(CatalogError::CommitTooLarge {
            commit: commit.id.clone(),
            files: commit.files.len(),
            bytes,
            limit: MAX_COMMIT_BYTES,
        });
    }
    Ok(Cow::Owned(shorter))
}

fn length(commit: &Commit, part: &impl Serialize) -> Result<usize, CatalogError> {
    match serde_json::to_vec(part) {
        Ok(text) => Ok(text.len()),
        Err(error) => Err(record::unreadable(&key::commit(commit.table, &commit.id), error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use penstock_kernel::encode::{ColumnStatistics, StatisticValue};
    use penstock_kernel::ids::{JobId, TableId};
    use penstock_kernel::loaded::TablePartition;

    use super::*;
    use crate::commit::DataFile;

    fn commit(statistics_bytes: &[usize], key_bytes: usize) -> Commit {
        let files = statistics_bytes.iter().map(|bytes| DataFile {
            key: "k".repeat(key_bytes),
            table_partition: TablePartition::Whole,
            rows: 1,
            bytes: 1,
            columns: vec![ColumnStatistics {
                column_id: 1,
                nulls: 0,
                min: Some(StatisticValue::Text("x".repeat(*bytes))),
                max: None,
            }],
            crc32c: None,
            sorted: false,
        });
        Commit {
            id: "01".to_owned(),
            table: TableId(1),
            job: JobId(2),
            job_version: 1,
            topic: "t".to_owned(),
            files: files.collect(),
            errors: None,
            ranges: Vec::new(),
            committed_at_ms: 0,
            replay: None,
        }
    }

    #[test]
    fn commit_that_fits_keeps_all_statistics() {
        let commit = commit(&[100_000, 200_000], 10);
        assert_eq!(*fitting(&commit).unwrap(), commit);
    }

    #[test]
    fn longest_statistics_go_first_and_no_more_than_needed() {
        let commit = commit(&[100_000, 200_000, 150_000], 10);
        let shorter = fitting(&commit).unwrap();
        let kept: Vec<bool> = shorter.files.iter().map(|file| !file.columns.is_empty()).collect();
        assert_eq!(kept, [true, false, true]);
        assert!(length(&commit, &*shorter).unwrap() <= MAX_COMMIT_BYTES);
    }

    #[test]
    fn commit_too_large_without_statistics_is_an_error() {
        let commit = commit(&[10; 50], 10_000);
        let error = fitting(&commit).unwrap_err();
        assert!(matches!(error, CatalogError::CommitTooLarge { files: 50, limit: MAX_COMMIT_BYTES, .. }), "{error}");
    }
}
