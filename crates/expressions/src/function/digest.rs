//! Digests, hashes and encodings of bytes.

use base64_simd::STANDARD;
use md5::{Digest, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512};
use twox_hash::XxHash3_64;

use super::{Answer, Arg, Function, Kind, row};

pub(super) const FUNCTIONS: &[Function] = &[
    row(
        "md5",
        &[("text", Kind::Text)],
        Kind::Text,
        md5,
        "MD5, 32 hexadecimal digits.",
        &[("md5('a')", "0cc175b9c0f1b6a831c399e269772661")],
    ),
    row(
        "md5sum",
        &[("text", Kind::Text)],
        Kind::Text,
        md5sum,
        "MD5 of all texts behind each other, NULLs left out.",
        &[("md5sum('a', NULL, 'b')", "187ef4436122d1cc2f40dc2b92f0eba0")],
    )
    .repeated()
    .with_null(),
    row(
        "sha2",
        &[("text", Kind::Text), ("bits", Kind::Integer)],
        Kind::Text,
        sha2,
        "SHA-2 of 224, 256 (also 0), 384 or 512 bits; NULL for others.",
        &[
            ("sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
            ("sha2('a', 1)", "NULL"),
        ],
    ),
    row(
        "murmur_hash3_32",
        &[("text", Kind::Text)],
        Kind::Integer,
        murmur,
        "MurmurHash3, 32 bits, signed.",
        &[("murmur_hash3_32('hello')", "1321743225"), ("murmur_hash3_32('hello', 'world')", "984713481")],
    )
    .repeated(),
    row(
        "xx_hash3_64",
        &[("text", Kind::Text)],
        Kind::Integer,
        xx_hash,
        "xxHash3, 64 bits, signed.",
        &[("xx_hash3_64('hello')", "-7685981735718036227")],
    )
    .repeated(),
    row("crc32", &[("text", Kind::Text)], Kind::Integer, crc32, "CRC-32.", &[("crc32('a')", "3904355907")]),
    row(
        "hex",
        &[("value", Kind::Text)],
        Kind::Text,
        hex,
        "Hexadecimal digits of a whole number, or of the text's bytes.",
        &[("hex('abc')", "616263"), ("hex(255)", "FF")],
    ),
    row(
        "unhex",
        &[("digits", Kind::Text)],
        Kind::Text,
        unhex,
        "The text whose bytes are said; empty if these are no pairs of digits, NULL if the bytes are no UTF-8.",
        &[("unhex('616263')", "abc"), ("unhex('4142@')", ""), ("unhex('6')", ""), ("unhex('FF')", "NULL")],
    )
    .also(&["hex_decode_string"]),
    row(
        "to_base64",
        &[("text", Kind::Text)],
        Kind::Text,
        to_base64,
        "Base64 of the text's bytes.",
        &[("to_base64('abc')", "YWJj")],
    )
    .also(&["base64_encode"]),
    row(
        "from_base64",
        &[("text", Kind::Text)],
        Kind::Text,
        from_base64,
        "The text whose Base64 is given; NULL if it is none.",
        &[("from_base64('YWJj')", "abc"), ("from_base64('%')", "NULL")],
    )
    .also(&["base64_decode_string"]),
    row(
        "url_encode",
        &[("text", Kind::Text)],
        Kind::Text,
        url_encode,
        "Percent-encoding.",
        &[("url_encode('a b/é')", "a%20b%2F%C3%A9")],
    ),
    row(
        "url_decode",
        &[("text", Kind::Text)],
        Kind::Text,
        url_decode,
        "Percent-encoding undone.",
        &[("url_decode('a%20b%2F')", "a b/")],
    ),
];

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    Some(Answer::Text(hexadecimal(&Md5::digest(text))))
}

fn md5sum(args: &[Arg<'_>]) -> Option<Answer> {
    let mut digest = Md5::new();
    for arg in args {
        if let Arg::Text(text) = arg {
            digest.update(text);
        }
    }
    Some(Answer::Text(hexadecimal(&digest.finalize())))
}

fn sha2(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Integer(bits)] = args else { return None };
    Some(Answer::Text(match bits {
        224 => hexadecimal(&Sha224::digest(text)),
        0 | 256 => hexadecimal(&Sha256::digest(text)),
        384 => hexadecimal(&Sha384::digest(text)),
        512 => hexadecimal(&Sha512::digest(text)),
        _ => return None,
    }))
}

/// The seed that StarRocks begins with; a further text begins with the hash of those before.
const MURMUR_SEED: u32 = 104_729;

fn murmur(args: &[Arg<'_>]) -> Option<Answer> {
    let hash = args.iter().try_fold(MURMUR_SEED, |seed, arg| match arg {
        Arg::Text(text) => Some(murmur3(text.as_bytes(), seed)),
        _ => None,
    })?;
    Some(Answer::Integer(hash.cast_signed().into()))
}

fn murmur3(bytes: &[u8], seed: u32) -> u32 {
    let mix = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut hash = seed;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        hash = (hash ^ mix(u32::from_le_bytes(*word))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0_u32, |tail, byte| tail << 8 | u32::from(*byte));
        hash ^= mix(tail);
    }
    hash ^= u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

fn xx_hash(args: &[Arg<'_>]) -> Option<Answer> {
    let hash = args.iter().try_fold(0_u64, |seed, arg| match arg {
        Arg::Text(text) => Some(XxHash3_64::oneshot_with_seed(seed, text.as_bytes())),
        _ => None,
    })?;
    Some(Answer::Integer(hash.cast_signed()))
}

fn crc32(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    Some(Answer::Integer(crc32fast::hash(text.as_bytes()).into()))
}

fn hex(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    Some(Answer::Text(match text.parse::<i64>() {
        Ok(number) => format!("{number:X}"),
        Err(_) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
    }))
}

fn unhex(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(digits)] = args else { return None };
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect();
    String::from_utf8(bytes.unwrap_or_default()).ok().map(Answer::Text)
}

fn to_base64(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    Some(Answer::Text(STANDARD.encode_to_string(text)))
}

fn from_base64(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    String::from_utf8(STANDARD.decode_to_vec(text).ok()?).ok().map(Answer::Text)
}

fn url_encode(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    Some(Answer::Text(text.bytes().map(encode).collect()))
}

fn url_decode(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || u8::try_from(char::from(rest.next()?).to_digit(16)?).ok();
                digit()? << 4 | digit()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok().map(Answer::Text)
}
