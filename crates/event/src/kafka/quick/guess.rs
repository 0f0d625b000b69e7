//! A number that is likely to have as many digits as the one before, and the same first ones: places and times of records
//! that come one after another. Then its last eight digits are all that is read.

use penstock_kernel::digits;

/// What is known of the number before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Guess {
    /// How many digits it has, 1 to 16; 0 if it is nothing to go by.
    pub(super) digits: usize,
    /// Its first bytes, and which of them stand before its last eight digits.
    first: u64,
    mask: u64,
    /// The number with zeros for its last eight digits.
    high: i64,
}

const LAST: usize = 8;
const LAST_COUNT: i64 = 100_000_000;

impl Guess {
    /// After a number that so many of these bytes are.
    pub(super) fn after(number: i64, bytes: &[u8], length: usize) -> Self {
        match bytes.first_chunk() {
            Some(first) if number >= 0 && (1..=2 * LAST).contains(&length) => {
                let before = length.saturating_sub(LAST) as u32 * 8; // at most 64
                Self {
                    digits: length,
                    first: u64::from_le_bytes(*first),
                    mask: 1_u64.checked_shl(before).unwrap_or_default().wrapping_sub(1),
                    high: number - number % LAST_COUNT,
                }
            }
            _ => Self::default(),
        }
    }

    /// The number that so many digits are with which the text begins; `None` if it is another one.
    #[inline(always)]
    pub(super) fn read(&self, text: &[u8]) -> Option<i64> {
        let first = text.first_chunk::<LAST>()?;
        let word = u64::from_le_bytes(*first);
        if self.digits > LAST {
            let last = text.get(self.digits - LAST..)?.first_chunk()?;
            let same = (word ^ self.first) & self.mask == 0;
            return digits::eight(last).filter(|_| same).map(|last| self.high + last);
        }
        // With zeros in front, which is what makes eight digits of those that there are; a zero by itself is left alone.
        let missing = LAST - self.digits;
        if first.first() == Some(&b'0') || missing == LAST {
            return None;
        }
        let zeros = u64::from_le_bytes([b'0'; LAST]);
        let padded = (word ^ zeros) << (missing as u32 * 8) ^ zeros; // at most 56
        digits::eight(&padded.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_read_is_the_number_that_stands_there(
            before in "[1-9][0-9]{0,17}|0|-[1-9][0-9]{0,3}",
            changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"0123456789.-,e /:"[..])), 0..3),
            behind in "[,.} ][a-z\"0-9]{8,20}",
        ) {
            let text = |number: &str| format!("{number}{behind}").into_bytes();
            let guess = Guess::after(before.parse().unwrap(), &text(&before), before.len());
            let mut now = before.clone().into_bytes();
            for (at, byte) in changes {
                let at = at.index(now.len());
                now[at] = byte;
            }
            let now = String::from_utf8(now).unwrap();
            let found = guess.read(&text(&now));
            let is_plain = now.bytes().all(|byte| byte.is_ascii_digit()) && (now.len() == 1 || !now.starts_with('0'));
            prop_assert!(found.is_none() || is_plain && found == now.parse().ok(), "{} {:?}", now, found);
            let same_before = now.len() > 8 && now[..now.len() - 8] == before[..now.len() - 8] || now.len() <= 8;
            if is_plain && (1..=16).contains(&now.len()) && same_before && now != "0" {
                prop_assert!(found.is_some() || guess.digits == 0 );
            }
        }
    }
}
