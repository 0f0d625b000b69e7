use penstock_catalog::commit::{Commit, CommitOutcome, CommittedRange, DataFile, ProgressMove};
use penstock_kernel::loaded::{LoadStatistics, TablePartition};

use super::parts::Fixture;

const RANGE: &str = "CREATE TABLE events (id int, day date) PARTITION BY RANGE(day) (
    PARTITION p1 VALUES LESS THAN ('2024-01-01'), PARTITION p2 VALUES LESS THAN ('2024-02-01'))
    DISTRIBUTED BY HASH(id) BUCKETS 4";

fn job(clause: &str) -> String {
    format!(
        "CREATE ROUTINE LOAD load_events ON events {clause} PROPERTIES ('format' = 'json')
         FROM KAFKA ('kafka_broker_list' = 'redpanda:29092', 'kafka_topic' = 'events')"
    )
}

/// With the table `events`, and a job that loads it.
async fn with(table: &str) -> Fixture {
    let fixture = Fixture::new().await;
    fixture.done("CREATE DATABASE quickstart").await;
    fixture.uses("quickstart").await;
    fixture.done(table).await;
    fixture.done(&job("")).await;
    fixture.scheduled("load_events", &[(0, 0)], &[(0, 100)]).await;
    fixture
}

/// Commits files of one row and 1,536 bytes each.
async fn loaded(fixture: &Fixture, homes: Vec<TablePartition>) {
    let job = fixture.job("load_events").await;
    let snapshot = fixture.catalog.job_snapshot(job.id).await.unwrap().unwrap();
    let before = snapshot.progress[&0].clone();
    let mut after = before.value.clone();
    after.next_offset += 1;
    let file = |table_partition| DataFile {
        key: "table/1/a.parquet".to_owned(),
        table_partition,
        rows: 1,
        bytes: 1536,
        columns: Vec::new(),
        crc32c: None,
        sorted: false,
    };
    let commit = Commit {
        id: fixture.catalog.clock().unique(),
        table: job.table,
        job: job.id,
        job_version: 1,
        topic: "events".to_owned(),
        files: homes.into_iter().map(file).collect(),
        errors: None,
        ranges: vec![CommittedRange {
            source_partition: 0,
            from_offset: before.value.next_offset,
            to_offset: after.next_offset,
            skipped: 0,
            jumped: 0,
            statistics: LoadStatistics::default(),
        }],
        committed_at_ms: 0,
        replay: None,
    };
    let moved = ProgressMove { source_partition: 0, before: Some(before), after };
    let outcome = fixture.catalog.commit(&commit, snapshot.job.fence, &[moved]).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
}

async fn counts(fixture: &Fixture) -> Vec<(String, String)> {
    let shown = fixture.show("SHOW PARTITIONS FROM events").await;
    (0..shown.rows.len())
        .map(|row| (shown.cell(row, "PartitionName").to_owned(), shown.cell(row, "RowCount").to_owned()))
        .collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, rows)| (name.to_owned(), rows.to_owned())).collect()
}

#[tokio::test]
async fn partitions_are_shown_with_what_is_in_them() {
    let fixture = with(RANGE).await;
    loaded(&fixture, vec![TablePartition::Named(0)]).await;
    let shown = fixture.show("SHOW PARTITIONS FROM quickstart.events").await;
    let titles = "PartitionId PartitionName State PartitionKey Range DistributionKey Buckets DataSize RowCount";
    assert_eq!(shown.titles, titles.split(' ').collect::<Vec<_>>());
    assert_eq!(
        shown.rows,
        [
            [
                "0",
                "p1",
                "NORMAL",
                "day",
                "[types: [DATE]; keys: [MINVALUE]; ..types: [DATE]; keys: [2024-01-01]; )",
                "id",
                "4",
                "1.5KB",
                "1"
            ],
            [
                "1",
                "p2",
                "NORMAL",
                "day",
                "[types: [DATE]; keys: [2024-01-01]; ..types: [DATE]; keys: [2024-02-01]; )",
                "id",
                "4",
                "0B",
                "0"
            ],
        ]
    );
    let shown = fixture.show("SHOW PARTITIONS FROM events WHERE PartitionName = 'p2'").await;
    assert_eq!(shown.rows.len(), 1);
}

#[tokio::test]
async fn automatic_partitions_are_shown_once_they_have_rows() {
    let fixture = with("CREATE TABLE events (id int, day datetime) PARTITION BY date_trunc('month', day)").await;
    assert_eq!(counts(&fixture).await, []);
    let month = |text: Option<&str>| TablePartition::Values(vec![text.map(str::to_owned)]);
    loaded(&fixture, vec![month(Some("2024-01-01 00:00:00")), month(None), TablePartition::Shared]).await;
    loaded(&fixture, vec![month(Some("2024-01-01 00:00:00"))]).await;
    let shown = fixture.show("SHOW PARTITIONS FROM events").await;
    assert_eq!(shown.column("PartitionName"), ["pNULL", "p202401", "$shared"]);
    assert_eq!(shown.column("RowCount"), ["1", "2", "1"]);
    assert_eq!(
        shown.cell(1, "Range"),
        "[types: [DATETIME]; keys: [2024-01-01 00:00:00]; ..types: [DATETIME]; keys: [2024-02-01 00:00:00]; )"
    );
    let error = fixture.refused("TRUNCATE TABLE events PARTITION (p202401)").await;
    assert!(error.message.contains("share files"), "{error}");
    fixture.done("TRUNCATE TABLE events").await;
    assert_eq!(counts(&fixture).await, []);
}

#[tokio::test]
async fn lists_are_shown_as_lists() {
    let fixture = with("CREATE TABLE events (id int, day date) PARTITION BY (id, day)").await;
    loaded(&fixture, vec![TablePartition::Values(vec![Some("5".to_owned()), None])]).await;
    let shown = fixture.show("SHOW PARTITIONS FROM events").await;
    assert_eq!((shown.cell(0, "PartitionName"), shown.cell(0, "List")), ("p5_NULL", "(('5', NULL))"));
    fixture.done("ALTER TABLE events DROP PARTITION p5_NULL").await;
    assert_eq!(counts(&fixture).await, []);
    let error = fixture.refused("ALTER TABLE events DROP PARTITION p5_NULL").await;
    assert!(error.message.contains("Partition p5_NULL does not exist"), "{error}");
}

#[tokio::test]
async fn truncate_takes_rows_and_drop_takes_partitions() {
    let fixture = with(RANGE).await;
    loaded(&fixture, vec![TablePartition::Named(0), TablePartition::Named(1)]).await;
    fixture.done("TRUNCATE TABLE events PARTITION (P2)").await;
    assert_eq!(counts(&fixture).await, pairs([("p1", "1"), ("p2", "0")]));
    loaded(&fixture, vec![TablePartition::Named(1)]).await;
    assert_eq!(counts(&fixture).await, pairs([("p1", "1"), ("p2", "1")]));
    fixture.done("ALTER TABLE events DROP PARTITION p1 FORCE").await;
    assert_eq!(counts(&fixture).await, pairs([("p2", "1")]));
    // A partition of the old name is another one.
    fixture.done("ALTER TABLE events ADD PARTITION p1 VALUES [('2000-01-01'), ('2024-01-01'))").await;
    assert_eq!(counts(&fixture).await, pairs([("p1", "0"), ("p2", "1")]));
    assert_eq!(fixture.show("SHOW TABLE STATUS").await.cell(0, "Rows"), "1");
    fixture.done("ALTER TABLE events DROP PARTITION IF EXISTS nope").await;
    fixture.done("ALTER TABLE events ADD PARTITION IF NOT EXISTS p1 VALUES LESS THAN ('1990-01-01')").await;
    for (sql, expected) in [
        ("TRUNCATE TABLE events PARTITION (nope)", "Partition nope does not exist"),
        ("TRUNCATE TABLE nope", "Unknown table"),
        ("ALTER TABLE events DROP PARTITION nope", "Partition nope does not exist"),
        ("ALTER TABLE events ADD PARTITION p3 VALUES LESS THAN ('2024-01-15')", "is intersected with range"),
    ] {
        let error = fixture.refused(sql).await;
        assert!(error.to_string().contains(expected), "{sql}: {error}");
    }
    fixture.done("TRUNCATE TABLE events").await;
    assert_eq!(counts(&fixture).await, pairs([("p1", "0"), ("p2", "0")]));
}

#[tokio::test]
async fn a_job_loads_into_partitions_that_exist() {
    let fixture = with(RANGE).await;
    fixture.done("STOP ROUTINE LOAD FOR load_events").await;
    let error = fixture.refused(&job("PARTITION (p1, p7)")).await;
    assert!(error.message.contains("Partition p7 does not exist"), "{error}");
    let error = fixture.refused(&job("TEMPORARY PARTITION (p1)")).await;
    assert!(error.message.contains("TEMPORARY PARTITION is not supported yet"), "{error}");
    fixture.done(&job("PARTITION (P1, p2)")).await;
    assert!(
        fixture
            .show("SHOW ROUTINE LOAD FOR load_events")
            .await
            .cell(0, "JobProperties")
            .contains("\"partitions\":\"P1,p2\"")
    );

    let fixture = with("CREATE TABLE events (id int, day date) PARTITION BY (id)").await;
    loaded(&fixture, vec![TablePartition::Values(vec![Some("5".to_owned())])]).await;
    fixture.done("STOP ROUTINE LOAD FOR load_events").await;
    let error = fixture.refused(&job("PARTITION p6")).await;
    assert!(error.message.contains("Partition p6 does not exist"), "{error}");
    fixture.done(&job("PARTITION p5")).await;
}
