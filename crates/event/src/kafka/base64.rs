//! Base64 of many texts decoded at once: texts are put one after another, then all of them become bytes.
//!
//! Records are small, and getting ready to decode fast takes longer than decoding a hundred characters. So that texts may
//! stand side by side, what pads one becomes zeros, which are bytes behind those that the text stands for. As strict as RFC
//! 4648 allows: padded, and no bit set that stands for nothing.

use penstock_kernel::block;

use crate::Span;

/// What stands for no six bits; all of its bits are set.
const NONE: u8 = 0xff;

const SIX_BITS: [u8; 256] = {
    let mut table = [NONE; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut number = 0;
    while number < 64 {
        #[expect(
            clippy::indexing_slicing,
            reason = "a byte is no more than 255, and a constant fails when it is compiled"
        )]
        {
            table[alphabet[number] as usize] = number as u8;
        }
        number += 1;
    }
    table
};

/// Texts that are still to be decoded, at most so many bytes and a record.
#[derive(Debug)]
pub(super) struct Pending {
    /// The texts, and room: a text that is short fits behind what is less than enough.
    room: Vec<u8>,
    /// Bytes of the texts.
    used: usize,
}

impl Default for Pending {
    fn default() -> Self {
        Self { room: vec![0; ENOUGH + LONG], used: 0 }
    }
}

/// Bytes that are decoded together: enough that a call costs nothing beside them, and few enough to be near the processor.
const ENOUGH: usize = 16 << 10;

/// Bytes of a text that is decoded by itself; whole blocks.
const LONG: usize = if cfg!(test) { 64 } else { 1 << 10 };

impl Pending {
    /// Adds the text that ends before the next quote; it will be decoded to the end of the arena. Gives its place there, and
    /// how long the text is. `None` if there is no quote, or the text is broken; it may be broken otherwise, which is found
    /// when it is decoded.
    #[inline(always)]
    pub(super) fn push_quoted(&mut self, from: &[u8], arena: &mut Vec<u8>) -> Option<(Span, usize)> {
        self.decode_enough(arena)?;
        let room = self.room.get_mut(self.used..self.used + LONG)?;
        let mut length = None;
        // Copied while the quote is looked for: what lies behind it will be written over.
        let blocks = from.as_chunks().0.iter().zip(room.as_chunks_mut().0);
        for (place, (from, to)) in blocks.enumerate() {
            *to = *from;
            let quotes = block::quotes(from);
            if quotes != 0 {
                length = Some(place * block::BYTES + quotes.trailing_zeros() as usize); // less than 16
                break;
            }
        }
        let Some(length) = length else {
            return self.push_long(from, arena);
        };
        let span = self.close(from.get(..length)?, arena.len())?;
        Some((span, length))
    }

    /// Takes in the text that was copied behind the others; gives its place in the arena, which has so many bytes.
    #[inline(always)]
    fn close(&mut self, text: &[u8], arena_bytes: usize) -> Option<Span> {
        if !text.len().is_multiple_of(4) {
            return None;
        }
        let place = |used: usize| arena_bytes + used / 4 * 3;
        let start = place(self.used);
        self.used += text.len();
        let padding = match (text, self.room.get_mut(..self.used)?) {
            ([.., last, b'=', b'='], [.., first, second]) => {
                stands_for_nothing(*last, 0x0f)?;
                (*first, *second) = (b'A', b'A');
                2
            }
            ([.., last, b'='], [.., only]) => {
                stands_for_nothing(*last, 0x03)?;
                *only = b'A';
                1
            }
            _ => 0,
        };
        Some(Span::new(start, place(self.used) - padding))
    }

    /// A text that is long, for which nothing is gained by waiting, or one of the last bytes of an event.
    #[cold]
    fn push_long(&mut self, from: &[u8], arena: &mut Vec<u8>) -> Option<(Span, usize)> {
        let text = from.get(..memchr::memchr(b'"', from)?)?;
        self.decode(arena)?;
        let start = arena.len();
        base64_simd::STANDARD.decode_append(text, arena).ok()?;
        Some((Span::new(start, arena.len()), text.len()))
    }

    /// Decodes what there is, if it is enough; `None` if any of it is broken.
    #[inline]
    fn decode_enough(&mut self, arena: &mut Vec<u8>) -> Option<()> {
        if self.used < ENOUGH { Some(()) } else { self.decode(arena) }
    }

    /// Decodes what there is; `None` if any of it is broken.
    pub(super) fn decode(&mut self, arena: &mut Vec<u8>) -> Option<()> {
        base64_simd::STANDARD.decode_append(self.room.get(..self.used)?, arena).ok()?;
        self.used = 0;
        Some(())
    }

    /// Bytes that there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Takes back all but the first so many bytes.
    pub(super) fn truncate(&mut self, bytes: usize) {
        self.used = self.used.min(bytes);
    }
}

/// Whether a character has none of these bits.
#[inline]
fn stands_for_nothing(character: u8, bits: u8) -> Option<()> {
    let six_bits = SIX_BITS.get(usize::from(character)).copied().unwrap_or(NONE);
    (six_bits & bits == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What texts stand for, decoded together, beside what each stands for alone.
    fn agree(texts: &[Vec<u8>]) {
        let alone: Option<Vec<Vec<u8>>> =
            texts.iter().map(|text| base64_simd::STANDARD.decode_to_vec(text).ok()).collect();
        let mut arena = Vec::new();
        let mut pending = Pending::default();
        let mut push = |text: &Vec<u8>| {
            // Among others, so that it is not one of the last bytes.
            let quoted = [text, &b"\"                "[..]].concat();
            let (span, length) = pending.push_quoted(&quoted, &mut arena)?;
            if length != text.len() {
                return None;
            }
            // As if it were enough.
            if text.len().is_multiple_of(3) { pending.decode(&mut arena).map(|()| span) } else { Some(span) }
        };
        let spans: Option<Vec<Span>> = texts.iter().map(&mut push).collect();
        let together = spans.filter(|_| pending.decode(&mut arena).is_some());
        let together = together.map(|spans| spans.into_iter().map(|span| arena[span.range()].to_vec()).collect());
        assert_eq!(together, alone);
    }

    proptest! {
        #[test]
        fn texts_stand_for_the_same_together_and_alone(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..6)) {
            let texts: Vec<_> = values.iter().map(|value| base64_simd::STANDARD.encode_to_string(value).into()).collect();
            agree(&texts);
        }

        #[test]
        fn what_is_broken_alone_breaks_all(
            good in prop::collection::vec(any::<u8>(), 0..9),
            text in "[A-Za-z0-9+/=]{0,9}|[A-Za-z0-9]{0,40}[+/=!]?[A-Za-z]{0,3}=?|[AQ=]{4}|[A-D]{2}[A-Z=]{2}|\\PC{0,9}",
        ) {
            let good: Vec<u8> = base64_simd::STANDARD.encode_to_string(&good).into();
            agree(&[good.clone(), text.into(), good]);
        }
    }
}
