//! Records of one plain row, each field handed on where it stands.
//!
//! Nothing is looked for but single bytes, and nothing is checked but that there are as many fields as there have to be and
//! that all of it is text. Whatever else there is ends this with `None`: the taker takes back what it has, and the record is
//! read once more by the way that is right about everything.

use super::{CsvReader, NULL};
use crate::block;

/// Takes the fields of wanted columns.
pub(crate) trait TakeField<T> {
    /// Takes a field; `None` is NULL. Its bytes are UTF-8.
    fn take_field(&mut self, target: T, field: Option<&[u8]>) -> Option<()>;
}

impl CsvReader {
    /// Whether records may be read [directly](Self::read_directly).
    pub(crate) fn is_direct(&self) -> bool {
        let single = self.column_separator.len() == 1 && self.row_delimiter.len() == 1;
        single && self.special.is_none() && !self.trim_space
    }

    /// Hands the fields of a record that is one row to `to`, each to its target; `None` if [`read`](Self::read) has to do it.
    #[inline]
    pub(crate) fn read_directly<T: Copy>(
        &self,
        targets: &[Option<T>],
        value: &[u8],
        to: &mut impl TakeField<T>,
    ) -> Option<()> {
        let (separator, delimiter) = (self.column_separator.first(), self.row_delimiter.first());
        let value = value.strip_suffix(&[delimiter]).unwrap_or(value);
        if value.is_empty() {
            // Blank rows are none.
            return None;
        }
        let (mut rest, mut is_text) = (value, false);
        for number in 0..self.fields {
            let mut end = plain_end(rest, separator, delimiter);
            if rest.get(end).is_some_and(|byte| !byte.is_ascii()) {
                if !is_text {
                    simdutf8::basic::from_utf8(value).ok()?;
                    is_text = true;
                }
                let after = rest.get(end..)?;
                end += memchr::memchr2(separator, delimiter, after).unwrap_or(after.len());
            }
            let (field, after) = rest.split_at_checked(end)?;
            if let Some(target) = targets.get(number).copied().flatten() {
                to.take_field(target, (field != NULL.as_bytes()).then_some(field))?;
            }
            match after.split_first() {
                Some((byte, after)) if *byte == separator && number + 1 < self.fields => rest = after,
                None if number + 1 == self.fields => return Some(()),
                _ => return None,
            }
        }
        None
    }
}

/// Where the first byte stands that is one of these, or not ASCII.
#[inline(always)]
fn plain_end(bytes: &[u8], separator: u8, delimiter: u8) -> usize {
    let (blocks, rest) = bytes.as_chunks();
    for (place, block) in blocks.iter().enumerate() {
        let ends = block::not_ascii_field(block, separator, delimiter);
        if ends != 0 {
            return place * block::BYTES + ends.trailing_zeros() as usize; // less than 16
        }
    }
    let stop = |byte: &u8| *byte == separator || *byte == delimiter || !byte.is_ascii();
    bytes.len() - rest.len() + rest.iter().position(stop).unwrap_or(rest.len())
}
