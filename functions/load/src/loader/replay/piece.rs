//! The error files that one commit of a replay takes the place of, and their rows.
//!
//! Small files are put together, as many as fit in memory. A file that alone has more rows than that is a piece of its
//! own, and its rows are read as they are needed: a file of a few megabytes may hold millions of them.

use std::collections::VecDeque;

use penstock_kernel::rejected::{DecodeError, Entries, Entry};

/// Memory of rows that go through the plan together, give or take a few. More means fewer and larger data files.
pub(super) const CHUNK_BYTES: usize = if cfg!(test) { 256 << 10 } else { 16 << 20 };

/// Files that one commit takes the place of: it names them all.
pub(super) const MAX_FILES: usize = 500;

/// Some error files, none of them twice.
#[derive(Debug, Default)]
pub(super) struct Piece {
    commits: Vec<String>,
    keys: Vec<String>,
    rows: VecDeque<Entry>,
    bytes: usize,
    /// What follows in the only file.
    rest: Option<Entries>,
}

/// Whether a file is part of a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It is, or has nothing to replay.
    Yes,
    /// It is, and has more rows than fit in memory: nothing else may be added.
    Alone,
    /// There is no room for it.
    No,
}

/// About the memory that a row takes.
pub(super) fn bytes(Entry { topic, row, .. }: &Entry) -> usize {
    let column = row.column.as_ref().map_or(0, String::len);
    let key = row.key.as_ref().map_or(0, Vec::len);
    size_of::<Entry>() + topic.len() + row.raw.len() + row.reason.len() + column + key
}

impl Piece {
    /// Adds the rows of the error file `key` of `commit`. A file with no row that is wanted is left alone, unless it is
    /// too large to tell.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn add(
        &mut self,
        commit: &str,
        key: &str,
        mut file: Entries,
        wants: impl Fn(&Entry) -> bool,
    ) -> Result<Added, DecodeError> {
        let mut rows = Vec::new();
        let mut size = 0_usize;
        let mut ended = false;
        while !ended && self.bytes.saturating_add(size) < CHUNK_BYTES {
            match file.next() {
                Some(some) => {
                    let some = some?;
                    size = some.iter().map(bytes).fold(size, usize::saturating_add);
                    rows.extend(some);
                }
                None => ended = true,
            }
        }
        if !ended && self.files() > 0 {
            return Ok(Added::No);
        }
        if ended && !rows.iter().any(wants) {
            return Ok(Added::Yes);
        }
        self.commits.push(commit.to_owned());
        self.keys.push(key.to_owned());
        self.bytes = self.bytes.saturating_add(size);
        self.rows.extend(rows);
        if ended {
            return Ok(Added::Yes);
        }
        self.rest = Some(file);
        Ok(Added::Alone)
    }

    pub(super) fn files(&self) -> usize {
        self.commits.len()
    }

    /// The commits of its files.
    pub(super) fn commits(&self) -> &[String] {
        &self.commits
    }

    /// The keys of its files.
    pub(super) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The next `most` rows, or fewer if they would take too much memory; none at the end.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn next(&mut self, most: u64) -> Result<Vec<Entry>, DecodeError> {
        let mut rows = Vec::new();
        let mut size = 0_usize;
        while size < CHUNK_BYTES && (rows.len() as u64) < most {
            if self.rows.is_empty()
                && let Some(some) = self.rest.as_mut().and_then(Iterator::next)
            {
                self.rows.extend(some?);
            }
            let Some(row) = self.rows.pop_front() else {
                break;
            };
            size = size.saturating_add(bytes(&row));
            rows.push(row);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use penstock_kernel::encode::{WriterOptions, encode};
    use penstock_kernel::loaded::RejectedRow;
    use penstock_kernel::rejected::of_entries;

    use super::*;

    fn entry(offset: i64, raw: usize) -> Entry {
        let row = RejectedRow {
            source_partition: 0,
            offset,
            index: None,
            column: None,
            reason: "too large".to_owned(),
            raw: vec![b'x'; raw],
            whole: true,
            key: None,
            timestamp_ms: None,
        };
        Entry { topic: "t".to_owned(), row, job_version: 1, rejected_at_ms: 0 }
    }

    fn file(rows: std::ops::Range<i64>, raw: usize) -> Entries {
        let rows: Vec<Entry> = rows.map(|offset| entry(offset, raw)).collect();
        Entries::of(encode(&of_entries(&rows), &WriterOptions::default()).unwrap().bytes).unwrap()
    }

    /// Offsets of the chunks, none of which is too large.
    fn chunks(piece: &mut Piece, largest: usize) -> Vec<i64> {
        let mut offsets = Vec::new();
        loop {
            let rows = piece.next(u64::MAX).unwrap();
            assert!(rows.iter().map(bytes).sum::<usize>() <= CHUNK_BYTES + largest);
            assert!(piece.rows.iter().map(bytes).sum::<usize>() <= 1024 * largest);
            if rows.is_empty() {
                return offsets;
            }
            offsets.extend(rows.iter().map(|entry| entry.row.offset));
        }
    }

    #[test]
    fn chunks_stay_small_however_many_rows_a_file_has() {
        let mut piece = Piece::default();
        assert_eq!(piece.add("1", "k1", file(0..20_000, 2), |_| true).unwrap(), Added::Alone);
        assert_eq!(chunks(&mut piece, 512), (0..20_000).collect::<Vec<_>>());
    }

    #[test]
    fn large_file_behind_small_ones_waits_for_the_next_piece() {
        let mut piece = Piece::default();
        assert_eq!(piece.add("1", "k1", file(0..10, 10), |_| true).unwrap(), Added::Yes);
        assert_eq!(piece.add("2", "k2", file(10..20, 10), |entry| entry.row.offset > 90).unwrap(), Added::Yes);
        assert_eq!(piece.add("3", "k3", file(20..10_000, 10), |_| true).unwrap(), Added::No);
        assert_eq!(piece.add("4", "k4", file(20..30, CHUNK_BYTES / 10), |_| true).unwrap(), Added::No);
        assert_eq!((piece.commits(), piece.keys()), (["1".to_owned()].as_slice(), ["k1".to_owned()].as_slice()));
        assert_eq!(chunks(&mut piece, 512), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn rows_are_counted_off_exactly() {
        let mut piece = Piece::default();
        piece.add("1", "k1", file(0..3000, 2), |_| true).unwrap();
        let offsets = |rows: Vec<Entry>| rows.iter().map(|entry| entry.row.offset).collect::<Vec<_>>();
        assert_eq!(offsets(piece.next(7).unwrap()), (0..7).collect::<Vec<_>>());
        assert_eq!(offsets(piece.next(1).unwrap()), [7]);
    }
}
