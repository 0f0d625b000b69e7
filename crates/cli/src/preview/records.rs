//! Input files cut into records, and records gathered into chunks.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use penstock_kernel::batch::{Batch, Headers, Record};

use super::PreviewError;
use crate::args::Split;

/// Calls `take` with each record's value: each line without its newline (a last line may lack one), or the whole file.
///
/// # Errors
/// [`PreviewError::Input`] if the file cannot be read, and whatever `take` answers.
pub(super) fn each(
    path: &Path,
    split: Split,
    mut take: impl FnMut(&[u8]) -> Result<(), PreviewError>,
) -> Result<(), PreviewError> {
    let unreadable = |source| PreviewError::Input { path: path.display().to_string(), source };
    let mut input = open(path).map_err(unreadable)?;
    let mut value = Vec::new();
    match split {
        Split::File => {
            input.read_to_end(&mut value).map_err(unreadable)?;
            take(&value)
        }
        Split::Line => loop {
            value.clear();
            if input.read_until(b'\n', &mut value).map_err(unreadable)? == 0 {
                return Ok(());
            }
            take(value.strip_suffix(b"\n").unwrap_or(&value))?;
        },
    }
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    Ok(if path.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path)?))
    })
}

/// Records on their way into the kernel, values one after another in one buffer.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    values: Vec<u8>,
    ends: Vec<usize>,
    /// Number of the first record of the chunk in the whole input, from 0.
    first: i64,
}

impl Chunk {
    pub(super) fn push(&mut self, value: &[u8]) {
        self.values.extend_from_slice(value);
        self.ends.push(self.values.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.values.len()
    }

    /// The records, with their number in the whole input as offset.
    pub(super) fn batch(&self) -> Batch<'_> {
        let mut begin = 0;
        let records = self
            .ends
            .iter()
            .zip(self.first..)
            .map(|(&end, offset)| {
                let value = self.values.get(begin..end);
                begin = end;
                Record {
                    source_partition: 0,
                    offset,
                    timestamp_ms: None,
                    key: None,
                    value,
                    headers: Headers::default(),
                }
            })
            .collect();
        Batch { topic: String::new(), records }
    }

    pub(super) fn clear(&mut self) {
        self.first += i64::try_from(self.ends.len()).unwrap_or(i64::MAX);
        self.values.clear();
        self.ends.clear();
    }
}
