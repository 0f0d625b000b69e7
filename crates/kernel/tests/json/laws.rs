//! Laws of loading, over generated definitions and records.

use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::Facts;
use penstock_kernel::loaded::{Loaded, RejectedRows};
use penstock_kernel::plan::Plan;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::IgnoredAny;

use crate::support::{NOW_MS, batch, job, rows, table};

/// Text that is JSON more often than not, with keys that the jobs below want.
fn document() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        select(vec![
            "null",
            "true",
            "false",
            "0",
            "-0",
            "1e3",
            "1.5",
            "\"\"",
            "\"\\ud800\"",
            "\"\\ud83d\\u0041\"",
            "\"\\ud83d\\ude00\"",
            "\"2024-01-02\"",
            "\"a\\tb\""
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| serde_json::json!(number).to_string()),
        any::<String>().prop_map(|text| serde_json::json!(text).to_string()),
        "[0-9.eE+-]{1,8}",
        "\"[\\PC\\\\\"]{0,12}\"",
    ];
    let space = select(vec!["", "", "", " ", "\n", "\t\r "]);
    scalar.prop_recursive(4, 40, 5, move |inner| {
        let key = select(vec!["a", "b", "c", "id", "x.y", "", "\\u0061", "other"]);
        let member = (space.clone(), key, space.clone(), inner.clone())
            .prop_map(|(before, key, between, value)| format!("{before}\"{key}\"{between}:{between}{value}{before}"));
        prop_oneof![
            3 => vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
            1 => (space.clone(), vec(inner, 0..5)).prop_map(|(space, items)| format!("[{space}{}{space}]", items.join(","))),
        ]
    })
}

/// A record's value: documents, spoiled ones, and arbitrary bytes.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let one = document().prop_map(String::into_bytes);
    let row = document().prop_map(|inner| format!("{{\"id\":1,\"a\":{inner}}}").into_bytes());
    let several = (select(vec!["", " ", "\n", ","]), vec(document(), 0..4))
        .prop_map(|(between, documents)| documents.join(between).into_bytes());
    let array = vec(document(), 0..4).prop_map(|documents| format!("[{}]", documents.join(",")).into_bytes());
    let spoiled = (document(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(document, place, byte)| {
        let mut bytes = document.into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        bytes
    });
    let cut = (document(), any::<prop::sample::Index>()).prop_map(|(document, place)| {
        let bytes = document.into_bytes();
        bytes[..place.index(bytes.len())].to_vec()
    });
    prop_oneof![
        2 => one,
        3 => row,
        2 => several,
        2 => array,
        2 => spoiled,
        1 => cut,
        1 => vec(any::<u8>(), 0..40),
    ]
}

/// Columns of every type, one of them NOT NULL.
const COLUMNS: [&str; 17] = [
    "id BIGINT NOT NULL",
    "a VARCHAR(6)",
    "b JSON",
    "c INT",
    "d DOUBLE",
    "e DATETIME",
    "f DECIMAL(10,2)",
    "g BOOLEAN",
    "h LARGEINT",
    "i DATE",
    "j FLOAT DEFAULT '1.5'",
    "k TINYINT",
    "l STRING",
    "m ARRAY<ARRAY<DECIMAL(9,2)>>",
    "n MAP<INT,STRUCT<a INT, b ARRAY<JSON>>>",
    "o STRUCT<a STRUCT<a BOOLEAN, b VARBINARY(5)>, id MAP<STRING,DATETIME>>",
    "p VARBINARY(9)",
];

fn plan() -> impl Strategy<Value = Plan> {
    let flag = || select(vec!["true", "false"]);
    let paths = select(vec![
        "",
        r#"["$.id","$.a","$","$.b","$.c","$.a.b","$.a[0]","$.b.*","$.id","$.a.b.c"]"#,
        r#"["$.id","$.a[-1]","$..a","$.d","$.e","$.a","$.g","$.h","$.i","$.j","$.k","$.a.*","$.a[*]","$..b","$.a","$.b","$.c"]"#,
        r#"["$.id","$[?@..a || match(@.b, 'a.*')]","$..*..*","$.d","$.a[-1]","$.e","$.g","$.h","$.i","$.j","$.k","$.l","$..[?@.id == $.a.id]","$.a[1:]","$.c","$.a","$.b"]"#,
        r#"["$.a.id","$.a.a","$.a","$.a[1].b","$.a.b[0].c","$.a.*.a","$.\"x.y\""]"#,
    ]);
    let root = select(vec!["$.a[-1]", "", "", "", "$", "$.a", "$.a.b[0]"]);
    (flag(), flag(), paths, root).prop_map(|(strict, strip, paths, root)| {
        let properties =
            [("strict_mode", strict), ("strip_outer_array", strip), ("jsonpaths", paths), ("json_root", root)];
        Plan::compile(&job(None, properties), &table(&COLUMNS), &NoExpressions).expect("a definition that works")
    })
}

/// A record with the keys of all others, in their order: a value that suits its column or another one, or none.
fn alike() -> impl Strategy<Value = String> {
    const KEYS: [&str; 11] = ["id", "a", "c", "d", "e", "g", "i", "l", "m", "n", "o"];
    let suits = |key: &str| match key {
        "a" | "l" => "\"[a-zé]{0,7}\"",
        "e" | "i" => "\"20[0-9]{2}-[01][0-9]-[0-3][0-9]( [0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,7})?Z?)?\"",
        "g" => "true|false|0|1",
        "m" => r#"\[(\[(-?[0-9]{1,3}(\.[0-9]{1,3})?)?(, ?(null|"7"|[0-9]{1,9})){0,2} ?\](, ?\[\]|,null|,5)?)?\]"#,
        "n" => {
            r#"\{("[0-9]{1,2}" ?: ?\{"a":[0-9]{1,2},"b":\[[0-9],\{"k":\[\]\}\]\}(,"x(\\n)?":null)?(,"1":\{"b":null, "a":"7","a":8\})?)?\}"#
        }
        "o" => {
            r#"\{("a":\{"b":"[a-zé]{0,7}","a":(true|0|"x")\},)?"id":\{("k[0-2]":"2024-01-0[1-9]")?(,"k(1|\\u0031)":1)?\}(,"z":\[1,2\])?\}"#
        }
        "d" => "-?[0-9]{1,3}(\\.[0-9]{1,9})?|-?0\\.0",
        _ => "-?[1-9][0-9]{0,20}|0",
    };
    let member = move |key: &'static str| {
        prop_oneof![
            12 => suits(key).prop_map(Some),
            1 => document().prop_map(Some),
            1 => Just(None),
        ]
        .prop_map(move |value| value.map(|value| format!("\"{key}\":{value}")))
    };
    let members: Vec<_> = KEYS.into_iter().map(member).collect();
    members.prop_map(|members| format!("{{{}}}", members.into_iter().flatten().collect::<Vec<_>>().join(",")))
}

fn assert_conserved(batch: &Batch<'_>, loaded: &Loaded) {
    let sum = &loaded.statistics;
    assert_eq!(sum.total, sum.loaded + sum.rejected + sum.unselected);
    assert_eq!(sum.records, batch.records.len() as u64);
    assert_eq!(sum.loaded, rows(loaded).len() as u64);
    assert_eq!(sum.rejected, loaded.rejected.len() as u64);
    let each = |count: fn(&penstock_kernel::loaded::LoadStatistics) -> u64| -> u64 {
        loaded.ranges.iter().map(|range| count(&range.statistics)).sum()
    };
    assert_eq!(each(|counts| counts.records), sum.records);
    assert_eq!(each(|counts| counts.total), sum.total);
    assert_eq!(each(|counts| counts.loaded), sum.loaded);
    assert_eq!(each(|counts| counts.rejected), sum.rejected);
    assert_eq!(each(|counts| counts.received_bytes), sum.received_bytes);
    for range in &loaded.ranges {
        let records: Vec<_> =
            batch.records.iter().filter(|record| record.source_partition == range.source_partition).collect();
        assert_eq!(range.statistics.records, records.len() as u64);
        assert_eq!(Some(range.first_offset), records.first().map(|record| record.offset));
        assert_eq!(Some(range.last_offset), records.last().map(|record| record.offset));
        assert_eq!(Some(range.last_timestamp_ms), records.last().map(|record| record.timestamp_ms));
        assert_eq!(range.max_timestamp_ms, records.iter().filter_map(|record| record.timestamp_ms).max());
    }
    assert!(loaded.tables.iter().all(|(_, rows)| rows.num_rows() > 0));
    assert!(!loaded.rejected.iter().any(|row| row.reason.is_empty() || row.raw.is_empty()));
}

/// Records over three source partitions, some of them tombstones.
fn spread(values: &[Vec<u8>]) -> Batch<'_> {
    let mut records: Vec<Record<'_>> = values
        .iter()
        .enumerate()
        .map(|(place, value)| Record {
            source_partition: place as i32 % 3,
            offset: 10 + place as i64 * 2,
            timestamp_ms: (place % 5 != 0).then_some(1000 - place as i64 % 4),
            key: (place % 2 == 0).then_some(&b"key"[..]),
            value: (place % 7 != 6).then_some(value),
            headers: Headers::default(),
        })
        .collect();
    records.sort_by_key(|record| (record.source_partition, record.offset));
    Batch { topic: "topic".to_owned(), records }
}

/// Offset, index, reason, column, raw bytes.
type Rejected = (i64, Option<u32>, String, Option<String>, Vec<u8>);

fn without_batch(rejected: &RejectedRows) -> Vec<Rejected> {
    rejected.iter().map(|row| (row.offset, row.index, row.reason, row.column, row.raw)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_panics(plan in plan(), values in vec(value(), 0..12)) {
        let batch = spread(&values);
        let loaded = plan.load(&batch, &Facts::at(NOW_MS));
        assert_conserved(&batch, &loaded);
        let order: Vec<_> = loaded.rejected.iter().map(|row| (row.source_partition, row.offset, row.index)).collect();
        prop_assert!(order.is_sorted());
    }

    #[test]
    fn equal_batches_give_equal_results(plan in plan(), values in vec(value(), 0..12)) {
        let batch = spread(&values);
        let (one, other) = (plan.load(&batch, &Facts::at(NOW_MS)), plan.load(&batch, &Facts::at(NOW_MS)));
        prop_assert_eq!(one.tables, other.tables);
        prop_assert_eq!(one.rejected, other.rejected);
        prop_assert_eq!(one.ranges, other.ranges);
    }

    #[test]
    fn two_batches_are_their_concatenation(plan in plan(), values in vec(value(), 0..12), cut in any::<prop::sample::Index>()) {
        let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let all = batch(&slices);
        let cut = cut.index(slices.len() + 1);
        let part = |records: &[Record<'_>]| {
            let records = records.to_vec();
            let loaded = plan.load(&Batch { topic: "topic".to_owned(), records }, &Facts::at(NOW_MS));
            (rows(&loaded), without_batch(&loaded.rejected))
        };
        let (first, second) = (part(&all.records[..cut]), part(&all.records[cut..]));
        let whole = part(&all.records);
        prop_assert_eq!(whole.0, [first.0, second.0].concat());
        prop_assert_eq!(whole.1, [first.1, second.1].concat());
    }

    #[test]
    fn a_record_does_not_change_its_neighbours(plan in plan(), values in vec(value(), 1..8)) {
        let alone: Vec<_> = values.iter().flat_map(|value| rows(&plan.load(&batch(&[value]), &Facts::at(NOW_MS)))).collect();
        let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(rows(&plan.load(&batch(&slices), &Facts::at(NOW_MS))), alone);
    }

    #[test]
    fn records_that_look_alike_load_as_each_does_alone(records in vec(alike(), 1..20), strict in select(vec!["true", "false"])) {
        // Alone, nothing is known of how records look.
        let plan = Plan::compile(&job(None, [("strict_mode", strict)]), &table(&COLUMNS), &NoExpressions).unwrap();
        let values: Vec<&[u8]> = records.iter().map(String::as_bytes).collect();
        let together = plan.load(&batch(&values), &Facts::at(NOW_MS));
        let alone: Vec<Loaded> = values.iter().map(|value| plan.load(&batch(&[value]), &Facts::at(NOW_MS))).collect();
        prop_assert_eq!(rows(&together), alone.iter().flat_map(rows).collect::<Vec<_>>());
        let reasons = |loaded: &Loaded| loaded.rejected.iter().map(|row| (row.reason, row.column, row.raw)).collect::<Vec<_>>();
        prop_assert_eq!(reasons(&together), alone.iter().flat_map(reasons).collect::<Vec<_>>());
    }

    #[test]
    fn strict_mode_only_rejects_more(values in vec(value(), 0..8)) {
        let plan = |strict| Plan::compile(&job(None, [("strict_mode", strict)]), &table(&COLUMNS), &NoExpressions).unwrap();
        let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let (plain, strict) = (plan("false").load(&batch(&slices), &Facts::at(NOW_MS)), plan("true").load(&batch(&slices), &Facts::at(NOW_MS)));
        prop_assert_eq!(plain.statistics.total, strict.statistics.total);
        prop_assert!(strict.statistics.loaded <= plain.statistics.loaded);
        let plain = rows(&plain);
        prop_assert!(rows(&strict).iter().all(|row| plain.contains(row)));
    }

    #[test]
    fn a_record_is_taken_exactly_if_another_parser_takes_it(value in value()) {
        // The other one has no limit of depth, and no opinion on what a record may be.
        let record = [b"{\"id\":1,\"q\":".as_slice(), &value, b"}"].concat();
        let plan = Plan::compile(&job(None, []), &table(&["id BIGINT"]), &NoExpressions).unwrap();
        let taken = plan.load(&batch(&[&record]), &Facts::at(NOW_MS)).rejected.is_empty();
        let expected = std::str::from_utf8(&record).is_ok_and(|text| {
            serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>().all(|document| document.is_ok())
                && text.trim_ascii().ends_with('}')
        });
        prop_assert_eq!(taken, expected, "{}", String::from_utf8_lossy(&record));
    }

    #[test]
    fn any_path_compiles_or_says_where_it_is_wrong(path in "[$.a\\[\\]0-9*\"\\\\' -]{0,12}") {
        let paths = serde_json::json!([path]).to_string();
        match Plan::compile(&job(None, [("jsonpaths", paths.as_str())]), &table(&["s STRING"]), &NoExpressions) {
            Ok(plan) => assert_eq!(plan.load(&batch(&[b"{\"a\":[1]}"]), &Facts::at(NOW_MS)).statistics.total, 1),
            Err(error) => assert!(error.hint().is_some()),
        }
    }

    #[test]
    fn any_definition_compiles_or_is_refused(jsonpaths in any::<String>(), root in any::<String>()) {
        let _ = Plan::compile(&job(None, [("jsonpaths", jsonpaths.as_str()), ("json_root", root.as_str())]), &table(&["s STRING"]), &NoExpressions);
    }
}

#[test]
fn a_plan_is_used_by_several_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    shared(&Plan::compile(&job(None, []), &table(&["s STRING"]), &NoExpressions).unwrap());
}
