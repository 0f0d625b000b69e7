use penstock_sql::error::code;

use super::parts::{Fixture, JOB};

#[tokio::test]
async fn databases_are_created_shown_and_dropped() {
    let fixture = Fixture::new().await;
    fixture.done("CREATE DATABASE b").await;
    fixture.done("CREATE SCHEMA IF NOT EXISTS b").await;
    fixture.done("CREATE DATABASE a PROPERTIES ('storage_volume' = 'builtin_storage_volume')").await;
    let shown = fixture.show("SHOW DATABASES").await;
    assert_eq!(shown.titles, ["Database"]);
    assert_eq!(shown.column("Database"), ["_statistics_", "a", "b", "information_schema", "sys"]);
    assert_eq!(fixture.show("SHOW DATABASES LIKE 'A%'").await.column("Database"), ["a"]);
    assert_eq!(fixture.show("SHOW DATABASES WHERE `Database` = 'b'").await.column("Database"), ["b"]);
    let shown = fixture.show("SHOW CREATE DATABASE b").await;
    assert_eq!(
        shown.rows,
        [["b", "CREATE DATABASE `b`\nPROPERTIES (\"storage_volume\" = \"builtin_storage_volume\")"]]
    );
    fixture.done("DROP DATABASE b FORCE").await;
    fixture.done("DROP DATABASE IF EXISTS b").await;
    assert_eq!(
        fixture.show("SHOW SCHEMAS").await.column("Database"),
        ["_statistics_", "a", "information_schema", "sys"]
    );
}

#[tokio::test]
async fn wrong_statements_have_their_numbers() {
    let fixture = Fixture::with_table().await;
    for (sql, code, text) in [
        ("CREATE DATABASE quickstart", code::DATABASE_EXISTS, "Can't create database 'quickstart'; database exists"),
        ("CREATE DATABASE Information_Schema", code::DATABASE_EXISTS, "database exists"),
        ("CREATE DATABASE sys", code::DATABASE_EXISTS, "database exists"),
        ("DROP DATABASE x", code::DATABASE_MISSING_ON_DROP, "Can't drop database 'x'; database doesn't exist"),
        ("DROP DATABASE information_schema", code::PARSE, "cannot be dropped"),
        ("CREATE DATABASE `1`", code::BAD_NAME, "Incorrect database name"),
        ("CREATE DATABASE d PROPERTIES ('a' = 'b')", code::PARSE, "a is invalid property"),
        ("CREATE DATABASE d PROPERTIES ('storage_volume' = 'x')", code::PARSE, "Unknown storage volume: x"),
        ("USE quickstrat", code::UNKNOWN_DATABASE, "Unknown database 'quickstrat'\nhint: did you mean `quickstart`?"),
        ("SHOW CREATE DATABASE x", code::UNKNOWN_DATABASE, "Unknown database 'x'"),
        ("SHOW TABLES FROM x", code::UNKNOWN_DATABASE, "Unknown database 'x'"),
    ] {
        let error = fixture.refused(sql).await;
        assert_eq!(error.code, code, "{sql}: {error}");
        assert!(error.to_string().contains(text), "{sql}: {error}");
    }
}

#[tokio::test]
async fn dropping_a_database_cancels_its_jobs_and_drops_its_tables() {
    let fixture = Fixture::with_job().await;
    let job = fixture.job("clicks").await;
    fixture.mappings.take_calls();
    fixture.done("DROP DATABASE quickstart").await;
    assert_eq!(fixture.mappings.take_calls(), [format!("delete `mapping-{0}` of {0}", job.id)]);
    let snapshot = fixture.catalog.job_snapshot(job.id).await.unwrap().unwrap();
    assert_eq!(snapshot.job.state.to_string(), "CANCELLED");
    let reason = snapshot.job.reason.unwrap().to_string();
    assert_eq!(reason, format!("ErrorReason{{errCode = 5, msg='db {}not exist'}}", job.database));
    assert_eq!(fixture.catalog.table_by_id(job.table).await.unwrap(), None);
    // A new database of the same name knows nothing of it.
    fixture.done("CREATE DATABASE quickstart").await;
    assert!(fixture.show("SHOW ALL ROUTINE LOAD").await.rows.is_empty());
    assert_eq!(fixture.refused(JOB).await.code, code::UNKNOWN_TABLE);
}

#[tokio::test]
async fn information_schema_can_be_used_and_listed() {
    let fixture = Fixture::new().await;
    fixture.uses("INFORMATION_SCHEMA").await;
    let shown = fixture.show("SHOW FULL TABLES").await;
    assert_eq!(shown.titles, ["Tables_in_information_schema", "Table_type"]);
    assert!(shown.rows.contains(&vec!["tables".to_owned(), "SYSTEM VIEW".to_owned()]));
}
