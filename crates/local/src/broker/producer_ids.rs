//! Producer ids, each given out once.
//!
//! Ids are taken from the disk in blocks, so that a kill wastes some and repeats none.

use std::{
    io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use super::durable;

const BLOCK: i64 = 1_000;

/// Gives out producer ids.
#[derive(Debug)]
pub(crate) struct ProducerIds {
    path: PathBuf,
    state: Mutex<Block>,
}

#[derive(Debug)]
struct Block {
    next: i64,
    end: i64,
}

impl ProducerIds {
    /// Goes on after the last block that was taken according to the file at `path`.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let next = durable::read_number(&path)?.unwrap_or(1);
        Ok(Self { path, state: Mutex::new(Block { next, end: next }) })
    }

    /// An id that no producer has.
    pub(crate) fn next(&self) -> io::Result<i64> {
        let mut block = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if block.next == block.end {
            let end = block.end.saturating_add(BLOCK);
            durable::replace(&self.path, end.to_string().as_bytes())?;
            block.end = end;
        }
        let id = block.next;
        block.next += 1;
        Ok(id)
    }
}
