//! Functions on text.

use std::cell::RefCell;

use regex::Regex;

use super::{Answer, Arg, Definition, Kind};

/// Bytes that a text made by a function has at most, as in StarRocks; a longer one is NULL.
const MAX_TEXT_BYTES: usize = 1 << 20;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition { name: "repeat", arguments: &[Kind::Text, Kind::Integer], answer: Kind::Text, row: repeat },
    Definition { name: "lpad", arguments: &[Kind::Text, Kind::Integer, Kind::Text], answer: Kind::Text, row: pad_left },
    Definition {
        name: "rpad",
        arguments: &[Kind::Text, Kind::Integer, Kind::Text],
        answer: Kind::Text,
        row: pad_right,
    },
    Definition {
        name: "regexp_extract",
        arguments: &[Kind::Text, Kind::Text, Kind::Integer],
        answer: Kind::Text,
        row: regexp_extract,
    },
    Definition { name: "hex", arguments: &[Kind::Text], answer: Kind::Text, row: hex },
    Definition { name: "unhex", arguments: &[Kind::Text], answer: Kind::Text, row: unhex },
];

thread_local! {
    /// The pattern is the same for most rows, and dear to compile.
    static LAST: RefCell<Option<(String, Option<Regex>)>> = const { RefCell::new(None) };
}

fn repeat(args: &[Arg<'_>]) -> Option<Answer> {
    let [text, count] = args else { return None };
    // A negative count is none.
    let (text, count) = (text.text()?, usize::try_from(count.integer()?.max(0)).ok()?);
    (text.len().checked_mul(count)? <= MAX_TEXT_BYTES).then(|| Answer::Text(text.repeat(count)))
}

fn pad_left(args: &[Arg<'_>]) -> Option<Answer> {
    let (text, padding) = padded(args)?;
    Some(Answer::Text(padding + &text))
}

fn pad_right(args: &[Arg<'_>]) -> Option<Answer> {
    let (text, padding) = padded(args)?;
    Some(Answer::Text(text + &padding))
}

/// The text, cut to the asked number of characters, and what fills it up to that.
fn padded(args: &[Arg<'_>]) -> Option<(String, String)> {
    let [text, length, fill] = args else {
        return None;
    };
    let (text, length, fill) = (text.text()?, usize::try_from(length.integer()?).ok()?, fill.text()?);
    if length > MAX_TEXT_BYTES / 4 {
        return None;
    }
    let missing = length.saturating_sub(text.chars().count());
    if missing > 0 && fill.is_empty() {
        return Some((String::new(), String::new()));
    }
    Some((text.chars().take(length).collect(), fill.chars().cycle().take(missing).collect()))
}

/// The group of the first match; nothing matched: empty text. A wrong pattern is NULL.
fn regexp_extract(args: &[Arg<'_>]) -> Option<Answer> {
    let [text, pattern, group] = args else {
        return None;
    };
    let (text, pattern, group) = (text.text()?, pattern.text()?, usize::try_from(group.integer()?).ok()?);
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(known, _)| known != pattern) {
            *last = Some((pattern.to_owned(), Regex::new(pattern).ok()));
        }
        let regex = last.as_ref()?.1.as_ref()?;
        let found =
            regex.captures(text).and_then(|captures| captures.get(group).map(|found| found.as_str().to_owned()));
        Some(Answer::Text(found.unwrap_or_default()))
    })
}

/// Hexadecimal digits of a whole number, or of the text's bytes.
fn hex(args: &[Arg<'_>]) -> Option<Answer> {
    let [value] = args else { return None };
    let text = value.text()?;
    Some(Answer::Text(match text.parse::<i64>() {
        Ok(number) => format!("{number:X}"),
        Err(_) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
    }))
}

fn unhex(args: &[Arg<'_>]) -> Option<Answer> {
    let [digits] = args else { return None };
    let bytes: Option<Vec<u8>> = digits
        .text()?
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok().map(Answer::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_grows_to_a_bound() {
        let text = |text: &str| Some(Answer::Text(text.to_owned()));
        assert_eq!(repeat(&[Arg::Text("ab"), Arg::Integer(2)]), text("abab"));
        assert_eq!(repeat(&[Arg::Text("ab"), Arg::Integer(-1)]), text(""));
        assert_eq!(repeat(&[Arg::Text("ab"), Arg::Integer(i64::MAX)]), None);
        assert_eq!(pad_left(&[Arg::Text("5"), Arg::Integer(4), Arg::Text("ab")]), text("aba5"));
        assert_eq!(pad_right(&[Arg::Text("héllo"), Arg::Integer(2), Arg::Text("")]), text("hé"));
        assert_eq!(pad_left(&[Arg::Text("5"), Arg::Integer(i64::MAX), Arg::Text("a")]), None);
    }

    #[test]
    fn regexp_extract_gives_the_group_or_nothing() {
        let extract = |group| regexp_extract(&[Arg::Text("a=12;b=3"), Arg::Text(r"(\w)=(\d+)"), Arg::Integer(group)]);
        assert_eq!(extract(2), Some(Answer::Text("12".into())));
        assert_eq!(extract(7), Some(Answer::Text(String::new())));
        assert_eq!(regexp_extract(&[Arg::Text("a"), Arg::Text("("), Arg::Integer(0)]), None);
    }
}
