//! Room for what is too large to stand in a [`Value`](crate::format::value::Value): every format pays for the size of a
//! value, and only one has values that need more.
//!
//! What is put there stays until the batch is done, and is borrowed as long. Chunks double, so there are few of them.

use std::cell::OnceCell;

use super::Nested;

/// Room that grows.
#[derive(Debug, Default)]
pub(crate) struct Kept<'a> {
    first: OnceCell<Box<Chunk<'a>>>,
}

#[derive(Debug)]
struct Chunk<'a> {
    places: Vec<OnceCell<Nested<'a>>>,
    next: OnceCell<Box<Chunk<'a>>>,
}

/// Puts values into room, one after another.
#[derive(Debug)]
pub(crate) struct Keeper<'a> {
    room: &'a Kept<'a>,
    chunk: Option<&'a Chunk<'a>>,
    used: usize,
}

/// Places of the first chunk.
const FIRST_PLACES: usize = 64;

impl<'a> Keeper<'a> {
    /// Begins at the beginning; one keeper a room.
    pub(crate) fn new(room: &'a Kept<'a>) -> Self {
        Self { room, chunk: None, used: 0 }
    }

    /// Keeps a value.
    pub(crate) fn keep(&mut self, value: Nested<'a>) -> &'a Nested<'a> {
        loop {
            let places = self.chunk.map_or(0, |chunk| chunk.places.len());
            if let Some(place) = self.chunk.and_then(|chunk| chunk.places.get(self.used)) {
                self.used += 1;
                return place.get_or_init(|| value);
            }
            let next = match self.chunk {
                None => &self.room.first,
                Some(chunk) => &chunk.next,
            };
            self.chunk = Some(next.get_or_init(|| Box::new(Chunk::new(FIRST_PLACES.max(places.saturating_mul(2))))));
            self.used = 0;
        }
    }
}

impl Chunk<'_> {
    fn new(places: usize) -> Self {
        Self { places: (0..places).map(|_| OnceCell::new()).collect(), next: OnceCell::new() }
    }
}
