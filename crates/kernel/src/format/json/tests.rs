use super::path::{NoArray, Path, PathProblem, Step, parse};
use super::scan::Cursor;
use super::select::Results;
use super::text::{minify, unescape};
use proptest::prelude::*;

fn member(key: &str) -> Step {
    Step::Member(key.to_owned())
}

fn place(path: &str) -> (Vec<Step>, NoArray) {
    match parse(path) {
        Ok(Path::Place { steps, no_array }) => (steps, no_array),
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn paths_that_starrocks_reads_are_places() {
    let cases = [
        ("$", vec![]),
        ("$[7]", vec![]),
        ("$[007]", vec![]),
        ("$.a", vec![member("a")]),
        (".a.b", vec![member("a"), member("b")]),
        ("$.a[2].b[0]", vec![member("a"), Step::Element(2), member("b"), Step::Element(0)]),
        ("$.a[007]", vec![member("a"), Step::Element(7)]),
        ("$.\"x.y\".z", vec![member("x.y"), member("z")]),
        ("$.x\\.y", vec![member("x.y")]),
        ("$.x\\\\y", vec![member("x\\y")]),
        ("$.pre\"x.y\"post", vec![member("prex.ypost")]),
        ("$.\"a\"[1]", vec![member("a"), Step::Element(1)]),
        ("$.a b-c:d#e@é$", vec![member("a b-c:d#e@é$")]),
        ("$.$", vec![member("$")]),
        ("$.a*", vec![member("a*")]),
        ("$.a ", vec![member("a ")]),
    ];
    for (text, steps) in cases {
        assert_eq!(place(text), (steps, NoArray::Fault), "{text}");
    }
}

#[test]
fn paths_of_one_place_are_steps_in_whatever_way_they_are_written() {
    let cases = [
        ("$['a']", vec![member("a")]),
        ("$[\"a\"]['b']", vec![member("a"), member("b")]),
        ("$.a['x.y'][0]", vec![member("a"), member("x.y"), Step::Element(0)]),
        ("$.a[0][1]", vec![member("a"), Step::Element(0), Step::Element(1)]),
        ("$['it\\'s']", vec![member("it's")]),
        ("$[\"it's\"]", vec![member("it's")]),
        ("$['\\u0041\\\\\\'\"']", vec![member("A\\'\"")]),
        ("$[ 'a' ]\n[ 0 ] .b", vec![member("a"), Step::Element(0), member("b")]),
        ("$.d .a", vec![member("d"), member("a")]),
        ("$.é", vec![member("é")]),
    ];
    for (text, steps) in cases {
        let no_array = if text == "$.é" { NoArray::Fault } else { NoArray::Nothing };
        assert_eq!(place(text), (steps, no_array), "{text}");
    }
}

#[test]
fn paths_of_several_places_are_selections_below_the_steps_they_begin_with() {
    let cases = [
        ("$.a[*]", vec![member("a")], Results::List, None),
        ("$[*]", vec![], Results::List, None),
        ("$.*", vec![], Results::List, None),
        ("$.a.*", vec![member("a")], Results::List, Some(vec![member("a"), Step::First])),
        (
            "$.a.*[1].b",
            vec![member("a")],
            Results::List,
            Some(vec![member("a"), Step::First, Step::Element(1), member("b")]),
        ),
        ("$.a.*[*]", vec![member("a")], Results::List, None),
        ("$..a", vec![], Results::List, None),
        ("$.a[0]['b']..c", vec![member("a"), Step::Element(0), member("b")], Results::List, None),
        ("$['a','b']", vec![], Results::List, None),
        ("$.a[1:2]", vec![member("a")], Results::List, None),
        ("$.a[?@.b > '$']", vec![member("a")], Results::List, None),
        ("$.a[?@.b > $.c]", vec![], Results::List, None),
        ("$.a[-1]", vec![member("a")], Results::One, None),
        ("$.a[ -12 ]", vec![member("a")], Results::One, None),
        ("$.a[-1].b", vec![member("a")], Results::One, None),
        ("$.a[-1][0] ['b'][ -2 ]", vec![member("a")], Results::One, None),
        ("$.a[-1].*", vec![member("a")], Results::List, None),
        ("$.a[-1][0:1]", vec![member("a")], Results::List, None),
    ];
    for (text, expected, results, place) in cases {
        let Ok(Path::Select { prefix, selection, one_place }) = parse(text) else { panic!("{text}") };
        assert_eq!((prefix, selection.results(), one_place), (expected, results, place), "{text}");
    }
}

#[test]
fn what_is_no_path_is_refused_where_it_goes_wrong() {
    let cases = [
        ("", 1, "expected `$`"),
        ("a", 1, "expected `$`"),
        ("a.b", 1, "expected `$`"),
        (" $.a", 1, "expected `$`"),
        ("$a", 2, "not a path of RFC 9535"),
        ("$$", 2, "not a path of RFC 9535"),
        ("$.", 3, "not a path of RFC 9535"),
        (".", 2, "expected a key"),
        ("$..", 4, "not a path of RFC 9535"),
        ("$.é.", 5, "not a path of RFC 9535"),
        ("$.\"\"", 3, "not a path of RFC 9535"),
        ("$.\"a", 3, "quote is not closed"),
        ("$.a\\", 4, "unknown escape"),
        ("$.a\\b", 4, "unknown escape"),
        ("$.a]", 3, "a key cannot contain quotes or brackets"),
        ("$.a[0]b", 7, "not a path of RFC 9535"),
        ("$.a[]", 4, "not a path of RFC 9535"),
        ("$.a[?(@", 6, "not a path of RFC 9535"),
        ("$.a[b]", 4, "not a path of RFC 9535"),
        ("$.[0]", 3, "not a path of RFC 9535"),
        ("$.a[9007199254740992]", 4, "not a path of RFC 9535"),
        ("$.x-y[*]", 4, "not a path of RFC 9535"),
        (
            "$[?count(1)>2]",
            4,
            "not a path of RFC 9535: in function count, in argument position 0, expected a type that converts to NodesType, received literal",
        ),
        ("$[?match(@.a)]", 4, "not a path of RFC 9535: wrong number of arguments"),
        ("$[?foo(@.a)]", 4, "not a path of RFC 9535: function name 'foo' is not defined"),
        ("$[?@.a==True]", 7, "not a path of RFC 9535"),
    ];
    for (text, position, problem) in cases {
        let error = parse(text).expect_err(text);
        assert_eq!((error.position, error.problem.to_string().as_str()), (position, problem), "{text}: {error}");
        assert!(!error.problem.hint().is_empty());
    }
    assert_eq!(parse(&".a".repeat(257)).expect_err("too long").problem, PathProblem::TooLong);
    assert_eq!(place(&".a".repeat(256)).0.len(), 256);
    assert_eq!(parse(&format!("${}", "['a']".repeat(257))).expect_err("too long").problem, PathProblem::TooLong);
    assert_eq!(parse(&format!("$.{}", "a".repeat(9_000))).expect_err("too long").problem, PathProblem::TooLarge);
    for bracket in ["[", "(", "[?(", "[?@["] {
        assert_eq!(parse(&format!("$[?{}", bracket.repeat(13))).expect_err("too deep").problem, PathProblem::TooLarge);
    }
}

#[test]
fn escapes_stand_for_their_characters() {
    let cases = [
        (r#"\"\\\/\b\f\n\r\t"#, Some("\"\\/\u{8}\u{c}\n\r\t")),
        (r"\u0041\u00e9\u4E2D\uffff", Some("Aé中\u{ffff}")),
        (r"x\ud83d\ude00y", Some("x😀y")),
        (r"\uDBFF\uDFFF\uD800\uDC00", Some("\u{10ffff}\u{10000}")),
        (r"\ud800", None),
        (r"\ud800x", None),
        (r"\ud800\n", None),
        (r"\ud800\ud800", None),
        (r"\ud800\u0041", None),
        (r"\udc00", None),
        (r"\udc00\ud800", None),
    ];
    for (raw, expected) in cases {
        let mut text = String::new();
        let done = unescape(raw, &mut text).is_ok();
        assert_eq!(done.then_some(text.as_str()), expected, "{raw}");
    }
}

fn is_string(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.peek() == Some(b'"') && cursor.string().is_ok() && cursor.peek().is_none()
}

proptest! {
    #[test]
    fn strings_are_what_another_parser_takes(text in "\"[\\PC\\x00-\\x21\\\\\"uU0-9a-f]{0,40}\"?") {
        // The other one refuses lone surrogates at once.
        let other = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        // It also takes white space after the string, which is not the string's.
        let other = other && text.ends_with('"');
        prop_assert_eq!(is_string(&text), other);
    }

    #[test]
    fn a_string_ends_at_its_first_special_byte(length in 0_usize..40, special in 0_u8..=255) {
        let text = format!("\"{}{}\"", "x".repeat(length), char::from(special));
        let plain = special >= 0x20 && special != b'\\' && special != b'"';
        prop_assert_eq!(is_string(&text), plain);
    }

    #[test]
    fn unescaped_text_is_what_was_escaped(text in any::<String>()) {
        let escaped = serde_json::to_string(&text).expect("text");
        let mut found = String::new();
        prop_assert!(unescape(&escaped[1..escaped.len() - 1], &mut found).is_ok());
        prop_assert_eq!(found, text);
    }

    #[test]
    fn minified_is_what_another_printer_prints(texts in proptest::collection::vec(any::<String>(), 0..6), number in any::<i64>()) {
        let value = serde_json::json!({"texts": texts, "nested": [{"n": number}, [], {}, null, true]});
        let mut found = String::new();
        minify(&serde_json::to_string_pretty(&value).expect("json"), &mut found);
        prop_assert_eq!(found, value.to_string());
    }
}
