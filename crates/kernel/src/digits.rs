//! Digits of a decimal number, eight at a time.

/// 1, 10, 100, ... up to what seven digits are multiplied by.
pub const POWERS: [i64; 8] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

const ONES: u64 = u64::MAX / 255;

/// The number that the digits make before the first byte that is none, and how many they are: 0 to 8.
#[inline(always)]
pub fn leading(bytes: &[u8; 8]) -> (i64, usize) {
    let low = u64::from_le_bytes(*bytes) ^ (ONES * b'0' as u64);
    // The high bit of each byte that is no digit: what is above 9 carries into it, or has it.
    let others = (((low & (ONES * 0x7f)) + ONES * (0x7f - 9)) | low) & (ONES * 0x80);
    let count = others.trailing_zeros() / 8;
    // Zeros in front are as good as none; shifted in two steps, since all may go.
    let digits = low << (32 - 4 * count) << (32 - 4 * count);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let eight = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    (eight.cast_signed(), count as usize) // at most 8
}

/// The number of eight digits; `None` if not all are.
#[inline(always)]
pub fn eight(bytes: &[u8; 8]) -> Option<i64> {
    let (number, count) = leading(bytes);
    (count == 8).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_end_at_the_first_byte_that_is_none(text in "[0-9]{0,8}", others in any::<[u8; 8]>()) {
            let mut bytes = others;
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let expected = std::str::from_utf8(&bytes[..count]).unwrap().parse().unwrap_or(0);
            prop_assert_eq!(leading(&bytes), (expected, count));
            prop_assert_eq!(eight(&bytes), (count == 8).then_some(expected));
        }
    }
}
