use proptest::prelude::*;

use super::*;
use crate::protocol::column::wire_type;

fn statements() -> PreparedStatements {
    PreparedStatements::new(3, 1000)
}

/// `sql` with its only parameter replaced by `parameter`.
fn written(sql: &str, parameter: Parameter) -> String {
    let prepared = Prepared {
        sql: sql.to_owned(),
        placeholders: placeholders(sql),
        types: Vec::new(),
        long: BTreeMap::new(),
        overlong: false,
    };
    prepared.with_literals(&[parameter])
}

fn text(text: &str) -> Parameter {
    Parameter::Bytes(text.as_bytes().to_vec())
}

#[test]
fn values_become_literals() {
    for (parameter, literal) in [
        (Parameter::Null, "NULL"),
        (Parameter::Integer(5), "5"),
        (Parameter::Integer(-5), " -5"),
        (Parameter::Unsigned(u64::MAX), "18446744073709551615"),
        (Parameter::Double(1.5), " 1.5e0"),
        (Parameter::Double(3.0), " 3e0"),
        (Parameter::Float(0.1), " 1e-1"),
        (Parameter::Double(f64::NAN), "CAST('NaN' AS DOUBLE)"),
        (Parameter::Decimal(b"-12.50".to_vec()), " -12.50"),
        (Parameter::Decimal(b"1 or 1=1".to_vec()), "'1 or 1=1'"),
        (Parameter::Decimal(b".".to_vec()), "'.'"),
        (text("plain"), "'plain'"),
        (text("it's \\ \" `"), "'it''s \\\\ \" `'"),
        (text("ä\n\0"), "'ä\n\0'"),
        (Parameter::Bytes(vec![0xff, 0]), "X'FF00'"),
        (Parameter::Moment("2024-06-12".to_owned()), "'2024-06-12'"),
    ] {
        assert_eq!(written("select ?", parameter), format!("select {literal}"));
    }
}

#[test]
fn only_placeholders_outside_of_quotes_and_comments_count() {
    let sql = "select '?', \"?\", `?`, ? /* ? */ from t -- ?\n where a = ?";
    let found: Vec<usize> = placeholders(sql).iter().map(|placeholder| placeholder.at).collect();
    assert_eq!(found, [sql.find("? /*").unwrap(), sql.len() - 1]);
}

#[test]
fn a_whole_float_counts_rows() {
    assert_eq!(written("select a from t limit ?", Parameter::Double(10.0)), "select a from t limit  10");
    assert_eq!(written("select a from t limit 5, ?", Parameter::Double(10.0)), "select a from t limit 5,  10");
    assert_eq!(
        written("select a from t limit 5 offset ?", Parameter::Double(0.0)),
        "select a from t limit 5 offset  0"
    );
    assert_eq!(written("select a, ? from t limit 5", Parameter::Double(10.0)), "select a,  1e1 from t limit 5");
}

#[test]
fn a_negative_number_behind_a_minus_begins_no_comment() {
    assert_eq!(written("select 3-?", Parameter::Integer(-5)), "select 3- -5");
}

#[test]
fn statements_and_data_are_bounded() {
    let mut all = statements();
    for number in 1..=3 {
        assert_eq!(all.prepare("select ?").unwrap(), (number, 1));
    }
    assert_eq!(all.prepare("select 1").unwrap_err().code, code::TOO_MANY_STATEMENTS);
    all.close(2);
    assert_eq!(all.prepare(&"x".repeat(1000)).unwrap_err().code, code::TOO_MANY_STATEMENTS);
    assert_eq!(all.prepare("select 1").unwrap(), (4, 0));
    all.append(1, 0, &[b'x'; 900]);
    all.append(1, 0, &[b'x'; 900]);
    let payload = [0, 1, 0, 0, 0, 0, 1, wire_type::BLOB, 0];
    assert_eq!(all.execute(1, &payload).unwrap().unwrap_err().code, code::WRONG_ARGUMENTS);
    all.append(1, 0, b"short");
    assert_eq!(all.execute(1, &payload).unwrap().unwrap(), "select 'short'");
}

#[test]
fn an_unknown_statement_is_an_error() {
    assert_eq!(statements().execute(9, &[]).unwrap().unwrap_err().code, code::UNKNOWN_STATEMENT);
    assert!(statements().reset(9).is_err());
}

proptest! {
    #[test]
    fn text_stays_one_literal_that_reads_back(value in "[-'\"`\\\\;/*a%_\n\0ä ]{0,20}") {
        let sql = written("select ?", text(&value));
        let tokens: Vec<Token<'_>> = Lexer::new(&sql).skip(1).collect();
        prop_assert_eq!(tokens.len(), 1);
        prop_assert_eq!(tokens[0].kind, TokenKind::Text);
        prop_assert_eq!(tokens[0].value(), value);
    }
}
