use penstock_sql::error::code;

use super::parts::{Fixture, TABLE};

const CREATE: &str = "CREATE STORAGE VOLUME s3_volume
    TYPE = S3
    LOCATIONS = (\"s3://my-starrocks-bucket/\")
    PROPERTIES
    (
         \"enabled\" = \"true\",
         \"aws.s3.endpoint\" = \"minio:9000\",
         \"aws.s3.access_key\" = \"AAAAAAAAAAAAAAAAAAAA\",
         \"aws.s3.secret_key\" = \"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\",
         \"aws.s3.use_instance_profile\" = \"false\",
         \"aws.s3.use_aws_sdk_default_behavior\" = \"false\"
    )";

/// StarRocks' quick start over shared data, as far as it is about volumes.
#[tokio::test]
async fn quick_start_session_replays() {
    let fixture = Fixture::new().await;
    fixture.done(CREATE).await;
    let shown = fixture.show("SHOW STORAGE VOLUMES").await;
    assert_eq!(shown.titles, ["Storage Volume"]);
    assert_eq!(shown.column("Storage Volume"), ["builtin_storage_volume", "s3_volume"]);
    assert_eq!(fixture.show("SHOW STORAGE VOLUMES LIKE 's3%'").await.column("Storage Volume"), ["s3_volume"]);
    let row = |default: &str| {
        [
            "s3_volume",
            "S3",
            default,
            "s3://my-starrocks-bucket/",
            "{\"aws.s3.access_key\":\"******\",\"aws.s3.secret_key\":\"******\",\"aws.s3.endpoint\":\"minio:9000\",\
             \"aws.s3.region\":\"us-east-1\",\"aws.s3.use_instance_profile\":\"false\",\
             \"aws.s3.use_web_identity_token_file\":\"false\",\"aws.s3.use_aws_sdk_default_behavior\":\"false\"}",
            "true",
            "",
        ]
        .map(str::to_owned)
    };
    assert_eq!(fixture.show("DESC STORAGE VOLUME s3_volume").await.rows, [row("false")]);
    fixture.done("SET s3_volume AS DEFAULT STORAGE VOLUME").await;
    assert_eq!(fixture.show("DESCRIBE STORAGE VOLUME s3_volume").await.rows, [row("true")]);
    assert_eq!(fixture.show("DESC STORAGE VOLUME builtin_storage_volume").await.cell(0, "IsDefault"), "false");
    fixture.done("CREATE DATABASE IF NOT EXISTS quickstart").await;
    let shown = fixture.show("SHOW CREATE DATABASE quickstart").await;
    assert_eq!(
        shown.cell(0, "Create Database"),
        "CREATE DATABASE `quickstart`\nPROPERTIES (\"storage_volume\" = \"s3_volume\")"
    );
    fixture.uses("quickstart").await;
    fixture.done(TABLE).await;
    let shown = fixture.show("SHOW CREATE TABLE site_clicks").await;
    assert!(shown.cell(0, "Create Table").contains("\"storage_volume\" = \"s3_volume\""), "{:?}", shown.rows);
}

#[tokio::test]
async fn table_takes_its_own_volume_then_its_databases_then_the_default() {
    let fixture = Fixture::new().await;
    for name in ["a", "b"] {
        fixture.done(&CREATE.replace("s3_volume", name)).await;
    }
    fixture.done("CREATE DATABASE d PROPERTIES (\"storage_volume\" = \"a\")").await;
    fixture.uses("d").await;
    fixture.done("CREATE TABLE one (k int)").await;
    fixture.done("CREATE TABLE two (k int) PROPERTIES (\"storage_volume\" = \"b\")").await;
    // A default made later is for databases made later.
    fixture.done("SET b AS DEFAULT STORAGE VOLUME").await;
    fixture.done("CREATE TABLE three (k int)").await;
    let database = fixture.catalog.database("d").await.unwrap().unwrap();
    let tables = fixture.catalog.tables(database.id).await.unwrap();
    let volumes: Vec<(&str, &str)> = tables.iter().map(|table| (table.name.as_str(), table.volume.as_str())).collect();
    assert_eq!(volumes, [("one", "a"), ("three", "a"), ("two", "b")]);
}

#[tokio::test]
async fn alter_changes_comment_and_properties_and_nothing_else() {
    let fixture = Fixture::new().await;
    fixture.done(CREATE).await;
    fixture
        .done(
            "ALTER STORAGE VOLUME s3_volume COMMENT = 'mine', SET ('aws.s3.region' = 'eu-west-1', 'enabled' = 'false')",
        )
        .await;
    let shown = fixture.show("DESC STORAGE VOLUME s3_volume").await;
    assert_eq!((shown.cell(0, "Comment"), shown.cell(0, "Enabled")), ("mine", "false"));
    assert!(shown.cell(0, "Params").contains("\"aws.s3.region\":\"eu-west-1\""), "{:?}", shown.rows);
    let stored = fixture.catalog.volume("s3_volume").await.unwrap().unwrap();
    assert_eq!(stored.properties["aws.s3.secret_key"], "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB");
    fixture.done("ALTER STORAGE VOLUME IF EXISTS nothing COMMENT = 'x'").await;
}

#[tokio::test]
async fn wrong_statements_are_refused_in_starrocks_words() {
    let fixture = Fixture::new().await;
    fixture.done(CREATE).await;
    fixture
        .done(&CREATE.replace("s3_volume", "off").replace("\"enabled\" = \"true\"", "\"enabled\" = \"false\""))
        .await;
    fixture.done("CREATE DATABASE d PROPERTIES (\"storage_volume\" = \"s3_volume\")").await;
    fixture.done("CREATE TABLE d.t (k int)").await;
    let location = |location: &str| CREATE.replace("s3_volume", "v").replace("\"s3://my-starrocks-bucket/\"", location);
    let property = |property: &str| location("\"s3://b\"").replace("\"enabled\" = \"true\"", property);
    for (sql, text) in [
        (CREATE.to_owned(), "Storage volume 's3_volume' already exists"),
        (CREATE.replace("s3_volume", "builtin_storage_volume"), "already exists"),
        (CREATE.replace("s3_volume", "`1`"), "Incorrect storage volume name '1'"),
        (
            CREATE.replace("s3_volume", "v").replace("= S3", "= HDFS"),
            "storage volumes of type HDFS are not supported yet: expected S3",
        ),
        (CREATE.replace("s3_volume", "v").replace("= S3", "= azblob"), "of type AZBLOB are not supported yet"),
        (CREATE.replace("s3_volume", "v").replace("= S3", "= FTP"), "Invalid storage volume type `FTP`"),
        (location("'hdfs://b/p'"), "expected a location of the form s3://bucket[/path], found `hdfs://b/p`"),
        (location("'s3://'"), "found `s3://`"),
        (location("'s3://a', 's3://b'"), "expected one location, found 2"),
        (property("'aws.s3.regoin' = 'x'"), "hint: did you mean `aws.s3.region`?"),
        (property("'enabled' = 'yes'"), "`enabled`: expected `true` or `false`, found `yes`"),
        (property("'aws.s3.endpoint' = 'a b'"), "`aws.s3.endpoint`: expected host[:port]"),
        (property("'aws.s3.access_key' = ''").replace("AAAAAAAAAAAAAAAAAAAA", ""), "expected both or neither"),
        (property("'aws.s3.iam_role_arn' = 'x'"), "`aws.s3.iam_role_arn` is not supported yet"),
        (property("'aws.s3.enable_partitioned_prefix' = 'true'"), "is not supported yet"),
        ("ALTER STORAGE VOLUME x COMMENT = ''".to_owned(), "Storage volume 'x' does not exist"),
        ("ALTER STORAGE VOLUME builtin_storage_volume COMMENT = ''".to_owned(), "settings say"),
        (
            "ALTER STORAGE VOLUME s3_volume SET ('aws.s3.num_partitioned_prefix' = '4')".to_owned(),
            "Storage volume property 'aws.s3.num_partitioned_prefix' is immutable!",
        ),
        ("DROP STORAGE VOLUME x".to_owned(), "Storage volume 'x' does not exist"),
        ("DROP STORAGE VOLUME builtin_storage_volume".to_owned(), "default storage volume can not be removed"),
        (
            "DROP STORAGE VOLUME s3_volume".to_owned(),
            "Storage volume 's3_volume' is referenced by dbs or tables, dbs: [d], tables: [d.t]",
        ),
        (
            "DESC STORAGE VOLUME s3_volum".to_owned(),
            "Unknown storage volume: s3_volum.\nhint: did you mean `s3_volume`?",
        ),
        ("SET x AS DEFAULT STORAGE VOLUME".to_owned(), "Storage volume 'x' does not exist"),
        ("SET off AS DEFAULT STORAGE VOLUME".to_owned(), "Storage volume off is disabled"),
        ("CREATE DATABASE e PROPERTIES (\"storage_volume\" = \"off\")".to_owned(), "Storage volume off is disabled"),
        ("CREATE TABLE d.u (k int) PROPERTIES (\"storage_volume\" = \"x\")".to_owned(), "Unknown storage volume: x"),
    ] {
        let error = fixture.refused(&sql).await;
        assert!(error.to_string().contains(text), "{sql}: {error}");
        assert!([code::PARSE, code::BAD_NAME].contains(&error.code), "{sql}: {error}");
        assert!(!error.to_string().contains("BBBB"), "{error}");
    }
    fixture.done("SET s3_volume AS DEFAULT STORAGE VOLUME").await;
    let error = fixture.refused("ALTER STORAGE VOLUME s3_volume SET ('enabled' = 'false')").await;
    assert!(error.message.contains("Default volume can not be disabled"), "{error}");
    let error = fixture.refused("DROP STORAGE VOLUME builtin_storage_volume").await;
    assert!(error.message.contains("builtin storage volume can not be removed"), "{error}");
    fixture.done("DROP STORAGE VOLUME off").await;
    fixture.done("DROP STORAGE VOLUME IF EXISTS off").await;
    fixture.done("DROP DATABASE d").await;
    fixture.done("SET builtin_storage_volume AS DEFAULT STORAGE VOLUME").await;
    fixture.done("DROP STORAGE VOLUME s3_volume").await;
    assert_eq!(fixture.show("SHOW STORAGE VOLUMES").await.rows.len(), 1);
}
