//! What can be wrong with a job property, in StarRocks' words, and what to do about it.

use super::{PROPERTIES, Property};

/// A job property that was refused; the statement is to be corrected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PropertyError {
    /// No job property has that name.
    #[error("{key} is invalid property")]
    Unknown {
        /// The name, as given.
        key: String,
    },
    /// ALTER cannot change it.
    #[error("{key} is invalid property")]
    NotAlterable {
        /// The name.
        key: &'static str,
    },
    /// StarRocks knows it, and it means something that does not exist here yet.
    #[error("{key} = `{found}` is not supported yet")]
    NotYet {
        /// The name.
        key: &'static str,
        /// The value, as given.
        found: String,
    },
    /// Not an integer, or below the smallest allowed one.
    #[error("{key} should {}, found `{found}`", floor(*.min))]
    Integer {
        /// The name.
        key: &'static str,
        /// Smallest allowed.
        min: i64,
        /// The value, as given.
        found: String,
    },
    /// Above the largest allowed integer.
    #[error("{key} should <= {max}, found `{found}`")]
    TooLarge {
        /// The name.
        key: &'static str,
        /// Largest allowed.
        max: i64,
        /// The value, as given.
        found: String,
    },
    /// Not a number.
    #[error("Incorrect format of {key}: expected a number, found `{found}`")]
    NotANumber {
        /// The name.
        key: &'static str,
        /// The value, as given.
        found: String,
    },
    /// A number out of its range.
    #[error("{key} must between {min:?} and {max:?}. found `{found}`")]
    Number {
        /// The name.
        key: &'static str,
        /// Smallest allowed.
        min: f64,
        /// Largest allowed.
        max: f64,
        /// The value, as given.
        found: String,
    },
    /// None of the words that it takes.
    #[error("{} type is invalid. {key}=`{found}`", capitalised(.key))]
    Word {
        /// The name.
        key: &'static str,
        /// The words it takes.
        expected: &'static [&'static str],
        /// The value, as given.
        found: String,
    },
    /// Neither a known zone nor an offset from −12:00 to +14:00; MySQL's error 1298.
    #[error("Unknown or incorrect time zone: '{found}'")]
    TimeZone {
        /// The value, as given.
        found: String,
    },
    /// Both are given, and no task could ever end in time.
    #[error("task_timeout_second must be larger than task_consume_second")]
    TaskTimeout {
        /// Value of `task_timeout_second`.
        timeout: i64,
        /// Value of `task_consume_second`.
        consume: i64,
    },
}

impl PropertyError {
    /// What the user might do, if there is something to say beyond the error itself.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { key } => Some(match key.to_ascii_lowercase().as_str() {
                "columns" => "COLUMNS (...) stands before PROPERTIES".to_owned(),
                "where" => "WHERE stands before PROPERTIES".to_owned(),
                _ => format!("did you mean `{}`?", nearest(key)?.name),
            }),
            Self::NotAlterable { key } => {
                Some(format!("`{key}` is fixed at CREATE ROUTINE LOAD: stop the job and create another"))
            }
            Self::Word { expected, .. } => Some(format!("one of {}", expected.join(", "))),
            Self::TimeZone { .. } => Some("a name such as `Europe/Vienna`, or an offset such as `+08:00`".to_owned()),
            Self::TaskTimeout { timeout, consume } => Some(format!("found {timeout} and {consume}")),
            Self::Number { key: "max_filter_ratio", .. } => Some("1 switches the check off".to_owned()),
            _ => None,
        }
    }

    /// MySQL's number for this kind of error where it has one of its own.
    pub fn mysql_code(&self) -> Option<u16> {
        matches!(self, Self::TimeZone { .. }).then_some(1298)
    }
}

/// How StarRocks words a lower bound; an integer without one must only be an integer.
fn floor(min: i64) -> String {
    match min {
        i64::MIN => "be an integer".to_owned(),
        1 => "> 0".to_owned(),
        _ => format!(">= {min}"),
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// The property whose name is closest to `key`, if it is close enough to be what was meant.
fn nearest(key: &str) -> Option<&'static Property> {
    let key = key.to_ascii_lowercase();
    // A name from outside may be of any length, and the distance costs its square.
    if key.len() > 64 {
        return None;
    }
    PROPERTIES
        .iter()
        .map(|property| (edit_distance(&key, property.name), property))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, property)| *distance <= 2.max(property.name.len() / 3))
        .map(|(_, property)| property)
}

/// Insertions, deletions and replacements of bytes that turn one word into the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, left) in from.bytes().enumerate() {
        let mut diagonal = above;
        let mut last = above + 1;
        for (cell, right) in row.iter_mut().zip(std::iter::once(None).chain(to.bytes().map(Some))) {
            let old = *cell;
            if let Some(right) = right {
                let replaced = diagonal + usize::from(left != right);
                last = replaced.min(old + 1).min(last + 1);
            }
            *cell = last;
            diagonal = old;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
