//! What Kafka knows of a record, as columns.

use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::Facts;
use penstock_kernel::job::MetadataItem;
use penstock_kernel::loaded::Loaded;
use penstock_kernel::metadata::MetadataField;
use penstock_kernel::plan::{DefinitionError, Plan};

use crate::support::{NOW_MS, Row, job, rows, table};

fn include(items: &[(MetadataField, Option<&str>)]) -> Vec<MetadataItem> {
    items.iter().map(|(field, alias)| MetadataItem { field: *field, alias: alias.map(str::to_owned) }).collect()
}

fn plan(
    columns: &[&str],
    names: Option<&[&str]>,
    items: &[(MetadataField, Option<&str>)],
    properties: &[(&str, &str)],
) -> Result<Plan, DefinitionError> {
    let mut job = job(names, properties.iter().copied());
    job.clauses.metadata = Some(include(items));
    Plan::compile(&job, &table(columns), &NoExpressions)
}

fn load(plan: &Plan, records: &[Record<'_>]) -> Loaded {
    plan.load(&Batch { topic: "clicks.v1".to_owned(), records: records.to_vec() }, &Facts::at(NOW_MS))
}

fn record<'a>(key: Option<&'a [u8]>, value: &'a [u8], headers: &'a [u8]) -> Record<'a> {
    Record {
        source_partition: 3,
        offset: 17,
        timestamp_ms: Some(1_718_217_035_111),
        key,
        value: Some(value),
        headers: Headers::over(headers),
    }
}

fn encoded(headers: &[(&str, Option<&[u8]>)]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for (name, value) in headers {
        Headers::push(&mut encoded, name, *value);
    }
    encoded
}

fn row(cells: &[Option<&str>]) -> Row {
    cells.iter().map(|cell| cell.map(str::to_owned)).collect()
}

const ALL: [(MetadataField, Option<&str>); 7] = [
    (MetadataField::Topic, None),
    (MetadataField::Key, Some("k")),
    (MetadataField::SourcePartition, Some("p")),
    (MetadataField::Offset, Some("o")),
    (MetadataField::Timestamp, Some("T")),
    (MetadataField::TimestampMs, Some("ms")),
    (MetadataField::Headers, Some("h")),
];

#[test]
fn every_kind_feeds_the_column_of_its_name() {
    let columns =
        ["id INT", "topic STRING", "k STRING", "p INT", "o BIGINT", "t DATETIME", "ms BIGINT", "h JSON", "v STRING"];
    let headers = encoded(&[("b", Some(b"2")), ("a", None), ("b", Some("ä\"".as_bytes()))]);
    for (format, value) in [("json", &b"{\"id\":1,\"v\":\"x\",\"o\":5,\"k\":6}"[..]), ("csv", b"1\tx")] {
        let plan = plan(&columns, None, &ALL, &[("format", format), ("strict_mode", "true")]).unwrap();
        let loaded = load(&plan, &[record(Some(b"key"), value, &headers)]);
        assert!(loaded.rejected.is_empty());
        let expected = [
            Some("1"),
            Some("clicks.v1"),
            Some("key"),
            Some("3"),
            Some("17"),
            Some("2024-06-12 18:30:35.111000"),
            Some("1718217035111"),
            Some("{\"a\":null,\"b\":\"ä\\\"\"}"),
            Some("x"),
        ];
        assert_eq!(rows(&loaded), [row(&expected)], "{format}");
    }
}

#[test]
fn what_a_record_lacks_is_null_and_no_headers_are_an_empty_object() {
    let columns = ["k STRING", "t DATETIME", "ms BIGINT", "h JSON", "v STRING"];
    let plan = plan(&columns, None, &[ALL[1], ALL[4], ALL[5], ALL[6]], &[]).unwrap();
    let bare = Record { timestamp_ms: None, ..record(None, b"{\"v\":1}", b"") };
    assert_eq!(rows(&load(&plan, &[bare])), [row(&[None, None, None, Some("{}"), Some("1")])]);
}

#[test]
fn columns_of_other_types_convert() {
    let columns = ["k INT", "p VARCHAR(9)", "o BOOLEAN", "t BIGINT", "ms DECIMAL(20,1)", "v STRING"];
    let plan1 = plan(&columns, None, &[ALL[1], ALL[2], ALL[3], ALL[4], ALL[5]], &[]).unwrap();
    let expected = [Some("42"), Some("3"), Some("1"), Some("1718217035111"), Some("1718217035111.0"), Some("x")];
    assert_eq!(rows(&load(&plan1, &[record(Some(b"42"), b"{\"v\":\"x\"}", b"")])), [row(&expected)]);
    let columns = ["k JSON", "t DATE", "h STRING", "ms VARCHAR(20)", "v STRING"];
    let plan2 = plan(&columns, None, &[ALL[1], ALL[4], ALL[6], ALL[5]], &[]).unwrap();
    let headers = encoded(&[("a", Some(b"1"))]);
    let expected = [Some("{\"a\":1}"), Some("2024-06-12"), Some("{\"a\":\"1\"}"), Some("1718217035111"), Some("x")];
    assert_eq!(rows(&load(&plan2, &[record(Some(b"{\"a\": 1}"), b"{\"v\":\"x\"}", &headers)])), [row(&expected)]);
}

#[test]
fn key_that_is_no_text_does_not_fit_a_text_column() {
    let columns = ["k STRING", "v STRING"];
    for (strict, loaded_rows, rejected) in [("false", 1, 0), ("true", 0, 1)] {
        let plan = plan(&columns, None, &[ALL[1]], &[("strict_mode", strict)]).unwrap();
        let loaded = load(&plan, &[record(Some(b"a\xff"), b"{\"v\":1}", b"")]);
        assert_eq!((loaded.statistics.loaded, loaded.statistics.rejected), (loaded_rows, rejected));
        if let Some(row) = loaded.rejected.iter().next() {
            assert_eq!(row.reason, "Value 'a\\xff' is out of range. The type of 'k' is VARCHAR(65533)");
            assert_eq!(row.key.as_deref(), Some(&b"a\xff"[..]));
        }
    }
}

#[test]
fn every_row_of_a_record_has_its_metadata() {
    let plan = plan(&["o BIGINT", "v STRING"], None, &[ALL[3]], &[("format", "csv")]).unwrap();
    let loaded = load(&plan, &[record(None, b"a\nb\n", b"")]);
    assert_eq!(rows(&loaded), [row(&[Some("17"), Some("a")]), row(&[Some("17"), Some("b")])]);
}

#[test]
fn metadata_does_not_take_a_path_or_a_field() {
    let paths = [("jsonpaths", r#"["$.a","$.b"]"#)];
    let plan = plan(&["x INT", "o BIGINT", "y INT"], Some(&["y", "x"]), &[ALL[3]], &paths).unwrap();
    let loaded = load(&plan, &[record(None, b"{\"a\":1,\"b\":2}", b"")]);
    assert_eq!(rows(&loaded), [row(&[Some("2"), Some("17"), Some("1")])]);
}

#[test]
fn names_that_are_taken_are_refused() {
    let message = |names: Option<&[&str]>, items: &[(MetadataField, Option<&str>)]| {
        let error = plan(&["id INT", "o BIGINT"], names, items, &[]).unwrap_err();
        (error.to_string(), error.hint())
    };
    let hint = Some("give it another name: `OFFSET AS ...` in INCLUDE METADATA".to_owned());
    assert_eq!(message(Some(&["id", "O"]), &[ALL[3]]), ("Duplicate column: o".to_owned(), hint.clone()));
    assert_eq!(message(None, &[ALL[2], (MetadataField::Offset, Some("P"))]), ("Duplicate column: P".to_owned(), hint));
}

#[test]
fn headers_are_wanted_only_where_they_are_included() {
    assert!(plan(&["h JSON", "v INT"], None, &[ALL[6]], &[]).unwrap().reads_headers());
    assert!(!plan(&["k STRING", "v INT"], None, &[ALL[1]], &[]).unwrap().reads_headers());
}

#[test]
fn rows_that_would_repeat_a_key_too_often_are_rejected() {
    let plan = plan(&["k STRING", "v INT"], None, &[ALL[1]], &[("format", "csv")]).unwrap();
    let key = vec![b'k'; 1 << 20];
    let value = "1\n".repeat(70);
    let loaded = load(&plan, &[record(Some(&key), value.as_bytes(), b"")]);
    assert_eq!((loaded.statistics.loaded, loaded.statistics.rejected), (64, 6));
    assert!(
        loaded
            .rejected
            .iter()
            .next()
            .unwrap()
            .reason
            .starts_with("the record has too many rows for its key and headers")
    );
}
