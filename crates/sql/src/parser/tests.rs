use penstock_kernel::job::{ColumnItem, MetadataItem};
use penstock_kernel::metadata::MetadataField;
use penstock_kernel::table::{ColumnDefault, ColumnType};
use proptest::prelude::*;

use super::*;
use crate::statement::Statement;

mod generated;

fn parsed(sql: &str) -> Statement {
    match Statement::parse(sql) {
        Ok(statement) => statement,
        Err(error) => panic!("{sql}\n{error}"),
    }
}

/// The error of a wrong statement, hint included.
fn refused(sql: &str) -> String {
    match Statement::parse(sql) {
        Ok(statement) => panic!("must be refused: {statement}"),
        Err(error) => {
            assert_eq!(error.code, 1064, "{error}");
            error.to_string()
        }
    }
}

const TUTORIAL_TABLE: &str = r#"CREATE TABLE site_clicks (
    `uid` bigint NOT NULL COMMENT "uid",
    `site` string NOT NULL COMMENT "site url",
    `vtime` bigint NOT NULL COMMENT "vtime"
)
DISTRIBUTED BY HASH(`uid`)
PROPERTIES("replication_num"="1");"#;

const TUTORIAL_JOB: &str = r#"CREATE ROUTINE LOAD quickstart.clicks ON site_clicks
PROPERTIES
(
    "format" = "JSON",
    "jsonpaths" ="[\"$.uid\",\"$.site\",\"$.vtime\"]"
)
FROM KAFKA
(     
    "kafka_broker_list" = "redpanda:29092",
    "kafka_topic" = "test2",
    "kafka_partitions" = "0",
    "kafka_offsets" = "OFFSET_BEGINNING"
);"#;

#[test]
fn the_tutorials_table_is_understood() {
    let Statement::CreateTable(table) = parsed(TUTORIAL_TABLE) else {
        panic!("not a table");
    };
    let columns: Vec<(&str, &ColumnType, bool)> =
        table.columns.iter().map(|column| (column.name.as_str(), &column.column_type, column.nullable)).collect();
    assert_eq!(
        columns,
        [
            ("uid", &ColumnType::BigInt, false),
            ("site", &ColumnType::Varchar(65_533), false),
            ("vtime", &ColumnType::BigInt, false),
        ]
    );
    assert_eq!(table.columns[1].comment.as_deref(), Some("site url"));
    assert_eq!(table.distribution.unwrap().hash_columns, ["uid"]);
    assert_eq!(table.properties.get("replication_num").unwrap().value, "1");
}

#[test]
fn the_tutorials_job_is_understood() {
    let Statement::CreateJob(job) = parsed(TUTORIAL_JOB) else {
        panic!("not a job");
    };
    assert_eq!(job.name.database.as_deref(), Some("quickstart"));
    assert_eq!(job.name.name, "clicks");
    assert_eq!(job.table, "site_clicks");
    let jsonpaths = &job.properties.get("jsonpaths").unwrap().value;
    assert_eq!(jsonpaths, r#"["$.uid","$.site","$.vtime"]"#);
    assert_eq!(job.source.get("kafka_offsets").unwrap().value, "OFFSET_BEGINNING");
}

#[test]
fn load_clauses_stand_in_any_order_and_expressions_keep_their_text() {
    let Statement::CreateJob(job) = parsed(
        "CREATE ROUTINE LOAD j ON t
         WHERE a > 1 AND b IN ('x,y', f(1, 2)), COLUMNS TERMINATED BY ',',
         COLUMNS (a, c = from_unixtime(a, '%Y'), b), INCLUDE METADATA (key AS k, OFFSET), ROWS TERMINATED BY \"\\n\", PARTITION p1
         PROPERTIES ('format' = 'csv') FROM KAFKA",
    ) else {
        panic!("not a job");
    };
    let clauses = job.clauses;
    assert_eq!(clauses.filter.as_deref(), Some("a > 1 AND b IN ('x,y', f(1, 2))"));
    assert_eq!(clauses.column_separator.as_deref(), Some(","));
    assert_eq!(clauses.row_delimiter.as_deref(), Some("\n"));
    assert_eq!(clauses.table_partitions, Some(vec!["p1".to_owned()]));
    assert_eq!(
        clauses.metadata,
        Some(vec![
            MetadataItem { field: MetadataField::Key, alias: Some("k".to_owned()) },
            MetadataItem { field: MetadataField::Offset, alias: None },
        ])
    );
    assert_eq!(
        clauses.columns.unwrap()[1],
        ColumnItem::Assignment { name: "c".to_owned(), expression: "from_unixtime(a, '%Y')".to_owned() }
    );
}

#[test]
fn metadata_that_there_is_not_is_named() {
    let message = refused("CREATE ROUTINE LOAD j ON t INCLUDE METADATA (KEY, OFSET AS o) FROM KAFKA");
    assert!(message.contains("`OFSET` is no metadata of Kafka records"), "{message}");
    assert!(message.contains("did you mean `OFFSET`?"), "{message}");
    let message = refused("CREATE ROUTINE LOAD j ON t INCLUDE METADATA (KEY), INCLUDE METADATA (KEY) FROM KAFKA");
    assert!(message.contains("repeat setting of metadata"), "{message}");
    refused("CREATE ROUTINE LOAD j ON t INCLUDE METADATA () FROM KAFKA");
}

#[test]
fn column_types_have_many_spellings() {
    for (text, expected) in [
        ("INTEGER", "int"),
        ("int(11)", "int"),
        ("bigint(20)", "bigint"),
        ("BOOL", "boolean"),
        ("DECIMAL", "decimal(10, 0)"),
        ("NUMERIC(6,2)", "decimal(6, 2)"),
        ("DECIMAL64(18, 4)", "decimal(18, 4)"),
        ("DECIMAL32", "decimal(9, 0)"),
        ("varchar", "varchar(1)"),
        ("VARCHAR(*)", "varchar(1048576)"),
        ("char(3)", "char(3)"),
        ("text", "varchar(65533)"),
        ("double precision", "double"),
        ("largeint", "largeint"),
        ("json", "json"),
        ("datetime", "datetime"),
        ("varbinary", "varbinary"),
        ("VARBINARY(16)", "varbinary(16)"),
        ("BINARY", "varbinary"),
        ("ARRAY<INT>", "array<int(11)>"),
        ("array < array<string> >", "array<array<varchar(65533)>>"),
        ("MAP<VARCHAR(8), DECIMAL(6,2)>", "map<varchar(8),decimal(6, 2)>"),
        ("STRUCT<a INT, b: STRING>", "struct<a int(11), b varchar(65533)>"),
        (
            "struct<`US Gross` bigint COMMENT 'x', key array<map<int,struct<x json>>>>",
            "struct<`US Gross` bigint(20), key array<map<int(11),struct<x json>>>>",
        ),
    ] {
        let Statement::CreateTable(table) = parsed(&format!("CREATE TABLE t (c {text})")) else {
            panic!("not a table");
        };
        assert_eq!(table.columns[0].column_type.to_string(), expected, "{text}");
    }
}

#[test]
fn types_that_cannot_be_are_refused_where_they_go_wrong() {
    let deep = |levels: usize| format!("{}INT{}", "ARRAY<".repeat(levels - 1), ">".repeat(levels - 1));
    for (text, expected) in [
        ("ARRAY".to_owned(), "<"),
        ("ARRAY<>".to_owned(), "found `<>`"),
        ("ARRAY<INT".to_owned(), ">"),
        ("MAP<INT>".to_owned(), ","),
        ("MAP<ARRAY<INT>,INT>".to_owned(), "the key of a MAP cannot be of type array<int(11)>"),
        ("MAP<JSON,INT>".to_owned(), "the key of a MAP cannot be of type json"),
        ("STRUCT<>".to_owned(), "found `<>`"),
        ("STRUCT<a INT, A INT>".to_owned(), "Duplicate field name 'A'"),
        ("STRUCT<a>".to_owned(), "a column type"),
        ("VARBINARY(0)".to_owned(), "from 1 to 1048576"),
        (deep(16), "types nest at most 15 levels deep"),
        (deep(100_000), "types nest at most 15 levels deep"),
    ] {
        let error = refused(&format!("CREATE TABLE t (k INT, c {text})"));
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let Statement::CreateTable(table) = parsed(&format!("CREATE TABLE t (c {})", deep(15))) else {
        panic!("not a table");
    };
    assert!(matches!(table.columns[0].column_type, ColumnType::Array(_)));
}

#[test]
fn column_clauses_are_understood_in_all_their_forms() {
    let Statement::CreateTable(table) = parsed(
        "CREATE TABLE IF NOT EXISTS d.t (a int KEY NOT NULL DEFAULT '1', b datetime DEFAULT CURRENT_TIMESTAMP(6),
         c varchar(3) DEFAULT NULL COMMENT 'c') ENGINE=OLAP DEFAULT CHARSET=utf8mb4 COMMENT 'x'
         DISTRIBUTED BY RANDOM BUCKETS 4",
    ) else {
        panic!("not a table");
    };
    assert_eq!(table.key_columns, Some(vec!["a".to_owned()]));
    assert_eq!(table.columns[0].default, Some(ColumnDefault::Literal("1".to_owned())));
    assert_eq!(table.columns[1].default, Some(ColumnDefault::CurrentTimestamp));
    assert_eq!(table.columns[2].default, None);
    assert_eq!(table.distribution.unwrap().buckets, Some(4));
}

#[test]
fn what_is_not_supported_yet_says_so_and_where() {
    for (sql, what, place) in [
        ("CREATE TABLE t (a int) PRIMARY KEY (a)", "PRIMARY KEY", "column 24"),
        ("CREATE TABLE t (a int) UNIQUE KEY (a)", "UNIQUE KEY", "column 24"),
        ("CREATE TABLE t (a int SUM) AGGREGATE KEY (a)", "AGGREGATE KEY", "column 23"),
        ("CREATE TABLE t (a int) AGGREGATE KEY (a)", "AGGREGATE KEY", "column 24"),
        ("CREATE TABLE t (a int) PARTITION BY (floor(a))", "PARTITION BY with function `floor`", "column 38"),
        ("ALTER TABLE t RENAME u", "ALTER TABLE ... RENAME", "column 15"),
        ("CREATE TABLE t (a bigint NOT NULL AUTO_INCREMENT)", "AUTO_INCREMENT", "column 35"),
        ("CREATE TABLE t (a int, b int AS a + 1)", "a generated column", "column 30"),
        ("CREATE TABLE t (a BITMAP)", "BITMAP", "column 19"),
        ("CREATE TABLE t (a int, INDEX i (a))", "INDEX", "column 24"),
        ("CREATE TABLE t (a int) ENGINE = mysql", "ENGINE", "column 33"),
        ("CREATE EXTERNAL TABLE t (a int)", "EXTERNAL", "column 17"),
        ("TRUNCATE TABLE t TEMPORARY PARTITION (p)", "TRUNCATE of a TEMPORARY PARTITION", "column 18"),
        ("ALTER DATABASE d SET DATA QUOTA 1", "ALTER DATABASE", "column 7"),
        ("CREATE ROUTINE LOAD j ON t FROM PULSAR ('a'='b')", "PULSAR", "column 33"),
        ("INSERT INTO t VALUES (1)", "INSERT", "column 1"),
    ] {
        let error = refused(sql);
        assert!(error.contains("is not supported yet"), "{error}");
        assert!(error.contains(what), "{sql}: {error}");
        assert!(error.contains(&format!("line 1, {place}")), "{sql}: {error}");
    }
}

#[test]
fn errors_say_where_what_was_expected_and_what_was_found() {
    for (sql, expected) in [
        (
            "CREATE ROUTINE LOAD j OM t",
            "Getting syntax error at line 1, column 23. Detail message: expected `ON`, found `OM`.\n\
             hint: did you mean `ON`?",
        ),
        ("SHOW\n ROUTIEN LOAD", "found `ROUTIEN`.\nhint: did you mean `ROUTINE`?"),
        (
            "CREATE ROUTINE LOAD j ON t PROPERTIES (\"max_error_number\" = 10) FROM KAFKA",
            "line 1, column 61. Detail message: expected a property's value in quotes, found `10`",
        ),
        (
            "CREATE ROUTINE LOAD j ON t PROPERTIES (\"a\" = \"b\",) FROM KAFKA",
            "expected a property's name in quotes, found `)`",
        ),
        ("CREATE TABLE t (a int", "expected `(`"),
        ("CREATE TABLE t (a intt)", "expected a column type, found `intt`.\nhint: did you mean `INT`?"),
        ("CREATE TABLE order (a int)", "hint: put the name in backquotes: `order`"),
        ("USE 'x", "a quote that does not end: `'x`.\nhint: close it with `'`"),
        ("USE \u{201c}size\u{201d}", "line 1, column 5"),
        ("CREATE STORAGE VOLUME v TYPE = S3", "expected `LOCATIONS`, found the end of the statement"),
        ("ALTER STORAGE VOLUME v", "expected `COMMENT` or `SET`"),
        ("PREVIEW ROUTINE LOAD", "expected `FOR` or a job name"),
        ("EXPLAIN CREATE TABLE t (a int)", "expected `ROUTINE`, found `TABLE`"),
        ("SHOW ROUTINE LOAD VERSIONS", "expected `FOR`"),
        ("DROP TABLE t x", "expected `FORCE` or the end of the statement, found `x`"),
        ("", "found the end of the statement"),
        ("CREATE TABLE t (a int DEFAULT 0)", "hint: defaults stand in quotes"),
        ("CREATE TABLE t (a decimal(39, 2))", "expected a number of digits from 1 to 38, found `39`"),
        ("CREATE ROUTINE LOAD j ON t WHERE a IN (SELECT 1) FROM KAFKA", "cannot contain subqueries"),
        ("CREATE ROUTINE LOAD j ON t WHERE a, WHERE b FROM KAFKA", "repeat setting of where predicate"),
        ("CREATE ROUTINE LOAD j ON t WHERE (a FROM KAFKA", "expected `)`"),
        ("CREATE ROUTINE LOAD j ON t COLUMNS (a) WHERE b FROM KAFKA", "expected `,`"),
        ("CREATE ROUTINE LOAD j ON t FROM FILES ('a'='b')", "does not support this type FILES"),
    ] {
        let error = refused(sql);
        assert!(error.contains(expected), "{sql}\n{error}");
    }
}

#[test]
fn a_part_of_a_longer_text_counts_from_where_it_begins() {
    let start = Position { line: 7, column: 3 };
    let error = Statement::parse_at("USE\n 1", start).unwrap_err();
    assert!(error.message.contains("line 8, column 2"), "{error}");
}

#[test]
fn show_routine_load_takes_the_filters_that_are_allowed() {
    let Statement::ShowJobs(show) = parsed(
        "SHOW ALL ROUTINE LOAD FOR d.j FROM d WHERE name LIKE 'a%' AND (STATE IN ('PAUSED') && id >= 5)
         AND CreateTime < '2024-06-12' ORDER BY name DESC, Id ASC LIMIT 3, 4",
    ) else {
        panic!("not SHOW ROUTINE LOAD");
    };
    assert!(show.all);
    let columns: Vec<&str> = show.conditions.iter().map(|condition| condition.column.as_str()).collect();
    assert_eq!(columns, ["Name", "State", "Id", "CreateTime"]);
    assert_eq!(show.order[0].column, "Name");
    assert!(show.order[0].descending && !show.order[1].descending);
    let limit = show.limit.unwrap();
    assert_eq!((limit.skip, limit.rows), (3, 4));
}

#[test]
fn show_routine_load_refuses_other_filters_in_starrocks_words() {
    for (filter, expected) in [
        ("Name = 'a' OR Name = 'b'", "Only `AND` operator is allowed"),
        ("NOT Name = 'a'", "Only `AND` operator is allowed"),
        ("Progress = 'a'", "Column `Progress` is not allowed in `where` clause"),
        ("Statee = 'a'", "did you mean `State`?"),
        ("Name > 'a'", "column `Name`: expected `=`"),
        ("Id LIKE 'a'", "column `Id`"),
        ("Id = 'a'", "column `Id`: expected an integer"),
        ("Name = 1", "column `Name`: expected a string"),
        ("CreateTime > 'yesterday'", "expected a time such as"),
    ] {
        let error = refused(&format!("SHOW ROUTINE LOAD WHERE {filter}"));
        assert!(error.contains(expected), "{filter}: {error}");
    }
}

#[test]
fn tasks_are_shown_of_one_job_by_name() {
    let Statement::ShowTasks(show) = parsed("SHOW ROUTINE LOAD TASK FROM d WHERE jobname = \"j\"") else {
        panic!("not tasks");
    };
    assert_eq!((show.database.as_deref(), show.job.as_str()), (Some("d"), "j"));
    assert!(refused("SHOW ROUTINE LOAD TASK").contains("please designate a jobName in where expr"));
    for filter in ["Name = 'a'", "JobName LIKE 'a'", "JobName = 'a' AND JobName = 'b'", "JobName = 1"] {
        let error = refused(&format!("SHOW ROUTINE LOAD TASK WHERE {filter}"));
        assert!(error.contains("only support one equal expr"), "{error}");
    }
}

#[test]
fn the_default_catalog_may_lead_a_name_and_no_other() {
    assert_eq!(parsed("USE default_catalog.d"), parsed("USE d"));
    assert_eq!(parsed("DESC default_catalog.d.t"), parsed("DESCRIBE d.t"));
    assert!(refused("USE other.d").contains("expected catalog `default_catalog`, found `other`"));
}

#[test]
fn a_statement_may_end_as_the_mysql_client_ends_it() {
    for end in ["", ";", "\\G", "\\g", " ; -- over"] {
        assert_eq!(parsed(&format!("SHOW DATABASES{end}")), parsed("SHOW DATABASES"));
    }
}

#[test]
fn deep_and_long_statements_are_refused() {
    let deep = format!("CREATE ROUTINE LOAD j ON t WHERE {}a{} FROM KAFKA", "(".repeat(100_000), ")".repeat(100_000));
    assert!(refused(&deep).contains("nested at most 100 deep"));
    let filter = format!("SHOW TABLES WHERE {}", "(".repeat(100_000));
    assert!(refused(&filter).contains("nested at most 100 deep"));
    let long = format!("USE `{}`", "x".repeat(10 << 20));
    assert!(refused(&long).contains("expected a statement of at most 1048576 bytes"));
}

proptest! {
    #[test]
    fn what_is_printed_parses_back_to_an_equal_statement(statement in generated::statement()) {
        let text = statement.to_string();
        match Statement::parse(&text) {
            Ok(again) => prop_assert_eq!(again, statement, "{}", text),
            Err(error) => prop_assert!(false, "{}\n{}", text, error),
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,80}") {
        let _ = Statement::parse(&text);
    }

    #[test]
    fn any_words_are_parsed_or_refused(
        words in proptest::collection::vec(
            prop_oneof![
                Just("CREATE"), Just("ROUTINE"), Just("LOAD"), Just("ON"), Just("TABLE"), Just("("), Just(")"),
                Just(","), Just("="), Just("'a'"), Just("1"), Just("PROPERTIES"), Just("FROM"), Just("KAFKA"),
                Just("WHERE"), Just("COLUMNS"), Just("TERMINATED"), Just("BY"), Just("SHOW"), Just("ALL"), Just("FOR"),
                Just("x"), Just("`y`"), Just("."), Just("int"), Just("decimal"), Just("NOT"), Just("NULL"),
                Just("DEFAULT"), Just("LIMIT"), Just("ORDER"), Just("AND"), Just("LIKE"), Just("IN"), Just("\"")
            ],
            0..25,
        )
    ) {
        let _ = Statement::parse(&words.join(" "));
    }

    #[test]
    fn a_statement_cut_anywhere_is_parsed_or_refused(at in 0..TUTORIAL_JOB.len()) {
        if let Some(part) = TUTORIAL_JOB.get(..at) {
            let _ = Statement::parse(part);
        }
    }
}

#[test]
fn names_may_have_letters_beyond_ascii() {
    assert_eq!(Statement::parse("USE größe"), Ok(Statement::Use("größe".to_owned())));
    assert_eq!(Statement::parse("USE 数据库_1"), Ok(Statement::Use("数据库_1".to_owned())));
}

#[test]
fn explain_of_a_table_called_routine_is_still_a_description() {
    use crate::statement::{JobOrDefinition, PreviewRoutineLoad};
    assert!(matches!(Statement::parse("EXPLAIN routine"), Ok(Statement::DescribeTable(_))));
    assert!(matches!(
        Statement::parse("EXPLAIN ROUTINE LOAD FOR d.j"),
        Ok(Statement::ExplainJob(JobOrDefinition::Job(_)))
    ));
    assert!(matches!(Statement::parse("EXPLAIN cost"), Ok(Statement::DescribeTable(_))));
    for sql in ["EXPLAIN COST FOR ROUTINE LOAD d.j", "explain cost routine load for d.j;"] {
        assert!(matches!(Statement::parse(sql), Ok(Statement::ExplainCost(_))), "{sql}");
    }
    for (sql, expected) in [
        ("EXPLAIN COST FOR LOAD j", "ROUTINE"),
        ("EXPLAIN COST ROUTINE LOAD j", "FOR"),
        ("EXPLAIN COST FOR ROUTINE LOAD", "a job name"),
    ] {
        let error = Statement::parse(sql).unwrap_err().to_string();
        assert!(error.contains(expected), "{sql}: {error}");
    }
    let preview = Statement::parse("PREVIEW ROUTINE LOAD j ON t FROM KAFKA ('a' = 'b') LIMIT 3");
    assert!(matches!(preview, Ok(Statement::PreviewJob(PreviewRoutineLoad { records: Some(3), .. }))), "{preview:?}");
}
