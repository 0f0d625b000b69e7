//! Text that people write: statements and paths.

use std::collections::BTreeMap;

use penstock_expressions::StarRocks;
use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::facts::Facts;
use penstock_kernel::ids::{DatabaseId, JobId};
use penstock_kernel::job::{JobDefinition, KafkaSource, LoadClauses};
use penstock_kernel::plan::Plan;
use penstock_kernel::property::JobProperties;
use penstock_kernel::table::TableDefinition;
use penstock_sql::definition::{JobContext, TableContext, job_definition, table_definition};
use penstock_sql::split::split;
use penstock_sql::statement::Statement;

use crate::laws;

const DATABASE: DatabaseId = DatabaseId(0);

fn table(text: &str) -> TableDefinition {
    let Ok(Statement::CreateTable(table)) = Statement::parse(text) else { panic!("`{text}`") };
    table_definition(&table, TableContext { database: DATABASE, volume: "", now_ms: 0 }).expect("a table")
}

/// A script: each statement of it that is one prints to text that is the same statement, and its definition compiles or
/// is refused.
pub fn sql(data: &[u8]) {
    let Ok(script) = std::str::from_utf8(data) else {
        return;
    };
    let table = table("CREATE TABLE t (a BIGINT NOT NULL, b VARCHAR(6), c JSON)");
    for piece in split(script) {
        let Ok(statement) = Statement::parse_at(piece.sql, piece.start) else {
            continue;
        };
        let printed = statement.to_string();
        match Statement::parse(&printed) {
            Ok(again) => assert_eq!(again.to_string(), printed, "it prints differently the second time"),
            Err(error) => panic!("`{printed}` is no statement: {error}"),
        }
        match &statement {
            Statement::CreateJob(job) => {
                let context = JobContext { database: DATABASE, table: &table, uuid: "u", time_zone: "Etc/UTC" };
                if let Ok(job) = job_definition(job, context) {
                    let _ = Plan::compile(&job, &table, &StarRocks);
                }
            }
            Statement::CreateTable(table) => {
                let _ = table_definition(table, TableContext { database: DATABASE, volume: "", now_ms: 0 });
            }
            _ => {}
        }
    }
}

/// The text of `jsonpaths`, then after a byte 0xFE that of `json_root`: it compiles, and any record loads, or it is refused.
pub fn jsonpaths(data: &[u8]) {
    let mut parts = data.split(|byte| *byte == 0xFE).map(|part| String::from_utf8_lossy(part).into_owned());
    let (paths, root) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let properties = [("format", "json"), ("jsonpaths", paths.as_str()), ("json_root", root.as_str())];
    let table = table("CREATE TABLE t (b VARCHAR(6), a BIGINT, c JSON, d STRING)");
    let job = JobDefinition {
        id: JobId(0),
        version: 1,
        name: "j".to_owned(),
        database: DATABASE,
        table: table.id,
        clauses: LoadClauses::default(),
        properties: JobProperties::from_pairs(properties).expect("any text is taken"),
        source: KafkaSource {
            brokers: vec!["b:1".to_owned()],
            topic: "topic".to_owned(),
            pinned: None,
            default_start: None,
            custom: BTreeMap::new(),
            registry: None,
        },
    };
    let Ok(plan) = Plan::compile(&job, &table, &StarRocks) else {
        return;
    };
    let values: [&[u8]; 3] = [
        br#"{"a":{"b":[{"c":1},2,[3]],"c":"x"},"b":null,"":{"*":1},"x.y":true}"#,
        br#"[{"a":1},{"a":[{"a":[{"a":2}]}]}]"#,
        br#"{"a":[]}{"b":[[[]]]}"#,
    ];
    let record = |(offset, value)| Record {
        source_partition: 0,
        offset,
        timestamp_ms: None,
        key: None,
        value: Some(value),
        headers: Headers::default(),
    };
    let records = (0..).zip(values).map(record).collect();
    laws::hold(&plan, &Batch { topic: "topic".to_owned(), records }, &Facts::at(1_700_000_000_000));
}
