//! What a full event costs in memory: at most 64 MiB over idle, whatever it holds.
//!
//! Each case is a process of its own, since the largest amount that a process ever had says nothing of what it was for. It
//! loads a small event first, so that idle is what a function keeps between invocations; then the event comes in through a
//! pipe, is held twice as the runtime does, and goes all the way to the bytes of files. What the system counts is read from
//! `/proc`, so this is for Linux, where functions run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::{Command, ExitCode, Stdio};

use penstock_event::{HeaderWish, kafka};
use penstock_kernel::batch::Batch;
use penstock_kernel::encode::{WriterOptions, encode, encode_chunks};
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::Facts;
use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::job::{JobDefinition, KafkaSource, LoadClauses};
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::plan::Plan;
use penstock_kernel::property::JobProperties;
use penstock_kernel::rejected;
use penstock_kernel::table::{Column, ColumnType, Distribution, KeyKind, MAX_COLUMNS, STRING_BYTES, TableDefinition};

/// Bytes of the largest event that Lambda hands over.
const EVENT_BYTES: usize = 6 << 20;
/// What a full event may take.
const LIMIT_KIB: u64 = 64 << 10;

struct Case {
    name: &'static str,
    /// The table's columns.
    columns: fn() -> Vec<(String, ColumnType)>,
    strip_outer_array: bool,
    strict: bool,
    /// The value of the record of that number.
    value: fn(usize) -> String,
    /// Records, unless the event is full before.
    records: usize,
}

fn two_columns() -> Vec<(String, ColumnType)> {
    vec![("id".to_owned(), ColumnType::BigInt), ("text".to_owned(), ColumnType::Varchar(STRING_BYTES))]
}

fn json_column() -> Vec<(String, ColumnType)> {
    vec![("id".to_owned(), ColumnType::Json), ("text".to_owned(), ColumnType::Json)]
}

fn most_columns() -> Vec<(String, ColumnType)> {
    let column_type = |number| if number % 2 == 0 { ColumnType::BigInt } else { ColumnType::Varchar(STRING_BYTES) };
    (0..MAX_COLUMNS).map(|number| (format!("c{number}"), column_type(number))).collect()
}

fn member_of_each_column(record: usize) -> String {
    let mut value = "{".to_owned();
    // More than any table has.
    for number in 0..5000 {
        let comma = if number == 0 { "" } else { "," };
        write!(value, "{comma}\"c{number}\":{}", (number * 7 + record) % 1000).unwrap();
    }
    value + "}"
}

const CASES: [Case; 9] = [
    Case {
        name: "small records",
        columns: two_columns,
        strip_outer_array: false,
        strict: false,
        value: |number| format!(r#"{{"id":{number},"text":"https://example.com/page/{}"}}"#, number % 100),
        records: usize::MAX,
    },
    Case {
        name: "tiny records",
        columns: two_columns,
        strip_outer_array: false,
        strict: false,
        value: |_| "{}".to_owned(),
        records: usize::MAX,
    },
    Case {
        name: "200,000 rows of 2 bytes",
        columns: two_columns,
        strip_outer_array: true,
        strict: false,
        value: |_| format!("[{}]", vec!["{}"; 100_000].join(",")),
        records: 2,
    },
    Case {
        name: "members of 5,000 columns",
        columns: most_columns,
        strip_outer_array: false,
        strict: false,
        value: member_of_each_column,
        records: usize::MAX,
    },
    Case {
        name: "100 rows of 4,096 columns of NULL",
        columns: most_columns,
        strip_outer_array: false,
        strict: false,
        value: |_| "{}".to_owned(),
        records: 100,
    },
    Case {
        name: "one text of 4 MB",
        columns: json_column,
        strip_outer_array: false,
        strict: false,
        value: |_| format!(r#"{{"id":1,"text":"{}"}}"#, "x".repeat(4_400_000)),
        records: 1,
    },
    Case {
        name: "one text of 4 MB that is too long",
        columns: two_columns,
        strip_outer_array: false,
        strict: true,
        value: |_| format!(r#"{{"id":1,"text":"{}"}}"#, "x".repeat(4_400_000)),
        records: 1,
    },
    Case {
        name: "long texts, none like another",
        columns: two_columns,
        strip_outer_array: false,
        strict: false,
        value: |number| format!(r#"{{"id":{number},"text":"{number}\n{}"}}"#, "\\u00e9 ".repeat(6000)),
        records: usize::MAX,
    },
    Case {
        name: "no record is JSON",
        columns: two_columns,
        strip_outer_array: false,
        strict: false,
        value: |number| format!("{{{number}"),
        records: usize::MAX,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if let Some(name) = arguments.next().as_deref().and_then(|word| word.strip_prefix("case=")) {
        measure(CASES.iter().find(|case| case.name == name).expect("a case"));
        return ExitCode::SUCCESS;
    }
    let mut within = true;
    for case in &CASES {
        let event = event(case.value, case.records);
        let mut child = Command::new(std::env::current_exe().expect("a program"))
            .arg(format!("case={}", case.name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        child.stdin.take().expect("its input").write_all(event.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("an end");
        let kibibytes: u64 = String::from_utf8(output.stdout).expect("text").trim().parse().expect("a number");
        println!("{}: {:.1} MiB over idle for {} bytes", case.name, kibibytes as f64 / 1024.0, event.len());
        within &= output.status.success() && kibibytes <= LIMIT_KIB;
    }
    if within {
        println!("test result: ok. no event takes more than {} MiB", LIMIT_KIB >> 10);
        ExitCode::SUCCESS
    } else {
        println!("test result: FAILED. some event takes more than {} MiB", LIMIT_KIB >> 10);
        ExitCode::FAILURE
    }
}

fn event(value: fn(usize) -> String, records: usize) -> String {
    let mut json = r#"{"eventSource":"aws:kafka","records":{"t-0":["#.to_owned();
    for number in 0..records {
        let value = base64_simd::STANDARD.encode_to_string(value(number));
        let comma = if number == 0 { "" } else { "," };
        let record = format!(r#"{comma}{{"topic":"t","partition":0,"offset":{number},"value":"{value}"}}"#);
        if json.len() + record.len() > EVENT_BYTES - 3 {
            break;
        }
        json.push_str(&record);
    }
    json + "]}}"
}

fn measure(case: &Case) {
    let plan = Plan::compile(&job(case), &table(case), &NoExpressions).expect("a job");
    load(&plan, event(|_| r#"[{"id":1}]"#.to_owned(), 1).as_bytes());
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak begins anew");
    let idle = memory("VmRSS:");
    let mut payload = Vec::with_capacity(EVENT_BYTES);
    std::io::stdin().read_to_end(&mut payload).expect("an event");
    let held = payload.clone();
    load(&plan, &payload);
    assert_eq!(held.len(), payload.len());
    println!("{}", memory("VmHWM:").saturating_sub(idle));
}

/// From an event to the bytes of its files, which are all held at the end, as they are while they are put.
fn load(plan: &Plan, event: &[u8]) {
    let event = kafka::read(event, HeaderWish::Skip).expect("an event");
    let batch = Batch { topic: event.topic().to_owned(), records: event.records().collect() };
    let loaded = plan.load(&batch, &Facts::at(0));
    let files: Vec<_> =
        loaded.tables.iter().map(|(_, rows)| encode(rows, &WriterOptions::default()).expect("a file")).collect();
    let chunks = rejected::chunks(&batch.topic, &loaded.rejected, 1, 0);
    let errors = encode_chunks(&rejected::schema(), chunks, &WriterOptions::default()).expect("a file");
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    assert_eq!(rows + errors.1, loaded.statistics.total);
}

fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn table(case: &Case) -> TableDefinition {
    let columns: Vec<Column> = (1..)
        .zip((case.columns)())
        .map(|(id, (name, column_type))| Column { id, name, column_type, nullable: true, default: None, comment: None })
        .collect();
    TableDefinition {
        id: TableId(2),
        database: DatabaseId(1),
        name: "t".to_owned(),
        key_columns: vec![columns[0].name.clone()],
        columns,
        key_kind: KeyKind::Duplicate,
        partitioning: Partitioning::None,
        distribution: Distribution { hash_columns: Vec::new(), buckets: None },
        comment: None,
        properties: BTreeMap::new(),
        volume: "builtin_storage_volume".to_owned(),
        created_at_ms: 0,
    }
}

fn job(case: &Case) -> JobDefinition {
    let word = |flag| if flag { "true" } else { "false" };
    let properties =
        [("format", "json"), ("strip_outer_array", word(case.strip_outer_array)), ("strict_mode", word(case.strict))];
    JobDefinition {
        id: JobId(3),
        version: 1,
        name: "j".to_owned(),
        database: DatabaseId(1),
        table: TableId(2),
        clauses: LoadClauses::default(),
        properties: JobProperties::from_pairs(properties).expect("properties"),
        source: KafkaSource {
            brokers: vec!["localhost:9092".to_owned()],
            topic: "t".to_owned(),
            pinned: None,
            default_start: None,
            registry: None,
            custom: BTreeMap::new(),
        },
    }
}
