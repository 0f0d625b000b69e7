//! Parquet's mix of runs and packed bits, in which it writes small numbers: levels, and places in a dictionary.
//!
//! # References
//! - <https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE>

/// Numbers that are packed together.
const GROUP: usize = 8;

/// Appends the numbers, none of which takes more than `bits` bits, 1 to 32.
pub(super) fn write(numbers: &[u32], bits: u32, into: &mut Vec<u8>) {
    let mut rest = numbers;
    // Numbers that wait to be packed, all groups whole but the last one of all.
    let mut packed = 0;
    while let Some(first) = rest.get(packed).copied() {
        let run = rest.get(packed..).unwrap_or_default().iter().take_while(|number| **number == first).count();
        if run < GROUP {
            packed = (packed + GROUP).min(rest.len());
            continue;
        }
        let (before, after) = rest.split_at_checked(packed).unwrap_or((rest, &[]));
        pack(before, bits, into);
        write_run(first, run, bits, into);
        rest = after.get(run..).unwrap_or_default();
        packed = 0;
    }
    pack(rest, bits, into);
}

/// Appends one number so many times.
pub(super) fn write_run(number: u32, count: usize, bits: u32, into: &mut Vec<u8>) {
    write_length((count as u64) << 1, into); // usize has at most 64 bits
    into.extend(number.to_le_bytes().iter().take(bits.div_ceil(8) as usize)); // at most 4
}

fn pack(numbers: &[u32], bits: u32, into: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(GROUP);
    write_length((groups as u64) << 1 | 1, into);
    let (mut word, mut filled) = (0_u64, 0);
    let padding = groups * GROUP - numbers.len();
    for number in numbers.iter().copied().chain(std::iter::repeat_n(0, padding)) {
        word |= u64::from(number) << filled;
        filled += bits;
        if filled >= 32 {
            let [a, b, c, d, ..] = word.to_le_bytes();
            into.extend_from_slice(&[a, b, c, d]);
            word >>= 32;
            filled -= 32;
        }
    }
    into.extend(word.to_le_bytes().iter().take(filled.div_ceil(8) as usize)); // at most 4
}

fn write_length(mut length: u64, into: &mut Vec<u8>) {
    while length >= 0x80 {
        into.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    into.push(length.to_le_bytes()[0]);
}
