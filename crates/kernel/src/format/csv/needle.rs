//! A separator as it is looked for: one byte, as nearly always, or several.

use memchr::memmem::Finder;

/// A separator, compiled once.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    text: String,
    first: u8,
    finder: Option<Finder<'static>>,
}

impl Needle {
    /// `text` is not empty.
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            first: text.bytes().next().unwrap_or_default(),
            finder: (text.len() > 1).then(|| Finder::new(text).into_owned()),
        }
    }

    /// The separator.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Its length in bytes, at least 1.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Its first byte.
    #[inline]
    pub(super) fn first(&self) -> u8 {
        self.first
    }

    /// Where it first stands.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<usize> {
        match &self.finder {
            None => memchr::memchr(self.first, bytes),
            Some(finder) => finder.find(bytes),
        }
    }

    /// Calls `take` with each place where it stands; none overlaps the one before.
    #[inline]
    pub(super) fn each(&self, bytes: &[u8], take: &mut impl FnMut(usize)) {
        match &self.finder {
            None => memchr::memchr_iter(self.first, bytes).for_each(take),
            Some(finder) => finder.find_iter(bytes).for_each(take),
        }
    }

    /// What follows it, if it stands at the beginning.
    #[inline]
    pub(super) fn strip<'v>(&self, bytes: &'v [u8]) -> Option<&'v [u8]> {
        bytes.strip_prefix(self.text.as_bytes())
    }
}
