//! The broker's open segment files, at most a fixed number of them.
//!
//! A laptop's limit on open files can be as low as 256, and a topic can have a thousand source partitions; so no log
//! holds its file. A file is opened when used and closed when it is the least recently used of too many. Whoever holds
//! the [`Arc`] may finish reading, even if the file was meanwhile deleted.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Names a segment file while this process lives; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId(u64);

/// A cache of open files, each open for reading and writing.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    capacity: usize,
    next_id: AtomicU64,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    clock: u64,
    files: HashMap<FileId, (Arc<File>, u64)>,
}

impl OpenFiles {
    /// Keeps at most `capacity` files open. Raising it costs descriptors, lowering it costs an `open` a request.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), next_id: AtomicU64::new(0), open: Mutex::default() }
    }

    pub(crate) fn new_id(&self) -> FileId {
        FileId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// The open file of `id`, which lies at `path` and exists.
    pub(crate) fn get(&self, id: FileId, path: &Path) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.clock += 1;
        let now = open.clock;
        if let Some((file, used)) = open.files.get_mut(&id) {
            *used = now;
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(OpenOptions::new().read(true).write(true).open(path)?);
        if open.files.len() >= self.capacity {
            let oldest = open.files.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id);
            oldest.map(|id| open.files.remove(&id));
        }
        open.files.insert(id, (Arc::clone(&file), now));
        Ok(file)
    }

    /// Forgets a file, because it is about to be deleted.
    pub(crate) fn forget(&self, id: FileId) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).files.remove(&id);
    }
}
