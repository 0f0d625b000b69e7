//! Job properties: one definition each, from which parsing, ranges, `SHOW` and reference text follow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a property's value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// `true` in any case is true, anything else false.
    Boolean,
    /// An integer, both ends inclusive.
    Integer {
        /// Smallest allowed.
        min: i64,
        /// Largest allowed.
        max: i64,
    },
    /// A number, both ends inclusive.
    Number {
        /// Smallest allowed.
        min: f64,
        /// Largest allowed.
        max: f64,
    },
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
    /// The first byte of the text.
    Byte,
    /// A time zone: an IANA name or `+HH:MM`.
    TimeZone,
    /// Known to StarRocks, not yet to us: refused with "not supported yet".
    NotYet,
}

/// A job property.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Property {
    /// Its key in `PROPERTIES (...)`, exact and in lower case.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Its value when not given; empty where there is none.
    pub default: &'static str,
    /// Whether ALTER may change it.
    pub alterable: bool,
    /// What it does, and what raising and lowering it costs.
    pub doc: &'static str,
}

/// The properties that were given, as given, known and in range.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobProperties {
    given: BTreeMap<String, String>,
}
