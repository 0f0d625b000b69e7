//! LIKE and regular expressions.

use std::cell::RefCell;

use regex::{Regex, RegexBuilder};

use super::{Answer, Arg, Function, Kind, MAX_TEXT_BYTES, row};

pub(super) const FUNCTIONS: &[Function] = &[
    row("regexp", &[("text", Kind::Text), ("pattern", Kind::Text)], Kind::Boolean, regexp, "Whether the pattern matches some part; NULL for a wrong pattern. Also `text REGEXP pattern`, `text RLIKE pattern`.", &[
        ("regexp('abc', 'b.')", "1"),
        ("'abc' RLIKE '^b'", "0"),
        ("regexp('a', '(')", "NULL"),
    ])
    .also(&["rlike", "regexp_like"]),
    row("regexp_extract", &[("text", Kind::Text), ("pattern", Kind::Text), ("group", Kind::Integer)], Kind::Text, regexp_extract, "The group of the first match, 0 for all of it; empty if nothing matches.", &[
        ("regexp_extract('k=12', '([0-9]+)', 1)", "12"),
        ("regexp_extract('k', '([0-9]+)', 1)", ""),
    ]),
    row("regexp_replace", &[("text", Kind::Text), ("pattern", Kind::Text), ("replacement", Kind::Text)], Kind::Text, regexp_replace, "Every match replaced; `\\\\1` or `$1` in the replacement is the first group.", &[
        ("regexp_replace('aXbX', 'X', '-')", "a-b-"),
        ("regexp_replace('a b', '(\\\\w) (\\\\w)', '$2 $1')", "b a"),
    ]),
];

/// Bytes that a compiled pattern may take; a hostile one is NULL.
const MAX_PATTERN_BYTES: usize = 1 << 20;

thread_local! {
    /// The pattern is the same for most rows, and dear to compile.
    static LAST: RefCell<Option<(String, Option<Regex>)>> = const { RefCell::new(None) };
}

fn with_regex<T>(pattern: &str, then: impl FnOnce(&Regex) -> Option<T>) -> Option<T> {
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(known, _)| known != pattern) {
            let compiled =
                RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES).build();
            *last = Some((pattern.to_owned(), compiled.ok()));
        }
        then(last.as_ref()?.1.as_ref()?)
    })
}

fn regexp(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(pattern)] = args else { return None };
    with_regex(pattern, |regex| Some(Answer::Boolean(regex.is_match(text))))
}

fn regexp_extract(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(pattern), Arg::Integer(group)] = args else { return None };
    let group = usize::try_from(*group).ok()?;
    with_regex(pattern, |regex| {
        let found =
            regex.captures(text).and_then(|captures| captures.get(group).map(|found| found.as_str().to_owned()));
        Some(Answer::Text(found.unwrap_or_default()))
    })
}

fn regexp_replace(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(pattern), Arg::Text(replacement)] = args else { return None };
    // StarRocks' `\1` is this library's `${1}`.
    let mut translated = String::with_capacity(replacement.len());
    let mut chars = replacement.chars().peekable();
    while let Some(char) = chars.next() {
        match chars.peek() {
            Some(digit) if matches!(char, '\\' | '$') && digit.is_ascii_digit() => {
                translated += &format!("${{{digit}}}");
                chars.next();
            }
            _ if char == '$' => translated += "$$",
            _ => translated.push(char),
        }
    }
    with_regex(pattern, |regex| {
        let mut out = String::new();
        let mut end = 0;
        for captures in regex.captures_iter(text) {
            let found = captures.get(0)?;
            out += text.get(end..found.start())?;
            captures.expand(&translated, &mut out);
            end = found.end();
            if out.len() > MAX_TEXT_BYTES {
                return None;
            }
        }
        out += text.get(end..)?;
        Some(Answer::Text(out))
    })
}

/// `%` stands for any text, `_` for one character, a backslash takes the next character as it is.
pub(super) fn like(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(pattern)] = args else { return None };
    Some(Answer::Boolean(is_like(text, pattern)))
}

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Any,
    One,
    Char(char),
}

fn is_like(text: &str, pattern: &str) -> bool {
    let mut signs = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        signs.push(match char {
            '%' => Sign::Any,
            '_' => Sign::One,
            '\\' => Sign::Char(chars.next().unwrap_or('\\')),
            other => Sign::Char(other),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut sign) = (0, 0);
    // Where to go on if what follows the last `%` does not match: that sign, and one character further.
    let mut again: Option<(usize, usize)> = None;
    while let Some(char) = text.get(at) {
        match signs.get(sign) {
            Some(Sign::Any) => {
                again = Some((sign, at));
                sign += 1;
            }
            Some(Sign::One) => (at, sign) = (at + 1, sign + 1),
            Some(Sign::Char(expected)) if expected == char => (at, sign) = (at + 1, sign + 1),
            _ => match again {
                Some((any, from)) => {
                    again = Some((any, from + 1));
                    (at, sign) = (from + 1, any + 1);
                }
                None => return false,
            },
        }
    }
    signs.iter().skip(sign).all(|sign| *sign == Sign::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_knows_its_signs() {
        for (text, pattern, expected) in [
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("a%c", "a\\%c", true),
            ("abc", "a\\%c", false),
            ("", "%", true),
            ("aaab", "%a%b", true),
            ("ABC", "abc", false),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} LIKE {pattern}");
        }
    }
}
