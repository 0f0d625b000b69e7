//! Base64 decoded to the end of a buffer, as strict as RFC 4648 allows: padded, and no bit set that stands for nothing.
//!
//! Keys are a few characters: for those, what makes decoding fast over kilobytes takes longer than decoding.

/// Characters up to which text is decoded one group at a time.
const SHORT: usize = 24;

/// What stands for no six bits.
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

/// Appends what the text stands for; `None` if it is broken, and something may have been appended then.
#[inline]
pub(super) fn decode(text: &[u8], into: &mut Vec<u8>) -> Option<()> {
    if text.len() > SHORT {
        return base64_simd::STANDARD.decode_append(text, into).ok().map(|_| ());
    }
    let (groups, []) = text.as_chunks::<4>() else {
        return None;
    };
    let Some((last, groups)) = groups.split_last() else {
        return Some(());
    };
    for group in groups {
        into.extend_from_slice(&decode_group(*group)?);
    }
    match *last {
        [a, b, b'=', b'='] => {
            let [first, 0, 0] = decode_group([a, b, b'A', b'A'])? else { return None };
            into.push(first);
        }
        [a, b, c, b'='] => {
            let [first, second, 0] = decode_group([a, b, c, b'A'])? else { return None };
            into.extend_from_slice(&[first, second]);
        }
        group => into.extend_from_slice(&decode_group(group)?),
    }
    Some(())
}

#[inline]
fn decode_group(group: [u8; 4]) -> Option<[u8; 3]> {
    let [a, b, c, d] = group.map(|byte| SIX_BITS.get(usize::from(byte)).copied().unwrap_or(NONE));
    // None of the others has the highest bit.
    if (a | b | c | d) & 0x80 != 0 {
        return None;
    }
    let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
    let [_, first, second, third] = bits.to_be_bytes();
    Some([first, second, third])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agree(text: &[u8]) {
        let mut decoded = b"before".to_vec();
        let expected = base64_simd::STANDARD.decode_to_vec(text).ok();
        let found = decode(text, &mut decoded).map(|()| decoded[6..].to_vec());
        assert_eq!(found, expected, "{}", text.escape_ascii());
    }

    proptest! {
        #[test]
        fn short_texts_are_decoded_as_long_ones_are(bytes in prop::collection::vec(any::<u8>(), 0..25)) {
            agree(base64_simd::STANDARD.encode_to_string(&bytes).as_bytes());
        }

        #[test]
        fn what_is_broken_is_broken_at_any_length(text in "[A-Za-z0-9+/=]{0,9}|[AQ=]{4}|[A-D]{2}[A-Z=]{2}|\\PC{0,9}") {
            agree(text.as_bytes());
        }
    }
}
