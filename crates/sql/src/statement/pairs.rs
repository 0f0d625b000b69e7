//! `("key" = "value", ...)`: properties as written, before anyone asks what they mean.

use std::fmt;

use crate::position::Position;
use crate::print::Quoted;

/// Properties in the order written; of equal keys the last one counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<Pair>);

/// A property as written. Equality does not regard where it stands.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Where its key stands.
    pub position: Position,
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

impl Eq for Pair {}

impl Pairs {
    /// The last pair of that key.
    pub fn get(&self, key: &str) -> Option<&Pair> {
        self.0.iter().rev().find(|pair| pair.key == key)
    }

    /// Keys and values in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|pair| (pair.key.as_str(), pair.value.as_str()))
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", Quoted(&self.key), Quoted(&self.value))
    }
}

/// Prints `("key" = "value", ...)`.
impl fmt::Display for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", crate::print::List(&self.0))
    }
}
