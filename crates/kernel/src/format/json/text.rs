//! JSON text into other text: strings without their escapes, documents without their white space.
//!
//! Both take text that the scanner has passed, so neither checks the grammar again.

/// An escape that stands for half a character; no text can hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoneSurrogate;

/// Appends what the string says, `raw` being what stands between its quotes.
pub(crate) fn unescape(raw: &str, into: &mut String) -> Result<(), LoneSurrogate> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        into.push_str(plain);
        let (character, length) = read_escape(escape.as_bytes()).ok_or(LoneSurrogate)?;
        into.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
    into.push_str(rest);
    Ok(())
}

/// The character of an escape, and the escape's length in bytes.
fn read_escape(escape: &[u8]) -> Option<(char, usize)> {
    let character = match escape.get(1)? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return read_code_point(escape),
        itself => char::from(*itself),
    };
    Some((character, 2))
}

fn read_code_point(escape: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| -> Option<u32> {
        let digits = escape.get(at..at + 4)?;
        digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
    };
    let first = unit(2)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    let second = (escape.get(6..8)? == b"\\u").then(|| unit(8)).flatten()?;
    let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x10000 + ((first - 0xD800) << 10 | low))?, 12))
}

/// Appends the document without white space between its tokens; strings and numbers stay as written.
pub(crate) fn minify(document: &str, into: &mut String) {
    let mut rest = document;
    loop {
        let plain = rest.bytes().position(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'"'));
        let end = match plain {
            None => rest.len(),
            Some(at) if rest.as_bytes().get(at) == Some(&b'"') => string_end(rest, at),
            Some(at) => at,
        };
        into.push_str(rest.get(..end).unwrap_or_default());
        rest = rest.get(end..).unwrap_or_default().trim_start_matches([' ', '\n', '\r', '\t']);
        if rest.is_empty() {
            return;
        }
    }
}

/// Whether every string of the document can be turned into text.
pub(crate) fn is_representable(document: &str) -> bool {
    let bytes = document.as_bytes();
    let mut at = 0;
    // A backslash occurs only within strings, so the strings' ends need not be known.
    while let Some(next) = memchr::memchr(b'\\', bytes.get(at..).unwrap_or_default()) {
        at += next;
        match read_escape(bytes.get(at..).unwrap_or_default()) {
            Some((_, length)) => at += length,
            None => return false,
        }
    }
    true
}

/// The byte after the string that opens at `open`.
fn string_end(text: &str, open: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = open + 1;
    while let Some(next) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += next;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}
