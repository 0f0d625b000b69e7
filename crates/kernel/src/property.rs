//! Job properties: one definition each, from which parsing, ranges, `SHOW` and reference text follow.
//!
//! Values are kept as given, so that a statement can be shown as it was written; accessors give them typed, with the
//! default where nothing was given. Whether properties fit the rest of a job is not known here but found by
//! [`Plan::compile`](crate::plan::Plan::compile).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

mod definitions;
mod error;
pub mod reference;
#[cfg(test)]
mod tests;
pub mod time_zone;

pub use definitions::PROPERTIES;
pub use error::PropertyError;

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
    /// The first byte of the text; empty for none.
    Byte,
    /// A time zone: an IANA name or `+HH:MM`.
    TimeZone,
    /// Known to StarRocks, not yet to us: any value but the default is refused with "not supported yet".
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

impl Property {
    /// The property of that exact name.
    pub fn named(name: &str) -> Option<&'static Property> {
        PROPERTIES.iter().find(|property| property.name == name)
    }

    fn check(&self, found: &str) -> Result<(), PropertyError> {
        let key = self.name;
        if !self.default.is_empty() && found == self.default {
            return Ok(());
        }
        let found_text = || found.to_owned();
        match self.kind {
            Kind::Boolean | Kind::Text | Kind::Byte => Ok(()),
            Kind::Integer { min, max } => match found.parse::<i64>() {
                Ok(value) if value > max => Err(PropertyError::TooLarge { key, max, found: found_text() }),
                Ok(value) if value >= min => Ok(()),
                _ => Err(PropertyError::Integer { key, min, found: found_text() }),
            },
            Kind::Number { min, max } => match found.trim().parse::<f64>() {
                Ok(value) if (min..=max).contains(&value) => Ok(()),
                Ok(_) => Err(PropertyError::Number { key, min, max, found: found_text() }),
                Err(_) => Err(PropertyError::NotANumber { key, found: found_text() }),
            },
            Kind::Word(expected) => expected
                .iter()
                .any(|word| word.eq_ignore_ascii_case(found))
                .then_some(())
                .ok_or_else(|| PropertyError::Word { key, expected, found: found_text() }),
            Kind::TimeZone => {
                time_zone::normalised(found).map(|_| ()).ok_or_else(|| PropertyError::TimeZone { found: found_text() })
            }
            Kind::NotYet => found
                .eq_ignore_ascii_case(self.default)
                .then_some(())
                .ok_or_else(|| PropertyError::NotYet { key, found: found_text() }),
        }
    }
}

/// Format of the records' values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text lines with separated fields.
    Csv,
    /// JSON objects.
    Json,
    /// Avro, each value led by the id of its schema.
    Avro,
}

/// Prints the format as `SHOW` does, in lower case.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Avro => "avro",
        })
    }
}

/// The properties that were given, as given, known and in range.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobProperties {
    given: BTreeMap<String, String>,
}

impl JobProperties {
    /// Takes what `PROPERTIES (...)` said. Of equal keys the last one counts.
    ///
    /// # Errors
    /// [`PropertyError`] of the first pair that names no property or has a value out of range.
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, PropertyError>
    where
        K: Into<String>,
        V: Into<String>,
    {
        let mut given = BTreeMap::new();
        for (key, value) in pairs {
            let (key, value) = (key.into(), value.into());
            let Some(property) = Property::named(&key) else {
                return Err(PropertyError::Unknown { key });
            };
            property.check(&value)?;
            given.insert(key, value);
        }
        let properties = Self { given };
        properties.check_task_times()?;
        Ok(properties)
    }

    /// These properties with those of an ALTER over them.
    ///
    /// # Errors
    /// [`PropertyError::NotAlterable`] if `altered` holds one that is fixed at CREATE, and
    /// [`PropertyError::TaskTimeout`] if the two do not go together.
    pub fn merged(&self, altered: &Self) -> Result<Self, PropertyError> {
        let mut given = self.given.clone();
        for (key, value) in altered.given() {
            match Property::named(key) {
                Some(property) if property.alterable => given.insert(key.to_owned(), value.to_owned()),
                Some(property) => return Err(PropertyError::NotAlterable { key: property.name }),
                None => {
                    return Err(PropertyError::Unknown { key: key.to_owned() });
                }
            };
        }
        let merged = Self { given };
        merged.check_task_times()?;
        Ok(merged)
    }

    /// What was given, as given, ascending by key.
    pub fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The text given for `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// `desired_concurrent_number`, at least 1.
    pub fn desired_concurrent_number(&self) -> u64 {
        self.unsigned("desired_concurrent_number")
    }

    /// `max_batch_interval` in seconds, at least 5.
    pub fn max_batch_interval_s(&self) -> u64 {
        self.unsigned("max_batch_interval")
    }

    /// `max_batch_rows`, at least 200,000.
    pub fn max_batch_rows(&self) -> u64 {
        self.unsigned("max_batch_rows")
    }

    /// `max_error_number`.
    pub fn max_error_number(&self) -> u64 {
        self.unsigned("max_error_number")
    }

    /// `max_filter_ratio`, 0 to 1.
    pub fn max_filter_ratio(&self) -> f64 {
        self.text("max_filter_ratio").trim().parse().unwrap_or(1.0)
    }

    /// `strict_mode`.
    pub fn strict_mode(&self) -> bool {
        self.boolean("strict_mode")
    }

    /// `log_rejected_record_num`, −1 for all.
    pub fn log_rejected_record_num(&self) -> i64 {
        self.integer("log_rejected_record_num")
    }

    /// `timezone`, a distance from UTC with sign and two-digit hours.
    pub fn timezone(&self) -> String {
        let text = self.text("timezone");
        time_zone::normalised(text).unwrap_or_else(|| text.to_owned())
    }

    /// `format`.
    pub fn format(&self) -> Format {
        match self.text("format").to_ascii_lowercase().as_str() {
            "json" => Format::Json,
            "avro" => Format::Avro,
            _ => Format::Csv,
        }
    }

    /// `jsonpaths` as given; empty for none.
    pub fn jsonpaths(&self) -> &str {
        self.text("jsonpaths")
    }

    /// `json_root` as given; empty for none.
    pub fn json_root(&self) -> &str {
        self.text("json_root")
    }

    /// `strip_outer_array`.
    pub fn strip_outer_array(&self) -> bool {
        self.boolean("strip_outer_array")
    }

    /// `trim_space`.
    pub fn trim_space(&self) -> bool {
        self.boolean("trim_space")
    }

    /// `enclose`, its first byte.
    pub fn enclose(&self) -> Option<u8> {
        self.text("enclose").bytes().next()
    }

    /// `escape`, its first byte.
    pub fn escape(&self) -> Option<u8> {
        self.text("escape").bytes().next()
    }

    /// `task_consume_second`; a quarter of `task_timeout_second` if only that is given.
    pub fn task_consume_second(&self) -> i64 {
        match (self.get("task_consume_second"), self.get("task_timeout_second")) {
            (None, Some(_)) => self.integer("task_timeout_second") / 4,
            _ => self.integer("task_consume_second"),
        }
    }

    /// `task_timeout_second`; four times `task_consume_second` if only that is given.
    pub fn task_timeout_second(&self) -> i64 {
        match (self.get("task_consume_second"), self.get("task_timeout_second")) {
            (Some(_), None) => self.integer("task_consume_second").saturating_mul(4),
            _ => self.integer("task_timeout_second"),
        }
    }

    /// `pause_on_fatal_parse_error`.
    pub fn pause_on_fatal_parse_error(&self) -> bool {
        self.boolean("pause_on_fatal_parse_error")
    }

    /// The text given, else the default; empty for a name that is no property.
    fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| Property::named(name).map_or("", |property| property.default))
    }

    fn boolean(&self, name: &str) -> bool {
        self.text(name).eq_ignore_ascii_case("true")
    }

    /// A definition read from a store may hold what an older or newer program let pass: the default stands in for it.
    fn integer(&self, name: &str) -> i64 {
        let default = || Property::named(name).and_then(|property| property.default.parse().ok());
        self.text(name).parse().ok().or_else(default).unwrap_or_default()
    }

    fn unsigned(&self, name: &str) -> u64 {
        u64::try_from(self.integer(name)).unwrap_or_default()
    }

    fn check_task_times(&self) -> Result<(), PropertyError> {
        let (timeout, consume) = (self.task_timeout_second(), self.task_consume_second());
        let both = self.get("task_timeout_second").is_some() && self.get("task_consume_second").is_some();
        if both && timeout <= consume {
            return Err(PropertyError::TaskTimeout { timeout, consume });
        }
        Ok(())
    }
}
