//! Rows into table partitions: the cases of `data/partitions`, laws, and batches that mean harm.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow_array::RecordBatch;
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::Facts;
use penstock_kernel::loaded::{Loaded, TablePartition};
use penstock_kernel::partitioning::{
    ListPartition, ListPartitioning, MAX_AUTOMATIC_FILES, PartitionExpression, Partitioning, RangeBound,
    RangePartition, RangePartitioning, TimeUnit,
};
use penstock_kernel::plan::Plan;
use penstock_kernel::table::{ColumnType, TableDefinition};
use proptest::prelude::*;
use serde::Deserialize;

use crate::support::{NOW_MS, Row, batch, job, rows, rows_of, table};

const REASON: &str = "The row is out of partition ranges. Please add a new partition.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    table: Vec<String>,
    partitioning: Partitioning,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    rows: Vec<serde_json::Map<String, serde_json::Value>>,
    only: Option<Vec<String>>,
    partitions: BTreeMap<String, Vec<u64>>,
    #[serde(default)]
    rejected: Vec<u64>,
}

fn divided(columns: &[&str], partitioning: Partitioning) -> TableDefinition {
    TableDefinition { partitioning, ..table(columns) }
}

fn plan(table: &TableDefinition, only: Option<Vec<String>>) -> Plan {
    let mut job = job(None, []);
    job.clauses.table_partitions = only;
    Plan::compile(&job, table, &NoExpressions).expect("a definition that works")
}

fn types(table: &TableDefinition) -> Vec<ColumnType> {
    table.partitioning.columns().iter().map(|name| table.column(name).unwrap().column_type.clone()).collect()
}

/// First column of the rows of each table partition, by its name.
fn ids(table: &TableDefinition, loaded: &Loaded) -> BTreeMap<String, Vec<u64>> {
    let id = |row: &Row| row[0].as_ref().unwrap().parse().unwrap();
    let mut ids = BTreeMap::new();
    for (home, rows) in &loaded.tables {
        let name = table.partitioning.name_of(home, &types(table)).unwrap_or_else(|| format!("{home:?}"));
        let before = ids.insert(name, rows_of(rows).iter().map(id).collect());
        assert!(before.is_none(), "{home:?} twice");
    }
    ids
}

#[test]
fn every_case_gives_what_it_says() {
    let folder = Path::new("tests/data/partitions");
    let mut failures = Vec::new();
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !file.ends_with(".json") {
            continue;
        }
        let group: Group = serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let columns: Vec<&str> = group.table.iter().map(String::as_str).collect();
        let table = divided(&columns, group.partitioning);
        for mut case in group.cases {
            cases += 1;
            for (id, row) in case.rows.iter_mut().enumerate() {
                row.entry("id").or_insert(id.into());
            }
            let records: Vec<Vec<u8>> = case.rows.iter().map(|row| serde_json::to_vec(row).unwrap()).collect();
            let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            let loaded = plan(&table, case.only).load(&batch(&records), &Facts::at(NOW_MS));
            let found = ids(&table, &loaded);
            if found != case.partitions {
                failures.push(format!("{file}: {}: expected {:?}, found {found:?}", case.name, case.partitions));
            }
            let rejected: Vec<u64> = loaded.rejected.iter().map(|row| row.offset as u64).collect();
            if rejected != case.rejected || loaded.rejected.iter().any(|row| row.reason != REASON) {
                failures.push(format!("{file}: {}: rejected {:?}", case.name, loaded.rejected));
            }
        }
    }
    assert!(cases > 15, "only {cases} cases found");
    assert!(failures.is_empty(), "{} of {cases} cases:\n{}", failures.len(), failures.join("\n"));
}

fn automatic(column: &str) -> Partitioning {
    Partitioning::Automatic(vec![PartitionExpression::Column(column.to_owned())])
}

#[test]
fn a_hundred_thousand_values_give_a_bounded_number_of_files_and_lose_no_row() {
    let table = divided(&["id INT", "s STRING"], automatic("s"));
    // Three rows of each even value, one of each odd one, in one record.
    let mut text = String::new();
    for value in 0..100_000 {
        for _ in 0..(if value % 2 == 0 { 3 } else { 1 }) {
            text += &format!("{{\"id\":1,\"s\":\"{value}\"}}\n");
        }
    }
    let loaded = plan(&table, None).load(&batch(&[text.as_bytes()]), &Facts::at(NOW_MS));
    assert_eq!((loaded.statistics.loaded, loaded.statistics.rejected), (200_000, 0));
    assert_eq!(loaded.tables.len(), MAX_AUTOMATIC_FILES + 1);
    let count: usize = loaded.tables.iter().map(|(_, rows)| rows.num_rows()).sum();
    assert_eq!(count, 200_000);
    for (home, rows) in &loaded.tables {
        match home {
            TablePartition::Values(_) => assert_eq!(rows.num_rows(), 3, "the largest have files of their own"),
            home => assert_eq!(*home, TablePartition::Shared),
        }
    }
}

#[test]
fn values_too_long_for_a_commit_share_a_file() {
    let table = divided(&["id INT", "s STRING"], automatic("s"));
    let long = "x".repeat(257);
    let record = format!("{{\"id\":0,\"s\":\"{long}\"}}{{\"id\":1,\"s\":\"{}\"}}", &long[1..]);
    let loaded = plan(&table, None).load(&batch(&[record.as_bytes()]), &Facts::at(NOW_MS));
    let homes: Vec<&TablePartition> = loaded.tables.iter().map(|(home, _)| home).collect();
    assert_eq!(homes, [&TablePartition::Values(vec![Some(long[1..].to_owned())]), &TablePartition::Shared]);
}

#[test]
fn values_that_a_commit_writes_longer_count_so() {
    let table = divided(&["id INT", "s STRING"], automatic("s"));
    let value = |control: usize| format!("{{\"id\":{control},\"s\":\"{}\"}}", "\\u0001".repeat(control));
    let record = value(42) + &value(43);
    let loaded = plan(&table, None).load(&batch(&[record.as_bytes()]), &Facts::at(NOW_MS));
    let homes: Vec<&TablePartition> = loaded.tables.iter().map(|(home, _)| home).collect();
    assert_eq!(homes, [&TablePartition::Values(vec![Some("\u{1}".repeat(42))]), &TablePartition::Shared]);
}

#[test]
fn restricting_to_named_partitions_holds_for_shared_files_too() {
    let table = divided(&["id INT", "s STRING"], automatic("s"));
    let records: Vec<String> = (0..1000).map(|value| format!("{{\"id\":{value},\"s\":\"{value}\"}}")).collect();
    let records: Vec<&[u8]> = records.iter().map(String::as_bytes).collect();
    let only = vec!["p7".to_owned(), "p999".to_owned()];
    let loaded = plan(&table, Some(only)).load(&batch(&records), &Facts::at(NOW_MS));
    assert_eq!((loaded.statistics.loaded, loaded.statistics.rejected), (2, 998));
    let found: BTreeSet<Option<String>> = rows(&loaded).into_iter().map(|mut row| row.remove(1)).collect();
    assert_eq!(found, BTreeSet::from([Some("7".to_owned()), Some("999".to_owned())]));
}

#[test]
fn partitions_that_a_job_names_have_to_be_there() {
    let range = RangePartitioning { columns: vec!["id".to_owned()], partitions: Vec::new(), next_id: 0 };
    let table = divided(&["id INT"], Partitioning::Range(range));
    let mut job = job(None, []);
    job.clauses.table_partitions = Some(vec!["p1".to_owned()]);
    let error = Plan::compile(&job, &table, &NoExpressions).expect_err("no such partition");
    assert_eq!(error.to_string(), "Partition p1 does not exist");
}

#[test]
fn rows_rejected_for_other_reasons_keep_theirs() {
    let range = RangePartition {
        id: 0,
        name: "p".to_owned(),
        lower: RangeBound::default(),
        upper: RangeBound(vec![Some("5".to_owned())]),
    };
    let range = RangePartitioning { columns: vec!["n".to_owned()], partitions: vec![range], next_id: 1 };
    let table = divided(&["id INT NOT NULL", "n INT"], Partitioning::Range(range));
    let record: &[u8] = br#"{"n":9}{"id":1,"n":9}{"id":2,"n":4}{"id":3,"n":9}{"n":4}"#;
    let loaded = plan(&table, None).load(&batch(&[record, b"{"]), &Facts::at(NOW_MS));
    let found: Vec<(Option<u32>, bool)> = loaded.rejected.iter().map(|row| (row.index, row.reason == REASON)).collect();
    assert_eq!(found, [(Some(0), false), (Some(1), true), (Some(3), true), (Some(4), false), (None, false)]);
    assert_eq!(loaded.rejected.iter().nth(1).unwrap().raw, br#"{"id":1,"n":9}"#);
    assert_eq!(ids(&table, &loaded), BTreeMap::from([("p".to_owned(), vec![2])]));
}

/// Ranges between some of these numbers, lists of small numbers, or days.
fn partitioning() -> impl Strategy<Value = Partitioning> {
    let ranges = (proptest::collection::btree_set(-9..9_i32, 1..8), any::<u8>()).prop_map(|(cuts, holes)| {
        let cuts: Vec<i32> = cuts.into_iter().collect();
        let bound = |cut: i32| RangeBound(vec![Some(cut.to_string())]);
        let mut partitions =
            vec![RangePartition { id: 0, name: "p0".to_owned(), lower: RangeBound::default(), upper: bound(cuts[0]) }];
        for (id, pair) in (1..).zip(cuts.windows(2)) {
            if holes >> (id % 8) & 1 == 0 {
                partitions.push(RangePartition {
                    id,
                    name: format!("p{id}"),
                    lower: bound(pair[0]),
                    upper: bound(pair[1]),
                });
            }
        }
        Partitioning::Range(RangePartitioning { columns: vec!["c".to_owned()], partitions, next_id: 99 })
    });
    let lists = proptest::collection::btree_map(proptest::option::of(-5..5_i32), 0..3_u32, 0..9).prop_map(|homes| {
        let values = |id| {
            homes
                .iter()
                .filter(move |(_, home)| **home == id)
                .map(|(value, _)| vec![value.map(|value| value.to_string())])
                .collect()
        };
        let partitions = (0..3).map(|id| ListPartition { id, name: format!("p{id}"), values: values(id) }).collect();
        Partitioning::List(ListPartitioning { columns: vec!["c".to_owned()], partitions, next_id: 3 })
    });
    let automatic = Just(Partitioning::Automatic(vec![
        PartitionExpression::DateTrunc { unit: TimeUnit::Month, column: "e".to_owned() },
        PartitionExpression::Column("c".to_owned()),
    ]));
    prop_oneof![ranges, lists, automatic]
}

/// Where a row belongs, found the slow way.
fn expected(partitioning: &Partitioning, row: &Row) -> Option<TablePartition> {
    let number: Option<i32> = row[1].as_ref().map(|text| text.parse().unwrap());
    match partitioning {
        Partitioning::Range(range) => {
            let end = |bound: &RangeBound| bound.0.first().map(|text| text.as_ref().unwrap().parse::<i32>().unwrap());
            let holds = |one: &&RangePartition| match number {
                None => one.lower.is_lowest(),
                Some(number) => {
                    end(&one.lower).is_none_or(|lower| lower <= number) && number < end(&one.upper).unwrap()
                }
            };
            range.partitions.iter().find(holds).map(|one| TablePartition::Named(one.id))
        }
        Partitioning::List(list) => {
            let holds = |one: &&ListPartition| one.values.contains(&vec![row[1].clone()]);
            list.partitions.iter().find(holds).map(|one| TablePartition::Named(one.id))
        }
        _ => {
            let month = row[2].as_ref().map(|text| format!("{}-01 00:00:00", &text[..7]));
            Some(TablePartition::Values(vec![month, row[1].clone()]))
        }
    }
}

fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let number = prop_oneof![3 => (-12..12_i32).prop_map(|number| number.to_string()), 1 => Just("null".to_owned()), 1 => Just("\"x\"".to_owned())];
    let moment = prop_oneof![
        3 => (1..13_u32, 1..29_u32).prop_map(|(month, day)| format!("\"2024-{month:02}-{day:02} 01:02:03\"")),
        1 => Just("null".to_owned()),
    ];
    let row = (number, moment).prop_map(|(number, moment)| format!("{{\"id\":1,\"c\":{number},\"e\":{moment}}}"));
    proptest::collection::vec(proptest::collection::vec(row, 0..4).prop_map(|rows| rows.concat().into_bytes()), 0..20)
}

const COLUMNS: [&str; 3] = ["id INT NOT NULL", "c INT", "e DATETIME"];

/// Rows by table partition.
fn by_home(loaded: &Loaded) -> BTreeMap<TablePartition, Vec<Row>> {
    let mut homes: BTreeMap<TablePartition, Vec<Row>> = BTreeMap::new();
    for (home, rows) in &loaded.tables {
        let rows: &RecordBatch = rows;
        homes.entry(home.clone()).or_default().extend(rows_of(rows));
    }
    homes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_row_goes_where_it_belongs_and_none_is_lost(partitioning in partitioning(), records in records()) {
        let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let whole = plan(&table(&COLUMNS), None).load(&batch(&slices), &Facts::at(NOW_MS));
        let divided = plan(&divided(&COLUMNS, partitioning.clone()), None).load(&batch(&slices), &Facts::at(NOW_MS));
        let mut homes: BTreeMap<TablePartition, Vec<Row>> = BTreeMap::new();
        let mut refused = 0;
        for row in rows(&whole) {
            match expected(&partitioning, &row) {
                Some(home) => homes.entry(home).or_default().push(row),
                None => refused += 1,
            }
        }
        prop_assert_eq!(by_home(&divided), homes);
        prop_assert_eq!(divided.statistics.rejected, whole.statistics.rejected + refused);
        prop_assert_eq!(divided.statistics.total, divided.statistics.loaded + divided.statistics.rejected);
        prop_assert_eq!(divided.statistics.rejected, divided.rejected.len() as u64);
        prop_assert!(divided.rejected.iter().map(|row| (row.offset, row.index)).is_sorted());
        prop_assert!(divided.tables.iter().map(|(home, _)| home).is_sorted());
    }

    #[test]
    fn two_batches_of_partitions_are_their_concatenation(partitioning in partitioning(), records in records(), cut in any::<prop::sample::Index>()) {
        let plan = plan(&divided(&COLUMNS, partitioning), None);
        let load = |records: &[Vec<u8>]| {
            let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            plan.load(&batch(&slices), &Facts::at(NOW_MS))
        };
        let (first, second) = records.split_at(cut.index(records.len() + 1));
        let mut parts = by_home(&load(first));
        for (home, rows) in by_home(&load(second)) {
            parts.entry(home).or_default().extend(rows);
        }
        prop_assert_eq!(by_home(&load(&records)), parts);
    }
}
