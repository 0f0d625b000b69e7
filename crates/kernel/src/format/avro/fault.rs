//! Why a record is no Avro that a job can read, and where; the reason of its one rejected row.

use super::schema::MAX_DEPTH;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The value ends where this was expected.
    End(&'static str),
    /// The value ends before this does, which says that it has so many bytes.
    Short { what: &'static str, bytes: u64 },
    /// A negative length.
    Length { what: &'static str, found: i64 },
    /// A number of more than 64 bits.
    Number,
    /// An int of more than 32 bits.
    Int { found: i64 },
    /// Neither 0 nor 1.
    Boolean { found: u8 },
    /// No such branch or symbol.
    Choice { what: &'static str, count: usize, found: i64 },
    /// A string that is no UTF-8.
    Utf8,
    /// More levels than are read.
    TooDeep,
    /// More values without bytes than are read.
    TooManyEmpty,
    /// Bytes after the record.
    Trailing { bytes: usize },
}

/// Values without bytes (nulls, mostly) that the arrays of one record may hold together: eleven bytes can claim 2^63 of
/// them.
pub(crate) const MAX_EMPTY_ITEMS: u64 = 65_536;

/// What is wrong, and at which byte of the record's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Byte of the value, from 0, its five bytes of magic and schema id included.
    pub(crate) at: usize,
    /// What is wrong there.
    pub(crate) kind: FaultKind,
}

impl Fault {
    /// The reason for a person.
    pub(crate) fn reason(&self) -> String {
        let at = self.at;
        let what = match self.kind {
            FaultKind::End(expected) => format!("unexpected end at byte {at}: expected {expected}"),
            FaultKind::Short { what, bytes } => {
                format!("unexpected end: at byte {at} begins {what} of {bytes} bytes, more than there are")
            }
            FaultKind::Length { what, found } => format!("negative length {found} of {what} at byte {at}"),
            FaultKind::Number => format!("number of more than 64 bits at byte {at}"),
            FaultKind::Int { found } => format!("int of more than 32 bits at byte {at}: {found}"),
            FaultKind::Boolean { found } => format!("expected 0 or 1 for a boolean at byte {at}, found {found}"),
            FaultKind::Choice { what, count, found } => {
                format!("no such {what} at byte {at}: expected 0 to {}, found {found}", count.saturating_sub(1))
            }
            FaultKind::Utf8 => format!("invalid UTF-8 in a string at byte {at}"),
            FaultKind::TooDeep => format!("nested deeper than {MAX_DEPTH} levels at byte {at}"),
            FaultKind::TooManyEmpty => {
                format!("more than {MAX_EMPTY_ITEMS} array items that take no bytes at byte {at}")
            }
            FaultKind::Trailing { bytes } => format!("{bytes} bytes after the end of the record at byte {at}"),
        };
        format!("parse error. {what}")
    }
}
