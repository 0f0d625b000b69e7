//! Paths of RFC 9535: a crate decides what is one, and here it is taken apart where it begins with plain steps.
//!
//! # References
//! - <https://www.rfc-editor.org/rfc/rfc9535>

use std::sync::Arc;

use serde_json_path::JsonPath;

use super::super::select::{Results, Selection};
use super::{NoArray, Path, PathProblem, Step};

/// What a path of RFC 9535 leads to; else the byte at which it is none, and why.
pub(super) fn parse(path: &str) -> Result<Path, (usize, PathProblem)> {
    let whole =
        JsonPath::parse(path).map_err(|error| (error.position(), PathProblem::Rfc9535(words(error.message()))))?;
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut prefix = Vec::new();
    while let Some((step, after)) = read_step(rest) {
        prefix.push(step);
        rest = after;
    }
    if rest.trim_ascii().is_empty() {
        return Ok(Path::Place { steps: prefix, no_array: NoArray::Nothing });
    }
    let results = if leads_to_one(rest) { Results::One } else { Results::List };
    // A filter that looks at the whole row needs all of it.
    let selection = match JsonPath::parse(&format!("${rest}")) {
        Ok(below) if !outside_strings(rest).contains('$') => Selection::new(path, below, results),
        _ => {
            prefix.clear();
            Selection::new(path, whole, results)
        }
    };
    Ok(Path::Select { prefix, selection: Arc::new(selection), one_place: None })
}

/// The parser's words where they say more than that it did not go on: about functions and their arguments.
fn words(message: &str) -> String {
    let words = message.rsplit_once("segment, ").map_or(message, |(_, words)| words);
    match words {
        _ if words.contains(" args, ") => ": wrong number of arguments".to_owned(),
        _ if words.contains("function") => format!(": {words}"),
        _ => String::new(),
    }
}

/// What stands outside of strings.
pub(crate) fn outside_strings(path: &str) -> String {
    let mut outside = String::with_capacity(path.len());
    let mut open = None;
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match (open, character) {
            (Some(_), '\\') => {
                characters.next();
            }
            (Some(quote), _) if quote == character => open = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => open = Some(character),
            (None, _) => outside.push(character),
        }
    }
    outside
}

/// The plain step that the text begins with, and what follows it.
fn read_step(text: &str) -> Option<(Step, &str)> {
    let text = text.trim_start_matches(BLANKS);
    if let Some(name) = text.strip_prefix('.') {
        let end = name.find(|letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric() && letter != '_');
        let (name, rest) = name.split_at_checked(end.unwrap_or(name.len()))?;
        return (!name.is_empty()).then(|| (Step::Member(name.to_owned()), rest));
    }
    let inner = text.strip_prefix('[')?.trim_start_matches(BLANKS);
    let (step, rest) = match inner.chars().next()? {
        quote @ ('\'' | '"') => read_name(inner, quote)?,
        '0'..='9' => {
            let end = inner.find(|letter: char| !letter.is_ascii_digit())?;
            let (digits, rest) = inner.split_at_checked(end)?;
            (Step::Element(digits.parse().ok()?), rest)
        }
        _ => return None,
    };
    let rest = rest.trim_start_matches(BLANKS).strip_prefix(']')?;
    Some((step, rest))
}

/// White space that may stand between what a path is made of.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// A string of the path, and what follows it.
fn read_name(text: &str, quote: char) -> Option<(Step, &str)> {
    let body = text.get(1..)?;
    let mut escaped = false;
    let end = body.find(|letter: char| {
        let ends = !escaped && letter == quote;
        escaped = !escaped && letter == '\\';
        ends
    })?;
    // Escapes are JSON's, and the one for a single quote.
    let raw = body.get(..end)?;
    let mut name = String::new();
    crate::format::json::text::unescape(&raw.replace("\\'", "'"), &mut name).ok()?;
    Some((Step::Member(name), body.get(end + 1..)?))
}

/// Whether the text is made of nothing but plain steps and indexes from the end, such as `[-1].name`.
fn leads_to_one(mut text: &str) -> bool {
    while !text.trim_ascii().is_empty() {
        let Some(rest) = read_step(text).map(|(_, rest)| rest).or_else(|| read_last_index(text)) else {
            return false;
        };
        text = rest;
    }
    true
}

/// What follows the index from the end that the text begins with.
fn read_last_index(text: &str) -> Option<&str> {
    let digits = text.trim_start_matches(BLANKS).strip_prefix('[')?.trim_start_matches(BLANKS).strip_prefix('-')?;
    let rest = digits.trim_start_matches(|letter: char| letter.is_ascii_digit());
    rest.trim_start_matches(BLANKS).strip_prefix(']')
}
