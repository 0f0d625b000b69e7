//! A validating scanner over the text of one record: RFC 8259, nothing more and nothing less, in one pass forward.
//!
//! What it passes over is checked as strictly as what it returns, so whether a record is JSON does not depend on the
//! paths of a job. Depth of data is counted, never recursed into. Escapes are checked for their form only: a lone
//! surrogate (`"\ud800"`) is JSON by the grammar, and fails where its string is turned into text.

use super::fault::{Fault, FaultKind};
use crate::{block, digits};

/// Containers that may be open at once, as in StarRocks' parser.
pub(crate) const MAX_DEPTH: usize = 1024;

/// A string between its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quoted<'a> {
    /// As written.
    pub(crate) raw: &'a str,
    /// Whether there are escapes in it.
    pub(crate) escaped: bool,
}

/// Text that may come again, made ready to be compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'a> {
    text: &'a [u8],
    /// Its first bytes, and which of them it has.
    start: u128,
    mask: u128,
}

/// Bytes of a word that are compared at once.
pub(crate) const WORD_BYTES: usize = 16;

impl<'a> Word<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let (mut start, mut mask) = ([0; WORD_BYTES], [0; WORD_BYTES]);
        for ((start, mask), byte) in start.iter_mut().zip(&mut mask).zip(text.bytes()) {
            (*start, *mask) = (byte, u8::MAX);
        }
        Self { text: text.as_bytes(), start: u128::from_le_bytes(start), mask: u128::from_le_bytes(mask) }
    }

    #[inline]
    pub(crate) fn text(&self) -> &'a [u8] {
        self.text
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether these bytes are its first ones.
    #[inline]
    pub(crate) fn begins(&self, chunk: &[u8; WORD_BYTES]) -> bool {
        (u128::from_le_bytes(*chunk) ^ self.start) & self.mask == 0
    }
}

/// A place in a record's text.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Stands before the first byte.
    pub(crate) fn new(text: &'a str) -> Self {
        Self::at_byte(text, 0)
    }

    /// Stands before byte `at`.
    #[inline]
    pub(crate) fn at_byte(text: &'a str, at: usize) -> Self {
        Self { text, bytes: text.as_bytes(), at }
    }

    /// The byte that is next, from 0.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The text from `start` to here. Both ends stand beside bytes of JSON's syntax, so on boundaries of characters.
    #[inline]
    pub(crate) fn text_since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The next byte, if any.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes over one byte.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.at += 1;
    }

    /// Passes over `byte` if it is next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    /// Passes over the word if it is next.
    #[inline]
    pub(crate) fn take_word(&mut self, word: &Word<'_>) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let next = match rest.first_chunk::<WORD_BYTES>() {
            Some(chunk) => word.begins(chunk) && (word.text.len() <= WORD_BYTES || rest.starts_with(word.text)),
            None => rest.starts_with(word.text),
        };
        self.at += if next { word.text.len() } else { 0 };
        next
    }

    /// Passes over white space.
    #[inline]
    pub(crate) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// A fault at the next byte.
    #[cold]
    pub(crate) fn fault(&self, kind: FaultKind) -> Fault {
        Fault { at: self.at, kind }
    }

    /// A member's key, with the colon and the white space on both its sides.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Quoted<'a>, Fault> {
        let start = self.at + 1;
        let (escaped, end) = self.skip_key()?;
        let raw = self.text.get(start..end).unwrap_or_default();
        Ok(Quoted { raw, escaped })
    }

    /// Passes over the same; whether there are escapes in it, and where it ends.
    #[inline]
    fn skip_key(&mut self) -> Result<(bool, usize), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault(FaultKind::Expected("a key in double quotes")));
        }
        let escaped = self.skip_string()?;
        let end = self.at - 1;
        if !self.take(b':') {
            self.skip_space();
            if !self.take(b':') {
                return Err(self.fault(FaultKind::Expected("`:`")));
            }
        }
        self.skip_space();
        Ok((escaped, end))
    }

    /// A string; its opening quote is next.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Quoted<'a>, Fault> {
        let start = self.at + 1;
        let escaped = self.skip_string()?;
        let raw = self.text.get(start..self.at - 1).unwrap_or_default();
        Ok(Quoted { raw, escaped })
    }

    /// Passes over a string, whose opening quote is next; whether there are escapes in it.
    #[inline]
    fn skip_string(&mut self) -> Result<bool, Fault> {
        // Most are short.
        if let Some(block) = self.bytes.get(self.at + 1..).and_then(|rest| rest.first_chunk()) {
            let length = block::not_text(block).trailing_zeros() as usize; // at most 32
            if block.get(length) == Some(&b'"') {
                self.at += length + 2;
                return Ok(false);
            }
        }
        self.skip_any_string()
    }

    #[inline(never)]
    fn skip_any_string(&mut self) -> Result<bool, Fault> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at = plain_end(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.fault(FaultKind::ControlCharacter)),
                None => return Err(self.fault(FaultKind::Expected("`\"`"))),
            }
        }
        self.at += 1;
        Ok(escaped)
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let length = match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => 6,
            _ => return Err(self.fault(FaultKind::Escape)),
        };
        self.at += length;
        Ok(())
    }

    /// A number's text; its first byte is next.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits(start)?;
        }
        if self.take(b'.') {
            self.digits(start)?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits(start)?;
        }
        Ok(self.text_since(start))
    }

    /// Passes over a number; its first byte is next.
    #[inline]
    fn skip_number(&mut self) -> Result<(), Fault> {
        // Most are whole and short.
        if let Some(chunk) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let (_, digits) = digits::leading(chunk);
            let has_zeros_in_front = digits > 1 && chunk.first() == Some(&b'0');
            let ends = matches!(chunk.get(digits), Some(b',' | b'}' | b']'));
            if digits > 0 && ends && !has_zeros_in_front {
                self.at += digits;
                return Ok(());
            }
        }
        self.number().map(|_| ())
    }

    /// One digit or more.
    #[inline]
    fn digits(&mut self, start: usize) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        if digits == 0 {
            return Err(Fault { at: start, kind: FaultKind::Number });
        }
        self.at += digits;
        Ok(())
    }

    /// `true`, `false` or `null`, whichever `word` is.
    #[inline]
    pub(crate) fn word(&mut self, word: &'static str) -> Result<(), Fault> {
        match self.bytes.get(self.at..) {
            Some(rest) if rest.starts_with(word.as_bytes()) => {
                self.at += word.len();
                Ok(())
            }
            _ => Err(self.fault(FaultKind::Expected("a value"))),
        }
    }

    /// Passes over a value that is neither object nor array.
    #[inline]
    fn skip_scalar(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.skip_string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.skip_number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(self.fault(FaultKind::Expected("a value"))),
        }
    }

    /// Passes over any value; its first byte is next, and `depth` containers are open around it.
    #[inline]
    pub(crate) fn skip_value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{' | b'[') => self.skip_container(depth),
            _ => self.skip_scalar(),
        }
    }

    /// Passes over an object or array; its bracket is next, and `depth` containers are open around it.
    pub(crate) fn skip_container(&mut self, depth: usize) -> Result<(), Fault> {
        let mut open = OpenContainers::around(depth);
        loop {
            // A value's first byte is next.
            match self.peek() {
                Some(b'{') => {
                    open.push(true).map_err(|kind| self.fault(kind))?;
                    self.at += 1;
                    self.skip_space();
                    if self.peek() != Some(b'}') {
                        self.skip_key()?;
                        continue;
                    }
                    self.at += 1;
                    open.pop();
                }
                Some(b'[') => {
                    open.push(false).map_err(|kind| self.fault(kind))?;
                    self.at += 1;
                    self.skip_space();
                    if self.peek() != Some(b']') {
                        continue;
                    }
                    self.at += 1;
                    open.pop();
                }
                _ => self.skip_scalar()?,
            }
            // A value has just ended.
            loop {
                if open.depth == depth {
                    return Ok(());
                }
                self.skip_space();
                match (self.peek(), open.in_object) {
                    (Some(b','), in_object) => {
                        self.at += 1;
                        self.skip_space();
                        if in_object {
                            self.skip_key()?;
                        }
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.at += 1;
                        open.pop();
                    }
                    (_, true) => return Err(self.fault(FaultKind::Expected("`,` or `}`"))),
                    (_, false) => return Err(self.fault(FaultKind::Expected("`,` or `]`"))),
                }
            }
        }
    }
}

/// Which of the open containers are objects: one bit each, so that depth costs no memory.
struct OpenContainers {
    objects: [u64; MAX_DEPTH / 64],
    depth: usize,
    in_object: bool,
}

impl OpenContainers {
    fn around(depth: usize) -> Self {
        Self { objects: [0; MAX_DEPTH / 64], depth, in_object: false }
    }

    #[inline]
    fn push(&mut self, object: bool) -> Result<(), FaultKind> {
        let bit = 1 << (self.depth % 64);
        match self.objects.get_mut(self.depth / 64) {
            Some(word) if object => *word |= bit,
            Some(word) => *word &= !bit,
            None => return Err(FaultKind::TooDeep),
        }
        self.depth += 1;
        self.in_object = object;
        Ok(())
    }

    #[inline]
    fn pop(&mut self) {
        self.depth -= 1;
        let parent = self.depth.wrapping_sub(1);
        self.in_object = self.objects.get(parent / 64).is_some_and(|word| word >> (parent % 64) & 1 == 1);
    }
}

/// Where the run of bytes ends that stand for themselves within a string: at a quote, a backslash, a control character,
/// or the end.
#[inline]
pub(super) fn plain_end(bytes: &[u8], begin: usize) -> usize {
    let (blocks, rest) = bytes.get(begin..).unwrap_or_default().as_chunks();
    for (place, block) in blocks.iter().enumerate() {
        let others = block::not_text(block);
        if others != 0 {
            return begin + place * block::BYTES + others.trailing_zeros() as usize; // less than 16
        }
    }
    let stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes.len() - rest.len() + rest.iter().position(stop).unwrap_or(rest.len())
}
