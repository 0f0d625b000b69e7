//! Definitions and data that mean harm.

use crate::support::{evaluate, shown};

#[test]
fn deep_and_long_texts_are_refused_and_overflow_no_stack() {
    for text in [
        format!("{}1{}", "(".repeat(30_000), ")".repeat(30_000)),
        format!("{}1", "(".repeat(100_000)),
        format!("{}1", "NOT ".repeat(15_000)),
        format!("{}1", "-".repeat(15_000)),
        format!("{}1{}", "abs(".repeat(5_000), ")".repeat(5_000)),
        "CASE WHEN ".repeat(5_000),
        format!("1{}", " + 1".repeat(10_000)),
        format!("1{}", " + 1".repeat(2_000)),
        format!("1{}", " IS NULL".repeat(8_000)),
        "[".repeat(50_000),
        "a".repeat(2 << 20),
    ] {
        assert!(evaluate(&text, &[], "UTC").is_err(), "{}", text.get(..20).unwrap_or_default());
    }
}

#[test]
fn long_chains_within_the_limits_are_evaluated() {
    assert_eq!(shown(&format!("1{}", " + 1".repeat(200))), "201");
    assert_eq!(shown(&format!("false{}", " OR false".repeat(4_000))), "0");
    let list: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    assert_eq!(shown(&format!("9999 IN ({})", list.join(","))), "1");
}

#[test]
fn lengths_from_data_are_bounded() {
    let row = [("n", Some("9223372036854775807")), ("s", Some("ab"))];
    for text in ["repeat(s, n)", "lpad(s, n, 'x')", "rpad(s, n, s)", "space(n)"] {
        assert_eq!(evaluate(text, &row, "UTC").unwrap(), None, "{text}");
    }
    assert_eq!(evaluate("concat(repeat('x', 600000), repeat('x', 600000))", &row, "UTC").unwrap(), None);
    assert_eq!(evaluate("length(repeat('x', 1048576))", &row, "UTC").unwrap().as_deref(), Some("1048576"));
}

#[test]
fn patterns_from_data_are_bounded() {
    for pattern in ["(", "a{1000}{1000}", "\\", "[", "(?P<"] {
        let row = [("p", Some(pattern)), ("s", Some("aaa"))];
        assert_eq!(evaluate("s REGEXP p", &row, "UTC").unwrap(), None, "{pattern}");
        evaluate("s LIKE p", &row, "UTC").unwrap();
    }
    let (text, pattern) = ("a".repeat(5_000), "%a".repeat(50));
    let row = [("s", Some(text.as_str())), ("p", Some(pattern.as_str()))];
    assert_eq!(evaluate("s LIKE concat(p, 'b')", &row, "UTC").unwrap().as_deref(), Some("0"));
}
