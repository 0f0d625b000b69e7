//! Titles, and names in any case and quotes.

use arrow_array::{ArrayRef, Int64Array, StringArray};
use penstock_kernel::table::ColumnType;
use std::sync::Arc;

use crate::world::World;

/// Table `Clicks` with columns `Uid`, `siteName` and `from`.
async fn mixed() -> World {
    let world = World::empty().await;
    let columns = [("Uid", ColumnType::BigInt), ("siteName", ColumnType::Varchar(100)), ("from", ColumnType::BigInt)];
    let table = world.table("Clicks", &columns).await;
    let rows: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1, 2])),
        Arc::new(StringArray::from(vec!["a", "b"])),
        Arc::new(Int64Array::from(vec![10, 20])),
    ];
    world.load(&table, rows).await;
    world
}

#[tokio::test]
async fn titles_are_the_text_as_written() {
    let world = World::tutorial().await;
    for (sql, titles) in [
        ("SELECT 1", vec!["1"]),
        ("SELECT 1, 1", vec!["1", "1"]),
        ("SELECT count(*), COUNT(1), count( * ) n FROM site_clicks", vec!["count(*)", "COUNT(1)", "n"]),
        ("SELECT max(vtime), min( uid )+1 FROM site_clicks", vec!["max(vtime)", "min( uid )+1"]),
        ("SELECT uid, uid, UID FROM site_clicks", vec!["uid", "uid", "UID"]),
        ("SELECT *, uid FROM site_clicks", vec!["uid", "site", "vtime", "uid"]),
        ("SELECT a.uid, b.uid FROM site_clicks a JOIN site_clicks b ON a.uid = b.uid", vec!["uid", "uid"]),
        ("SELECT `site_clicks`.`uid` FROM `site_clicks`", vec!["uid"]),
        ("SELECT uid AS 'the id', site \"The Site\" FROM site_clicks", vec!["the id", "The Site"]),
        ("SELECT database(), now(), 'x'", vec!["database()", "now()", "'x'"]),
        ("SELECT count(*) FROM site_clicks UNION ALL SELECT 2", vec!["count(*)"]),
        ("SELECT * FROM (SELECT count(*), uid AS Uid2 FROM site_clicks GROUP BY uid) x", vec!["count(*)", "Uid2"]),
        ("SELECT x.`count(*)` + 1 FROM (SELECT count(*) FROM site_clicks) x", vec!["x.`count(*)` + 1"]),
        ("SELECT concat(site, ',', 'x'), (SELECT 1) FROM site_clicks", vec!["concat(site, ',', 'x')", "(SELECT 1)"]),
        ("SELECT vtime AS uid, uid FROM site_clicks", vec!["uid", "uid"]),
        ("SELECT a.*, b.vtime v FROM site_clicks a, site_clicks b", vec!["uid", "site", "vtime", "v"]),
    ] {
        let answer = world.run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(answer.titles, titles, "{sql}");
    }
}

#[tokio::test]
async fn columns_match_in_any_case() {
    let world = mixed().await;
    for sql in [
        "SELECT uid FROM Clicks WHERE SITENAME = 'b'",
        "SELECT `UID` FROM Clicks WHERE `from` = 20",
        "SELECT c.uID FROM Clicks c WHERE c.sitename = 'b' ORDER BY c.`FROM`",
        "SELECT UID FROM (SELECT Uid, SiteName FROM Clicks) x WHERE sitename > 'a'",
        "SELECT max(UID) FROM Clicks GROUP BY siteNAME HAVING max(uid) > 1",
        "SELECT Uid FROM Clicks JOIN (SELECT 2 AS UID) t USING (uid)",
        "WITH t(Aa) AS (SELECT UID FROM Clicks) SELECT AA FROM t WHERE aA = 2",
    ] {
        assert_eq!(world.value(sql).await, "2", "{sql}");
    }
}

#[tokio::test]
async fn wildcards_are_titled_as_the_table_was_defined() {
    let world = mixed().await;
    let titles = |sql: &'static str| {
        let world = &world;
        async move { world.run(sql).await.unwrap().titles }
    };
    assert_eq!(titles("SELECT * FROM Clicks").await, ["Uid", "siteName", "from"]);
    assert_eq!(titles("SELECT c.*, 1 FROM Clicks c").await, ["Uid", "siteName", "from", "1"]);
    assert_eq!(titles("SELECT uid, sitename FROM Clicks").await, ["uid", "sitename"]);
    assert_eq!(titles("SELECT * FROM (SELECT UID AS UID, 1 AS oNe FROM Clicks) x").await, ["UID", "oNe"]);
    assert_eq!(world.lines("SELECT * FROM Clicks ORDER BY uid").await, ["1|a|10", "2|b|20"]);
}

#[tokio::test]
async fn tables_match_exactly() {
    let world = mixed().await;
    assert_eq!(world.error("SELECT * FROM clicks").await.code, 5502);
    assert_eq!(world.error("SELECT * FROM QuickStart.Clicks").await.code, 5501);
    assert_eq!(world.value("SELECT count(*) FROM `quickstart`.`Clicks`").await, "2");
}

#[tokio::test]
async fn columns_added_later_are_null_in_older_files() {
    let world = World::empty().await;
    let table = world.table("t", &[("a", ColumnType::BigInt), ("gone", ColumnType::BigInt)]).await;
    let old: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![1])), Arc::new(Int64Array::from(vec![7]))];
    world.load(&table, old).await;
    // The same id under another name, another id under a name that was used before, and one that is new.
    let mut altered = table.clone();
    altered.columns[0].name = "Renamed".to_owned();
    altered.columns[1].id = 3;
    let mut extra = altered.columns[1].clone();
    (extra.id, extra.name, extra.column_type) = (4, "extra".to_owned(), ColumnType::Varchar(10));
    altered.columns.push(extra);
    let database = world.catalog.database("quickstart").await.unwrap().unwrap();
    world.catalog.drop_table(database.id, "t").await.unwrap();
    let altered = match world.catalog.create_table(altered).await.unwrap() {
        penstock_catalog::database::Created::New(table) => table,
        penstock_catalog::database::Created::Exists(_) => panic!(),
    };
    for mut commit in world.catalog.commits(table.id).await.unwrap() {
        (commit.table, commit.id) = (altered.id, world.catalog.clock().unique());
        world.catalog.commit(&commit, 0, &[]).await.unwrap();
    }
    let new: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![2])),
        Arc::new(Int64Array::from(vec![8])),
        Arc::new(StringArray::from(vec!["x"])),
    ];
    world.load(&altered, new).await;
    assert_eq!(world.lines("SELECT renamed, gone, extra FROM t ORDER BY 1").await, ["1|NULL|NULL", "2|8|x"]);
    assert_eq!(world.lines("SELECT renamed FROM t WHERE extra IS NULL").await, ["1"]);
    assert_eq!(world.lines("SELECT renamed FROM t WHERE gone = 8 AND extra = 'x'").await, ["2"]);
}

#[tokio::test]
async fn name_means_the_table_that_has_it_now() {
    let world = World::tutorial().await;
    assert_eq!(world.value("SELECT count(*) FROM site_clicks").await, "5");
    let database = world.database().await.id;
    world.catalog.drop_table(database, "site_clicks").await.unwrap();
    assert_eq!(world.error("SELECT count(*) FROM site_clicks").await.code, 5502);
    let table = world.table("site_clicks", &[("other", ColumnType::BigInt)]).await;
    world.load(&table, vec![Arc::new(Int64Array::from(vec![7]))]).await;
    assert_eq!(world.value("SELECT other FROM site_clicks").await, "7");
}
