use serde_json_path::JsonPath;

use super::*;

fn selection(path: &str) -> Selection {
    Selection::new(path, JsonPath::parse(path).expect(path), Results::List)
}

fn found(path: &str, text: &str) -> Result<String, TooMuch> {
    let mut into = String::new();
    selection(path).select(text, &mut into).map(|()| into)
}

#[test]
fn values_are_taken_as_the_row_has_them() {
    let text = r#"{ "n" : [1.50, 12345678901234567890123, 1e400, "\u0041\ud800", { "k" : [ 1 ] }] , "n" : [2] }"#;
    let expected = r#"[1.50,12345678901234567890123,1e400,"\u0041\ud800",{ "k" : [ 1 ] }]"#;
    assert_eq!(found("$.n[*]", text).as_deref(), Ok(expected));
}

#[test]
fn members_keep_their_order_and_the_first_of_equal_keys_counts() {
    let text = r#"{"b":1,"a":2,"\u0062":3,"c":{"b":4,"b":5}}"#;
    assert_eq!(found("$.*", text).as_deref(), Ok(r#"[1,2,{"b":4,"b":5}]"#));
    assert_eq!(found("$..b", text).as_deref(), Ok("[1,4]"));
    assert_eq!(found("$['a','b','a']", text).as_deref(), Ok("[2,1,2]"));
}

#[test]
fn nothing_found_is_an_empty_list() {
    assert_eq!(found("$.a[*]", "").as_deref(), Ok("[]"));
    assert_eq!(found("$.a[*]", "{}").as_deref(), Ok("[]"));
}

#[test]
fn large_numbers_are_compared_as_near_as_doubles_are() {
    let text = r#"[9007199254740993, 18446744073709551615, 1e400, -1e400]"#;
    assert_eq!(found("$[?@ > 18446744073709549000]", text).as_deref(), Ok("[18446744073709551615,1e400]"));
}

#[test]
fn depth_ends_at_256_levels() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(found("$..[?@ == 1]", &nested(256)).as_deref(), Ok("[1]"));
    assert_eq!(found("$..[?@ == 1]", &nested(257)), Err(TooMuch));
    let nested = format!("{}1{}", "{\"a\":".repeat(1024), "}".repeat(1024));
    assert_eq!(found("$..a", &nested), Err(TooMuch));
}

#[test]
fn work_out_of_proportion_is_refused_before_it_is_done() {
    let wide = format!("[{}1]", "1,".repeat(100_000));
    let deep = format!("{}{}1]{}", "[".repeat(200), "1,".repeat(10_000), "]".repeat(200));
    for (path, text) in [
        ("$..*..*..*..*", &deep),
        ("$..*..*", &deep),
        ("$..*", &deep),
        ("$[?$..a]", &wide),
        ("$[?count($[*]) > 1]", &wide),
        ("$..[?@..[?@..a]]", &deep),
        (
            "$[0,0,0,0,0,0,0,0][0,0,0,0,0,0,0,0][0,0,0,0,0,0,0,0][0,0,0,0,0,0,0,0][0,0,0,0,0,0,0,0][0,0,0,0,0,0,0,0]",
            &wide,
        ),
    ] {
        assert_eq!(found(path, text), Err(TooMuch), "{path}");
    }
    for (path, text, length) in [("$..*", &wide, wide.len()), ("$[?@ == 1]", &wide, wide.len()), ("$[-1:]", &wide, 3)] {
        assert_eq!(found(path, text).map(|found| found.len()), Ok(length), "{path}");
    }
}

#[test]
fn what_is_found_is_no_more_than_16_times_what_is_looked_through() {
    let nested = format!("{}\"{}\"{}", "[".repeat(100), "x".repeat(1_000), "]".repeat(100));
    assert_eq!(found("$..*", &nested), Err(TooMuch));
    let flat = format!("[[[[\"{}\"]]]]", "x".repeat(1_000));
    assert!(found("$..*", &flat).is_ok_and(|found| found.len() > 3_000));
}
