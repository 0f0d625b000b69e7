//! CSV: the value of a record into rows of delimited fields.
//!
//! Each record is framed on its own: it holds rows between row delimiters, of which the last may lack its own, and no row
//! reaches into the next record. Rows of no byte are skipped. A row that cannot be read is rejected by itself:
//!
//! | row | what is rejected |
//! | --- | --- |
//! | of another number of fields than there are plain names | the row |
//! | whose bytes are no UTF-8 | the row |
//! | in which an enclosed field goes on after its closing byte | the row |
//! | whose enclosed field is not closed, or which ends in an escape byte | all from its beginning to the end of the record |
//!
//! In the last case nobody can tell where the row was meant to end: what follows may well be the inside of the field.
//!
//! Without `enclose` and `escape` rows are found first and cut into fields then; with them, a field decides where it ends,
//! so that rows and fields are found in one pass (`enclosed`). Fields are slices of the record in both; one that holds
//! escapes is rewritten where it is converted.

pub(crate) mod direct;
mod enclosed;
pub(crate) mod escape;
mod needle;
#[cfg(test)]
mod tests;

use crate::format::Row;
use crate::format::value::Value;
use crate::separator;
use enclosed::{Ended, Span};
use escape::Unescape;
use needle::Needle;

/// How records are read; compiled once.
#[derive(Debug, Clone)]
pub(crate) struct CsvReader {
    column_separator: Needle,
    row_delimiter: Needle,
    /// Fields that a row has.
    fields: usize,
    trim_space: bool,
    /// `enclose` and `escape`, both ASCII; `None` without both.
    special: Option<Unescape>,
}

/// Room that is used again for each record.
#[derive(Debug, Default)]
pub(crate) struct CsvScratch<'a> {
    values: Vec<Value<'a>>,
    spans: Vec<Span>,
}

/// The text of a field that is NULL.
const NULL: &str = "\\N";

impl CsvReader {
    /// Rows of so many fields; slot n takes the n-th. Separators are not empty, and none holds the other in a way that
    /// could never be found; `special` stands in neither.
    pub(crate) fn new(
        column_separator: &str,
        row_delimiter: &str,
        fields: usize,
        trim_space: bool,
        special: Option<Unescape>,
    ) -> Self {
        Self {
            column_separator: Needle::new(column_separator),
            row_delimiter: Needle::new(row_delimiter),
            fields,
            trim_space,
            special,
        }
    }

    /// Hands each row of a record to `take`, in order.
    pub(crate) fn read<'a>(&self, value: &'a [u8], scratch: &mut CsvScratch<'a>, mut take: impl FnMut(Row<'_, 'a>)) {
        let text = simdutf8::basic::from_utf8(value).ok();
        let record = RecordText { bytes: value, text };
        let mut rest = self.without_blank_rows(value);
        let mut only = true;
        for index in 0.. {
            if rest.is_empty() {
                break;
            }
            let begin = value.len() - rest.len();
            let (row, next, values) = match self.special {
                None => self.plain_row(&record, begin, rest, scratch),
                Some(special) => self.enclosed_row(&record, begin, rest, special, scratch),
            };
            rest = self.without_blank_rows(next);
            only = only && rest.is_empty();
            take(Row { index, only, raw: row, values: values.map(|()| scratch.values.as_slice()) });
        }
    }

    fn without_blank_rows<'v>(&self, mut rest: &'v [u8]) -> &'v [u8] {
        while let Some(after) = self.row_delimiter.strip(rest) {
            rest = after;
        }
        rest
    }

    /// The row at the beginning of `rest`, what follows its delimiter, and its values in `scratch`.
    #[inline]
    fn plain_row<'a>(
        &self,
        record: &RecordText<'a>,
        begin: usize,
        rest: &'a [u8],
        scratch: &mut CsvScratch<'a>,
    ) -> (&'a [u8], &'a [u8], Result<(), String>) {
        let (row, next) = match self.row_delimiter.find(rest) {
            Some(at) => rest.split_at_checked(at).map_or((rest, &[][..]), |(row, after)| {
                (row, after.get(self.row_delimiter.len()..).unwrap_or_default())
            }),
            None => (rest, &[][..]),
        };
        (row, next, self.plain_values(record.slice(begin, row), row, &mut scratch.values))
    }

    #[inline]
    fn plain_values<'a>(&self, text: Option<&'a str>, row: &[u8], values: &mut Vec<Value<'a>>) -> Result<(), String> {
        values.clear();
        let mut found = 0;
        let mut begin = 0;
        let mut push = |end: usize| {
            if let Some(field) = text.and_then(|text| text.get(begin..end)) {
                let field = if self.trim_space { field.trim_matches(' ') } else { field };
                if found < self.fields {
                    values.push(if field == NULL { Value::Null } else { Value::Field(field) });
                }
            }
            found += 1;
            begin = end + self.column_separator.len();
        };
        self.column_separator.each(row, &mut push);
        push(row.len());
        self.checked(found, text)
    }

    fn enclosed_row<'a>(
        &self,
        record: &RecordText<'a>,
        begin: usize,
        rest: &'a [u8],
        special: Unescape,
        scratch: &mut CsvScratch<'a>,
    ) -> (&'a [u8], &'a [u8], Result<(), String>) {
        let (row, next, ended) = enclosed::row(self, special, rest, &mut scratch.spans);
        let text = record.slice(begin, row);
        scratch.values.clear();
        let values = match ended {
            Ended::Row => self.checked(scratch.spans.len(), text),
            Ended::Unclosed { field } => {
                Err(format!("the field (pos = {field}) is not closed: its `enclose` byte is missing at the end"))
            }
            Ended::Dangling { field } => {
                Err(format!("the field (pos = {field}) ends in its `escape` byte, with nothing behind it"))
            }
            Ended::GoesOn { field } => {
                Err(format!("the field (pos = {field}) goes on after its closing `enclose` byte"))
            }
        };
        if let (Ok(()), Some(text)) = (&values, text) {
            scratch.values.extend(scratch.spans.iter().map(|span| span.value(text, special)));
        }
        (row, next, values)
    }

    /// Refuses rows of another number of fields, and rows without text.
    #[inline]
    fn checked(&self, found: usize, text: Option<&str>) -> Result<(), String> {
        if found == self.fields && text.is_some() {
            return Ok(());
        }
        Err(self.fault(found))
    }

    #[cold]
    fn fault(&self, found: usize) -> String {
        if found == self.fields {
            return "Invalid UTF-8 row".to_owned();
        }
        format!(
            "Target column count: {} doesn't match source value column count: {found}. Column separator: {}, Row \
             delimiter: {}",
            self.fields,
            separator::shown(self.column_separator.text()),
            separator::shown(self.row_delimiter.text()),
        )
    }
}

/// A record, and its text if all of it is UTF-8.
struct RecordText<'a> {
    bytes: &'a [u8],
    text: Option<&'a str>,
}

impl<'a> RecordText<'a> {
    /// The text of the row that begins at a byte of the record; `None` if it is no UTF-8.
    #[inline]
    fn slice(&self, begin: usize, row: &[u8]) -> Option<&'a str> {
        match self.text {
            Some(text) => text.get(begin..begin + row.len()),
            None => simdutf8::basic::from_utf8(self.bytes.get(begin..begin + row.len())?).ok(),
        }
    }
}
