//! JSON text: what it is, what a path leads to, how it is written. Numbers stay as they are written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Bytes that a document has at most.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 16 << 20;
/// Steps of a path.
const MAX_STEPS: usize = 256;

/// What a document is, at its outermost level.
pub(crate) enum Document<'a> {
    Null,
    Boolean(bool),
    Number(&'a str),
    Text(String),
    Array(&'a str),
    Object(&'a str),
}

/// Looks at text that is known to be JSON; `None` for a string that no text can hold.
pub(crate) fn look(json: &str) -> Option<Document<'_>> {
    let json = json.trim_ascii();
    Some(match json.as_bytes().first()? {
        b'n' => Document::Null,
        b't' => Document::Boolean(true),
        b'f' => Document::Boolean(false),
        b'"' => Document::Text(serde_json::from_str(json).ok()?),
        b'[' => Document::Array(json),
        b'{' => Document::Object(json),
        _ => Document::Number(json),
    })
}

/// The minified text of a document; `None` if it is no JSON.
pub(crate) fn parse(text: &str) -> Option<String> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    (raw.get().len() <= MAX_DOCUMENT_BYTES).then(|| minify(raw.get()))
}

/// Text as JSON: an object or an array if it begins like one, else a string.
pub(crate) fn parse_or_quote(text: &str) -> Option<String> {
    if text.trim_ascii_start().starts_with(['{', '[']) { parse(text) } else { Some(quote(text)) }
}

/// The text as a JSON string.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A JSON document without the white space between its tokens.
fn minify(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for char in json.chars() {
        if quoted {
            quoted = escaped || char != '"';
            escaped = !escaped && char == '\\';
        } else if char.is_ascii_whitespace() {
            continue;
        } else {
            quoted = char == '"';
        }
        out.push(char);
    }
    out
}

/// The members of an object, in their order; `None` if it is none.
pub(crate) fn members(json: &str) -> Option<Vec<(String, &str)>> {
    let Members(members) = serde_json::from_str(json).ok()?;
    Some(members)
}

/// The elements of an array; `None` if it is none.
pub(crate) fn elements(json: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

struct Members<'a>(Vec<(String, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    members.push((key, value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(i64),
    AllElements,
}

/// What a path such as `$.a."b c"[0].d` leads to, as JSON; the leading `$.` may be left out. `None` for no path, and for a path
/// that leads nowhere. `[*]` gives an array of what is found below each element.
pub(crate) fn follow(json: &str, path: &str) -> Option<String> {
    let steps = steps(path)?;
    walk(json, &steps)
}

fn walk(json: &str, steps: &[Step]) -> Option<String> {
    let mut at = json;
    let mut rest = steps;
    while let Some((step, after)) = rest.split_first() {
        rest = after;
        at = match step {
            // Of keys that are said twice, the last one.
            Step::Member(key) => members(at)?.into_iter().rfind(|(known, _)| known == key)?.1,
            Step::Element(index) => {
                let elements = elements(at)?;
                let index = if *index < 0 { index.checked_add(i64::try_from(elements.len()).ok()?)? } else { *index };
                elements.get(usize::try_from(index).ok()?).copied()?
            }
            Step::AllElements => {
                let found: Vec<String> = elements(at)?.into_iter().filter_map(|one| walk(one, after)).collect();
                return Some(format!("[{}]", found.join(",")));
            }
        };
    }
    Some(minify(at))
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path.trim();
    rest = rest.strip_prefix('$').unwrap_or(rest);
    while !rest.is_empty() {
        if steps.len() == MAX_STEPS {
            return None;
        }
        if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            rest = after;
            let index = index.trim();
            let quoted = |mark: char| index.strip_prefix(mark).and_then(|key| key.strip_suffix(mark));
            steps.push(match quoted('\'').or_else(|| quoted('"')) {
                Some(key) => Step::Member(key.to_owned()),
                None if index == "*" => Step::AllElements,
                None => Step::Element(index.parse().ok()?),
            });
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let (key, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at_checked(rest.find(['.', '[']).unwrap_or(rest.len()))?,
        };
        if key.is_empty() {
            return None;
        }
        steps.push(Step::Member(key.to_owned()));
        rest = after;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_through_keys_and_indexes() {
        let document = r#"{"a": {"b c": [1.0, {"d": "x"}]}, "a.b": 1e3}"#;
        for (path, expected) in [
            ("$.a.\"b c\"[0]", Some("1.0")),
            ("a.\"b c\"[1].d", Some("\"x\"")),
            ("$['a.b']", Some("1e3")),
            ("$.a.\"b c\"[-1].d", Some("\"x\"")),
            ("$.a.\"b c\"[*].d", Some("[\"x\"]")),
            ("$", Some(r#"{"a":{"b c":[1.0,{"d":"x"}]},"a.b":1e3}"#)),
            ("$.a.z", None),
            ("$.a..b", None),
            ("$[0", None),
        ] {
            assert_eq!(follow(document, path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn white_space_goes_but_not_within_strings() {
        assert_eq!(parse("{ \"a\\\" b\" : [ 1 , 2 ] }").as_deref(), Some("{\"a\\\" b\":[1,2]}"));
        assert_eq!(parse("{"), None);
    }
}
