//! Base64 of many texts decoded at once: texts are put one after another, then all of them become bytes.
//!
//! Records are small, and getting ready to decode fast takes longer than decoding a hundred characters. So that texts may
//! stand side by side, what pads one becomes zeros, which are bytes behind those that the text stands for. As strict as RFC
//! 4648 allows: padded, and no bit set that stands for nothing.

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
#[derive(Debug, Default)]
pub(super) struct Pending(Vec<u8>);

/// Bytes that are decoded together: enough that a call costs nothing beside them, and few enough to be near the processor.
const ENOUGH: usize = 16 << 10;

/// Bytes of a text that is decoded by itself.
const LONG: usize = if cfg!(test) { 64 } else { 1 << 10 };

impl Pending {
    /// Adds a text, which will be decoded to the end of the arena; gives its place there. `None` if it is broken; it may be
    /// broken otherwise, which is found when it is decoded.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8], arena: &mut Vec<u8>) -> Option<Span> {
        if text.len() >= LONG {
            return self.push_long(text, arena);
        }
        if !text.len().is_multiple_of(4) {
            return None;
        }
        let texts = &mut self.0;
        let place = |texts: &[u8]| arena.len() + texts.len() / 4 * 3;
        let start = place(texts);
        let padding = match text {
            [before @ .., last, b'=', b'='] => {
                texts.extend_from_slice(before);
                texts.extend_from_slice(&[*last, b'A', b'A']);
                stands_for_nothing(*last, 0x0f)?;
                2
            }
            [before @ .., last, b'='] => {
                texts.extend_from_slice(before);
                texts.extend_from_slice(&[*last, b'A']);
                stands_for_nothing(*last, 0x03)?;
                1
            }
            text => {
                texts.extend_from_slice(text);
                0
            }
        };
        Some(Span::new(start, place(texts) - padding))
    }

    /// Nothing is gained where a text is enough by itself.
    fn push_long(&mut self, text: &[u8], arena: &mut Vec<u8>) -> Option<Span> {
        self.decode(arena)?;
        let start = arena.len();
        base64_simd::STANDARD.decode_append(text, arena).ok()?;
        Some(Span::new(start, arena.len()))
    }

    /// Decodes what there is, if it is enough; `None` if any of it is broken.
    #[inline]
    pub(super) fn decode_enough(&mut self, arena: &mut Vec<u8>) -> Option<()> {
        if self.0.len() < ENOUGH { Some(()) } else { self.decode(arena) }
    }

    /// Decodes what there is; `None` if any of it is broken.
    pub(super) fn decode(&mut self, arena: &mut Vec<u8>) -> Option<()> {
        base64_simd::STANDARD.decode_append(&self.0, arena).ok()?;
        self.0.clear();
        Some(())
    }

    /// Bytes that there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes back all but the first so many bytes.
    pub(super) fn truncate(&mut self, bytes: usize) {
        self.0.truncate(bytes);
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
            let span = pending.push(text, &mut arena)?;
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
