//! Small files that are replaced as a whole: after a crash either the old content is there or the new.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Puts `content` in place of the file at `path`, which need not exist. A reader never sees a part of it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    let mut file = File::create(&next)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&next, path)
}

/// The file's content, or `None` if there is no such file.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The number that a file holds as text, or `None` if there is no such file.
pub(crate) fn read_number(path: &Path) -> io::Result<Option<i64>> {
    let Some(content) = read(path)? else {
        return Ok(None);
    };
    let number = std::str::from_utf8(&content).ok().and_then(|text| text.trim().parse().ok());
    number.map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "expected a number"))
}
