//! What a path selects that can lead to several places: their values, as text of the row.
//!
//! A crate evaluates the path on a copy of the part of the row that it can reach; what it finds is then taken from the
//! row's own text, so numbers keep every digit and strings their escapes. The work that a path can cause grows faster than
//! the row (`$..*..*`, a filter that walks the row for each of its values), so it is estimated before it is done, and
//! refused where it is out of proportion:
//!
//! | limit | most |
//! | --- | --- |
//! | levels of what is looked through | 256 |
//! | steps, estimated from values, levels and path | 65,536 and 512 a byte |
//! | values found, estimated | 4,096 and 4 a byte |
//! | bytes of all values found | 4,096 and 16 a byte |
//!
//! "A byte" is one of what is looked through. Where a limit is passed, the value is none that the column accepts.

mod cost;
mod source;

use serde_json_path::JsonPath;

use cost::Cost;
use source::Source;

/// Bytes of values found, for each byte that is looked through.
pub(crate) const BYTES_A_BYTE: usize = 16;

/// Bytes of values found that are borne whatever is looked through.
pub(crate) const BYTES_BORNE: usize = 4_096;

/// How many values a path can find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Results {
    /// One or none.
    One,
    /// Any number: they become a list.
    List,
}

/// A compiled path below a place of the row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selection {
    path: JsonPath,
    results: Results,
    cost: Cost,
}

/// The work would be out of proportion to the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuch;

impl Selection {
    /// `path` is what is evaluated, `text` the path as the user wrote it.
    pub(crate) fn new(text: &str, path: JsonPath, results: Results) -> Self {
        Self { path, results, cost: Cost::of(text) }
    }

    /// How many values it can find.
    pub(crate) fn results(&self) -> Results {
        self.results
    }

    /// The only value that is found in `text`, for a path that finds one at most.
    ///
    /// # Errors
    /// [`TooMuch`]
    pub(crate) fn one<'a>(&self, text: &'a str) -> Result<Option<&'a str>, TooMuch> {
        self.found(text).map(|found| found.first().copied())
    }

    /// Appends what is found in `text`, an object or array that the scanner has passed: a JSON array, or, of a path that
    /// finds one at most, that value. Nothing is appended if there is none, and nothing is found in an empty text.
    ///
    /// # Errors
    /// [`TooMuch`], with something appended or not.
    pub(crate) fn select(&self, text: &str, into: &mut String) -> Result<(), TooMuch> {
        if text.is_empty() {
            if self.results == Results::List {
                into.push_str("[]");
            }
            return Ok(());
        }
        let found = self.found(text)?;
        let limit = BYTES_BORNE + text.len().saturating_mul(BYTES_A_BYTE);
        if found.iter().map(|text| text.len() + 1).sum::<usize>() > limit {
            return Err(TooMuch);
        }
        match self.results {
            Results::One => into.push_str(found.first().copied().unwrap_or_default()),
            Results::List => {
                into.push('[');
                for (place, text) in found.iter().enumerate() {
                    if place > 0 {
                        into.push(',');
                    }
                    into.push_str(text);
                }
                into.push(']');
            }
        }
        Ok(())
    }

    fn found<'a>(&self, text: &'a str) -> Result<Vec<&'a str>, TooMuch> {
        let source = Source::read(text)?;
        if !self.cost.is_borne(source.values(), source.levels(), text.len()) {
            return Err(TooMuch);
        }
        Ok(source.texts(&self.path.query(source.root()).all()))
    }
}

#[cfg(test)]
mod tests;
