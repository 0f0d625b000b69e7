//! Reading settings of a program from names and values, so that all problems are told together.
//!
//! It knows no environment: the values come from a lookup function that the program brings. Which settings there are is
//! for each program's `config.rs` to say, and for [`Deployment`](crate::deployment::Deployment) where all share them.

use std::fmt;
use std::str::FromStr;

/// Reads one setting after the other and keeps the problems. A value that is read while there are problems may be a
/// stand-in, so only what [`SettingsReader::finish`] gives back is to be used.
#[derive(Debug)]
pub struct SettingsReader<L> {
    lookup: L,
    problems: Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> SettingsReader<L> {
    /// Reads from `lookup`, which gives the value of a name; an empty value counts as none.
    pub fn new(lookup: L) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    /// The value of `name`, if it is set.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// The value of the first of `names` that is set; none is a problem, and gives an empty text.
    pub fn required(&mut self, names: &[&str]) -> String {
        let found = names.iter().find_map(|name| self.optional(name));
        found.unwrap_or_else(|| {
            self.problem(format!("{} is not set", names.join(" or ")));
            String::new()
        })
    }

    /// The value of `name`, if it is set; what is no `T` is a problem. `expected` says in words what is.
    pub fn parsed<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let found = self.optional(name)?;
        let value = found.parse().ok();
        if value.is_none() {
            self.problem(format!("{name}: expected {expected}, found `{found}`"));
        }
        value
    }

    /// The URL of a service, if `name` is set; one that is not http or https is a problem.
    pub fn endpoint(&mut self, name: &str) -> Option<String> {
        let found = self.optional(name)?;
        if found.starts_with("http://") || found.starts_with("https://") {
            return Some(found);
        }
        self.problem(format!("{name}: expected http://host:port, found `{found}`"));
        None
    }

    /// Keeps a problem: name, expected, found.
    pub fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Gives `settings` back.
    ///
    /// # Errors
    /// [`WrongSettings`] if there was any problem.
    pub fn finish<T>(self, settings: T) -> Result<T, WrongSettings> {
        if self.problems.is_empty() { Ok(settings) } else { Err(WrongSettings { problems: self.problems }) }
    }
}

/// Settings that are missing or make no sense, all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct WrongSettings {
    /// One sentence a problem, in the order in which the settings were read.
    pub problems: Vec<String>,
}

impl fmt::Display for WrongSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrong settings: {}", self.problems.join("; "))
    }
}
