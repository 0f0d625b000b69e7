//! The tutorial against the very server that `penstock up` starts, all parts embedded, through the MySQL and Kafka protocols.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use clap::Parser;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Row};
use penstock::args::{Cli, Command};
use penstock::server::{Server, ServerSettings};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::{Value, json};

const CREATE_TABLE: &str = r#"CREATE TABLE site_clicks (
    `uid` bigint NOT NULL COMMENT "uid",
    `site` string NOT NULL COMMENT "site url",
    `vtime` bigint NOT NULL COMMENT "vtime"
)
DISTRIBUTED BY HASH(`uid`)
PROPERTIES("replication_num"="1")"#;

const CREATE_ROUTINE_LOAD: &str = r#"CREATE ROUTINE LOAD tutorial.clicks ON site_clicks
PROPERTIES
(
    "format" = "JSON",
    "max_batch_interval" = "5",
    "jsonpaths" ="[\"$.uid\",\"$.site\",\"$.vtime\"]"
)
FROM KAFKA
(
    "kafka_broker_list" = "redpanda:29092",
    "kafka_topic" = "test2",
    "kafka_partitions" = "0",
    "kafka_offsets" = "OFFSET_BEGINNING"
)"#;

async fn start(data: &std::path::Path) -> Server {
    let data = data.to_str().expect("a path in UTF-8");
    let free =
        ["--kafka-port", "0", "--s3-port", "0", "--dynamodb-port", "0", "--registry-port", "0", "--mysql-port", "0"];
    let words = ["penstock", "up", "--data", data].into_iter().chain(free);
    let Command::Up(args) = Cli::parse_from(words).command else { panic!("`up` was asked for") };
    let settings = ServerSettings::from_args(&args).expect("settings");
    Server::start(settings, |_, _, _| {}).await.expect("the server starts")
}

async fn connect(server: &Server) -> Conn {
    let (host, port) = server.addresses().mysql.rsplit_once(':').expect("host:port");
    let options = OptsBuilder::default()
        .ip_or_hostname(host)
        .tcp_port(port.parse().expect("a port"))
        .user(Some("root"))
        .prefer_socket(Some(false));
    Conn::new(options).await.expect("the gateway answers")
}

/// Produces records with these uids; the sum of their lengths in bytes.
async fn publish(server: &Server, uids: std::ops::Range<i64>) -> usize {
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", &server.addresses().kafka).create().expect("a producer");
    let mut bytes = 0;
    for uid in uids {
        let value = format!("{{ \"uid\": {uid}, \"site\": \"https://docs.starrocks.io/\", \"vtime\": 1718034793 }} ");
        bytes += value.len();
        producer
            .send(FutureRecord::<(), _>::to("test2").payload(&value).partition(0), Duration::from_secs(10))
            .await
            .expect("the broker takes it");
    }
    bytes
}

async fn count(connection: &mut Conn) -> i64 {
    connection.query_first("SELECT count(*) FROM tutorial.site_clicks").await.expect("a query").expect("a row")
}

async fn wait_for(connection: &mut Conn, rows: i64) {
    let began = Instant::now();
    while count(connection).await != rows {
        assert!(began.elapsed() < Duration::from_secs(40), "{rows} rows do not appear");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A column of the job's SHOW, as JSON.
async fn shown(connection: &mut Conn, column: &str) -> Value {
    let row: Row =
        connection.query_first("SHOW ROUTINE LOAD FOR tutorial.clicks").await.expect("a query").expect("a row");
    let text: String = row.get(column).expect("the column");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn five_records_then_five_more_are_ten_rows_also_after_a_restart() {
    let data = tempfile::tempdir().expect("a folder");
    let server = start(data.path()).await;
    let mut connection = connect(&server).await;
    connection.query_drop("CREATE DATABASE tutorial").await.expect("a database");
    connection.query_drop("USE tutorial").await.expect("the database");
    connection.query_drop(CREATE_TABLE).await.expect("a table");
    let bytes = publish(&server, 0..5).await;
    connection.query_drop(CREATE_ROUTINE_LOAD).await.expect("a job");
    wait_for(&mut connection, 5).await;

    let began = Instant::now();
    while shown(&mut connection, "LatestSourcePosition").await != json!({"0": "5"}) {
        assert!(began.elapsed() < Duration::from_secs(10), "the source's position does not appear");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let statistic = shown(&mut connection, "Statistic").await;
    assert_eq!(statistic["loadedRows"], 5);
    assert_eq!(statistic["totalRows"], 5);
    assert_eq!(statistic["errorRows"], 0);
    assert_eq!(statistic["receivedBytes"], bytes);
    assert_eq!(shown(&mut connection, "Progress").await, json!({"0": "4"}));

    publish(&server, 5..10).await;
    wait_for(&mut connection, 10).await;
    drop(connection);
    server.shutdown().await;

    let server = start(data.path()).await;
    let mut connection = connect(&server).await;
    publish(&server, 10..15).await;
    wait_for(&mut connection, 15).await;
    let uids: Vec<i64> = connection.query("SELECT uid FROM tutorial.site_clicks ORDER BY uid").await.expect("a query");
    assert_eq!(uids, (0..15).collect::<Vec<_>>());
    server.shutdown().await;
}
