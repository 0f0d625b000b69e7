//! Functions on JSON, which is held as its text.

use serde_json::Value;

use super::{Answer, Arg, Definition, Kind};

/// `json_query(json, path)` and `json -> path`: what is there, as JSON.
pub(super) const QUERY: Definition =
    Definition { name: "json_query", arguments: &[Kind::Text, Kind::Text], answer: Kind::Text, row: query };

pub(super) const FUNCTIONS: &[Definition] = &[
    QUERY,
    Definition { name: "get_json_string", arguments: &[Kind::Text, Kind::Text], answer: Kind::Text, row: get_string },
    Definition { name: "get_json_int", arguments: &[Kind::Text, Kind::Text], answer: Kind::Integer, row: get_integer },
    Definition { name: "get_json_double", arguments: &[Kind::Text, Kind::Text], answer: Kind::Double, row: get_double },
    Definition { name: "json_exists", arguments: &[Kind::Text, Kind::Text], answer: Kind::Integer, row: exists },
    Definition { name: "json_length", arguments: &[Kind::Text], answer: Kind::Integer, row: length },
    Definition { name: "parse_json", arguments: &[Kind::Text], answer: Kind::Text, row: parse },
];

fn query(args: &[Arg<'_>]) -> Option<Answer> {
    at(args, |found| Some(Answer::Text(found.to_string())))
}

/// Text without its quotes, anything else as JSON.
fn get_string(args: &[Arg<'_>]) -> Option<Answer> {
    at(args, |found| match found {
        Value::Null => None,
        Value::String(text) => Some(Answer::Text(text.clone())),
        other => Some(Answer::Text(other.to_string())),
    })
}

fn get_integer(args: &[Arg<'_>]) -> Option<Answer> {
    at(args, |found| match found {
        Value::Number(number) => number.as_i64().map(Answer::Integer),
        Value::Bool(value) => Some(Answer::Integer((*value).into())),
        Value::String(text) => text.trim().parse().ok().map(Answer::Integer),
        _ => None,
    })
}

fn get_double(args: &[Arg<'_>]) -> Option<Answer> {
    at(args, |found| match found {
        Value::Number(number) => number.as_f64().map(Answer::Double),
        Value::String(text) => text.trim().parse().ok().map(Answer::Double),
        _ => None,
    })
}

fn exists(args: &[Arg<'_>]) -> Option<Answer> {
    Some(at(args, |_| Some(Answer::Integer(1))).unwrap_or(Answer::Integer(0)))
}

fn length(args: &[Arg<'_>]) -> Option<Answer> {
    let [json] = args else { return None };
    let length = match serde_json::from_str(json.text()?).ok()? {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 1,
    };
    i64::try_from(length).ok().map(Answer::Integer)
}

fn parse(args: &[Arg<'_>]) -> Option<Answer> {
    let [json] = args else { return None };
    serde_json::from_str::<Value>(json.text()?).ok().map(|value| Answer::Text(value.to_string()))
}

fn at(args: &[Arg<'_>], answer: impl Fn(&Value) -> Option<Answer>) -> Option<Answer> {
    let [json, path] = args else { return None };
    let document: Value = serde_json::from_str(json.text()?).ok()?;
    follow(&document, path.text()?).and_then(answer)
}

/// What a path such as `$.a."b c"[0].d` leads to; the leading `$.` may be left out.
fn follow<'v>(document: &'v Value, path: &str) -> Option<&'v Value> {
    let mut at = document;
    let mut rest = path.trim();
    rest = rest.strip_prefix('$').unwrap_or(rest);
    while !rest.is_empty() {
        if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            at = at.get(index.trim().parse::<usize>().ok()?)?;
            rest = after;
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let (key, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        if key.is_empty() {
            return None;
        }
        at = at.get(key)?;
        rest = after;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_through_keys_and_indexes() {
        let document = serde_json::json!({"a": {"b c": [1, {"d": "x"}]}});
        for (path, expected) in [
            ("$.a.\"b c\"[0]", Some("1")),
            ("a.\"b c\"[1].d", Some("\"x\"")),
            ("$", Some(r#"{"a":{"b c":[1,{"d":"x"}]}}"#)),
            ("$.a.z", None),
            ("$.a..b", None),
            ("$[0", None),
        ] {
            assert_eq!(follow(&document, path).map(ToString::to_string).as_deref(), expected, "{path}");
        }
    }
}
