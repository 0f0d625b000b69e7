//! Laws of loading delimited text, over generated definitions and records; and two readers that must agree.

use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::Facts;
use penstock_kernel::job::JobDefinition;
use penstock_kernel::loaded::RejectedRows;
use penstock_kernel::plan::Plan;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{NOW_MS, Row, batch, job, rows, table};

/// Columns of most types, one of them NOT NULL.
const COLUMNS: [&str; 9] = [
    "a INT NOT NULL",
    "b VARCHAR(6)",
    "c JSON",
    "d DOUBLE",
    "e DATETIME",
    "f DECIMAL(10,2)",
    "g BOOLEAN",
    "h LARGEINT",
    "i BIGINT",
];

const SEPARATORS: [&str; 5] = [",", "\\t", "^^", "\\x01", ",|,"];
const DELIMITERS: [&str; 4] = ["\\n", "\\r\\n", ";", "<br>"];

#[derive(Debug, Clone)]
struct Shape {
    separator: &'static str,
    delimiter: &'static str,
    trim: bool,
    enclose: Option<&'static str>,
    escape: Option<&'static str>,
    strict: bool,
    columns: usize,
}

impl Shape {
    fn job(&self) -> JobDefinition {
        let flag = |flag: bool| if flag { "true" } else { "false" };
        let properties = [
            ("trim_space", flag(self.trim)),
            ("strict_mode", flag(self.strict)),
            ("enclose", self.enclose.unwrap_or_default()),
            ("escape", self.escape.unwrap_or_default()),
        ];
        let mut job = job(None, properties);
        job.clauses.column_separator = Some(self.separator.to_owned());
        job.clauses.row_delimiter = Some(self.delimiter.to_owned());
        job
    }

    fn plan(&self) -> Plan {
        Plan::compile(&self.job(), &table(&COLUMNS[..self.columns]), &NoExpressions).expect("a definition that works")
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let special = || option::of(select(vec!["\"", "\\", "'"]));
    (
        select(SEPARATORS.to_vec()),
        select(DELIMITERS.to_vec()),
        any::<bool>(),
        special(),
        special(),
        any::<bool>(),
        1..=COLUMNS.len(),
    )
        .prop_map(|(separator, delimiter, trim, enclose, escape, strict, columns)| Shape {
            separator,
            delimiter,
            trim,
            enclose,
            escape,
            strict,
            columns,
        })
}

/// Bytes of everything that a reader looks at, and a few others.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => select(vec![",", "\t", "^", "^^", "\u{1}", "\n", "\r\n", ";", "<br>", "\"", "\\", "'", " ", "|"]).prop_map(|text| text.as_bytes().to_vec()),
        4 => select(vec!["1", "-7", "1.5", "abc", "\\N", "true", "2024-01-02", "{\"a\":1}", "[1]", "ä", "1e3", "null"]).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..3),
    ];
    vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// Offset, index, reason, column, raw bytes.
type Rejected = (i64, Option<u32>, String, Option<String>, Vec<u8>);

fn without_batch(rejected: &RejectedRows) -> Vec<Rejected> {
    rejected
        .iter()
        .map(|row| (row.offset, row.index, row.reason.clone(), row.column.clone(), row.raw.clone()))
        .collect()
}

fn load(plan: &Plan, records: &[Record<'_>]) -> (Vec<Row>, Vec<Rejected>) {
    let batch = Batch { topic: "topic".to_owned(), records: records.to_vec() };
    let loaded = plan.load(&batch, &Facts::at(NOW_MS));
    let sum = &loaded.statistics;
    assert_eq!(sum.total, sum.loaded + sum.rejected + sum.unselected);
    assert_eq!(sum.records, records.len() as u64);
    assert_eq!(sum.rejected, loaded.rejected.len() as u64);
    let loaded_rows = rows(&loaded);
    assert_eq!(sum.loaded, loaded_rows.len() as u64);
    assert!(loaded.rejected.iter().all(|row| !row.reason.is_empty() && !row.raw.is_empty() && row.index.is_some()));
    let order: Vec<_> = loaded.rejected.iter().map(|row| (row.offset, row.index)).collect();
    assert!(order.is_sorted());
    (loaded_rows, without_batch(&loaded.rejected))
}

fn records<'a>(values: &'a [Vec<u8>]) -> Vec<Record<'a>> {
    (0..)
        .zip(values)
        .map(|(offset, value)| Record {
            source_partition: 0,
            offset,
            timestamp_ms: None,
            key: None,
            value: Some(value),
            headers: Headers::default(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_nothing_panics_and_batches_may_be_cut(
        shape in shape(),
        values in vec(value(), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let plan = shape.plan();
        let records = records(&values);
        let whole = load(&plan, &records);
        prop_assert_eq!(&whole, &load(&plan, &records));
        let (first, second) = records.split_at(cut.index(records.len() + 1));
        let (first, second) = (load(&plan, first), load(&plan, second));
        prop_assert_eq!(whole.0, [first.0, second.0].concat());
        prop_assert_eq!(whole.1, [first.1, second.1].concat());
    }

    /// What `enclose` and `escape` never meet in a record, they do not change.
    #[test]
    fn both_readers_agree_where_nothing_is_enclosed(mut shape in shape(), value in value()) {
        let value: Vec<u8> = value.into_iter().filter(|byte| !b"\"\\'".contains(byte)).collect();
        let values = [value];
        shape.enclose = None;
        shape.escape = None;
        let plain = load(&shape.plan(), &records(&values));
        shape.enclose = Some("\"");
        shape.escape = Some("\\");
        prop_assert_eq!(plain, load(&shape.plan(), &records(&values)));
    }

    /// Fields that a writer encloses or escapes come back as they were.
    #[test]
    fn written_fields_are_read(mut shape in shape(), fields in vec(("\\PC{0,6}|[,\"\\\\\n;^<]{1,6}", any::<bool>()), 2..4), last in any::<bool>()) {
        shape.enclose = Some("\"");
        shape.escape = Some("\\");
        shape.separator = ",";
        shape.delimiter = "\\n";
        let columns: Vec<String> = (0..fields.len()).map(|place| format!("c{place} STRING")).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let plan = Plan::compile(&shape.job(), &table(&columns), &NoExpressions).unwrap();
        let written = |(text, enclosed): &(String, bool)| {
            // `\N` is NULL, not an escaped `N`.
            if *enclosed || text == "N" {
                return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\""));
            }
            text.chars().flat_map(|character| ['\\', character]).collect()
        };
        let mut row = fields.iter().map(written).collect::<Vec<String>>().join(",");
        if last {
            row.push('\n');
        }
        let loaded = plan.load(&batch(&[row.as_bytes(), row.as_bytes()]), &Facts::at(NOW_MS));
        let expected: Row = fields.iter().map(|(text, _)| Some(text.clone())).collect();
        prop_assert_eq!(rows(&loaded), [expected.clone(), expected]);
    }

    #[test]
    fn any_separator_compiles_or_is_refused(separator in any::<String>(), delimiter in any::<String>(), enclose in any::<String>()) {
        let mut job = job(None, [("enclose", enclose.as_str())]);
        job.clauses.column_separator = Some(separator);
        job.clauses.row_delimiter = Some(delimiter);
        let _ = Plan::compile(&job, &table(&["s STRING"]), &NoExpressions);
    }
}
