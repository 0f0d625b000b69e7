use penstock_sql::error::code;
use penstock_sql::request::{SqlRequest, SqlResponse};

use super::parts::{Fixture, TABLE};

#[tokio::test]
async fn tables_are_described_as_they_were_created() {
    let fixture = Fixture::with_table().await;
    let shown = fixture.show("DESC site_clicks").await;
    assert_eq!(shown.titles, ["Field", "Type", "Null", "Key", "Default", "Extra"]);
    assert_eq!(
        shown.rows,
        [
            ["uid", "bigint", "NO", "true", "NULL", ""],
            ["site", "varchar(65533)", "NO", "true", "NULL", ""],
            ["vtime", "bigint", "NO", "false", "NULL", ""],
        ]
    );
    let shown = fixture.show("SHOW CREATE TABLE quickstart.site_clicks").await;
    assert_eq!(shown.titles, ["Table", "Create Table"]);
    assert_eq!(
        shown.cell(0, "Create Table"),
        "CREATE TABLE `site_clicks` (\n  `uid` bigint(20) NOT NULL COMMENT \"uid\",\n  \
         `site` varchar(65533) NOT NULL COMMENT \"site url\",\n  `vtime` bigint(20) NOT NULL COMMENT \"vtime\"\n\
         ) ENGINE=OLAP\nDUPLICATE KEY(`uid`, `site`)\nDISTRIBUTED BY HASH(`uid`)\nPROPERTIES (\n\
         \"replication_num\" = \"1\",\n\"storage_volume\" = \"builtin_storage_volume\"\n);"
    );
    let shown = fixture.show("SHOW FULL COLUMNS FROM site_clicks LIKE 'si%'").await;
    assert_eq!(shown.cell(0, "Comment"), "site url");
    assert_eq!(shown.rows.len(), 1);
    assert!(fixture.show("SHOW INDEX FROM site_clicks").await.rows.is_empty());
}

#[tokio::test]
async fn tables_are_listed_and_filtered() {
    let fixture = Fixture::with_table().await;
    fixture.done("CREATE TABLE other (a int)").await;
    let shown = fixture.show("SHOW TABLES").await;
    assert_eq!(shown.titles, ["Tables_in_quickstart"]);
    assert_eq!(shown.column("Tables_in_quickstart"), ["other", "site_clicks"]);
    let shown = fixture.show("SHOW FULL TABLES FROM quickstart WHERE Table_type = 'BASE TABLE'").await;
    assert_eq!(shown.rows.len(), 2);
    let shown = fixture.show("DESC information_schema.loads").await;
    assert_eq!(shown.titles, ["Field", "Type", "Null", "Key", "Default", "Extra"]);
    assert_eq!(shown.rows[0], ["ID", "bigint", "YES", "false", "NULL", ""]);
    let shown = fixture.show("SHOW FULL COLUMNS FROM Information_Schema.TABLES LIKE 'TABLE_N%'").await;
    assert_eq!(shown.column("Field"), ["TABLE_NAME"]);
    assert_eq!(shown.column("Type"), ["varchar(2048)"]);
    let error = fixture.refused("DESC information_schema.nosuch").await;
    assert_eq!(
        (error.code, error.message.as_str()),
        (code::UNKNOWN_TABLE, "Unknown table 'information_schema.nosuch'")
    );
    let error = fixture.refused("SHOW TABLES WHERE Table_type = 'x'").await;
    assert!(error.message.contains("column `Table_type` does not exist"), "{error}");
}

#[tokio::test]
async fn table_status_counts_committed_rows() {
    let fixture = Fixture::with_job().await;
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 5)]).await;
    fixture.loaded("clicks", 0, 5, 372).await;
    let shown = fixture.show("SHOW TABLE STATUS LIKE 'site%'").await;
    assert_eq!((shown.cell(0, "Rows"), shown.cell(0, "Data_length")), ("5", "1000"));
    assert_eq!(shown.cell(0, "Create_time"), "2024-06-12 18:40:53");
}

#[tokio::test]
async fn wrong_statements_have_their_numbers() {
    let fixture = Fixture::with_table().await;
    for (sql, code, text) in [
        (TABLE, code::TABLE_EXISTS, "Table 'site_clicks' already exists"),
        (
            "DESC site_click",
            code::UNKNOWN_TABLE,
            "Unknown table 'quickstart.site_click'\nhint: did you mean `site_clicks`?",
        ),
        ("DROP TABLE x", code::UNKNOWN_TABLE, "Unknown table 'quickstart.x'"),
        ("CREATE TABLE x.t (a int)", code::UNKNOWN_DATABASE, "Unknown database 'x'"),
        ("CREATE TABLE t (a int) PRIMARY KEY (a)", code::PARSE, "PRIMARY KEY is not supported yet"),
        ("CREATE TABLE t (a int) PROPERTIES ('storage_volume' = 'x')", code::PARSE, "Unknown storage volume: x"),
    ] {
        let error = fixture.refused(sql).await;
        assert_eq!(error.code, code, "{sql}: {error}");
        assert!(error.to_string().contains(text), "{sql}: {error}");
    }
    fixture.done(&TABLE.replace("TABLE site", "TABLE IF NOT EXISTS site")).await;
    fixture.done("DROP TABLE IF EXISTS x").await;
}

#[tokio::test]
async fn without_a_database_names_need_one() {
    let fixture = Fixture::new().await;
    for sql in ["SHOW TABLES", "DESC t", "CREATE TABLE t (a int)", "SHOW ROUTINE LOAD", "PAUSE ROUTINE LOAD FOR j"] {
        let request = SqlRequest { sql: sql.to_owned(), session: Default::default() };
        let SqlResponse::Error(error) = fixture.admin.run(request).await else { panic!("{sql}") };
        assert_eq!((error.code, error.message.as_str()), (code::NO_DATABASE, "No database selected"), "{sql}");
    }
}

#[tokio::test]
async fn dropping_a_table_cancels_its_jobs() {
    let fixture = Fixture::with_job().await;
    let job = fixture.job("clicks").await;
    fixture.done("DROP TABLE site_clicks FORCE").await;
    let last = fixture.mappings.take_calls().pop().unwrap();
    assert_eq!(last, format!("delete `mapping-{0}` of {0}", job.id));
    assert!(fixture.show("SHOW ROUTINE LOAD").await.rows.is_empty());
    let shown = fixture.show("SHOW ALL ROUTINE LOAD").await;
    assert_eq!(shown.cell(0, "State"), "CANCELLED");
    assert_eq!(shown.cell(0, "ReasonOfStateChanged"), "ErrorReason{errCode = 6, msg='table not exist'}");
    assert_eq!(shown.cell(0, "TableName"), job.table.to_string());
    assert_eq!(shown.cell(0, "EndTime"), "2024-06-12 18:40:53");
}
