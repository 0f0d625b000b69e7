//! Mappings on disk: one small JSON file each, so that they outlive the process whichever services it works with.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use penstock_admin::mapping::{MappingId, MappingSpec};
use serde::{Deserialize, Serialize};

/// A mapping as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Version of this shape: 1.
    pub format: u32,
    /// Its id.
    pub id: MappingId,
    /// What it is to be.
    pub spec: MappingSpec,
    /// Whether it polls.
    pub enabled: bool,
    /// When it was last changed, milliseconds since the epoch.
    pub modified_at_ms: i64,
}

/// The directory of mappings. Only one process may use it; see [`DataDir`](crate::data_dir::DataDir).
#[derive(Debug, Clone)]
pub struct MappingFiles {
    directory: PathBuf,
}

impl MappingFiles {
    /// Creates the directory if it is absent.
    pub fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// All mappings, in no order.
    ///
    /// # Errors
    /// A file that cannot be read, or is no mapping; the error names it.
    pub fn load(&self) -> Result<Vec<Mapping>, (PathBuf, io::Error)> {
        let failed = |source| (self.directory.clone(), source);
        let mut mappings = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = fs::read(&path).map_err(|source| (path.clone(), source))?;
            mappings.push(serde_json::from_slice(&text).map_err(|source| (path, io::Error::from(source)))?);
        }
        Ok(mappings)
    }

    /// Keeps a mapping: whole or as it was before, whenever the process dies.
    pub fn save(&self, mapping: &Mapping) -> io::Result<()> {
        let path = self.path(&mapping.id);
        let temporary = path.with_extension("new");
        let mut file = File::create(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(mapping)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    }

    /// Forgets a mapping; one that is not kept is success.
    pub fn remove(&self, id: &MappingId) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path(&self, id: &MappingId) -> PathBuf {
        // Ids come from requests: only what an id of ours may hold becomes part of a path.
        let name: String = id.0.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
        self.directory.join(format!("{name}.json"))
    }
}
