//! Finds the built program of a function.

use std::path::{Path, PathBuf};

/// The program of function `name` under `directory`: `<name>/bootstrap`, as `cargo lambda build` leaves it, or `<name>`, as
/// `cargo build` does.
///
/// # Errors
/// [`NotBuilt`] if there is neither.
pub fn find(directory: &Path, name: &str) -> Result<PathBuf, NotBuilt> {
    let candidates = [directory.join(name).join("bootstrap"), directory.join(name)];
    candidates
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| NotBuilt { directory: directory.to_owned(), name: name.to_owned() })
}

/// A function is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "function `{name}` is not in `{}`: expected `{name}/bootstrap` or `{name}`\nhint: build with `cargo lambda build --release`, and name `target/lambda`",
    directory.display()
)]
pub struct NotBuilt {
    /// Where it was looked for.
    pub directory: PathBuf,
    /// The function.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_layouts_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert!(find(path, "load").is_err());
        std::fs::write(path.join("load"), "").unwrap();
        assert_eq!(find(path, "load").unwrap(), path.join("load"));
        std::fs::create_dir(path.join("admin")).unwrap();
        assert!(find(path, "admin").is_err());
        std::fs::write(path.join("admin/bootstrap"), "").unwrap();
        assert_eq!(find(path, "admin").unwrap(), path.join("admin/bootstrap"));
    }
}
