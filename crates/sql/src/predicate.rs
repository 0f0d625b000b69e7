//! WHERE of REPLAY: conditions joined by AND, OR and NOT.
//!
//! It travels to the load function as it is, so it is a tree of plain values, and not deep.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::filter::Condition;
use crate::like::Wildcards;

/// AND, OR and NOT inside of each other, at most.
pub const MAX_NESTED: usize = 40;

/// What must hold for a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    /// One condition.
    Is(Condition),
    /// NOT.
    Not(Box<Predicate>),
    /// AND of at least two.
    All(Vec<Predicate>),
    /// OR of at least two.
    Any(Vec<Predicate>),
}

impl Predicate {
    /// Whether it holds where `cell` says what a column has, `None` for NULL. As in SQL, what is neither true nor false
    /// does not hold, and its NOT does not either.
    pub fn holds(&self, cell: &dyn Fn(&str) -> Option<String>) -> bool {
        self.truth(cell) == Some(true)
    }

    /// `None` is SQL's unknown.
    fn truth(&self, cell: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
        match self {
            Self::Is(condition) => {
                let cell = cell(&condition.column);
                let known = cell.is_some() || condition.comparison.is_about_null();
                known.then(|| condition.holds(cell.as_deref(), Wildcards::Sql))
            }
            Self::Not(part) => part.truth(cell).map(|truth| !truth),
            Self::All(parts) => joined(parts, cell, false),
            Self::Any(parts) => joined(parts, cell, true),
        }
    }

    /// AND, OR and NOT inside of each other.
    pub(crate) fn nested(&self) -> usize {
        let parts = match self {
            Self::Is(_) => return 0,
            Self::Not(part) => std::slice::from_ref(part.as_ref()),
            Self::All(parts) | Self::Any(parts) => parts,
        };
        1 + parts.iter().map(Self::nested).max().unwrap_or(0)
    }
}

/// `deciding` if one of `parts` is that, else unknown if one is that.
fn joined(parts: &[Predicate], cell: &dyn Fn(&str) -> Option<String>, deciding: bool) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part.truth(cell) {
            Some(truth) if truth == deciding => return Some(deciding),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!deciding)
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(condition) => condition.fmt(f),
            Self::Not(part) => write!(f, "NOT ({part})"),
            Self::All(parts) => list(f, parts, " AND "),
            Self::Any(parts) => list(f, parts, " OR "),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, parts: &[Predicate], separator: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        match part {
            Predicate::Is(_) | Predicate::Not(_) => write!(f, "{part}")?,
            Predicate::All(_) | Predicate::Any(_) => write!(f, "({part})")?,
        }
    }
    Ok(())
}
