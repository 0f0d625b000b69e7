//! Avro's binary encoding, piece by piece: numbers, lengths, bytes.
//!
//! A length is a claim until that many bytes are there; nothing is allocated for it.

use super::fault::{Fault, FaultKind};

/// A place in a record's value. Cheap to copy, so a reader can look ahead.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    /// Bytes of the whole value.
    total: usize,
}

impl<'a> Cursor<'a> {
    /// At byte `at` of `value`.
    pub(crate) fn new(value: &'a [u8], at: usize) -> Self {
        Self { rest: value.get(at..).unwrap_or_default(), total: value.len() }
    }

    /// The next byte's place in the value.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.total - self.rest.len()
    }

    /// What is left.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[cold]
    pub(crate) fn fault(&self, kind: FaultKind) -> Fault {
        Fault { at: self.at(), kind }
    }

    /// A variable-length zigzag number of 64 bits.
    #[inline]
    pub(crate) fn long(&mut self) -> Result<i64, Fault> {
        if let [first @ 0..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            let byte = i64::from(*first);
            return Ok((byte >> 1) ^ -(byte & 1));
        }
        match self.long_of_few_bytes() {
            Some(number) => Ok(number),
            None => self.long_of_several_bytes(),
        }
    }

    /// The same of at most eight bytes, if as many are left: all at once.
    #[inline]
    fn long_of_few_bytes(&mut self) -> Option<i64> {
        const GROUPS_OF_7: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        let word = u64::from_le_bytes(*self.rest.first_chunk::<8>()?);
        let ends = !word & !GROUPS_OF_7;
        if ends == 0 {
            return None;
        }
        let bits = ends.trailing_zeros() + 1; // of the number's bytes: 8 to 64
        let groups = word & GROUPS_OF_7 & (u64::MAX >> (64 - bits));
        // Two groups become one of twice the length, three times.
        let of_14 = (groups & 0x007f_007f_007f_007f) | ((groups & 0x7f00_7f00_7f00_7f00) >> 1);
        let of_28 = (of_14 & 0x0000_3fff_0000_3fff) | ((of_14 & 0x3fff_0000_3fff_0000) >> 2);
        let number = (of_28 & 0x0fff_ffff) | ((of_28 & 0x0fff_ffff_0000_0000) >> 4);
        self.rest = self.rest.get(bits as usize / 8..)?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn long_of_several_bytes(&mut self) -> Result<i64, Fault> {
        let mut number: u64 = 0;
        let mut rest = self.rest;
        for shift in (0..64).step_by(7) {
            let Some((byte, after)) = rest.split_first() else {
                return Err(self.fault(FaultKind::End("a number")));
            };
            // The tenth byte has room for one bit.
            if shift == 63 && *byte > 1 {
                return Err(self.fault(FaultKind::Number));
            }
            number |= u64::from(byte & 0x7f) << shift;
            rest = after;
            if *byte < 0x80 {
                self.rest = rest;
                return Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
            }
        }
        Err(self.fault(FaultKind::Number))
    }

    /// The same of 32 bits.
    #[inline]
    pub(crate) fn int(&mut self) -> Result<i32, Fault> {
        let fault = |found| self.fault(FaultKind::Int { found });
        let mut ahead = self.clone();
        let number = ahead.long()?;
        let int = i32::try_from(number).map_err(|_| fault(number))?;
        *self = ahead;
        Ok(int)
    }

    /// So many bytes.
    #[inline]
    pub(crate) fn take(&mut self, bytes: usize, what: &'static str) -> Result<&'a [u8], Fault> {
        match self.rest.split_at_checked(bytes) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.fault(FaultKind::Short { what, bytes: bytes as u64 })), // usize has at most 64 bits
        }
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<&'a [u8; N], Fault> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.fault(FaultKind::End(what))),
        }
    }

    /// Bytes after their length.
    #[inline]
    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], Fault> {
        let mut ahead = self.clone();
        let claimed = ahead.long()?;
        let Ok(length) = usize::try_from(claimed) else {
            return Err(self.fault(FaultKind::Length { what, found: claimed }));
        };
        let taken = ahead.take(length, what)?;
        *self = ahead;
        Ok(taken)
    }

    /// UTF-8 after its length.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'a str, Fault> {
        let bytes = self.bytes("a string")?;
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => Err(self.invalid_utf8(bytes)),
        }
    }

    /// The same as bytes.
    #[inline]
    pub(crate) fn utf8(&mut self) -> Result<&'a [u8], Fault> {
        let bytes = self.bytes("a string")?;
        // Most texts are short, and ASCII.
        if bytes.is_ascii() || simdutf8::basic::from_utf8(bytes).is_ok() {
            Ok(bytes)
        } else {
            Err(self.invalid_utf8(bytes))
        }
    }

    #[cold]
    fn invalid_utf8(&self, bytes: &[u8]) -> Fault {
        let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), |_| bytes.len());
        Fault { at: self.at() - bytes.len() + valid, kind: FaultKind::Utf8 }
    }

    /// One byte, 0 or 1.
    #[inline]
    pub(crate) fn boolean(&mut self) -> Result<bool, Fault> {
        match self.rest.split_first() {
            Some((byte @ (0 | 1), rest)) => {
                self.rest = rest;
                Ok(*byte == 1)
            }
            Some((byte, _)) => Err(self.fault(FaultKind::Boolean { found: *byte })),
            None => Err(self.fault(FaultKind::End("a boolean"))),
        }
    }

    /// A number below `count`: a union's branch, an enum's symbol.
    #[inline]
    pub(crate) fn choice(&mut self, count: usize, what: &'static str) -> Result<usize, Fault> {
        let mut ahead = self.clone();
        let number = ahead.long()?;
        match usize::try_from(number).ok().filter(|number| *number < count) {
            Some(number) => {
                *self = ahead;
                Ok(number)
            }
            None => Err(self.fault(FaultKind::Choice { what, count, found: number })),
        }
    }

    /// The number of items in the next block of an array or map; 0 after the last. How many bytes a block says it has is
    /// of no use to a reader that checks them all.
    #[inline]
    pub(crate) fn block(&mut self) -> Result<u64, Fault> {
        let start = self.clone();
        let count = self.long()?;
        if count < 0 {
            let bytes = self.long()?;
            if bytes < 0 {
                return Err(start.fault(FaultKind::Length { what: "a block", found: bytes }));
            }
        }
        Ok(count.unsigned_abs())
    }
}
