//! Which files of a table partition are merged next.
//!
//! A file of [`SETTLED_BYTES`] or more is left alone. What is smaller is merged, all of it, but for a file that is
//! [`WORTH`] times as large as the rest: writing it anew costs more than it gains, unless it is below [`SMALL_BYTES`],
//! which is written in no time. So after a pass a table partition has at most two files beside the settled ones, a byte
//! that comes slowly is written some dozens of times before it settles, and one that comes fast two or three times. None
//! of it depends on how fast: it follows from the sizes alone.
//!
//! Files that are not sorted yet come as batches were loaded. A group of them is sorted in memory, so a group is small;
//! when there are more, groups become files of their own first, which are merged then.

use std::collections::BTreeMap;

use penstock_catalog::commit::DataFile;
use penstock_kernel::loaded::TablePartition;

/// Files of so many bytes are not merged any more.
pub const SETTLED_BYTES: u64 = 128 << 20;

/// A merged file is ended behind so many bytes.
pub const MERGED_BYTES: u64 = 256 << 20;

/// Files below this are always merged.
const SMALL_BYTES: u64 = 8 << 20;

/// How many times as large as the rest a file is that is left out.
const WORTH: u64 = 16;

/// Sorted files of one merge at most: one row group of each is in memory.
const MAX_SORTED: usize = 16;

/// Files of one merge that are not sorted, at most, and their bytes: they are requested one by one.
const MAX_UNSORTED: usize = 2_000;
const MAX_UNSORTED_BYTES: u64 = 32 << 20;

/// Files to be merged, all of one table partition; at least two.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The table partition.
    pub table_partition: TablePartition,
    /// The files.
    pub files: Vec<DataFile>,
}

/// The next merge of each table partition that needs one, ascending.
pub fn tasks<'a>(files: impl Iterator<Item = &'a DataFile>) -> Vec<Task> {
    let mut parts: BTreeMap<&TablePartition, Vec<&DataFile>> = BTreeMap::new();
    for file in files.filter(|file| file.bytes < SETTLED_BYTES) {
        parts.entry(&file.table_partition).or_default().push(file);
    }
    parts
        .into_iter()
        .filter_map(|(table_partition, files)| {
            let files = next(files);
            (files.len() > 1)
                .then(|| Task { table_partition: table_partition.clone(), files: files.into_iter().cloned().collect() })
        })
        .collect()
}

fn next(files: Vec<&DataFile>) -> Vec<&DataFile> {
    let (mut sorted, unsorted): (Vec<&DataFile>, Vec<&DataFile>) = files.into_iter().partition(|file| file.sorted);
    let mut group = Vec::new();
    let mut bytes = 0_u64;
    for file in &unsorted {
        if group.len() >= MAX_UNSORTED || (!group.is_empty() && bytes.saturating_add(file.bytes) > MAX_UNSORTED_BYTES) {
            return group;
        }
        bytes = bytes.saturating_add(file.bytes);
        group.push(*file);
    }
    sorted.sort_by_key(|file| file.bytes);
    let mut rest = sorted.iter().map(|file| file.bytes).sum::<u64>().saturating_add(bytes);
    while let Some(largest) = sorted.last() {
        rest = rest.saturating_sub(largest.bytes);
        if largest.bytes <= SMALL_BYTES || largest.bytes <= rest.saturating_mul(WORTH) {
            break;
        }
        sorted.pop();
    }
    sorted.truncate(MAX_SORTED);
    group.extend(sorted);
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    const KB: u64 = 1 << 10;
    const MB: u64 = 1 << 20;

    fn file(number: usize, bytes: u64, sorted: bool) -> DataFile {
        DataFile {
            key: number.to_string(),
            table_partition: TablePartition::Whole,
            rows: 1,
            bytes,
            columns: Vec::new(),
            crc32c: None,
            sorted,
        }
    }

    /// Merges as a pass does, and answers the sizes in the end and the bytes that were written.
    fn passed(files: &mut Vec<DataFile>) -> u64 {
        let mut written = 0;
        let mut number = 1_000_000;
        while let Some(task) = tasks(files.iter()).into_iter().next() {
            let bytes: u64 = task.files.iter().map(|file| file.bytes).sum();
            files.retain(|file| task.files.iter().all(|gone| gone.key != file.key));
            let mut left = bytes;
            while left > 0 {
                let one = left.min(MERGED_BYTES);
                number += 1;
                files.push(DataFile { key: format!("m{number}"), ..file(0, one, true) });
                left -= one;
            }
            written += bytes;
        }
        written
    }

    #[test]
    fn pass_leaves_two_files_beside_the_settled_ones_however_fast_rows_come() {
        for (bytes_per_pass, fresh, passes, most_written) in
            [(10 * KB, 8, 3_000, 400), (MB, 60, 1_500, 40), (60 * MB, 60, 200, 8), (6_000 * MB, 1_000, 4, 6)]
        {
            let mut files = Vec::new();
            let (mut total, mut written) = (0, 0);
            for pass in 0..passes {
                for number in 0..fresh {
                    files.push(file(pass * 10_000 + number, bytes_per_pass / fresh as u64, false));
                }
                total += bytes_per_pass / fresh as u64 * fresh as u64;
                written += passed(&mut files);
                let open = files.iter().filter(|file| file.bytes < SETTLED_BYTES).count();
                assert!(open <= 2, "{open} files after {pass} passes of {bytes_per_pass} bytes");
                assert!(files.len() as u64 <= 2 + total / (64 * MB), "{} files of {total} bytes", files.len());
            }
            assert!(
                written / total <= most_written,
                "{bytes_per_pass}: each byte was written {} times",
                written / total
            );
        }
    }

    #[test]
    fn large_file_waits_until_the_rest_is_worth_it() {
        let files = [file(1, 100 * MB, true), file(2, MB, false), file(3, MB, false)];
        let keys = |files: &[DataFile]| -> Vec<String> {
            tasks(files.iter()).remove(0).files.into_iter().map(|file| file.key).collect()
        };
        assert_eq!(keys(&files), ["2", "3"]);
        let more = [file(1, 100 * MB, true), file(2, 4 * MB, false), file(3, 3 * MB, false)];
        assert_eq!(keys(&more), ["2", "3", "1"]);
    }

    #[test]
    fn merge_takes_no_more_than_memory_has_room_for() {
        let unsorted: Vec<DataFile> = (0..10_000).map(|number| file(number, 20 * KB, false)).collect();
        let task = tasks(unsorted.iter()).remove(0);
        assert!(task.files.iter().map(|file| file.bytes).sum::<u64>() <= MAX_UNSORTED_BYTES);
        let sorted: Vec<DataFile> = (0..100).map(|number| file(number, MB, true)).collect();
        assert_eq!(tasks(sorted.iter()).remove(0).files.len(), MAX_SORTED);
    }

    #[test]
    fn settled_files_and_single_ones_are_left_alone() {
        assert_eq!(tasks([file(1, SETTLED_BYTES, false), file(2, MB, false)].iter()), []);
    }
}
