//! EXPLAIN and PREVIEW.

use std::sync::Arc;

use async_trait::async_trait;
use penstock_admin::sampler::{Sample, SampleError, SampledRecord, Sampler};
use penstock_kernel::facts::Schemas;
use penstock_kernel::ids::SchemaId;
use penstock_kernel::job::KafkaSource;
use penstock_kernel::registry::SchemaRegistry;
use penstock_sql::error::code;

use super::parts::{Fixture, JOB};

/// A topic that holds these values, in source partition 0 from offset 5 on.
struct Fake(&'static [&'static [u8]]);

#[async_trait]
impl Sampler for Fake {
    async fn sample(&self, source: &KafkaSource, records: u64) -> Result<Sample, SampleError> {
        if source.topic == "away" {
            return Err(SampleError::Unavailable { message: "brokers do not answer".to_owned() });
        }
        if source.topic == "nothing" {
            return Ok(Sample::default());
        }
        let count = self.0.len();
        let skip = count.saturating_sub(usize::try_from(records).unwrap());
        let sampled = self.0.iter().zip(5..).skip(skip).map(|(value, offset)| SampledRecord {
            source_partition: 0,
            offset,
            timestamp_ms: None,
            key: None,
            value: Some(value.to_vec()),
            headers: Vec::new(),
        });
        Ok(Sample {
            earliest: [(0, 5)].into(),
            latest: [(0, 5 + i64::try_from(count).unwrap())].into(),
            records: sampled.collect(),
        })
    }

    async fn schemas(&self, registry: &SchemaRegistry, ids: &[SchemaId]) -> Result<Schemas, SampleError> {
        Err(SampleError::Unavailable { message: format!("`{}` does not answer for {ids:?}", registry.url) })
    }
}

const VALUES: &[&[u8]] = &[
    br#"{"uid":1,"site":"a","vtime":10}"#,
    br#"{"uid":2,"site":"\u00e9","vtime":20} {"uid":"x","vtime":1} {"uid":3,"site":"c","vtime":30}"#,
    b"not json",
    b"",
];

async fn sampled() -> Fixture {
    let mut fixture = Fixture::with_job().await;
    fixture.admin = fixture.admin.clone().with_sampler(Arc::new(Fake(VALUES)));
    fixture
}

#[tokio::test]
async fn preview_shows_rows_rejected_rows_and_counts() {
    let fixture = sampled().await;
    let shown = fixture.show("PREVIEW ROUTINE LOAD FOR clicks").await;
    assert_eq!(shown.titles, ["source_partition", "offset", "index", "outcome", "reason", "row", "raw"]);
    assert_eq!(shown.column("outcome"), ["row", "row", "row", "rejected", "rejected", "empty", "total"]);
    assert_eq!(shown.column("offset"), ["5", "6", "6", "6", "7", "8", "NULL"]);
    assert_eq!(shown.column("index"), ["0", "0", "2", "1", "NULL", "NULL", "NULL"]);
    assert_eq!(shown.cell(1, "row"), r#"{"uid":2,"site":"é","vtime":20}"#);
    assert_eq!(shown.cell(0, "raw"), r#"{"uid":1,"site":"a","vtime":10}"#);
    assert!(shown.cell(3, "reason").contains("uid"), "{:?}", shown.rows[3]);
    assert!(shown.cell(4, "reason").starts_with("parse error. "), "{:?}", shown.rows[4]);
    assert_eq!(shown.cell(6, "reason"), "records 4, rows 5: loaded 3, rejected 2, unselected 0");
    // Nothing was loaded.
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "Progress"), r#"{"0":"OFFSET_BEGINNING"}"#);
}

#[tokio::test]
async fn preview_of_a_definition_creates_nothing_and_limit_counts_records() {
    let fixture = sampled().await;
    let shown = fixture.show(&format!("PREVIEW {} LIMIT 1", JOB.replace("quickstart.clicks", "other"))).await;
    assert_eq!(shown.column("outcome"), ["empty", "total"]);
    assert_eq!(fixture.show("SHOW ALL ROUTINE LOAD").await.column("Name"), ["clicks"]);
}

#[tokio::test]
async fn preview_says_why_it_cannot_be() {
    let fixture = Fixture::with_job().await;
    let error = fixture.refused("PREVIEW ROUTINE LOAD FOR clicks").await;
    assert!(error.message.contains("PREVIEW needs a Kafka client"), "{error}");
    let fixture = sampled().await;
    let error = fixture.refused("PREVIEW ROUTINE LOAD FOR nothing").await;
    assert!(error.message.contains("There is not operable routine load job"), "{error}");
    let error = fixture.refused("PREVIEW ROUTINE LOAD FOR clicks LIMIT 1001").await;
    assert!(error.message.contains("at most 1000"), "{error}");
    let error = fixture.refused(&format!("PREVIEW {}", JOB.replace("test2", "away"))).await;
    assert_eq!(error.code, code::UNAVAILABLE);
    let error = fixture.refused(&format!("PREVIEW {}", JOB.replace("test2", "nothing"))).await;
    assert!(error.message.contains("topic `nothing` does not exist"), "{error}");
    let error = fixture.refused(&format!("PREVIEW {}", JOB.replace("\"JSON\"", "\"XML\""))).await;
    assert!(error.message.contains("Format type is invalid"), "{error}");
}

#[tokio::test]
async fn alter_asks_the_log_where_it_ends() {
    let fixture = sampled().await;
    fixture
        .done("ALTER ROUTINE LOAD FOR clicks FROM KAFKA ('kafka_partitions' = '0', 'kafka_offsets' = 'OFFSET_END')")
        .await;
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "Progress"), r#"{"0":"8"}"#);
    fixture
        .done(
            "ALTER ROUTINE LOAD FOR clicks FROM KAFKA ('kafka_partitions' = '0', 'kafka_offsets' = 'OFFSET_BEGINNING')",
        )
        .await;
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "Progress"), r#"{"0":"4"}"#);
    let error = fixture
        .refused("ALTER ROUTINE LOAD FOR clicks FROM KAFKA ('kafka_partitions' = '0', 'kafka_offsets' = '10')")
        .await;
    assert!(
        error.message.contains("Consume offset: 10 is greater than the latest offset: 9 in kafka partition: 0"),
        "{error}"
    );
}

#[tokio::test]
async fn explain_says_what_feeds_each_column() {
    let fixture = Fixture::with_job().await;
    fixture.done("CREATE TABLE wide (k int NOT NULL, v varchar(5), n int DEFAULT \"7\", t datetime DEFAULT CURRENT_TIMESTAMP)").await;
    let shown = fixture.show("EXPLAIN ROUTINE LOAD FOR clicks").await;
    assert_eq!(shown.titles, ["Kind", "Name", "Type", "FedBy", "Conversion", "Nullable"]);
    assert_eq!(
        shown.rows[0],
        [
            "column",
            "uid",
            "bigint",
            "path $.uid",
            "an integer in range; fractions are cut off; else the row is rejected",
            "NO"
        ]
    );
    let rule = |name: &str| {
        let row = shown.rows.iter().find(|row| row[0] == "rule" && row[1] == name).unwrap();
        row[3].clone()
    };
    assert_eq!((rule("format").as_str(), rule("where").as_str()), ("json", "none: every row"));
    assert_eq!(rule("rejected rows"), "more than 0 in 2000000 rows pause the job; a share above 1.0 refuses the batch");
    let create = "EXPLAIN CREATE ROUTINE LOAD j ON wide COLUMNS (skipped, v, k) PROPERTIES ('format' = 'json') \
                  FROM KAFKA ('kafka_broker_list' = 'b:1', 'kafka_topic' = 't')";
    let shown = fixture.show(create).await;
    assert_eq!(shown.column("FedBy")[..4], ["key `k`", "key `v`", "default \"7\"", "default CURRENT_TIMESTAMP"]);
    assert_eq!(shown.rows[4][..4], ["field", "skipped", "NULL", "key `skipped`"]);
    let metadata = "(skipped, v), INCLUDE METADATA (OFFSET AS k, KEY AS aside)";
    let shown = fixture.show(&create.replace("(skipped, v, k)", metadata)).await;
    assert_eq!(shown.column("FedBy")[..2], ["metadata OFFSET", "key `v`"]);
    assert_eq!(shown.rows[5][..4], ["field", "aside", "NULL", "metadata KEY"]);
    let error = fixture.refused(&create.replace("(skipped, v, k)", "(v)")).await;
    assert!(error.message.contains("Column has no default value. column: k"), "{error}");
}
