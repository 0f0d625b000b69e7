//! What clients learn about databases, tables and columns.

use crate::world::World;

#[tokio::test]
async fn databases_tables_and_columns_are_listed() {
    let world = World::tutorial().await;
    assert_eq!(
        world.lines("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY 1").await,
        ["information_schema", "quickstart"]
    );
    let tables = "SELECT table_name, TABLE_TYPE, engine, table_comment, create_time FROM INFORMATION_SCHEMA.tables \
                  WHERE table_schema = database()";
    assert_eq!(world.lines(tables).await, ["site_clicks|BASE TABLE|StarRocks|clicks|2024-06-11 12:00:00"]);
    let columns = "SELECT COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, DATA_TYPE, COLUMN_TYPE, COLUMN_KEY, \
                   CHARACTER_MAXIMUM_LENGTH FROM information_schema.`COLUMNS` WHERE TABLE_NAME LIKE 'site%' \
                   ORDER BY ORDINAL_POSITION";
    assert_eq!(
        world.lines(columns).await,
        [
            "uid|1|YES|bigint|bigint(20)|DUP|NULL",
            "site|2|YES|varchar|varchar(65533)||65533",
            "vtime|3|YES|bigint|bigint(20)||NULL",
        ]
    );
}

#[tokio::test]
async fn titles_are_those_of_mysql() {
    let world = World::tutorial().await;
    let answer = world.run("SELECT * FROM information_schema.schemata LIMIT 1").await.unwrap();
    assert_eq!(
        answer.titles,
        ["CATALOG_NAME", "SCHEMA_NAME", "DEFAULT_CHARACTER_SET_NAME", "DEFAULT_COLLATION_NAME", "SQL_PATH"]
    );
}

#[tokio::test]
async fn tables_can_be_joined_and_selected_as_database() {
    let mut world = World::tutorial().await;
    world.session.database = Some("information_schema".to_owned());
    let sql = "SELECT t.TABLE_NAME, count(*) FROM tables t JOIN columns c ON c.table_schema = t.table_schema \
               AND c.table_name = t.table_name WHERE t.table_schema = 'quickstart' GROUP BY t.TABLE_NAME LIMIT 10";
    assert_eq!(world.lines(sql).await, ["site_clicks|3"]);
}

#[tokio::test]
async fn what_drivers_join_exists_and_is_empty() {
    let world = World::empty().await;
    for table in [
        "views",
        "routines",
        "statistics",
        "key_column_usage",
        "referential_constraints",
        "table_constraints",
        "triggers",
        "events",
        "partitions",
        "parameters",
    ] {
        assert_eq!(world.value(&format!("SELECT count(*) FROM information_schema.{table}")).await, "0", "{table}");
    }
    for table in ["engines", "character_sets", "collations"] {
        assert_eq!(world.value(&format!("SELECT count(*) FROM information_schema.{table}")).await, "1", "{table}");
    }
}
