//! Why a record is no JSON of the shape that the job expects, and where; the reason of its one rejected row.

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The bytes are no UTF-8.
    Utf8,
    /// The first significant character opens neither object nor array.
    Start,
    /// Something else was expected here.
    Expected(&'static str),
    /// A control character inside a string.
    ControlCharacter,
    /// A backslash followed by what is no escape.
    Escape,
    /// A number that is not written as JSON writes them.
    Number,
    /// More containers inside each other than are read.
    TooDeep,
    /// An array where a stream of objects is expected.
    ArrayInStream,
    /// Another value where a stream of objects is expected.
    NotObjectInStream,
    /// No array although `strip_outer_array` is set.
    NotArray,
    /// An element of the array is no object.
    NotObjectInArray,
    /// Under `json_root` is neither object nor, with `strip_outer_array`, array.
    RootShape,
    /// The way to `json_root` cannot be looked for in so large a document.
    RootTooLarge,
    /// There is nothing, or null, under `json_root`.
    NoRoot,
}

/// What is wrong, and at which byte of the record's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Byte of the value, from 0.
    pub(crate) at: usize,
    /// What is wrong there.
    pub(crate) kind: FaultKind,
}

impl Fault {
    /// The reason for a person, in StarRocks' words where it has some.
    pub(crate) fn reason(&self, value: &[u8]) -> String {
        let at = self.at;
        let found = || shown(value, at);
        match self.kind {
            FaultKind::Utf8 => format!("parse error. invalid UTF-8 at byte {at}"),
            FaultKind::Start => match value.get(at..).is_none_or(<[u8]>::is_empty) {
                true => format!("parse error. no json document at byte {at}"),
                false => format!("parse error. illegal json started with [{}] at byte {at}", found()),
            },
            FaultKind::Expected(expected) => match value.get(at..).is_none_or(<[u8]>::is_empty) {
                true => format!("parse error. unexpected end at byte {at}: expected {expected}"),
                false => format!("parse error. expected {expected}, found `{}` at byte {at}", found()),
            },
            FaultKind::ControlCharacter => {
                format!("parse error. control character `{}` within a string at byte {at}", found())
            }
            FaultKind::Escape => {
                format!("parse error. unknown escape within a string at byte {at}")
            }
            FaultKind::Number => format!("parse error. malformed number at byte {at}"),
            FaultKind::TooDeep => {
                format!("parse error. nested deeper than {} levels at byte {at}", super::scan::MAX_DEPTH)
            }
            FaultKind::ArrayInStream => format!(
                "parse error. The value is array type in json document stream, you can set strip_outer_array=true to \
                 load each element as a row, at byte {at}"
            ),
            FaultKind::NotObjectInStream => format!(
                "parse error. The value should be object type in json document stream, found `{}` at byte {at}",
                found()
            ),
            FaultKind::NotArray => format!(
                "parse error. the value should be array type with strip_outer_array=true, found `{}` at byte {at}",
                found()
            ),
            FaultKind::NotObjectInArray => format!(
                "parse error. the value should be object type in json array with strip_outer_array=true, found `{}` at \
                 byte {at}",
                found()
            ),
            FaultKind::RootShape => format!(
                "parse error. the value under json_root should be object type, or array type with \
                 strip_outer_array=true, in the document at byte {at}"
            ),
            FaultKind::RootTooLarge => {
                format!("the document at byte {at} is nested too deep for the path of json_root")
            }
            FaultKind::NoRoot => {
                format!("unable to find key of json_root in the document at byte {at}")
            }
        }
    }
}

/// The character at a byte, printable; a byte in hexadecimal if no character stands there.
fn shown(value: &[u8], at: usize) -> String {
    let rest = value.get(at..).unwrap_or_default();
    let character = rest.get(..rest.len().min(4)).and_then(|bytes| bytes.utf8_chunks().next()?.valid().chars().next());
    match (character, rest.first()) {
        (Some('"'), _) => '"'.to_string(),
        (Some('\''), _) => '\''.to_string(),
        (Some(character), _) => character.escape_debug().to_string(),
        (None, Some(byte)) => format!("\\x{byte:02x}"),
        (None, None) => "end".to_owned(),
    }
}
