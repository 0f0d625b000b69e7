use std::collections::BTreeMap;

use penstock_kernel::ids::{DatabaseId, TableId};
use penstock_kernel::job::{JobDefinition, StartOffset};
use penstock_kernel::table::TableDefinition;

use super::*;
use crate::error::{SqlError, code};
use crate::render;
use crate::statement::Statement;

const UUID: &str = "ea38a713-5a0f-4abe-9b11-ff4a241ccbbd";

fn try_table(sql: &str) -> Result<TableDefinition, SqlError> {
    let Statement::CreateTable(statement) = Statement::parse(sql)? else {
        panic!("not a table: {sql}");
    };
    let context = TableContext { database: DatabaseId(1), volume: "v", now_ms: 5 };
    table_definition(&statement, context)
}

fn table(sql: &str) -> TableDefinition {
    try_table(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

fn clicks() -> TableDefinition {
    let mut table = table(
        "CREATE TABLE site_clicks (`uid` bigint NOT NULL COMMENT \"uid\", `site` string NOT NULL,
         `vtime` bigint DEFAULT \"0\") DISTRIBUTED BY HASH(`uid`) PROPERTIES(\"replication_num\"=\"1\")",
    );
    table.id = TableId(10);
    table
}

fn try_job(sql: &str) -> Result<JobDefinition, SqlError> {
    let Statement::CreateJob(statement) = Statement::parse(sql)? else {
        panic!("not a job: {sql}");
    };
    let table = clicks();
    let context = JobContext { database: DatabaseId(1), table: &table, uuid: UUID, time_zone: "Etc/UTC" };
    job_definition(&statement, context)
}

fn job(sql: &str) -> JobDefinition {
    try_job(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

/// A job whose source has these properties besides brokers and topic.
fn source(pairs: &str) -> String {
    format!(
        "CREATE ROUTINE LOAD clicks ON site_clicks FROM KAFKA \
         ('kafka_broker_list' = 'redpanda:29092', 'kafka_topic' = 'test2'{pairs})"
    )
}

#[test]
fn the_key_is_inferred_from_the_leading_columns() {
    for (columns, key) in [
        ("uid bigint, site string, vtime bigint", vec!["uid", "site"]),
        ("a int, b int, c int, d int", vec!["a", "b", "c"]),
        ("a largeint, b largeint, c largeint", vec!["a", "b"]),
        ("a varchar(10), b int", vec!["a"]),
        ("a int, b double, c int", vec!["a"]),
        ("a char(100), b int", vec!["a"]),
        ("a json, b int", vec![]),
        ("a date, b datetime, c string, d int", vec!["a", "b", "c"]),
    ] {
        assert_eq!(table(&format!("CREATE TABLE t ({columns})")).key_columns, key, "{columns}");
    }
}

#[test]
fn columns_get_ids_from_one_and_keep_what_was_said() {
    let table = clicks();
    let ids: Vec<u32> = table.columns.iter().map(|column| column.id).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(table.distribution.hash_columns, ["uid"]);
    assert_eq!(table.properties, BTreeMap::from([("replication_num".to_owned(), "1".to_owned())]));
    assert_eq!((table.volume.as_str(), table.created_at_ms), ("v", 5));
}

#[test]
fn tables_that_make_no_sense_are_refused() {
    for (sql, expected) in [
        ("CREATE TABLE t (a int, A int)", "line 1, column 24. Detail message: Duplicate column name 'A'"),
        ("CREATE TABLE t (__op int)", "column name `__op` is reserved"),
        ("CREATE TABLE t (a int, b int) DUPLICATE KEY (b)", "must be the first few columns"),
        ("CREATE TABLE t (a int, b int) DUPLICATE KEY (c)", "column `c` does not exist"),
        ("CREATE TABLE t (a double) DUPLICATE KEY (a)", "cannot be a key"),
        ("CREATE TABLE t (site int) DISTRIBUTED BY HASH (sites)", "hint: did you mean `site`?"),
        ("CREATE TABLE t (a json) DISTRIBUTED BY HASH (a)", "cannot distribute"),
        ("CREATE TABLE t (a int DEFAULT 'x')", "Invalid default value for 'a'"),
        ("CREATE TABLE t (a int DEFAULT CURRENT_TIMESTAMP)", "found `CURRENT_TIMESTAMP`"),
    ] {
        let error = try_table(sql).expect_err(sql).to_string();
        assert!(error.contains(expected), "{sql}: {error}");
    }
}

#[test]
fn tables_have_4096_columns_at_most() {
    let columns = |count: usize| (0..count).map(|n| format!("c{n} INT")).collect::<Vec<_>>().join(", ");
    assert_eq!(table(&format!("CREATE TABLE t ({})", columns(4096))).columns.len(), 4096);
    let error = try_table(&format!("CREATE TABLE t ({})", columns(4097))).unwrap_err();
    assert!(error.to_string().contains("expected at most 4096 columns, found 4097"), "{error}");
}

#[test]
fn the_tutorials_source_is_understood() {
    let job = job(&source(", 'kafka_partitions' = '0', 'kafka_offsets' = 'OFFSET_BEGINNING'"));
    assert_eq!(job.source.brokers, ["redpanda:29092"]);
    assert_eq!(job.source.topic, "test2");
    assert_eq!(job.source.pinned, Some(BTreeMap::from([(0, Some(StartOffset::Beginning))])));
    assert_eq!(job.source.group_id(), format!("clicks_{UUID}"));
    assert_eq!(job.properties.get("timezone"), Some("Etc/UTC"));
    assert_eq!((job.version, job.table), (1, TableId(10)));
}

#[test]
fn starts_and_custom_properties_are_kept() {
    let job = job(&source(
        ", 'kafka_partitions' = '0, 2,1', 'kafka_offsets' = 'offset_end,7, 0',
         'property.kafka_default_offsets' = 'OFFSET_BEGINNING', 'property.group.id' = 'mine',
         'property.security.protocol' = 'ssl'",
    ));
    let pinned = job.source.pinned.unwrap();
    assert_eq!(pinned[&0], Some(StartOffset::End));
    assert_eq!(pinned[&1], Some(StartOffset::At(0)));
    assert_eq!(pinned[&2], Some(StartOffset::At(7)));
    assert_eq!(job.source.default_start, Some(StartOffset::Beginning));
    assert_eq!(job.source.custom["group.id"], "mine");
    assert_eq!(job.source.custom["kafka_default_offsets"], "OFFSET_BEGINNING");
}

#[test]
fn sources_that_make_no_sense_are_refused() {
    for (pairs, expected) in [
        (", 'kafka_brokers' = 'x'", "kafka_brokers is invalid kafka custom property"),
        (", 'kafka_topics' = 'x'", "hint: did you mean `kafka_topic`?"),
        (", 'property.' = 'x'", "property. is invalid kafka custom property"),
        (", 'kafka_offsets' = '1'", "kafka_offsets needs kafka_partitions"),
        (", 'kafka_partitions' = '0,1', 'kafka_offsets' = '1'", "Partitions number should be equals to offsets number"),
        (", 'kafka_partitions' = '0,0'", "`0` is listed twice"),
        (", 'kafka_partitions' = '0,-1'", "Invalid kafka partition '-1'"),
        (", 'kafka_partitions' = ''", "Invalid kafka partition ''"),
        (", 'kafka_partitions' = '0', 'kafka_offsets' = '-1'", "Invalid kafka offset '-1'"),
        (
            ", 'kafka_partitions' = '0', 'kafka_offsets' = '2024-01-01 00:00:00'",
            "hint: a start by time is not supported",
        ),
        (", 'property.kafka_default_offsets' = 'LATEST'", "Invalid kafka offset 'LATEST'"),
        (", 'kafka_broker_list' = 'redpanda'", "Kafka broker `redpanda` does not match with host:port"),
        (", 'kafka_broker_list' = 'a:1,,b:2'", "Kafka broker `` does not match"),
        (", 'kafka_broker_list' = 'a:99999'", "does not match with host:port"),
        (", 'kafka_topic' = 'a,b'", "hint: a job reads one topic"),
        (", 'kafka_topic' = ' '", "kafka_topic is a required property"),
        (
            ", 'confluent.schema.registry.url' = 'x'",
            "confluent.schema.registry.url: expected a URL that begins with http://",
        ),
        (", 'confluent.schema.registry.urls' = 'x'", "confluent.schema.registry.urls: is not supported"),
        (", 'confluent.schema.registry.basic.auth.user.info' = 'a:b'", "needs `confluent.schema.registry.url`"),
    ] {
        let error = try_job(&source(pairs)).expect_err(pairs).to_string();
        assert!(error.contains(expected), "{pairs}: {error}");
    }
    let many = |count| format!(", 'kafka_broker_list' = '{}'", vec!["b:1"; count].join(","));
    assert!(try_job(&source(&many(100))).is_ok());
    let error = try_job(&source(&many(101))).expect_err("many brokers").to_string();
    assert!(error.contains("kafka_broker_list names 101 brokers, expected at most 100"), "{error}");
    let error = try_job("CREATE ROUTINE LOAD j ON t FROM KAFKA").expect_err("no broker").to_string();
    assert!(error.contains("kafka_broker_list is a required property"), "{error}");
}

#[test]
fn job_properties_are_refused_with_their_place_and_a_hint() {
    let with = |properties: &str| source("").replace("FROM KAFKA", &format!("PROPERTIES ({properties}) FROM KAFKA"));
    let error = try_job(&with("'format' = 'json', 'jsonpath' = 'x'")).expect_err("unknown");
    assert!(error.message.contains("line 1, column 74"), "{error}");
    assert!(error.message.contains("jsonpath is invalid property"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("did you mean `jsonpaths`?"));
    let error = try_job(&with("'max_batch_interval' = '1'")).expect_err("range");
    assert!(error.message.contains("max_batch_interval should >= 5"), "{error}");
    let error = try_job(&with("'timezone' = 'Mars'")).expect_err("zone");
    assert_eq!(error.code, code::TIME_ZONE);
}

#[test]
fn names_and_separators_are_checked() {
    let long = "x".repeat(65);
    for name in ["`a-b`", "`a.b`", "_", "__a", "`1a`", long.as_str()] {
        let sql = source("").replace("LOAD clicks", &format!("LOAD {name}"));
        let error = try_job(&sql).expect_err(name);
        assert_eq!(error.code, code::BAD_NAME, "{name}");
    }
    for separator in [String::new(), "x".repeat(51)] {
        let clause = format!("COLUMNS TERMINATED BY '{separator}' FROM KAFKA");
        let error = try_job(&source("").replace("FROM KAFKA", &clause)).expect_err("length");
        assert_eq!(error.code, code::DELIMITER_LENGTH);
        assert!(error.message.starts_with("The valid bytes length for column separator is [1, 50]"), "{error}");
    }
    for (separator, words) in [("0x1", "hexadecimal"), ("\\\\xff", "UTF-8")] {
        let clause = format!("ROWS TERMINATED BY '{separator}' FROM KAFKA");
        let error = try_job(&source("").replace("FROM KAFKA", &clause)).expect_err(separator);
        assert!(error.message.contains("Invalid row delimiter") && error.message.contains(words), "{error}");
    }
    let error = try_job(&source("").replace("FROM KAFKA", "PARTITION (p1) FROM KAFKA")).expect_err("partition");
    assert!(error.message.contains("Partition p1 does not exist"));
}

#[test]
fn shown_statements_create_equal_definitions() {
    let original = clicks();
    let mut again = table(&render::create_table(&original));
    again.id = original.id;
    assert_eq!(again.properties.remove("storage_volume").as_deref(), Some("v"));
    assert_eq!(again, original);

    let original =
        job(&source(", 'kafka_partitions' = '0,1', 'kafka_offsets' = '5,OFFSET_END', 'property.sasl.username' = 'u'"));
    let text = render::create_job(&original, "site_clicks");
    assert!(!text.contains("group.id"), "{text}");
    assert_eq!(job(&text), original);
}

#[test]
fn secrets_are_masked_in_what_is_shown() {
    let job = job(&source(
        ", 'property.sasl.password' = 'hush', 'property.sasl.oauthbearer.client.secret' = 'hush',
         'property.ssl.key.pem' = 'hush'",
    ));
    let text = render::create_job(&job, "site_clicks");
    assert!(!text.contains("hush"), "{text}");
    assert_eq!(text.matches(render::MASK).count(), 3);
}

#[test]
fn alter_replaces_what_it_names_and_nothing_else() {
    let current = job(&source(", 'kafka_partitions' = '0', 'kafka_offsets' = '5'"));
    let altered = |sql: &str| {
        let Statement::AlterJob(statement) = Statement::parse(sql).unwrap() else {
            panic!("not ALTER");
        };
        altered_definition(&current, &statement, &clicks())
    };
    let next = altered(
        "ALTER ROUTINE LOAD FOR clicks WHERE uid > 1 PROPERTIES ('max_error_number' = '7')
         FROM KAFKA ('kafka_partitions' = '0', 'kafka_offsets' = '9', 'property.a' = 'b')",
    )
    .unwrap();
    assert_eq!(next.version, 2);
    assert_eq!(next.clauses.filter.as_deref(), Some("uid > 1"));
    assert_eq!(next.properties.max_error_number(), 7);
    assert_eq!(next.source.pinned.unwrap()[&0], Some(StartOffset::At(9)));
    assert_eq!(next.source.custom["a"], "b");
    assert_eq!(next.source.topic, current.source.topic);
    for (sql, expected) in [
        ("PROPERTIES ('format' = 'json')", "format is invalid property"),
        ("PROPERTIES ('merge_condition' = 'v')", "merge_condition is invalid property"),
        ("PROPERTIES ('format' = 'xml')", "format is invalid property"),
        ("FROM KAFKA ('kafka_topic' = 'x')", "kafka_topic is invalid kafka custom property"),
        ("FROM KAFKA ('kafka_partitions' = '0')", "must be specified at the same time"),
        (
            "FROM KAFKA ('kafka_partitions' = '1', 'kafka_offsets' = '0')",
            "The specified partition 1 is not in the custom partitions",
        ),
    ] {
        let error = altered(&format!("ALTER ROUTINE LOAD FOR clicks {sql}")).expect_err(sql).to_string();
        assert!(error.contains(expected), "{sql}: {error}");
    }
}

const REGISTRY: &str = "confluent.schema.registry.url";

#[test]
fn avro_needs_a_registry() {
    let avro = |pairs: &str| source(pairs).replace("FROM KAFKA", "PROPERTIES ('format' = 'avro') FROM KAFKA");
    let error = try_job(&avro("")).expect_err("no registry").to_string();
    assert!(error.contains("confluent.schema.registry.url is a required property of format = `avro`"), "{error}");
    let job = job(&avro(&format!(", '{REGISTRY}' = 'https://key:hush@host:81/'")));
    let registry = job.source.registry.as_ref().unwrap();
    assert_eq!(registry.url, "https://host:81");
    assert_eq!(registry.credentials.as_ref().unwrap().secret, "hush");
    let text = render::create_job(&job, "site_clicks");
    assert!(!text.contains("hush") && !text.contains("key:") && text.contains("https://host:81"), "{text}");
}

#[test]
fn alter_gives_no_credentials_to_another_registry() {
    let mut current = job(&source(&format!(", '{REGISTRY}' = 'http://a'")));
    let mut alter = |pairs: &str| {
        let sql = format!("ALTER ROUTINE LOAD FOR clicks FROM KAFKA ({pairs})");
        let Statement::AlterJob(statement) = Statement::parse(&sql).unwrap() else {
            panic!("not ALTER");
        };
        current = altered_definition(&current, &statement, &clicks()).unwrap();
        let registry = current.source.registry.clone().unwrap();
        (registry.url, registry.credentials.map(|credentials| credentials.secret))
    };
    let user_info = "confluent.schema.registry.basic.auth.user.info";
    assert_eq!(alter("'property.a' = 'b'"), ("http://a".to_owned(), None));
    assert_eq!(alter(&format!("'{user_info}' = 'k:one'")), ("http://a".to_owned(), Some("one".to_owned())));
    assert_eq!(alter(&format!("'{REGISTRY}' = 'http://b'")), ("http://b".to_owned(), None));
    assert_eq!(alter(&format!("'{REGISTRY}' = 'http://k:two@c'")), ("http://c".to_owned(), Some("two".to_owned())));
}

#[test]
fn database_names_begin_with_a_letter() {
    for name in ["quickstart", "_x", "a-b c", "größe"] {
        assert!(check_database_name(name).is_ok(), "{name}");
    }
    for name in ["", "1a", "a/b", "a\n", &"x".repeat(257)] {
        assert_eq!(check_database_name(name).unwrap_err().code, code::BAD_NAME, "{name}");
    }
}
