//! A path of `jsonpaths` or `json_root`: its text, and what is accepted of it.
//!
//! Two languages meet here. RFC 9535 says what a text means that is a path of it; a text that is none keeps the meaning
//! that StarRocks gives it, if any. A path that leads to one place at most becomes steps, which one pass over a row
//! follows for all paths together; any other one becomes a [`Selection`] below the steps that it begins with.
//!
//! | text | by | meaning |
//! | --- | --- | --- |
//! | `$`, `$[0]` | StarRocks | the whole row, which is never an array |
//! | `$.a.b`, `$['a']["b"]` | both | member of a member |
//! | `$.a[2].b` | both | an element, from 0; an error row where there is no array, as in StarRocks |
//! | `$['a'][2]`, `$.a[0][1]` | RFC 9535 | as above, but NULL where there is no array |
//! | `$.a[-1]` | RFC 9535 | an element, counted from the end |
//! | `$.a[*]`, `$.a[1:3]`, `$..a`, `$.a[?@.b > 1]`, `$['a','b']` | RFC 9535 | a list |
//! | `$.a.*` | RFC 9535 | a list; where the column holds none, the first member, as in StarRocks |
//! | `.a.b` | StarRocks | as `$.a.b` |
//! | `$.x-y`, `$.a b`, `$."x.y"`, `$.x\.y` | StarRocks | odd characters in keys; quotes and a backslash keep dots |
//!
//! StarRocks also takes `a.b` and `$x.b` and then silently forgets the first segment, and rejects every row for `a`: these
//! are refused, since nobody can have meant that.

use std::sync::Arc;

use super::select::Selection;

mod rfc9535;

pub(crate) use rfc9535::outside_strings;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Path {
    /// One place at most.
    Place {
        /// The way there; empty for the whole row.
        steps: Vec<Step>,
        /// What an index means where there is no array.
        no_array: NoArray,
    },
    /// Whatever is selected below a place.
    Select {
        /// The way to that place.
        prefix: Vec<Step>,
        /// What is selected there.
        selection: Arc<Selection>,
        /// What StarRocks takes the path for, if it takes it for one place.
        one_place: Option<Vec<Step>>,
    },
}

/// What an index means where there is neither array nor null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoArray {
    /// An error row, as in StarRocks.
    Fault,
    /// Nothing is found there.
    Nothing,
}

/// A segment of a path, below the row itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member with this key.
    Member(String),
    /// The member that comes first.
    First,
    /// The element with this number, from 0.
    Element(u64),
}

/// Steps that a path may have; no data is read deeper than that many levels anyway.
const MAX_STEPS: usize = 256;

/// Bytes that a path may have.
const MAX_BYTES: usize = 8_192;

/// Brackets and parentheses that may be open at once: their parser tries each level several times.
const MAX_BRACKETS: usize = 12;

/// A path that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path `{path}` is not valid at character {position}: {problem}")]
pub struct PathError {
    /// The path, as given.
    pub path: String,
    /// The character, from 1, at which the trouble begins.
    pub position: usize,
    /// What the trouble is.
    pub problem: PathProblem,
}

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathProblem {
    /// Neither `$` nor a dot leads.
    #[error("expected `$`")]
    NoRoot,
    /// It is neither a path of RFC 9535 nor one of StarRocks'.
    #[error("not a path of RFC 9535{}", .0)]
    Rfc9535(String),
    /// It is longer, or its brackets are deeper in each other, than is read.
    #[error("longer than {MAX_BYTES} bytes, or brackets more than {MAX_BRACKETS} deep")]
    TooLarge,
    /// Something other than a dot follows `$`.
    #[error("expected `.` after `$`")]
    AfterRoot,
    /// There is no key between two dots, or after the last one.
    #[error("expected a key")]
    EmptyKey,
    /// A quote that no other one closes.
    #[error("quote is not closed")]
    OpenQuote,
    /// A backslash before a character that needs none.
    #[error("unknown escape")]
    Escape,
    /// A bracket with something other than a number or `*`, a second bracket, or text after one.
    #[error("expected one index such as `[0]` at the end of a segment")]
    Index,
    /// A quote inside a key.
    #[error("a key cannot contain quotes or brackets")]
    Key,
    /// More steps than are read.
    #[error("more than {MAX_STEPS} segments")]
    TooLong,
}

impl PathProblem {
    /// What the user might do.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NoRoot | Self::AfterRoot => "a path begins with `$.`, as in `$.user.name`",
            Self::EmptyKey => "a path names each level, as in `$.user.name`; `$..name` looks in all of them",
            Self::OpenQuote | Self::Escape => "a key with a dot is written `$.\"x.y\"`",
            Self::Index | Self::Rfc9535(_) => {
                "for example `$.a[0]`, `$['a']`, `$.a[-1]`, `$.a[1:3]`, `$.a[*]`, `$..a`, `$.a[?@.b > 1]`"
            }
            Self::TooLarge => "load a shorter path into a JSON column",
            Self::Key => "only dots need quotes around a key",
            Self::TooLong => "load a shorter path into a JSON column",
        }
    }
}

/// What a path leads to.
///
/// # Errors
/// [`PathError`] says where neither language has a meaning for it.
pub(crate) fn parse(path: &str) -> Result<Path, PathError> {
    let error = |(byte, problem): (usize, PathProblem)| PathError {
        path: path.to_owned(),
        position: path.get(..byte).unwrap_or(path).chars().count() + 1,
        problem,
    };
    if path.len() > MAX_BYTES || brackets(path) > MAX_BRACKETS {
        return Err(error((0, PathProblem::TooLarge)));
    }
    let place = |steps| Path::Place { steps, no_array: NoArray::Fault };
    match (steps(path), rfc9535::parse(path)) {
        // A row is an object, so StarRocks' meaning is the only one that such a path has.
        (Ok(steps), _) if steps.is_empty() && path != "$[*]" => Ok(place(steps)),
        (Ok(steps), Err(_)) if !selects_elements(path) => Ok(place(steps)),
        (Ok(steps), Ok(Path::Place { steps: same, .. })) if steps == same => Ok(place(steps)),
        (Ok(steps), Ok(Path::Select { prefix, selection, .. })) => {
            let named = steps.starts_with(&prefix) && !selects_elements(path) && steps.first() != Some(&Step::First);
            let one_place = named.then_some(steps);
            Ok(Path::Select { prefix, selection, one_place })
        }
        (_, Ok(found)) => match &found {
            Path::Place { steps, .. } | Path::Select { prefix: steps, .. } if steps.len() > MAX_STEPS => {
                Err(error((0, PathProblem::TooLong)))
            }
            _ => Ok(found),
        },
        (Ok(_), Err(problem)) => Err(error(problem)),
        // Brackets are the other language's, and so is whatever is wrong with them.
        (Err((byte, PathProblem::Index | PathProblem::EmptyKey | PathProblem::AfterRoot)), Err(problem))
            if path.starts_with('$') && problem.0 >= byte.min(1) =>
        {
            Err(error(problem))
        }
        (Err(problem), Err(_)) => Err(error(problem)),
    }
}

/// Whether `[*]` stands in the path, which StarRocks reads and finds nothing by.
fn selects_elements(path: &str) -> bool {
    path.contains("[*]")
}

/// Brackets and parentheses that are open at once outside of strings.
fn brackets(path: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for byte in outside_strings(path).bytes() {
        match byte {
            b'[' | b'(' => open += 1,
            b']' | b')' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

fn steps(path: &str) -> Result<Vec<Step>, (usize, PathProblem)> {
    let mut segments = segments(path)?.into_iter();
    let root = segments.next().unwrap_or_default();
    let rest: Vec<Segment> = segments.collect();
    match root.text.strip_prefix('$') {
        Some("") => {}
        Some("[*]") if rest.is_empty() => {}
        Some(index) if rest.is_empty() && read_index(index).is_some() => {}
        Some(_) => return Err((1, PathProblem::AfterRoot)),
        None if root.text.is_empty() && !rest.is_empty() => {}
        None => return Err((0, PathProblem::NoRoot)),
    }
    let mut steps = Vec::new();
    for segment in &rest {
        let key_end = segment.text.find('[').unwrap_or(segment.text.len());
        let (key, index) = segment.text.split_at_checked(key_end).unwrap_or_default();
        if key.is_empty() {
            let problem = if index.is_empty() { PathProblem::EmptyKey } else { PathProblem::Index };
            return Err((segment.start, problem));
        }
        if key.contains(['"', ']']) {
            return Err((segment.start, PathProblem::Key));
        }
        match key {
            "*" => steps.push(Step::First),
            _ => steps.push(Step::Member(key.to_owned())),
        }
        if !index.is_empty() {
            // Where the other language does not say what `[*]` means, nothing does.
            let step = if index == "[*]" { Some(Step::Element(u64::MAX)) } else { read_index(index) };
            steps.push(step.ok_or((segment.start, PathProblem::Index))?);
        }
        if steps.len() > MAX_STEPS {
            return Err((segment.start, PathProblem::TooLong));
        }
    }
    Ok(steps)
}

/// `[2]`, at most what RFC 9535 allows.
fn read_index(text: &str) -> Option<Step> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let number = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit());
    let number = if number { inner.parse().ok()? } else { return None };
    (number < 1 << 53).then_some(Step::Element(number))
}

#[derive(Debug, Default)]
struct Segment {
    /// Byte of the path at which it starts.
    start: usize,
    /// Without the quotes and backslashes that protect its characters.
    text: String,
}

/// Splits at the dots that neither quotes nor a backslash protect.
fn segments(path: &str) -> Result<Vec<Segment>, (usize, PathProblem)> {
    let mut segments = Vec::new();
    let mut segment = Segment::default();
    let mut open_quote = None;
    let mut characters = path.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped @ ('.' | '"' | '\\'))) => segment.text.push(escaped),
                Some((_, 'n')) => segment.text.push('\n'),
                _ => return Err((at, PathProblem::Escape)),
            },
            '"' => open_quote = if open_quote.is_some() { None } else { Some(at) },
            '.' if open_quote.is_none() => {
                let next = Segment { start: at + 1, text: String::new() };
                segments.push(std::mem::replace(&mut segment, next));
            }
            _ => segment.text.push(character),
        }
    }
    if let Some(at) = open_quote {
        return Err((at, PathProblem::OpenQuote));
    }
    segments.push(segment);
    Ok(segments)
}
