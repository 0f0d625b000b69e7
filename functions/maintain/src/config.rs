//! The function's settings: read once, from names and values, all problems told together.

use penstock_catalog::deployment::Deployment;
use penstock_catalog::settings::{SettingsReader, WrongSettings};

/// Settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the catalog and the objects are.
    pub deployment: Deployment,
}

impl Config {
    /// Takes the settings from `lookup`, which gives the value of a name; an empty value counts as none.
    ///
    /// # Errors
    /// [`WrongSettings`] with every problem.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, WrongSettings> {
        let mut reader = SettingsReader::new(lookup);
        let deployment = Deployment::read(&mut reader);
        reader.finish(Self { deployment })
    }
}
