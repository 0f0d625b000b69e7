//! The directory that `--data` names: what lies where in it, and a lock, so that one process at a time uses it.
//!
//! The lock is the operating system's and ends with the process, however that ends; nothing stale is ever left behind.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A directory of embedded services' data, ours alone while this value lives.
///
/// | path | content |
/// | --- | --- |
/// | `lock` | locked while in use; holds the process id, for the message to a second process |
/// | `format` | `1` |
/// | `broker/` | the Kafka broker's log and groups |
/// | `objects/` | S3 objects |
/// | `dynamodb.sqlite` | DynamoDB tables |
/// | `mappings/` | event source mappings |
/// | `schemas.json` | what the schema registry holds |
#[derive(Debug)]
pub struct DataDir {
    root: PathBuf,
    // Dropped in this order: the lock's file is closed before a temporary directory is removed.
    _lock: File,
    _temporary: Option<TempDir>,
}

/// Layout of the directory that this program writes.
const FORMAT: &str = "1";

impl DataDir {
    /// Opens `path`, creating it and what is missing in it.
    ///
    /// # Errors
    /// [`DataDirError::InUse`] if another process has it open, [`DataDirError::Format`] if a newer program wrote it.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        Self::open_with(path, None)
    }

    /// A new directory that is removed when this value is dropped.
    ///
    /// # Errors
    /// [`DataDirError::Io`] if the system's temporary directory cannot be written.
    pub fn temporary() -> Result<Self, DataDirError> {
        let directory = tempfile::Builder::new()
            .prefix("penstock-")
            .tempdir()
            .map_err(|source| DataDirError::Io { path: std::env::temp_dir(), source })?;
        let path = directory.path().to_owned();
        Self::open_with(&path, Some(directory))
    }

    /// The directory itself, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the Kafka broker keeps its log.
    pub fn broker(&self) -> PathBuf {
        self.root.join("broker")
    }

    /// Where S3 objects lie.
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// The DynamoDB database file.
    pub fn dynamodb(&self) -> PathBuf {
        self.root.join("dynamodb.sqlite")
    }

    /// Where event source mappings are kept.
    pub fn mappings(&self) -> PathBuf {
        self.root.join("mappings")
    }

    /// What the schema registry holds.
    pub fn schemas(&self) -> PathBuf {
        self.root.join("schemas.json")
    }

    fn open_with(path: &Path, temporary: Option<TempDir>) -> Result<Self, DataDirError> {
        let failed = |source| DataDirError::Io { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        let root = path.canonicalize().map_err(failed)?;
        let lock = lock(&root)?;
        check_format(&root)?;
        Ok(Self { root, _lock: lock, _temporary: temporary })
    }
}

fn lock(root: &Path) -> Result<File, DataDirError> {
    let path = root.join("lock");
    let failed = |source| DataDirError::Io { path: path.clone(), source };
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Only for the message: whoever holds the lock may not have written its id yet.
            let process = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(DataDirError::InUse { path: root.to_owned(), process });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(failed)?;
    Ok(file)
}

fn check_format(root: &Path) -> Result<(), DataDirError> {
    let path = root.join("format");
    match fs::read_to_string(&path) {
        Ok(found) if found.trim() == FORMAT => Ok(()),
        // Empty: the process that made the directory was killed before it wrote anything of value.
        Ok(found) if !found.trim().is_empty() => {
            Err(DataDirError::Format { path: root.to_owned(), found: found.trim().to_owned() })
        }
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(DataDirError::Io { path, source }),
        _ => fs::write(&path, format!("{FORMAT}\n")).map_err(|source| DataDirError::Io { path, source }),
    }
}

/// A data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// Another process uses it: end that one, or name another directory.
    #[error("data directory `{}` is in use by another process{}", path.display(), process.map(|id| format!(" (id {id})")).unwrap_or_default())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other process, if known.
        process: Option<u32>,
    },
    /// A newer program wrote it.
    #[error("data directory `{}`: expected format `{FORMAT}`, found `{found}`", path.display())]
    Format {
        /// The directory.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// It cannot be read or written.
    #[error("data directory: `{}` cannot be used", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_opener_is_refused_and_told_who_holds_the_directory() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("new/data");
        let first = DataDir::open(&path).unwrap();
        let error = DataDir::open(&path).unwrap_err();
        assert!(matches!(error, DataDirError::InUse { process: Some(id), .. } if id == std::process::id()), "{error}");
        drop(first);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn temporary_directory_is_removed_with_the_value() {
        let directory = DataDir::temporary().unwrap();
        let root = directory.root().to_owned();
        fs::write(root.join("file"), b"x").unwrap();
        drop(directory);
        assert!(!root.exists());
    }

    #[test]
    fn newer_format_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("format"), "2\n").unwrap();
        let error = DataDir::open(parent.path()).unwrap_err();
        assert!(matches!(error, DataDirError::Format { ref found, .. } if found == "2"), "{error}");
    }
}
