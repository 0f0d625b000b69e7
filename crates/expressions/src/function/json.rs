//! Functions on JSON. A text that is no JSON, and a path that leads nowhere, give NULL.

use super::{Answer, Arg, Function, Kind, row};
use crate::document::{self, Document, follow};

/// JSON or the text of it.
const DOC: (&str, Kind) = ("json", Kind::Text);
const PATH: &[(&str, Kind)] = &[DOC, ("path", Kind::Text)];
const OPTIONAL: &[(&str, Kind)] = &[DOC, ("path", Kind::Text)];

pub(super) const FUNCTIONS: &[Function] = &[
    row(
        "parse_json",
        &[("text", Kind::Text)],
        Kind::Json,
        parse,
        "The text as JSON.",
        &[("parse_json('{\"a\": 1}')", "{\"a\":1}"), ("parse_json('{')", "NULL")],
    ),
    row(
        "json_query",
        PATH,
        Kind::Json,
        query,
        "What the path leads to, as JSON. Also `json -> path`.",
        &[
            ("json_query('{\"a\":[1,2]}', '$.a')", "[1,2]"),
            ("parse_json('{\"a\":{\"b\":5}}') -> '$.a.b'", "5"),
            ("json_query('{}', '$.a')", "NULL"),
        ],
    )
    .also(&["json_extract"]),
    row(
        "get_json_string",
        PATH,
        Kind::Text,
        get_string,
        "What the path leads to: text without its quotes, anything else as JSON.",
        &[
            ("get_json_string('{\"a\":\"b\"}', '$.a')", "b"),
            ("get_json_string('{\"a\":[1]}', '$.a')", "[1]"),
            ("get_json_string('{\"a\":null}', '$.a')", "NULL"),
        ],
    )
    .also(&["get_json_object"]),
    row(
        "get_json_int",
        PATH,
        Kind::Integer,
        |args| match get_integer(args)? {
            Answer::Integer(value) => i32::try_from(value).ok().map(|value| Answer::Integer(value.into())),
            _ => None,
        },
        "What the path leads to, if it is a number of 32 bits; a fraction is cut off.",
        &[
            ("get_json_int('{\"a\":{\"b\":5}}', '$.a.b')", "5"),
            ("get_json_int('{\"a\":\"x\"}', '$.a')", "NULL"),
            ("get_json_int('{\"a\":2147483648}', '$.a')", "NULL"),
            ("get_json_int('nonsense', '$.a')", "NULL"),
        ],
    ),
    row(
        "get_json_bigint",
        PATH,
        Kind::Integer,
        get_integer,
        "The same of 64 bits.",
        &[
            ("get_json_bigint('{\"a\":2147483648}', '$.a')", "2147483648"),
            ("get_json_bigint('{\"a\":9223372036854775808}', '$.a')", "NULL"),
        ],
    ),
    row(
        "get_json_double",
        PATH,
        Kind::Double,
        get_double,
        "What the path leads to, if it is a number.",
        &[("get_json_double('{\"a\":1.5}', '$.a')", "1.5")],
    ),
    row(
        "get_json_bool",
        PATH,
        Kind::Boolean,
        get_boolean,
        "What the path leads to, if it is true or false.",
        &[("get_json_bool('{\"a\":true}', '$.a')", "1")],
    ),
    row(
        "json_exists",
        PATH,
        Kind::Boolean,
        exists,
        "Whether the path leads to something.",
        &[("json_exists('{\"a\":null}', '$.a')", "1"), ("json_exists('{}', '$.a')", "0")],
    ),
    row(
        "json_length",
        OPTIONAL,
        Kind::Integer,
        length,
        "How many elements or members there are; 1 for a scalar.",
        &[
            ("json_length('[1,2]')", "2"),
            ("json_length('{\"a\":{\"b\":1,\"c\":2}}', '$.a')", "2"),
            ("json_length('5')", "1"),
        ],
    )
    .needs(1),
    row(
        "json_keys",
        OPTIONAL,
        Kind::Json,
        keys,
        "Keys of an object, as an array.",
        &[("json_keys('{\"a\":1,\"b\":2}')", "[\"a\",\"b\"]"), ("json_keys('[]')", "NULL")],
    )
    .needs(1),
    row(
        "json_string",
        &[("json", Kind::Json)],
        Kind::Text,
        string,
        "The JSON as text.",
        &[("json_string(parse_json('\"a\"'))", "\"a\"")],
    )
    .also(&["json_pretty"]),
    row(
        "to_json",
        &[("value", Kind::Value)],
        Kind::Json,
        to_json,
        "Any value as JSON.",
        &[("json_string(to_json('a'))", "\"a\"")],
    ),
    row(
        "json_object",
        &[("value", Kind::Value)],
        Kind::Json,
        object,
        "An object of keys and values in turn.",
        &[
            ("json_object('a', 1, 'b', NULL)", "{\"a\":1,\"b\":null}"),
            ("json_object('a', 'b', 'c')", "{\"a\":\"b\",\"c\":null}"),
        ],
    )
    .repeated()
    .needs(0),
    row(
        "json_array",
        &[("value", Kind::Value)],
        Kind::Json,
        array,
        "An array of the values.",
        &[("json_array(1, 'a', true, NULL)", "[1,\"a\",true,null]")],
    )
    .repeated()
    .needs(0),
    row(
        "json_valid",
        &[("text", Kind::Text)],
        Kind::Boolean,
        valid,
        "Whether the text is JSON.",
        &[("json_valid('{')", "0")],
    )
    .also(&["is_json"]),
];

fn at(args: &[Arg<'_>]) -> Option<String> {
    match args {
        [Arg::Text(json)] => document::parse(json),
        [Arg::Text(json), Arg::Text(path)] => follow(json, path),
        _ => None,
    }
}

fn parse(args: &[Arg<'_>]) -> Option<Answer> {
    at(args).map(Answer::Json)
}

fn query(args: &[Arg<'_>]) -> Option<Answer> {
    at(args).map(Answer::Json)
}

fn get_string(args: &[Arg<'_>]) -> Option<Answer> {
    crate::cast::unquoted(&at(args)?).map(Answer::Text)
}

/// The text of a number, or of text that may be one.
fn number(args: &[Arg<'_>]) -> Option<String> {
    let json = at(args)?;
    Some(match document::look(&json)? {
        Document::Number(text) => text.to_owned(),
        Document::Text(text) => text.trim().to_owned(),
        Document::Boolean(flag) => u8::from(flag).to_string(),
        _ => return None,
    })
}

fn get_integer(args: &[Arg<'_>]) -> Option<Answer> {
    let text = number(args)?;
    let whole = text.parse::<i64>().ok();
    // A fraction is cut off if the number is small enough to be exact.
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    let cut = || text.parse::<f64>().ok().filter(|double| double.abs() < 9e15).map(|double| double as i64);
    whole.or_else(cut).map(Answer::Integer)
}

fn get_double(args: &[Arg<'_>]) -> Option<Answer> {
    number(args)?.parse::<f64>().ok().filter(|double| double.is_finite()).map(Answer::Double)
}

fn get_boolean(args: &[Arg<'_>]) -> Option<Answer> {
    let json = at(args)?;
    Some(Answer::Boolean(match document::look(&json)? {
        Document::Boolean(flag) => flag,
        Document::Number(text) => text.parse::<f64>().ok()? != 0.0,
        Document::Text(text) if text.eq_ignore_ascii_case("true") => true,
        Document::Text(text) if text.eq_ignore_ascii_case("false") => false,
        _ => return None,
    }))
}

fn exists(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(json), _] = args else { return None };
    document::parse(json)?;
    Some(Answer::Boolean(at(args).is_some()))
}

fn length(args: &[Arg<'_>]) -> Option<Answer> {
    let json = at(args)?;
    let length = match document::look(&json)? {
        Document::Array(text) => document::elements(text)?.len(),
        Document::Object(text) => document::members(text)?.len(),
        _ => 1,
    };
    i64::try_from(length).ok().map(Answer::Integer)
}

fn keys(args: &[Arg<'_>]) -> Option<Answer> {
    let json = at(args)?;
    let keys: Vec<String> = document::members(&json)?.iter().map(|(key, _)| document::quote(key)).collect();
    Some(Answer::Json(format!("[{}]", keys.join(","))))
}

fn string(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Json(json)] = args else { return None };
    Some(Answer::Text((*json).to_owned()))
}

fn to_json(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Json(json)] = args else { return None };
    Some(Answer::Json((*json).to_owned()))
}

fn object(args: &[Arg<'_>]) -> Option<Answer> {
    let mut members = Vec::with_capacity(args.len().div_ceil(2));
    for pair in args.chunks(2) {
        let (Arg::Json(key), value) = pair.split_first()? else { return None };
        let key = crate::cast::unquoted(key)?;
        let value = if let [Arg::Json(value)] = value { value } else { "null" };
        members.push(format!("{}:{value}", document::quote(&key)));
    }
    Some(Answer::Json(format!("{{{}}}", members.join(","))))
}

fn array(args: &[Arg<'_>]) -> Option<Answer> {
    let values: Vec<&str> = args.iter().map(|arg| if let Arg::Json(json) = arg { json } else { "null" }).collect();
    Some(Answer::Json(format!("[{}]", values.join(","))))
}

fn valid(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    Some(Answer::Boolean(document::parse(text).is_some()))
}
