//! Sixteen bytes at a time: which of them a reader of text stops at, one bit a byte, the first one's the lowest.
//!
//! Texts are short: what looks for bytes in long ones takes longer to get ready than these take to find them.

use wide::u8x16;

/// So many bytes.
pub type Block = [u8; BYTES];

/// Bytes of a block.
pub const BYTES: usize = 16;

/// The quotes.
#[inline(always)]
pub fn quotes(block: &Block) -> u32 {
    bits(u8x16::from(*block).simd_eq(u8x16::splat(b'"')))
}

/// The bytes that end or escape a string, must not be in one, or are not ASCII.
#[inline(always)]
pub fn not_ascii_text(block: &Block) -> u32 {
    let bytes = u8x16::from(*block);
    // Around the end of numbers: the first ones become the last ones, behind those that are not ASCII.
    let printable_first = bytes - u8x16::splat(0x20);
    bits(ends(bytes) | printable_first.max(u8x16::splat(0x80 - 0x20)).simd_eq(printable_first))
}

/// The bytes that end or escape a string or must not be in one.
#[inline(always)]
pub fn not_text(block: &Block) -> u32 {
    let bytes = u8x16::from(*block);
    bits(ends(bytes) | bytes.min(u8x16::splat(0x1f)).simd_eq(bytes))
}

/// The bytes that end a field of delimited text, which are these two, or are not ASCII.
#[inline(always)]
pub fn not_ascii_field(block: &Block, separator: u8, delimiter: u8) -> u32 {
    let bytes = u8x16::from(*block);
    let ends = bytes.simd_eq(u8x16::splat(separator)) | bytes.simd_eq(u8x16::splat(delimiter));
    bits(ends | bytes.max(u8x16::splat(0x80)).simd_eq(bytes))
}

/// Which bytes are quotes or backslashes.
#[inline(always)]
fn ends(bytes: u8x16) -> u8x16 {
    bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'))
}

/// The bytes that are all ones; the others are 0.
#[inline(always)]
fn bits(marked: u8x16) -> u32 {
    marked.to_bitmask()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(block: &Block, mark: impl Fn(u8) -> bool) -> u32 {
        block.iter().rev().fold(0, |bits, byte| bits << 1 | u32::from(mark(*byte)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn each_such_byte_is_marked(
            plain in prop::array::uniform16(0x20_u8..0x80),
            others in prop::collection::vec((0..BYTES, any::<u8>()), 0..3),
            special in prop::collection::vec((0..BYTES, prop::sample::select(&b"\"\\\x1f\x20\x00\x80\xa2\xdc\xff\x21\x23\x5b\x5d"[..])), 0..3),
        ) {
            let mut block = plain;
            others.into_iter().chain(special).for_each(|(at, byte)| block[at] = byte);
            let ends = |byte| matches!(byte, b'"' | b'\\' | 0..0x20);
            prop_assert_eq!(quotes(&block), marked(&block, |byte| byte == b'"'));
            prop_assert_eq!(not_ascii_text(&block), marked(&block, |byte| ends(byte) || !byte.is_ascii()));
            prop_assert_eq!(not_text(&block), marked(&block, ends));
            let ends = |byte| matches!(byte, b'"' | 0x5b) || !byte.is_ascii();
            prop_assert_eq!(not_ascii_field(&block, b'"', 0x5b), marked(&block, ends));
        }
    }
}
