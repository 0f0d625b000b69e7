//! A path of `jsonpaths` or `json_root`: its text, and what is accepted of it.
//!
//! StarRocks finds a wrong path only when records come, and then rejects every row; here it is found before. What it
//! takes:
//!
//! | text | meaning |
//! | --- | --- |
//! | `$`, `$[0]` | the whole row; an index on it means nothing |
//! | `$.a.b`, `.a.b` | member of a member |
//! | `$.a[2].b` | an element, from 0; one index a segment |
//! | `$.a[*]` | always NULL, as in StarRocks; still wants an array |
//! | `$.a.*` | the first member's value, whatever its key |
//! | `$."x.y"` | quotes keep dots in a key; a backslash keeps a dot, a quote or a backslash |
//!
//! StarRocks also takes `a.b` and `$x.b` and then silently forgets the first segment, and rejects every row for `a` and
//! `$.*`: these are refused, since nobody can have meant that.

/// A segment of a path, below the row itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member with this key.
    Member(String),
    /// The member that comes first.
    First,
    /// The element with this number, from 0.
    Element(u64),
    /// `[*]`: nothing of an array.
    NoElement,
}

/// Steps that a path may have; no data is read deeper than that many levels anyway.
const MAX_STEPS: usize = 256;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathProblem {
    /// Neither `$` nor a dot leads.
    #[error("expected `$`")]
    NoRoot,
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
    /// `$.*`: the row itself has no first member that could be meant.
    #[error("`*` needs a key before it")]
    Wildcard,
    /// More steps than are read.
    #[error("more than {MAX_STEPS} segments")]
    TooLong,
}

impl PathProblem {
    /// What the user might do.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::NoRoot | Self::AfterRoot => "a path begins with `$.`, as in `$.user.name`",
            Self::EmptyKey => "`..` is not supported; a path names each level, as in `$.user.name`",
            Self::OpenQuote | Self::Escape => "a key with a dot is written `$.\"x.y\"`",
            Self::Index => "`['key']`, slices, filters and negative indexes are not supported",
            Self::Key => "only dots need quotes around a key",
            Self::Wildcard => "name the key, as in `$.user.*`",
            Self::TooLong => "load a shorter path into a JSON column",
        }
    }
}

/// The steps of a path; none for the whole row.
pub(crate) fn parse(path: &str) -> Result<Vec<Step>, PathError> {
    steps(path).map_err(|(byte, problem)| PathError {
        path: path.to_owned(),
        position: path.get(..byte).unwrap_or(path).chars().count() + 1,
        problem,
    })
}

fn steps(path: &str) -> Result<Vec<Step>, (usize, PathProblem)> {
    let mut segments = segments(path)?.into_iter();
    let root = segments.next().unwrap_or_default();
    let rest: Vec<Segment> = segments.collect();
    match root.text.strip_prefix('$') {
        Some("") => {}
        Some(index) if rest.is_empty() && read_index(index).is_some() => {}
        Some(_) => return Err((1, PathProblem::AfterRoot)),
        None if root.text.is_empty() && !rest.is_empty() => {}
        None => return Err((0, PathProblem::NoRoot)),
    }
    let mut steps = Vec::new();
    for (place, segment) in rest.iter().enumerate() {
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
            "*" if place == 0 => return Err((segment.start, PathProblem::Wildcard)),
            "*" => steps.push(Step::First),
            _ => steps.push(Step::Member(key.to_owned())),
        }
        if !index.is_empty() {
            steps.push(read_index(index).ok_or((segment.start, PathProblem::Index))?);
        }
        if steps.len() > MAX_STEPS {
            return Err((segment.start, PathProblem::TooLong));
        }
    }
    Ok(steps)
}

/// `[2]` or `[*]`. A number too large for any array is as good as the largest one.
fn read_index(text: &str) -> Option<Step> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if inner == "*" {
        return Some(Step::NoElement);
    }
    let number = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| Step::Element(inner.parse().unwrap_or(u64::MAX)))
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
