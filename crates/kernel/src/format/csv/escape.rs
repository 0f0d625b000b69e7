//! Fields that hold escapes: an escape byte before what is meant as itself, or the enclosing byte twice.

/// The bytes that mean something else than themselves within a field; both ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unescape {
    /// `enclose`: may surround a field; twice within one, it stands for itself once.
    pub(crate) enclose: Option<u8>,
    /// `escape`: the byte after it stands for itself.
    pub(crate) escape: Option<u8>,
}

impl Unescape {
    /// Appends what a field says, `raw` being its text without the enclosing bytes.
    pub(crate) fn unescape(self, raw: &str, into: &mut String) {
        let mut rest = raw;
        while let Some((plain, after)) = self.split(rest) {
            into.push_str(plain);
            let mut characters = after.chars();
            into.extend(characters.next());
            rest = characters.as_str();
        }
        into.push_str(rest);
    }

    /// What stands before the next byte that means something, and what stands behind it.
    fn split(self, text: &str) -> Option<(&str, &str)> {
        let bytes = text.as_bytes();
        let found = match (self.escape, self.enclose) {
            (Some(escape), Some(enclose)) => memchr::memchr2(escape, enclose, bytes),
            (Some(only), None) | (None, Some(only)) => memchr::memchr(only, bytes),
            (None, None) => None,
        }?;
        // Both bytes are ASCII, so that what follows them is text.
        Some((text.get(..found)?, text.get(found + 1..)?))
    }
}
