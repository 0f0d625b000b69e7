use std::collections::BTreeMap;

use super::*;
use crate::batch::{Batch, Headers, Record};
use crate::expression::NoExpressions;
use crate::facts::Facts;
use crate::ids::{DatabaseId, JobId, TableId};
use crate::job::{ColumnItem, KafkaSource, LoadClauses};
use crate::loaded::{LoadStatistics, TablePartition};
use crate::partitioning::Partitioning;
use crate::property::JobProperties;
use crate::table::{Column, ColumnDefault, ColumnType, Distribution, KeyKind, STRING_BYTES};

fn column(id: u32, name: &str, column_type: ColumnType) -> Column {
    Column { id, name: name.to_owned(), column_type, nullable: true, default: None, comment: None }
}

fn table(columns: Vec<Column>) -> TableDefinition {
    TableDefinition {
        id: TableId(10_003),
        database: DatabaseId(10_002),
        name: "site_clicks".to_owned(),
        key_columns: columns.first().map(|column| column.name.clone()).into_iter().collect(),
        columns,
        key_kind: KeyKind::Duplicate,
        partitioning: Partitioning::None,
        distribution: Distribution { hash_columns: vec!["uid".to_owned()], buckets: None },
        comment: None,
        properties: BTreeMap::new(),
        volume: "builtin_storage_volume".to_owned(),
        created_at_ms: 0,
    }
}

fn site_clicks() -> TableDefinition {
    let mut columns = vec![
        column(1, "uid", ColumnType::BigInt),
        column(2, "site", ColumnType::Varchar(STRING_BYTES)),
        column(3, "vtime", ColumnType::BigInt),
    ];
    for column in &mut columns {
        column.nullable = false;
    }
    table(columns)
}

fn job(clauses: LoadClauses, properties: &[(&str, &str)]) -> JobDefinition {
    JobDefinition {
        id: JobId(10_004),
        version: 1,
        name: "clicks".to_owned(),
        database: DatabaseId(10_002),
        table: TableId(10_003),
        clauses,
        properties: JobProperties::from_pairs(properties.iter().copied()).unwrap(),
        source: KafkaSource {
            brokers: vec!["redpanda:29092".to_owned()],
            topic: "test2".to_owned(),
            pinned: None,
            default_start: None,
            registry: None,
            custom: BTreeMap::new(),
        },
    }
}

fn columns(items: Vec<ColumnItem>) -> LoadClauses {
    LoadClauses { columns: Some(items), ..LoadClauses::default() }
}

fn plain(name: &str) -> ColumnItem {
    ColumnItem::Plain(name.to_owned())
}

fn assignment(name: &str) -> ColumnItem {
    ColumnItem::Assignment { name: name.to_owned(), expression: "1".to_owned() }
}

fn refusal(clauses: LoadClauses, properties: &[(&str, &str)], table: &TableDefinition) -> DefinitionError {
    Plan::compile(&job(clauses, properties), table, &NoExpressions).expect_err("must be refused")
}

fn record(source_partition: i32, offset: i64, timestamp_ms: Option<i64>, value: Option<&[u8]>) -> Record<'_> {
    Record { source_partition, offset, timestamp_ms, key: None, value, headers: Headers::default() }
}

const JSON: &[(&str, &str)] = &[("format", "json")];

#[test]
fn the_tutorials_job_loads_the_tutorials_records() {
    let paths = r#"["$.uid","$.site","$.vtime"]"#;
    let plan = Plan::compile(
        &job(LoadClauses::default(), &[("format", "JSON"), ("jsonpaths", paths)]),
        &site_clicks(),
        &NoExpressions,
    );
    let value = br#"{"uid": 2926, "site": "https://docs.starrocks.io/", "vtime": 1718034793}"#;
    let batch = Batch { topic: "test2".to_owned(), records: vec![record(0, 0, Some(5), Some(value))] };
    let loaded = plan.unwrap().load(&batch, &Facts::at(0));
    let [(TablePartition::Whole, rows)] = loaded.tables.as_slice() else { panic!("{loaded:?}") };
    assert_eq!(rows.schema(), site_clicks().arrow_schema());
    assert_eq!(rows.num_rows(), 1);
    assert!(loaded.rejected.is_empty());
    let length = value.len() as u64;
    let expected =
        LoadStatistics { records: 1, total: 1, loaded: 1, received_bytes: length, ..LoadStatistics::default() };
    assert_eq!(loaded.statistics, expected);
}

#[test]
fn an_empty_batch_gives_nothing() {
    let plan = Plan::compile(&job(LoadClauses::default(), JSON), &site_clicks(), &NoExpressions).unwrap();
    let loaded = plan.load(&Batch::default(), &Facts::at(0));
    assert!(loaded.tables.is_empty() && loaded.rejected.is_empty() && loaded.ranges.is_empty());
    assert_eq!(loaded.statistics, LoadStatistics::default());
}

#[test]
fn ranges_are_per_source_partition_and_hold_every_record() {
    let plan = Plan::compile(&job(LoadClauses::default(), JSON), &site_clicks(), &NoExpressions).unwrap();
    let good: &[u8] = br#"{"uid":1,"site":"a","vtime":2}"#;
    let records = vec![
        record(1, 7, Some(30), Some(good)),
        record(1, 9, Some(20), Some(b"{")),
        record(1, 10, None, None),
        record(4, 0, None, Some(b"")),
        record(5, 3, Some(-1), Some(b"{} {}")),
    ];
    let loaded = plan.load(&Batch { topic: "test2".to_owned(), records }, &Facts::at(0));
    let found: Vec<_> = loaded
        .ranges
        .iter()
        .map(|range| {
            let counts = &range.statistics;
            (
                (range.source_partition, range.first_offset, range.last_offset),
                (range.max_timestamp_ms, range.last_timestamp_ms),
                (counts.records, counts.total, counts.loaded, counts.rejected, counts.received_bytes),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ((1, 7, 10), (Some(30), None), (3, 2, 1, 1, 31)),
            ((4, 0, 0), (None, None), (1, 0, 0, 0, 0)),
            ((5, 3, 3), (Some(-1), Some(-1)), (1, 2, 0, 2, 5)),
        ]
    );
}

#[test]
fn a_rejected_row_of_one_keeps_the_records_value_and_key() {
    let plan = Plan::compile(&job(LoadClauses::default(), JSON), &site_clicks(), &NoExpressions).unwrap();
    let long = vec![b'k'; 1000];
    let mut records = vec![record(0, 1, Some(2), Some(b" {} \n")), record(0, 2, None, Some(b"{\"uid\":1} {}"))];
    for record in &mut records {
        record.key = Some(&long);
    }
    let loaded = plan.load(&Batch { topic: "test2".to_owned(), records }, &Facts::at(0));
    let found: Vec<_> = loaded
        .rejected
        .iter()
        .map(|row| (row.offset, row.index, row.raw, row.key.as_deref() == Some(long.as_slice())))
        .collect();
    let expected: [(i64, Option<u32>, Vec<u8>, bool); 3] = [
        (1, Some(0), b" {} \n".to_vec(), true),
        (2, Some(0), b"{\"uid\":1}".to_vec(), true),
        (2, Some(1), b"{}".to_vec(), false),
    ];
    assert_eq!(found, expected);
}

#[test]
fn long_values_are_shortened_in_reasons() {
    let plan = Plan::compile(
        &job(LoadClauses::default(), &[("format", "json"), ("strict_mode", "true")]),
        &site_clicks(),
        &NoExpressions,
    );
    let value = format!("{{\"uid\":\"{}\"}}", "ä".repeat(1000));
    let batch = Batch { topic: String::new(), records: vec![record(0, 0, None, Some(value.as_bytes()))] };
    let loaded = plan.unwrap().load(&batch, &Facts::at(0));
    let expected = format!("Value '{}...' is out of range. The type of 'uid' is BIGINT", "ä".repeat(40));
    assert_eq!(loaded.rejected.iter().next().expect("one").reason, expected);
}

#[test]
fn rows_continue_in_other_columns_before_arrow_runs_out_of_offsets() {
    let mut wide = site_clicks();
    // 16 of these are as much text as the columns may hold.
    let literal = "x".repeat(65_000);
    wide.columns.push(Column {
        default: Some(ColumnDefault::Literal(literal)),
        ..column(4, "filler", ColumnType::Varchar(STRING_BYTES))
    });
    let only_uid = || columns(["uid", "site", "vtime"].map(plain).to_vec());
    let plan = Plan::compile(&job(only_uid(), JSON), &wide, &NoExpressions).unwrap();
    let row = br#"{"uid":1,"site":"a","vtime":2}"#;
    let value = row.repeat(40);
    let batch = Batch { topic: String::new(), records: vec![record(0, 0, None, Some(&value))] };
    let loaded = plan.load(&batch, &Facts::at(0));
    let sizes: Vec<_> = loaded.tables.iter().map(|(_, rows)| rows.num_rows()).collect();
    assert_eq!(sizes, [16, 16, 8]);
    assert_eq!(loaded.statistics.loaded, 40);
}

#[test]
fn what_is_not_supported_yet_is_refused_as_such() {
    let site_clicks = site_clicks();
    let message = |clauses, properties| refusal(clauses, properties, &site_clicks).to_string();
    for kind in [plain("__op"), assignment("__OP")] {
        let change_kind = columns(vec![plain("uid"), kind]);
        assert_eq!(message(change_kind, JSON), "`__op` in COLUMNS is not supported yet");
    }
}

#[test]
fn a_partition_that_does_not_exist_is_refused() {
    let named = |name: &str| LoadClauses { table_partitions: Some(vec![name.to_owned()]), ..LoadClauses::default() };
    let error = refusal(named("p1"), JSON, &site_clicks());
    assert_eq!(error.to_string(), "Partition p1 does not exist");
    Plan::compile(&job(named("site_clicks"), JSON), &site_clicks(), &NoExpressions).unwrap();
}

#[test]
fn columns_that_contradict_each_other_are_refused_in_starrocks_words() {
    let site_clicks = site_clicks();
    let message = |items| refusal(columns(items), JSON, &site_clicks).to_string();
    assert_eq!(message(vec![plain("uid"), plain("UID")]), "Duplicate column: UID");
    assert_eq!(message(vec![assignment("uid"), assignment("Uid")]), "Duplicate column mapping: Uid");
    assert_eq!(message(vec![assignment("nope")]), "Mapping column is not in table. column: nope");
    assert_eq!(message(vec![plain("uid"), plain("vtime")]), "Column has no default value. column: site");
}

#[test]
fn a_path_of_the_whole_row_needs_a_column_that_can_hold_it() {
    let paths = [("format", "json"), ("jsonpaths", r#"["$"]"#)];
    let error = refusal(LoadClauses::default(), &paths, &site_clicks());
    assert_eq!(error.to_string(), "path `$` cannot feed column `uid` of type bigint");
    Plan::compile(
        &job(columns(vec![plain("skipped")]), &paths),
        &table(vec![column(1, "j", ColumnType::Json)]),
        &NoExpressions,
    )
    .unwrap();
}

#[test]
fn defaults_are_values_of_their_columns() {
    let with_default = |column_type, default| {
        let mut columns = vec![column(1, "id", ColumnType::Int), column(2, "d", column_type)];
        columns[1].default = Some(default);
        Plan::compile(&job(self::columns(vec![plain("id")]), JSON), &table(columns), &NoExpressions)
    };
    let literal = |text: &str| ColumnDefault::Literal(text.to_owned());
    with_default(ColumnType::Json, literal("{\"a\": [1]}")).unwrap();
    with_default(ColumnType::Date, ColumnDefault::CurrentTimestamp).unwrap();
    let refused = [
        (ColumnType::Int, literal("x"), "default `x` of column `d` is not a value of type int"),
        (ColumnType::Json, literal("{"), "default `{` of column `d` is not a value of type json"),
        (ColumnType::Char(2), literal("abc"), "default `abc` of column `d` is not a value of type char(2)"),
        (
            ColumnType::Int,
            ColumnDefault::CurrentTimestamp,
            "default `CURRENT_TIMESTAMP` of column `d` is not a value of type int",
        ),
    ];
    for (column_type, default, expected) in refused {
        assert_eq!(with_default(column_type, default).expect_err(expected).to_string(), expected);
    }
}

#[test]
fn a_wrong_path_is_named_with_its_place_and_a_hint() {
    use std::error::Error;

    let paths = [("format", "json"), ("jsonpaths", r#"["$.uid", "$.a[b]"]"#)];
    let error = refusal(LoadClauses::default(), &paths, &site_clicks());
    assert_eq!(error.to_string(), "Invalid json path: `jsonpaths`, path 2");
    let source = error.source().expect("a source").to_string();
    assert_eq!(source, "path `$.a[b]` is not valid at character 4: not a path of RFC 9535");
    assert!(error.hint().expect("a hint").contains("`$.a[?@.b > 1]`"));
}

#[test]
fn a_row_every_two_bytes_is_kept_in_proportion_to_the_record() {
    let plan = Plan::compile(&job(LoadClauses::default(), JSON), &site_clicks(), &NoExpressions).unwrap();
    let value = b"{}".repeat(200_000);
    let key = b"k".repeat(100);
    let records = vec![Record { key: Some(&key), ..record(0, 7, None, Some(&value)) }];
    let loaded = plan.load(&Batch { topic: "test2".to_owned(), records }, &Facts::at(0));
    assert_eq!(loaded.rejected.len(), 200_000);
    // 20 bytes a row, besides the value itself.
    assert!(loaded.rejected.memory_bytes() <= 12 * value.len(), "{}", loaded.rejected.memory_bytes());
    let last = loaded.rejected.iter().last().expect("rows");
    let reason = "NULL value in non-nullable column 'uid'".to_owned();
    assert_eq!((last.index, last.raw, last.reason), (Some(199_999), b"{}".to_vec(), reason));
    let chunks: Vec<usize> =
        crate::rejected::chunks("test2", &loaded.rejected, 1, 0).map(|chunk| chunk.num_rows()).collect();
    assert!(chunks.iter().all(|rows| *rows <= 16_384));
    assert_eq!(chunks.iter().sum::<usize>(), 200_000);
}

#[test]
fn reasons_that_differ_stay_in_proportion_too() {
    let plan = Plan::compile(&job(LoadClauses::default(), JSON), &site_clicks(), &NoExpressions).unwrap();
    let value: String = (0..50_000).map(|number| format!("{{\"uid\":\"x{number}\"}}")).collect();
    let records = vec![record(0, 7, None, Some(value.as_bytes()))];
    let loaded = plan.load(&Batch { topic: "test2".to_owned(), records }, &Facts::at(0));
    assert_eq!(loaded.rejected.len(), 50_000);
    assert!(loaded.rejected.memory_bytes() <= 20 * value.len(), "{}", loaded.rejected.memory_bytes());
}

#[test]
fn rows_are_in_the_order_of_the_batch_whatever_stage_rejects_them() {
    let plan = Plan::compile(&job(LoadClauses::default(), JSON), &site_clicks(), &NoExpressions).unwrap();
    let records =
        vec![record(0, 1, None, Some(b"{} {}")), record(0, 2, None, Some(b"no")), record(0, 3, None, Some(b"{}"))];
    let loaded = plan.load(&Batch { topic: "test2".to_owned(), records }, &Facts::at(0));
    let found: Vec<_> = loaded.rejected.iter().map(|row| (row.offset, row.index, row.raw)).collect();
    let expected = [(1, Some(0), &b"{}"[..]), (1, Some(1), b"{}"), (2, None, b"no"), (3, Some(0), b"{}")];
    assert_eq!(found, expected.map(|(offset, index, raw)| (offset, index, raw.to_vec())));
}

#[test]
fn columns_has_4096_items_at_most() {
    let items = |count: usize| (0..count).map(|n| ColumnItem::Plain(format!("c{n}"))).collect();
    let clauses = |count| LoadClauses { columns: Some(items(count)), ..LoadClauses::default() };
    let found = |count| {
        Plan::compile(&job(clauses(count), &[]), &table(vec![column(1, "uid", ColumnType::BigInt)]), &NoExpressions)
    };
    assert!(found(4096).is_ok());
    assert_eq!(found(4097).unwrap_err(), DefinitionError::TooManyColumns { found: 4097 });
}
