//! Records of any bytes, through a handful of jobs.
//!
//! The first byte chooses the job; records lie between bytes 0xFE, which no text holds.

use std::sync::LazyLock;

use penstock_expressions::StarRocks;
use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::ids::DatabaseId;
use penstock_kernel::plan::Plan;
use penstock_sql::definition::{JobContext, TableContext, job_definition, table_definition};
use penstock_sql::statement::Statement;

use crate::laws;

const TABLE: &str = "CREATE TABLE t (a BIGINT NOT NULL, b VARCHAR(6), c JSON, d DOUBLE, e DATETIME, f DECIMAL(10,2), \
                     g BOOLEAN, h LARGEINT, i DATE, j FLOAT, k TINYINT, l STRING DEFAULT 'x')";

const JSON_JOBS: [&str; 6] = [
    "PROPERTIES ('format' = 'json')",
    "PROPERTIES ('format' = 'json', 'strict_mode' = 'true', 'strip_outer_array' = 'true')",
    r#"PROPERTIES ('format' = 'json', 'jsonpaths' = '["$.a","$.b[0]","$","$.c.d.*","$.e"]')"#,
    "PROPERTIES ('format' = 'json', 'json_root' = '$.a.b')",
    "PROPERTIES ('format' = 'json', 'json_root' = '$.a', 'strip_outer_array' = 'true')",
    "INCLUDE METADATA (KEY AS b, OFFSET AS a, HEADERS AS c, TIMESTAMP AS e) PROPERTIES ('format' = 'json')",
];

const CSV_JOBS: [&str; 6] = [
    "COLUMNS TERMINATED BY ',', COLUMNS (a, b, c)",
    "COLUMNS TERMINATED BY ',', COLUMNS (a, b, c) PROPERTIES ('enclose' = '\"', 'escape' = '\\\\', 'strict_mode' = 'true')",
    "COLUMNS TERMINATED BY '^^', ROWS TERMINATED BY '<br>', COLUMNS (a, skipped, g) PROPERTIES ('trim_space' = 'true', 'escape' = '!')",
    "COLUMNS TERMINATED BY '\\\\x01', ROWS TERMINATED BY '\\\\r\\\\n' PROPERTIES ('trim_space' = 'true', 'enclose' = '\\'')",
    "COLUMNS (a, e, i, f)",
    "COLUMNS TERMINATED BY ',', INCLUDE METADATA (KEY AS b, HEADERS AS c), COLUMNS (a, h)",
];

fn plans(jobs: &[&str]) -> Vec<Plan> {
    let database = DatabaseId(0);
    let Ok(Statement::CreateTable(table)) = Statement::parse(TABLE) else { panic!("`{TABLE}`") };
    let table = table_definition(&table, TableContext { database, volume: "", now_ms: 0 }).expect("a table");
    let plan = |clauses: &&str| {
        let text = format!(
            "CREATE ROUTINE LOAD j ON t {clauses} FROM KAFKA ('kafka_broker_list' = 'b:1', 'kafka_topic' = 'topic')"
        );
        let Ok(Statement::CreateJob(job)) = Statement::parse(&text) else { panic!("`{text}`") };
        let context = JobContext { database, table: &table, uuid: "", time_zone: "Etc/UTC" };
        let job = job_definition(&job, context).unwrap_or_else(|error| panic!("`{text}`: {error}"));
        Plan::compile(&job, &table, &StarRocks).unwrap_or_else(|error| panic!("`{text}`: {error}"))
    };
    jobs.iter().map(plan).collect()
}

/// JSON records.
pub fn json(data: &[u8]) {
    static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| plans(&JSON_JOBS));
    load(&PLANS, data);
}

/// CSV records.
pub fn csv(data: &[u8]) {
    static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| plans(&CSV_JOBS));
    load(&PLANS, data);
}

fn load(plans: &[Plan], data: &[u8]) {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let Some(plan) = plans.get(usize::from(*choice) % plans.len()) else {
        return;
    };
    let records = (0..)
        .zip(data.split(|byte| *byte == 0xFE))
        .map(|(offset, value)| Record {
            source_partition: 0,
            offset,
            timestamp_ms: Some(offset),
            // The value as key and headers too: any bytes may stand there.
            key: Some(value),
            value: Some(value),
            headers: Headers::over(value),
        })
        .collect();
    laws::hold(plan, &Batch { topic: "topic".to_owned(), records });
}
