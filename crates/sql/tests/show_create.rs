//! What SHOW CREATE ROUTINE LOAD prints, run again, gives an equal job: over generated definitions, through printer,
//! lexer, parser and checks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::job::{ColumnItem, JobDefinition, KafkaSource, LoadClauses, StartOffset};
use penstock_kernel::property::{Format, JobProperties};
use penstock_kernel::registry::SchemaRegistry;
use penstock_kernel::separator;
use penstock_kernel::table::TableDefinition;
use penstock_sql::definition::{JobContext, TableContext, job_definition, table_definition};
use penstock_sql::render::{MASK, create_job, is_secret, start_text};
use penstock_sql::statement::Statement;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

const UUID: &str = "ea38a713-5a0f-4abe-9b11-ff4a241ccbbd";
const TABLE: &str = "t`a b";

fn table() -> TableDefinition {
    let Statement::CreateTable(statement) = Statement::parse("CREATE TABLE `t``a b` (k int, `v w` string)").unwrap()
    else {
        panic!("no table");
    };
    let context = TableContext { database: DatabaseId(1), volume: "v", now_ms: 0 };
    TableDefinition { id: TableId(10), ..table_definition(&statement, context).unwrap() }
}

/// Text that gives quoting and escaping something to do.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,16}",
        "\\PC{0,8}",
        "[\\\\\"'`%_\n\t\r\u{0}\u{8}\u{1a}()=,;]{0,8}",
        Just("[\"$.a\",\"$['b \\\"c']\"]".to_owned()),
        Just("-- /* no comment */".to_owned()),
    ]
}

fn property() -> impl Strategy<Value = (String, String)> {
    let number =
        |name: &'static str, least: i64| (least..i64::MAX).prop_map(move |value| (name.to_owned(), value.to_string()));
    let words = |name: &'static str| text().prop_map(move |value| (name.to_owned(), value));
    let zone = prop_oneof![Just("Europe/Vienna".to_owned()), "[+-]0[0-9]:[0-5][0-9]"];
    let format = prop_oneof![Just("json"), Just("CSV"), Just("Avro")];
    prop_oneof![
        (1..=i64::from(i32::MAX)).prop_map(|value| ("desired_concurrent_number".to_owned(), value.to_string())),
        number("max_batch_interval", 5),
        number("max_batch_rows", 200_000),
        number("max_batch_size", i64::MIN),
        number("max_error_number", 0),
        (0.0..=1.0_f64).prop_map(|value| ("max_filter_ratio".to_owned(), value.to_string())),
        words("strict_mode"),
        number("log_rejected_record_num", -1),
        zone.prop_map(|value| ("timezone".to_owned(), value)),
        format.prop_map(|value| ("format".to_owned(), value.to_owned())),
        words("jsonpaths"),
        words("json_root"),
        words("strip_outer_array"),
        words("trim_space"),
        words("enclose"),
        words("escape"),
        number("task_consume_second", i64::MIN),
        words("pause_on_fatal_parse_error"),
    ]
}

fn start() -> impl Strategy<Value = StartOffset> {
    prop_oneof![Just(StartOffset::Beginning), Just(StartOffset::End), (0..=i64::MAX).prop_map(StartOffset::At)]
}

fn pinned() -> impl Strategy<Value = BTreeMap<i32, Option<StartOffset>>> {
    prop_oneof![btree_map(0..=i32::MAX, start().prop_map(Some), 1..4), btree_map(0..=i32::MAX, Just(None), 1..4)]
}

fn source() -> impl Strategy<Value = KafkaSource> {
    let brokers = vec("[a-z0-9][a-z0-9.-]{0,8}:[1-9][0-9]{0,3}", 1..3);
    let custom = btree_map("(client|ssl|x)\\.[a-z.\"' ]{1,8}", text(), 0..4);
    let group = prop_oneof![Just(format!("j_{UUID}")), Just(format!("j_{UUID}-v7")), "[!-~]{1,12}"];
    let parts =
        (brokers, "[a-zA-Z0-9_-]{1,12}", option::of(pinned()), option::of(start()), custom, group, option::of(text()));
    parts.prop_map(|(brokers, topic, pinned, default_start, mut custom, group, password)| {
        custom.insert("group.id".to_owned(), group);
        custom.extend(password.map(|password| ("sasl.password".to_owned(), password)));
        custom.extend(default_start.map(|start| ("kafka_default_offsets".to_owned(), start_text(start))));
        KafkaSource { brokers, topic, pinned, default_start, custom, registry: None }
    })
}

/// Without credentials: a masked one is refused, since no registry would take it.
fn registry() -> impl Strategy<Value = SchemaRegistry> {
    let url = "https?://[a-z0-9][a-z0-9.-]{0,8}(:[1-9][0-9]{0,3})?(/[a-z]{1,4})?";
    url.prop_map(|url| SchemaRegistry { url, credentials: None })
}

fn clauses() -> impl Strategy<Value = LoadClauses> {
    let name = || prop_oneof!["[a-z_][a-z0-9_]{0,6}", "[ -~äß]{1,6}", Just("select".to_owned())];
    let expression = || prop_oneof![Just("a > 1".to_owned()), Just("f(`x y`, \"q\\\"\") -- c\n + 1".to_owned())];
    let item = prop_oneof![
        name().prop_map(ColumnItem::Plain),
        (name(), expression()).prop_map(|(name, expression)| ColumnItem::Assignment { name, expression })
    ];
    let text = || "[ -~]{1,4}".prop_filter("a separator", |text| separator::decode(text).is_ok());
    let separator = || option::of(prop_oneof![Just("\t".to_owned()), Just("\\x01".to_owned()), text()]);
    let parts = (option::of(vec(item, 1..4)), separator(), separator(), option::of(expression()));
    parts.prop_map(|(columns, column_separator, row_delimiter, filter)| LoadClauses {
        columns,
        column_separator,
        row_delimiter,
        filter,
        ..LoadClauses::default()
    })
}

fn definition() -> impl Strategy<Value = JobDefinition> {
    (clauses(), vec(property(), 0..6), source(), option::of(registry())).prop_map(
        |(clauses, pairs, source, registry)| {
            // A job always has a time zone: the session's, if the statement says none.
            let zone = [("timezone".to_owned(), "+01:00".to_owned())];
            let properties = JobProperties::from_pairs(zone.into_iter().chain(pairs)).unwrap();
            let needed = SchemaRegistry { url: "http://localhost:8081".to_owned(), credentials: None };
            let registry = registry.or((properties.format() == Format::Avro).then_some(needed));
            JobDefinition {
                id: JobId(0),
                version: 1,
                name: "j".to_owned(),
                database: DatabaseId(1),
                table: TableId(10),
                clauses,
                properties,
                source: KafkaSource { registry, ..source },
            }
        },
    )
}

/// `definition` as a statement can make it again: secrets are masked in the text, and a generated group is left out.
fn repeatable(mut definition: JobDefinition) -> JobDefinition {
    for (key, value) in &mut definition.source.custom {
        if is_secret(key) {
            MASK.clone_into(value);
        }
        if key == "group.id" && value.starts_with(&format!("j_{UUID}")) {
            *value = format!("j_{UUID}");
        }
    }
    definition
}

proptest! {
    #[test]
    fn shown_statement_makes_an_equal_job(definition in definition()) {
        let text = create_job(&definition, TABLE);
        let parsed = Statement::parse(&text);
        let Ok(Statement::CreateJob(statement)) = parsed else {
            return Err(TestCaseError::fail(format!("{text}\n{parsed:?}")));
        };
        let table = table();
        prop_assert_eq!(&statement.table, TABLE);
        let context = JobContext { database: DatabaseId(1), table: &table, uuid: UUID, time_zone: "Etc/UTC" };
        let again = job_definition(&statement, context);
        let again = again.map_err(|error| TestCaseError::fail(format!("{text}\n{error}")))?;
        prop_assert_eq!(again, repeatable(definition), "{}", text);
    }
}
