//! A place in an event's text, and what stands there as far as it needs no judgement: `None` is for the other reader.

use penstock_kernel::block::Block;
use penstock_kernel::digits;

/// Containers within a value that is passed over: one bit each.
const MAX_DEPTH: u32 = 64;

/// A place in the event's text.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    /// The byte that is next.
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    /// Passes over `text` if it is next.
    #[inline(always)]
    pub(super) fn take_text(&mut self, text: &[u8]) -> Option<()> {
        let next = self.rest().get(..text.len())?;
        are_equal(text, next).then(|| self.at += text.len())
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes over `null` if it is next.
    #[inline]
    pub(super) fn null(&mut self) -> bool {
        let next = self.rest().starts_with(b"null");
        self.at += if next { 4 } else { 0 };
        next
    }

    /// Has `read` read the value of each member of the object that is next; its key is ASCII without escapes.
    #[inline]
    pub(super) fn members(&mut self, mut read: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.skip_space();
        if !self.take(b'{') {
            return None;
        }
        self.skip_space();
        let mut ended = self.take(b'}');
        while !ended {
            self.skip_space();
            let key = self.plain_text()?;
            self.skip_space();
            if !self.take(b':') {
                return None;
            }
            self.skip_space();
            read(self, key)?;
            self.skip_space();
            ended = !self.take(b',');
            if ended && !self.take(b'}') {
                return None;
            }
        }
        self.skip_space();
        Some(())
    }

    /// Has `read` read each element of the array that is next.
    #[inline]
    pub(super) fn elements(&mut self, mut read: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if !self.take(b'[') {
            return None;
        }
        self.skip_space();
        let mut ended = self.take(b']');
        while !ended {
            self.skip_space();
            read(self)?;
            self.skip_space();
            ended = !self.take(b',');
            if ended && !self.take(b']') {
                return None;
            }
        }
        Some(())
    }

    /// A string of ASCII without escapes and control characters; what stands between its quotes.
    #[inline]
    pub(super) fn plain_text(&mut self) -> Option<&'a [u8]> {
        if !self.take(b'"') {
            return None;
        }
        let rest = self.rest();
        for (length, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.at += length + 1;
                    return rest.get(..length);
                }
                b'\\' | 0..0x20 | 0x7f.. => return None,
                _ => {}
            }
        }
        None
    }

    /// A whole number of at most 18 digits.
    #[inline]
    pub(super) fn whole_number(&mut self) -> Option<i64> {
        let negative = self.take(b'-');
        let rest = self.rest();
        let (magnitude, digits) = short_number(rest).or_else(|| any_number(rest))?;
        let has_leading_zero = digits > 1 && rest.first() == Some(&b'0');
        let goes_on = matches!(rest.get(digits), Some(b'.' | b'e' | b'E'));
        // JSON has a float for the zero that is negative.
        if has_leading_zero || goes_on || negative && magnitude == 0 {
            return None;
        }
        self.at += digits;
        Some(if negative { -magnitude } else { magnitude })
    }

    /// The value that is next, which is passed over.
    pub(super) fn skipped(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        self.skip_value()?;
        self.bytes.get(start..self.at)
    }

    /// Passes over a value.
    #[inline]
    pub(super) fn skip_value(&mut self) -> Option<()> {
        match self.peek()? {
            b'[' if self.rest().starts_with(b"[]") => {
                self.at += 2;
                Some(())
            }
            b'{' | b'[' => self.skip_container(),
            _ => self.skip_scalar(),
        }
    }

    #[inline]
    pub(super) fn skip_scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.plain_text().map(|_| ()),
            b'-' | b'0'..=b'9' => self.whole_number().map(|_| ()),
            first => {
                let word: &[u8] = match first {
                    b't' => b"true",
                    b'f' => b"false",
                    _ => b"null",
                };
                let is_next = self.rest().starts_with(word);
                self.at += word.len();
                is_next.then_some(())
            }
        }
    }

    pub(super) fn skip_container(&mut self) -> Option<()> {
        // Bit by bit whether the containers that are open are objects, the innermost last.
        let (mut objects, mut depth): (u64, u32) = (0, 0);
        loop {
            // A value is next.
            let opened = match self.peek()? {
                b'{' => Some(true),
                b'[' => Some(false),
                _ => None,
            };
            match opened {
                Some(is_object) => {
                    if depth == MAX_DEPTH {
                        return None;
                    }
                    self.at += 1;
                    depth += 1;
                    objects = objects << 1 | u64::from(is_object);
                    self.skip_space();
                    if !self.take(if is_object { b'}' } else { b']' }) {
                        if is_object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                    depth -= 1;
                    objects >>= 1;
                }
                None => self.skip_scalar()?,
            }
            // A value has ended.
            loop {
                if depth == 0 {
                    return Some(());
                }
                self.skip_space();
                let in_object = objects & 1 == 1;
                if self.take(b',') {
                    self.skip_space();
                    if in_object {
                        self.skip_key()?;
                    }
                    break;
                }
                if !self.take(if in_object { b'}' } else { b']' }) {
                    return None;
                }
                depth -= 1;
                objects >>= 1;
            }
        }
    }

    pub(super) fn skip_key(&mut self) -> Option<()> {
        self.plain_text()?;
        self.skip_space();
        if !self.take(b':') {
            return None;
        }
        self.skip_space();
        Some(())
    }
}

/// Whether texts of one length are equal: they are so short that a call would take longer.
#[inline(always)]
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let same = |(one, other): (&Block, &Block)| one == other;
    if let (Some(end), Some(other_end)) = (one.last_chunk(), other.last_chunk()) {
        // The last block takes what the others leave, and may look at some of it again.
        return same((end, other_end)) && one.as_chunks().0.iter().zip(other.as_chunks().0).all(same);
    }
    if let (Some(begin), Some(other_begin)) = (one.first_chunk::<8>(), other.first_chunk::<8>()) {
        return begin == other_begin && one.last_chunk::<8>() == other.last_chunk::<8>();
    }
    one == other
}

/// A number of 1 to 15 digits, and how many they are; `None` for others, and for the last bytes of the event.
#[inline(always)]
fn short_number(text: &[u8]) -> Option<(i64, usize)> {
    let (first, rest) = text.split_first_chunk::<8>()?;
    let (number, digits) = digits::leading(first);
    if digits < 8 {
        return (digits > 0).then_some((number, digits));
    }
    let (more, digits) = digits::leading(rest.first_chunk::<8>()?);
    Some((number * digits::POWERS.get(digits)? + more, 8 + digits))
}

/// A number of 1 to 18 digits, and how many they are.
fn any_number(text: &[u8]) -> Option<(i64, usize)> {
    let digits = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let number = text
        .get(..digits)?
        .iter()
        .try_fold(0_i64, |number, digit| number.checked_mul(10)?.checked_add(i64::from(digit - b'0')))?;
    (1..=18).contains(&digits).then_some((number, digits))
}
