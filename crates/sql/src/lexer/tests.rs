use proptest::prelude::*;

use super::*;

fn kinds(text: &str) -> Vec<(TokenKind, String)> {
    Lexer::new(text).map(|token| (token.kind, token.value())).collect()
}

fn one(text: &str) -> (TokenKind, String) {
    let tokens = kinds(text);
    assert_eq!(tokens.len(), 1, "{text}: {tokens:?}");
    tokens[0].clone()
}

#[test]
fn both_quotes_make_strings_and_escapes_follow_the_rules() {
    for (text, value) in [
        (r#"'a'"#, "a"),
        (r#""a""#, "a"),
        (r#"'it''s'"#, "it's"),
        (r#""a""b""#, "a\"b"),
        (r#"'a"b'"#, "a\"b"),
        (r#"'\n\t\r\b\0\Z'"#, "\n\t\r\u{8}\0\u{1a}"),
        (r#"'\%\_'"#, r"\%\_"),
        (r#"'\\\x\'\"'"#, r#"\x'""#),
        ("'two\nlines'", "two\nlines"),
        (r#""[\"$.uid\",\"$.site\"]""#, r#"["$.uid","$.site"]"#),
        ("'ä😀'", "ä😀"),
        ("''", ""),
    ] {
        assert_eq!(one(text), (TokenKind::Text, value.to_owned()), "{text}");
    }
}

#[test]
fn backquotes_make_names_without_escapes() {
    assert_eq!(one("`a``b\\`"), (TokenKind::QuotedName, "a`b\\".to_owned()));
}

#[test]
fn numbers_and_names_that_begin_with_digits_are_told_apart() {
    for (text, kind) in [
        ("123", TokenKind::Integer),
        ("1.5", TokenKind::Number),
        (".5", TokenKind::Number),
        ("1e3", TokenKind::Number),
        ("1E-3", TokenKind::Number),
        ("1.5e+3", TokenKind::Number),
        ("1e3x", TokenKind::Word),
        ("1a", TokenKind::Word),
        ("2024_01", TokenKind::Word),
    ] {
        assert_eq!(one(text).0, kind, "{text}");
        assert_eq!(one(text).1, text);
    }
}

#[test]
fn comments_need_no_space_and_hash_is_none() {
    assert!(kinds("--x\n/* ; ' */ /*+ hint */ -- \"").is_empty());
    assert_eq!(kinds("# x")[0].0, TokenKind::Unknown);
}

#[test]
fn what_does_not_end_reaches_to_the_end() {
    for text in ["'a;b", "\"a\\\"", "`a", "/* a", "'", "'a\\"] {
        assert_eq!(one(text), (TokenKind::Unterminated, text.to_owned()));
    }
}

#[test]
fn the_clients_own_ends_are_tokens() {
    assert_eq!(kinds("a\\G")[1].0, TokenKind::ClientEnd);
    assert_eq!(kinds("a\\g")[1].0, TokenKind::ClientEnd);
    assert_eq!(kinds("a\\x")[1].0, TokenKind::Unknown);
}

#[test]
fn ten_megabytes_are_lexed_without_depth() {
    let text = "(".repeat(10 << 20);
    assert_eq!(Lexer::new(&text).count(), 10 << 20);
}

proptest! {
    #[test]
    fn tokens_lie_in_the_text_in_order_and_none_is_empty(text in "\\PC{0,60}|[-'\"`\\\\*/;a1.eE+ \n#Gg]{0,60}") {
        let mut end = 0;
        for token in Lexer::new(&text) {
            prop_assert!(!token.text.is_empty());
            prop_assert!(token.start >= end);
            end = token.end();
            prop_assert_eq!(text.get(token.start..end), Some(token.text));
        }
        prop_assert!(end <= text.len());
    }
}
