//! What is JSON and what is not, each text between two good records: it is one rejected row or none, and its
//! neighbours load.

use crate::support::{NOW_MS, batch, hex, job, rows, table};
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::Facts;
use penstock_kernel::loaded::Loaded;
use penstock_kernel::plan::Plan;
use serde::Deserialize;

#[derive(Deserialize)]
struct Grammar {
    accept: Texts,
    reject: Texts,
}

#[derive(Deserialize)]
struct Texts {
    values: Vec<String>,
    records: Vec<String>,
}

fn grammar() -> Grammar {
    serde_json::from_str(include_str!("../data/json/grammar.json")).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    text.strip_prefix("0x").filter(|rest| rest.len() % 2 == 0).map_or_else(|| text.as_bytes().to_vec(), hex)
}

/// Plans that differ in what they read of a record: its id by key, and `x` and what is below by paths.
fn plans() -> Vec<Plan> {
    let simple = Plan::compile(&job(None, []), &table(&["id BIGINT"]), &NoExpressions);
    let paths = r#"["$.id","$.x","$.x.a","$.x[0]","$.x.*","$.y[1].z","$"]"#;
    let columns = ["id BIGINT", "a JSON", "b STRING", "c INT", "d DOUBLE", "e DATETIME", "f STRING"];
    let matched = Plan::compile(&job(None, [("jsonpaths", paths)]), &table(&columns), &NoExpressions);
    vec![simple.unwrap(), matched.unwrap()]
}

/// Loads the record between two good ones, and says whether it was taken as JSON.
fn is_taken(plan: &Plan, record: &[u8]) -> bool {
    let loaded = plan.load(&batch(&[b"{\"id\":1,\"x\":[1]}", record, b"{\"id\":2,\"x\":[1]}"]), &Facts::at(NOW_MS));
    let ids: Vec<_> = rows(&loaded).into_iter().map(|row| row[0].clone()).collect();
    let shown = String::from_utf8_lossy(record);
    assert_eq!(ids.first().unwrap().as_deref(), Some("1"), "{shown}");
    assert_eq!(ids.last().unwrap().as_deref(), Some("2"), "{shown}");
    assert_conserved(&loaded);
    let whole: Vec<_> = loaded.rejected.iter().filter(|row| row.index.is_none()).collect();
    for row in &whole {
        assert_eq!((row.offset, row.raw.as_slice()), (1, record), "{shown}");
        assert!(row.reason.starts_with("parse error. "), "{shown}: {}", row.reason);
        assert_eq!(loaded.statistics.total, 3, "{shown}");
    }
    assert!(whole.len() < 2, "{shown}");
    whole.is_empty()
}

fn assert_conserved(loaded: &Loaded) {
    let counts = &loaded.statistics;
    assert_eq!(counts.total, counts.loaded + counts.rejected + counts.unselected);
    assert_eq!(counts.loaded, rows(loaded).len() as u64);
    assert_eq!(counts.rejected, loaded.rejected.len() as u64);
}

/// The value in every position that a record has for one.
fn records_around(value: &[u8]) -> Vec<Vec<u8>> {
    let around = [
        ("{\"id\":3,\"x\":", "}"),
        ("{\"x\":", ",\"id\":3}"),
        ("{\"id\":3,\"x\":[", "]}"),
        ("{\"id\":3,\"y\":[0,{\"z\":", "}]}"),
        ("{\"q\": {\"r\" : ", "\n}, \"id\":3}"),
    ];
    around.iter().map(|(before, after)| [before.as_bytes(), value, after.as_bytes()].concat()).collect()
}

#[test]
fn valid_values_are_taken_wherever_they_stand() {
    for value in grammar().accept.values {
        for record in records_around(value.as_bytes()) {
            for plan in plans() {
                assert!(is_taken(&plan, &record), "{}", String::from_utf8_lossy(&record));
            }
        }
    }
}

#[test]
fn invalid_values_reject_their_record_wherever_they_stand() {
    for value in grammar().reject.values {
        // Without elements an array is one.
        let harmless = |record: &[u8]| value.is_empty() && record.windows(2).any(|pair| pair == b"[]");
        for record in records_around(&bytes(&value)) {
            for plan in plans() {
                let taken = is_taken(&plan, &record);
                assert!(!taken || harmless(&record), "{}", String::from_utf8_lossy(&record));
            }
        }
    }
}

#[test]
fn valid_records_are_taken() {
    for record in grammar().accept.records {
        for plan in plans() {
            assert!(is_taken(&plan, &bytes(&record)), "{record}");
        }
    }
}

#[test]
fn invalid_records_are_one_rejected_row() {
    for record in grammar().reject.records {
        for plan in plans() {
            assert!(!is_taken(&plan, &bytes(&record)), "{record}");
        }
    }
}

#[test]
fn a_record_cut_anywhere_is_rejected() {
    let record = r#" {"id":3,"x":{"a":[1,-2.5e3,"t\u00e9xt\n"],"b":null},"y":[true,{"z":false}]}"#.as_bytes();
    for plan in plans() {
        assert!(is_taken(&plan, record));
        for end in 2..record.len() {
            assert!(!is_taken(&plan, &record[..end]), "{}", String::from_utf8_lossy(&record[..end]));
        }
    }
}

#[test]
fn depth_ends_at_1024_levels_and_costs_no_stack() {
    let nested = |open: &str, close: &str, levels: usize| {
        format!("{{\"id\":3,\"x\":{}0{}}}", open.repeat(levels), close.repeat(levels)).into_bytes()
    };
    for plan in plans() {
        assert!(is_taken(&plan, &nested("[", "]", 1023)));
        assert!(!is_taken(&plan, &nested("[", "]", 1024)));
        assert!(is_taken(&plan, &nested("{\"a\":", "}", 1023)));
        assert!(!is_taken(&plan, &nested("{\"a\":", "}", 1024)));
        for levels in [100_000, 1_000_000] {
            assert!(!is_taken(&plan, &nested("[", "]", levels)));
            assert!(!is_taken(&plan, &nested("{\"a\":", "}", levels)));
            assert!(!is_taken(&plan, "[".repeat(levels).as_bytes()));
            assert!(!is_taken(&plan, "{\"a\":".repeat(levels).as_bytes()));
            assert!(!is_taken(&plan, "{".repeat(levels).as_bytes()));
        }
    }
}

#[test]
fn huge_values_are_read() {
    let long = "x".repeat(5 << 20);
    let digits = "7".repeat(5 << 20);
    for plan in plans() {
        for value in [
            format!("\"{long}\""),
            format!("\"{}\"", "\\n".repeat(2 << 20)),
            digits.clone(),
            format!("0.{digits}"),
            format!("1e{digits}"),
            format!("[{digits}]"),
        ] {
            let record = format!("{{\"id\":3,\"x\":{value}}}");
            assert!(is_taken(&plan, record.as_bytes()));
        }
        for value in [format!("\"{long}"), format!("{digits}x"), format!("\"{long}\u{1}\"")] {
            let record = format!("{{\"id\":3,\"x\":{value}}}");
            assert!(!is_taken(&plan, record.as_bytes()));
        }
    }
}

#[test]
fn one_record_may_hold_very_many_rows() {
    let plan =
        Plan::compile(&job(None, [("strip_outer_array", "true")]), &table(&["id BIGINT NOT NULL"]), &NoExpressions)
            .unwrap();
    let record = format!("[{}{{}}]", "{\"id\":1},".repeat(100_000));
    let loaded = plan.load(&batch(&[record.as_bytes()]), &Facts::at(NOW_MS));
    assert_conserved(&loaded);
    assert_eq!(loaded.statistics.loaded, 100_000);
    let rejected: Vec<_> = loaded.rejected.iter().map(|row| (row.index, row.raw)).collect();
    assert_eq!(rejected, [(Some(100_000), b"{}".to_vec())]);
}
