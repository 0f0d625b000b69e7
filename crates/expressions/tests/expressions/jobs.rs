//! Jobs with expressions in COLUMNS and WHERE, from record to row: the rules, then the laws.

use penstock_expressions::StarRocks;
use penstock_kernel::batch::{Batch, Record};
use penstock_kernel::facts::Facts;
use penstock_kernel::job::{ColumnItem, JobDefinition};
use penstock_kernel::loaded::Loaded;
use penstock_kernel::plan::{DefinitionError, Plan};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::loading::{NOW_MS, Row, batch, job, rows, table};

/// A job of COLUMNS items, `name` or `name = expression`, and a WHERE.
fn definition(columns: &[&str], filter: Option<&str>, strict: bool) -> JobDefinition {
    let mut definition = job(None, [("strict_mode", if strict { "true" } else { "false" })]);
    let item = |text: &&str| match text.split_once(" := ") {
        None => ColumnItem::Plain((*text).to_owned()),
        Some((name, expression)) => ColumnItem::Assignment { name: name.to_owned(), expression: expression.to_owned() },
    };
    definition.clauses.columns = (!columns.is_empty()).then(|| columns.iter().map(item).collect());
    definition.clauses.filter = filter.map(str::to_owned);
    definition
}

fn load(columns: &[&str], filter: Option<&str>, strict: bool, of: &[&str], messages: &[&str]) -> Loaded {
    let plan = Plan::compile(&definition(columns, filter, strict), &table(of), &StarRocks).unwrap();
    let messages: Vec<&[u8]> = messages.iter().map(|message| message.as_bytes()).collect();
    plan.load(&batch(&messages), &Facts::at(NOW_MS))
}

fn texts(loaded: &Loaded) -> Vec<Vec<String>> {
    let shown = |row: Row| row.into_iter().map(|cell| cell.unwrap_or_else(|| "NULL".to_owned())).collect();
    rows(loaded).into_iter().map(shown).collect()
}

fn refusal(columns: &[&str], filter: Option<&str>, of: &[&str]) -> DefinitionError {
    Plan::compile(&definition(columns, filter, false), &table(of), &StarRocks).expect_err("must be refused")
}

#[test]
fn plain_names_take_fields_and_assignments_see_them_as_text() {
    let loaded = load(
        &["k", "ts := from_unixtime(ms DIV 1000)", "flag", "ms", "on_off := if(flag = '1', 'on', 'off')"],
        None,
        false,
        &["k INT", "ts DATETIME", "on_off STRING", "rest INT DEFAULT '7'"],
        &[r#"{"k":1,"ms":1700000000123,"flag":true}"#, r#"{"k":2,"ms":"x","flag":"true"}"#],
    );
    assert_eq!(texts(&loaded), [["1", "2023-11-14 22:13:20", "on", "7"], ["2", "NULL", "off", "7"]]);
}

#[test]
fn an_assignment_may_use_the_source_column_of_its_own_name() {
    let columns = ["k", "ts", "ts := from_unixtime(ts)"];
    let loaded = load(&columns, None, true, &["k INT", "ts DATETIME"], &[r#"{"k":1,"ts":0}"#]);
    assert_eq!(texts(&loaded), [["1", "1970-01-01 00:00:00"]]);
}

#[test]
fn without_plain_names_the_tables_columns_are_the_source_columns() {
    let loaded = load(&["v := k + 1"], None, false, &["k INT", "v INT"], &[r#"{"k":1,"v":9}"#]);
    assert_eq!(texts(&loaded), [["1", "2"]]);
}

#[test]
fn assignments_do_not_see_each_other() {
    let columns = ["a", "b", "a := b", "b := a"];
    let loaded = load(&columns, None, false, &["a INT", "b INT"], &[r#"{"a":1,"b":2}"#]);
    assert_eq!(texts(&loaded), [["2", "1"]]);
}

#[test]
fn a_source_column_that_an_expression_uses_is_text_first() {
    let columns = ["flag", "copy := flag"];
    let loaded = load(&columns, None, true, &["flag TINYINT", "copy STRING"], &[r#"{"flag":true}"#]);
    assert_eq!(texts(&loaded), [["1", "1"]]);
    let alone = load(&["flag"], None, true, &["flag TINYINT", "copy STRING"], &[r#"{"flag":true}"#]);
    assert_eq!(alone.statistics.rejected, 1);
}

#[test]
fn strict_mode_is_about_columns_that_are_copied() {
    for (strict, rejected) in [(false, 0), (true, 1)] {
        let columns = ["k", "s", "v := cast(s AS INT)"];
        let loaded = load(&columns, None, strict, &["k INT", "v INT"], &[r#"{"k":1,"s":"x"}"#, r#"{"k":"x","s":"1"}"#]);
        assert_eq!(loaded.statistics.rejected, rejected, "{strict}");
        assert_eq!(texts(&loaded)[0], ["1", "NULL"]);
    }
}

#[test]
fn null_and_length_of_computed_columns_reject_the_row() {
    let columns = ["k", "s", "v := cast(s AS INT)", "t := concat(s, s)"];
    let of = ["k INT", "v INT NOT NULL", "t VARCHAR(4)"];
    let loaded =
        load(&columns, None, false, &of, &[r#"{"k":1,"s":"x"}"#, r#"{"k":2,"s":"123"}"#, r#"{"k":3,"s":"12"}"#]);
    assert_eq!(texts(&loaded), [["3", "12", "1212"]]);
    let reasons: Vec<_> = loaded.rejected.iter().map(|row| (row.column.unwrap(), row.reason)).collect();
    let expected = [
        ("v", "NULL value in non-nullable column 'v'"),
        ("t", "String '123123'(length=6) is too long. The max length of 't' is 4"),
    ];
    assert_eq!(reasons, expected.map(|(column, reason)| (column.to_owned(), reason.to_owned())));
}

#[test]
fn where_keeps_what_is_true_and_asks_nothing_else_of_the_rest() {
    let of = ["k INT NOT NULL", "v INT", "t VARCHAR(2)"];
    let columns = ["k", "v", "s", "t := s"];
    let messages = [
        r#"{"k":1,"v":5,"s":"a"}"#,
        r#"{"k":2,"v":1,"s":"a"}"#,
        r#"{"k":3,"v":null,"s":"a"}"#,
        r#"{"v":1,"s":"too long"}"#,
        r#"{"v":7,"s":"a"}"#,
    ];
    let loaded = load(&columns, Some("v > 2"), false, &of, &messages);
    assert_eq!(texts(&loaded), [["1", "5", "a"]]);
    let counts = loaded.statistics;
    assert_eq!((counts.total, counts.loaded, counts.unselected, counts.rejected), (5, 1, 3, 1));
    assert_eq!(loaded.ranges[0].statistics.unselected, 3);
}

#[test]
fn a_row_rejected_by_conversion_is_not_offered_to_where() {
    let loaded = load(&["k"], Some("k = 1"), true, &["k INT"], &[r#"{"k":"x"}"#, r#"{"k":2}"#]);
    assert_eq!((loaded.statistics.rejected, loaded.statistics.unselected), (1, 1));
}

#[test]
fn where_sees_computed_columns_defaults_and_source_columns() {
    let of = ["k INT", "d INT DEFAULT '7'", "n DATETIME DEFAULT CURRENT_TIMESTAMP"];
    let filter = "K = 2 AND d = 7 AND n > '2023-01-01' AND raw = 'x'";
    let loaded = load(
        &["raw", "n1", "k := n1 + 1"],
        Some(filter),
        false,
        &of,
        &[r#"{"raw":"x","n1":1}"#, r#"{"raw":"y","n1":1}"#],
    );
    assert_eq!(loaded.statistics.loaded, 1);
}

#[test]
fn wrong_definitions_are_refused_with_position_and_hint() {
    use std::error::Error;

    let of = ["price INT", "site STRING"];
    let unknown = refusal(&[], Some("prise > 1"), &of);
    assert_eq!(
        unknown.to_string(),
        "unknown column in where statement. the column 'prise' in where clause must be in the target table."
    );
    assert_eq!(unknown.hint().as_deref(), Some("did you mean `price`?"));
    for (filter, found) in [("price + 1", "BIGINT"), ("site", "VARCHAR"), ("1", "BIGINT"), ("sum", "VARCHAR")] {
        let wrong = refusal(&["price", "site", "sum"], Some(filter), &of);
        let expected =
            format!("where statement is not a valid statement return bool: expected a condition, found {found}");
        assert!(wrong.source().unwrap().to_string().starts_with(&expected), "{filter}: {}", wrong.source().unwrap());
    }
    let wrong = refusal(&["a", "price := 1 + b"], None, &of);
    assert_eq!(wrong.to_string(), "column `price` in COLUMNS");
    assert_eq!(wrong.source().unwrap().to_string(), "unknown column `b` at character 5");
    assert_eq!(wrong.hint().as_deref(), Some("known are a"));
    assert!(matches!(refusal(&["price := 1", "PRICE := 2"], None, &of), DefinitionError::DuplicateMapping { .. }));
    assert!(matches!(refusal(&["nope := 1"], None, &of), DefinitionError::NotInTable { .. }));
}

#[test]
fn many_rows_make_one_table() {
    let message = r#"{"k":1}"#.repeat(5_000);
    let loaded = load(&["k", "v := k * 2"], Some("v = 2"), false, &["k INT", "v INT"], &[&message]);
    assert_eq!(loaded.tables.len(), 1);
    assert_eq!(loaded.statistics.loaded, 5_000);
}

fn plan() -> impl Strategy<Value = Plan> {
    let computed = select(vec![
        "a + 1",
        "cast(a AS INT) DIV cast(b AS INT)",
        "concat(a, b, b)",
        "get_json_string(b, '$.x')",
        "nullif(a, b)",
        "repeat(a, b)",
    ]);
    let filter = select(vec![
        None,
        Some("id > 0"),
        Some("s IS NOT NULL"),
        Some("n < 10 OR s LIKE '%a%'"),
        Some("b = 'x'"),
        Some("NULL"),
    ]);
    (computed.clone(), computed, filter, any::<bool>()).prop_map(|(one, other, filter, strict)| {
        let (one, other) = (format!("n := {one}"), format!("s := {other}"));
        let columns = ["id", "a", &one, "b", &other];
        let of = ["id BIGINT NOT NULL", "n BIGINT", "s VARCHAR(8) NOT NULL", "a INT"];
        Plan::compile(&definition(&columns, filter, strict), &table(&of), &StarRocks).expect("a definition that works")
    })
}

fn record() -> impl Strategy<Value = String> {
    let value = || {
        let values = vec![
            "null",
            "0",
            "1",
            "-3",
            "1.5",
            "\"x\"",
            "\"\"",
            "\"a\\tb\"",
            "true",
            "{\"x\":1}",
            "[1]",
            "1e400",
            "12345678901234567890",
        ];
        prop_oneof![3 => select(values).prop_map(str::to_owned), 1 => any::<String>().prop_map(|text| serde_json::json!(text).to_string())]
    };
    prop_oneof![
        5 => (value(), value(), value()).prop_map(|(id, a, b)| format!("{{\"id\":{id},\"a\":{a},\"b\":{b}}}")),
        1 => Just("nonsense".to_owned()),
        1 => Just("{\"id\":1}{\"id\":2,\"a\":5}".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_nothing_differs_and_batches_may_be_cut(plan in plan(), values in vec(record(), 0..12), cut in any::<prop::sample::Index>()) {
        let values: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
        let all = batch(&values);
        let load = |records: &[Record<'_>]| plan.load(&Batch { topic: "t".to_owned(), records: records.to_vec() }, &Facts::at(NOW_MS));
        let whole = load(&all.records);
        let sum = whole.statistics;
        prop_assert_eq!(sum.total, sum.loaded + sum.rejected + sum.unselected);
        prop_assert_eq!(sum.loaded, rows(&whole).len() as u64);
        prop_assert_eq!(sum.rejected, whole.rejected.len() as u64);
        prop_assert_eq!(sum.unselected, whole.ranges.iter().map(|range| range.statistics.unselected).sum::<u64>());
        prop_assert_eq!(&whole.tables, &load(&all.records).tables);
        let cut = cut.index(values.len() + 1);
        let (first, second) = (load(&all.records[..cut]), load(&all.records[cut..]));
        prop_assert_eq!(rows(&whole), [rows(&first), rows(&second)].concat());
        let rejected = |loaded: &Loaded| -> Vec<_> {
            loaded.rejected.iter().map(|row| (row.offset, row.index, row.column, row.reason, row.raw)).collect()
        };
        prop_assert_eq!(rejected(&whole), [rejected(&first), rejected(&second)].concat());
        prop_assert_eq!(sum.unselected, first.statistics.unselected + second.statistics.unselected);
    }
}
