//! Separators of delimited text, as statements write them: `,`, `\t`, `\x01`, `0x0102`, `<br>`.
//!
//! | written | stands for |
//! | --- | --- |
//! | `\x` or `0x`, any case, then an even number of hexadecimal digits, `\x` again between them if liked | those bytes |
//! | `\t`, `\n`, `\r` anywhere else, as two characters | tab, newline, carriage return |
//! | anything else | itself |
//!
//! A separator is text: bytes that are no UTF-8 could never stand in a row that is loaded.

/// Bytes that a separator has at most.
pub const MAX_BYTES: usize = 50;

/// What `COLUMNS TERMINATED BY` is if absent.
pub const DEFAULT_COLUMN_SEPARATOR: &str = "\t";

/// What `ROWS TERMINATED BY` is if absent.
pub const DEFAULT_ROW_DELIMITER: &str = "\n";

/// A text that is no separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeparatorError {
    /// It stands for no byte, or for too many.
    #[error("expected 1 to {MAX_BYTES} bytes, found {bytes}")]
    Length {
        /// How many it stands for.
        bytes: usize,
    },
    /// `\x` or `0x` before something else than pairs of hexadecimal digits.
    #[error("expected pairs of hexadecimal digits after `\\x` or `0x`")]
    Hexadecimal,
    /// Its bytes are no UTF-8.
    #[error("its bytes are no UTF-8 text")]
    Utf8,
}

/// What `written` stands for, 1 to [`MAX_BYTES`] bytes.
///
/// # Errors
/// [`SeparatorError`] says what is wrong with the text.
pub fn decode(written: &str) -> Result<String, SeparatorError> {
    let decoded = match ["\\x", "\\X", "0x", "0X"].iter().find_map(|prefix| written.strip_prefix(prefix)) {
        Some(digits) => {
            let digits = digits.replace("\\x", "").replace("\\X", "");
            String::from_utf8(pairs(&digits).ok_or(SeparatorError::Hexadecimal)?).map_err(|_| SeparatorError::Utf8)?
        }
        None => written.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r"),
    };
    match decoded.len() {
        1..=MAX_BYTES => Ok(decoded),
        bytes => Err(SeparatorError::Length { bytes }),
    }
}

/// The separator as reasons show it: in single quotes, `\n` and `\t` as such, other bytes that do not print in hexadecimal.
pub(crate) fn shown(separator: &str) -> String {
    let mut text = String::from("'");
    for character in separator.chars() {
        match character {
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            _ if character.is_control() => text.push_str(&format!("0x{:x}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text.push('\'');
    text
}

/// The bytes of an even number of hexadecimal digits.
fn pairs(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_stand_for_what_the_table_says() {
        for (written, expected) in [
            (",", ","),
            ("\t", "\t"),
            ("\\t", "\t"),
            ("\\n", "\n"),
            ("\\r\\n", "\r\n"),
            ("|\\t|", "|\t|"),
            ("\\x01", "\u{1}"),
            ("\\X0a", "\n"),
            ("\\x0d\\x0A", "\r\n"),
            ("0x2C2c", ",,"),
            ("0xC3a4", "ä"),
            ("<br>", "<br>"),
            ("\\", "\\"),
            ("¦", "¦"),
            ("x01", "x01"),
        ] {
            assert_eq!(decode(written).as_deref(), Ok(expected), "{written:?}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let long = "x".repeat(51);
        let long_hexadecimal = format!("0x{}", "41".repeat(51));
        for (written, expected) in [
            ("", SeparatorError::Length { bytes: 0 }),
            ("\\x", SeparatorError::Length { bytes: 0 }),
            (long.as_str(), SeparatorError::Length { bytes: 51 }),
            (long_hexadecimal.as_str(), SeparatorError::Length { bytes: 51 }),
            ("\\x1", SeparatorError::Hexadecimal),
            ("\\x1\\x1\\x1", SeparatorError::Hexadecimal),
            ("0xzz", SeparatorError::Hexadecimal),
            ("0x0ä", SeparatorError::Hexadecimal),
            ("\\xff", SeparatorError::Utf8),
        ] {
            assert_eq!(decode(written), Err(expected), "{written:?}");
        }
        assert!(decode(&"x".repeat(50)).is_ok());
    }

    #[test]
    fn separators_are_shown_readably() {
        assert_eq!(shown(","), "','");
        assert_eq!(shown("\r\n"), "'0xd\\n'");
        assert_eq!(shown("\t\u{1}ä"), "'\\t0x1ä'");
    }
}
