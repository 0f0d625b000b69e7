//! The error file of a replay in the making: the rows that stay rejected.

use penstock_catalog::commit::ErrorFile;
use penstock_kernel::encode::{Encoder, WriterOptions};
use penstock_kernel::rejected::{Entry, REPEATED_KEY_BYTES, of_entries, schema};

use super::chunk::record_of;
use super::piece;
use crate::error::LoadError;
use crate::loader::files::Files;

/// Memory of rows that are encoded together.
const ENCODED_BYTES: usize = piece::CHUNK_BYTES / 2;

/// Rows that stay rejected; most of them are encoded already, if there are many.
#[derive(Debug, Default)]
pub(super) struct Remaining {
    rows: Vec<Entry>,
    bytes: usize,
    /// The record of the last row.
    last: Option<(String, i32, i64)>,
    encoder: Option<Encoder>,
    count: u64,
}

impl Remaining {
    /// Appends a row, whose record's key is `key` if the row does not say it. Rows of one record are to stand together.
    ///
    /// # Errors
    /// [`LoadError::Encode`]
    pub(super) fn push(&mut self, mut entry: Entry, key: Option<&[u8]>) -> Result<(), LoadError> {
        let record = record_of(&entry);
        let repeats =
            self.last.as_ref().is_some_and(|(topic, place, offset)| (topic.as_str(), *place, *offset) == record);
        if !repeats {
            self.last = Some((record.0.to_owned(), record.1, record.2));
        }
        let own = entry.row.key.take().or_else(|| key.map(<[u8]>::to_vec));
        entry.row.key = own.filter(|key| !repeats || key.len() <= REPEATED_KEY_BYTES);
        self.bytes = self.bytes.saturating_add(piece::bytes(&entry));
        self.count += 1;
        self.rows.push(entry);
        if self.bytes >= ENCODED_BYTES {
            self.encode()?;
        }
        Ok(())
    }

    /// How many rows there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Puts the file; `None` if no row stays.
    ///
    /// # Errors
    /// [`LoadError::Encode`], [`LoadError::Put`], [`LoadError::Storage`]
    pub(super) async fn put(mut self, files: &Files<'_>) -> Result<Option<ErrorFile>, LoadError> {
        if self.encoder.is_some() {
            self.encode()?;
        }
        let file = match self.encoder {
            Some(encoder) => {
                let (encoded, rows) = encoder.finish()?;
                files.put_error_file(encoded, rows, Vec::new()).await?
            }
            None if self.rows.is_empty() => return Ok(None),
            None => files.put_errors(&of_entries(&self.rows)).await?,
        };
        if file.rows != self.count {
            return Err(LoadError::Miscounted {
                what: "rows that stay rejected",
                expected: self.count,
                found: file.rows,
            });
        }
        Ok(Some(file))
    }

    fn encode(&mut self) -> Result<(), LoadError> {
        let mut encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => Encoder::new(&schema(), &WriterOptions::default())?,
        };
        encoder.write(&of_entries(&self.rows))?;
        self.encoder = Some(encoder);
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}
