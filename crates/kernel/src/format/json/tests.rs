use super::path::{PathProblem, Step, parse};
use super::scan::Cursor;
use super::text::{minify, unescape};
use proptest::prelude::*;

fn member(key: &str) -> Step {
    Step::Member(key.to_owned())
}

#[test]
fn paths_are_read_as_documented() {
    let cases = [
        ("$", vec![]),
        ("$[7]", vec![]),
        ("$[*]", vec![]),
        ("$.a", vec![member("a")]),
        (".a.b", vec![member("a"), member("b")]),
        ("$.a[2].b[0]", vec![member("a"), Step::Element(2), member("b"), Step::Element(0)]),
        ("$.a[007]", vec![member("a"), Step::Element(7)]),
        ("$.a[*]", vec![member("a"), Step::NoElement]),
        ("$.a.*", vec![member("a"), Step::First]),
        ("$.a.*[1].b", vec![member("a"), Step::First, Step::Element(1), member("b")]),
        ("$.\"x.y\".z", vec![member("x.y"), member("z")]),
        ("$.x\\.y", vec![member("x.y")]),
        ("$.x\\\\y", vec![member("x\\y")]),
        ("$.pre\"x.y\"post", vec![member("prex.ypost")]),
        ("$.\"a\"[1]", vec![member("a"), Step::Element(1)]),
        ("$.a b-c:d#e@é$", vec![member("a b-c:d#e@é$")]),
        ("$.$", vec![member("$")]),
        ("$.a*", vec![member("a*")]),
    ];
    for (text, steps) in cases {
        assert_eq!(parse(text), Ok(steps), "{text}");
    }
}

#[test]
fn what_is_no_path_is_refused_where_it_goes_wrong() {
    let cases = [
        ("", 1, PathProblem::NoRoot),
        ("a", 1, PathProblem::NoRoot),
        ("a.b", 1, PathProblem::NoRoot),
        (" $.a", 1, PathProblem::NoRoot),
        ("$a", 2, PathProblem::AfterRoot),
        ("$$", 2, PathProblem::AfterRoot),
        ("$['a']", 2, PathProblem::AfterRoot),
        ("$[0].a", 2, PathProblem::AfterRoot),
        ("$.", 3, PathProblem::EmptyKey),
        (".", 2, PathProblem::EmptyKey),
        ("$..a", 3, PathProblem::EmptyKey),
        ("$.é.", 5, PathProblem::EmptyKey),
        ("$.\"\"", 3, PathProblem::EmptyKey),
        ("$.\"a", 3, PathProblem::OpenQuote),
        ("$.a\\", 4, PathProblem::Escape),
        ("$.a\\b", 4, PathProblem::Escape),
        ("$.a\\\"b", 3, PathProblem::Key),
        ("$.a]", 3, PathProblem::Key),
        ("$.a[0][1]", 3, PathProblem::Index),
        ("$.a[0]b", 3, PathProblem::Index),
        ("$.a[-1]", 3, PathProblem::Index),
        ("$.a[]", 3, PathProblem::Index),
        ("$.a[1:2]", 3, PathProblem::Index),
        ("$.a[?(@", 3, PathProblem::Index),
        ("$.a[b]", 3, PathProblem::Index),
        ("$.[0]", 3, PathProblem::Index),
        ("$.*", 3, PathProblem::Wildcard),
        ("$.*.a", 3, PathProblem::Wildcard),
    ];
    for (text, position, problem) in cases {
        let error = parse(text).expect_err(text);
        assert_eq!((error.position, error.problem), (position, problem), "{text}");
        assert!(!error.problem.hint().is_empty());
    }
    assert_eq!(parse(&".a".repeat(257)).expect_err("too long").problem, PathProblem::TooLong);
    assert_eq!(parse(&".a".repeat(256)).expect("the most").len(), 256);
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
