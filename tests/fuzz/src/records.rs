//! Records of any bytes, through a handful of jobs.
//!
//! The first byte chooses the job; records lie between bytes 0xFE, which no text holds.

use std::sync::{Arc, LazyLock};

use penstock_expressions::StarRocks;
use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::facts::{AvroSchema, Facts, SchemaFact, Schemas};
use penstock_kernel::ids::{DatabaseId, SchemaId};
use penstock_kernel::plan::Plan;
use penstock_sql::definition::{JobContext, TableContext, job_definition, table_definition};
use penstock_sql::statement::Statement;

use crate::laws;

const NOW_MS: i64 = 1_700_000_000_000;

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

const AVRO_JOBS: [&str; 4] = [
    "PROPERTIES ('format' = 'avro')",
    "PROPERTIES ('format' = 'avro', 'strict_mode' = 'true')",
    r#"COLUMNS (a, b, c, l) PROPERTIES ('format' = 'avro', 'jsonpaths' = '["$.a","$.c.a","$..a","$.c[*]"]')"#,
    "COLUMNS (a, b, c, x, d = cast(x AS DOUBLE)), WHERE a > 0 PROPERTIES ('format' = 'avro')",
];

/// Schemas of ids 1 to 3: each primitive and logical type, what nests, and one that holds itself.
const SCHEMAS: [&str; 3] = [
    r#"{"type":"record","name":"r","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"},
        {"name":"d","type":"double"},{"name":"e","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"f","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}},
        {"name":"g","type":"boolean"},{"name":"h","type":{"type":"fixed","name":"x","size":4}},
        {"name":"i","type":{"type":"int","logicalType":"date"}},{"name":"j","type":"float"},{"name":"k","type":"int"},
        {"name":"l","type":{"type":"enum","name":"y","symbols":["A","B"]}}]}"#,
    r#"{"type":"record","name":"r","fields":[{"name":"a","type":["null","long","string"]},
        {"name":"c","type":{"type":"map","values":["null","string",{"type":"array","items":"int"}]}},
        {"name":"b","type":["null",{"type":"string","logicalType":"uuid"}]},{"name":"l","type":"null"}]}"#,
    r#"{"type":"record","name":"node","fields":[{"name":"a","type":"long"},{"name":"c","type":["null","node"]},
        {"name":"l","type":{"type":"array","items":"null"}}]}"#,
];

fn plans(jobs: &[&str]) -> Vec<Plan> {
    let database = DatabaseId(0);
    let Ok(Statement::CreateTable(table)) = Statement::parse(TABLE) else { panic!("`{TABLE}`") };
    let table = table_definition(&table, TableContext { database, volume: "", now_ms: 0 }).expect("a table");
    let plan = |clauses: &&str| {
        let text = format!(
            "CREATE ROUTINE LOAD j ON t {clauses} FROM KAFKA ('kafka_broker_list' = 'b:1', 'kafka_topic' = 'topic', \
             'confluent.schema.registry.url' = 'http://r:1')"
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
    load(&PLANS, data, &Facts::at(NOW_MS));
}

/// CSV records.
pub fn csv(data: &[u8]) {
    static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| plans(&CSV_JOBS));
    load(&PLANS, data, &Facts::at(NOW_MS));
}

/// Avro records in the wire format of a schema registry.
pub fn avro(data: &[u8]) {
    static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| plans(&AVRO_JOBS));
    static FACTS: LazyLock<Facts> = LazyLock::new(|| {
        let mut schemas = Schemas::default();
        for (id, text) in (1..).zip(SCHEMAS) {
            let schema = AvroSchema::parse(text, &[]).unwrap_or_else(|error| panic!("`{text}`: {error}"));
            schemas.insert(SchemaId(id), SchemaFact::Avro(Arc::new(schema)));
        }
        Facts::at(NOW_MS).with_schemas(schemas)
    });
    load(&PLANS, data, &FACTS);
}

fn load(plans: &[Plan], data: &[u8], facts: &Facts) {
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
    laws::hold(plan, &Batch { topic: "topic".to_owned(), records }, facts);
}
