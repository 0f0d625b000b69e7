//! What clients are told when it does not work.

use std::sync::atomic::Ordering;
use std::time::Duration;

use penstock_query::QuerySettings;
use penstock_sql::error::code;

use crate::world::World;

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let mut world = World::tutorial().await;
    for (sql, code, message, hint) in [
        ("SELECT * FROM nosuch.t", code::UNKNOWN_DATABASE, "Unknown database 'nosuch'", None),
        (
            "SELECT * FROM quikstart.t",
            code::UNKNOWN_DATABASE,
            "Unknown database 'quikstart'",
            Some("did you mean `quickstart`?"),
        ),
        (
            "SELECT * FROM site_clicks PARTITION (p1)",
            code::PARSE,
            "PARTITION of a table in FROM is not supported yet",
            Some("say it in WHERE: files of other partitions are not read"),
        ),
        ("SELECT * FROM nosuch", code::UNKNOWN_TABLE, "Unknown table 'quickstart.nosuch'", None),
        (
            "SELECT * FROM site_click",
            code::UNKNOWN_TABLE,
            "Unknown table 'quickstart.site_click'",
            Some("did you mean `site_clicks`?"),
        ),
        (
            "SELECT * FROM information_schema.nosuch",
            code::UNKNOWN_TABLE,
            "Unknown table 'information_schema.nosuch'",
            None,
        ),
        (
            "SELECT vtme FROM site_clicks",
            code::PARSE,
            "Column 'vtme' cannot be resolved",
            Some("did you mean `vtime`?"),
        ),
        ("SELECT s.price FROM site_clicks s", code::PARSE, "Column 's.price' cannot be resolved", None),
        (
            "SELECT uid FROM site_clicks WHERE sit = 'x'",
            code::PARSE,
            "Column 'sit' cannot be resolved",
            Some("did you mean `site`?"),
        ),
        (
            "SELECT * FROM other.quickstart.site_clicks",
            code::PARSE,
            "Unknown catalog 'other'",
            Some("there is only `default_catalog`"),
        ),
        (
            "SELECT uid FROM site_clicks a, site_clicks b",
            code::PARSE,
            "Column 'uid' is ambiguous",
            Some("say which table it is of: table.column"),
        ),
    ] {
        let error = world.error(sql).await;
        assert_eq!((error.code, error.message.as_str(), error.hint.as_deref()), (code, message, hint), "{sql}");
    }
    world.session.database = None;
    let error = world.error("SELECT * FROM site_clicks").await;
    assert_eq!((error.code, error.sqlstate.as_str()), (code::NO_DATABASE, "3D000"));
    assert_eq!(world.value("SELECT count(*) FROM quickstart.site_clicks").await, "5");
    assert_eq!(world.value("SELECT database()").await, "NULL");
}

#[tokio::test]
async fn wrong_statements_are_explained() {
    let world = World::tutorial().await;
    for (sql, message) in [
        ("SELEC 1", "syntax error at line 1, column 1: expected an SQL statement, found `SELEC`"),
        ("SELECT uid,, site FROM site_clicks", "syntax error at line 1, column 12: expected an expression, found `,`"),
        ("SELECT uid FROM site_clicks WHERE", "syntax error: expected an expression, found the end of the statement"),
        ("", "the statement is empty"),
        ("SELECT 1; SELECT 2", "expected one statement, found several"),
        ("INSERT INTO site_clicks VALUES (1, 'a', 2)", "`INSERT` is not supported here"),
        ("DELETE FROM site_clicks", "`DELETE` is not supported here"),
        ("DROP TABLE site_clicks", "`DROP` is not supported here"),
        ("SELECT nosuch(uid) FROM site_clicks", "Invalid function 'nosuch'"),
        ("SELECT site, uid FROM site_clicks GROUP BY site", "uid"),
        ("SELECT uid FROM site_clicks INTO OUTFILE 'x'", ""),
        ("SELECT date_add('2024-01-01', INTERVAL 1 FORTNIGHT)", ""),
        ("SELECT timestampdiff(fortnight, now(), now())", "expected a unit of time, found `fortnight`"),
        ("SELECT * FROM site_clicks UNION SELECT 1", ""),
    ] {
        let error = world.error(sql).await;
        assert_eq!((error.code, error.sqlstate.as_str()), (code::PARSE, "42000"), "{sql}: {error}");
        assert!(error.message.contains(message), "{sql}: {error}");
        assert_plain(&error.to_string());
    }
}

/// Nothing in a message is a dump, or a name of our own.
fn assert_plain(message: &str) {
    for ours in [
        "DataFusion",
        "datafusion",
        "Some(",
        "Utf8View",
        "backtrace",
        ".rs:",
        "cargo",
        "\0",
        "Literal(",
        "AKIA",
        "10.0.0.7",
    ] {
        assert!(!message.contains(ours), "`{ours}` in: {message}");
    }
}

#[tokio::test]
async fn storage_that_does_not_answer_is_unavailable() {
    let world = World::tutorial().await;
    world.reads.broken.store(true, Ordering::SeqCst);
    let error = world.error("SELECT * FROM site_clicks").await;
    assert_eq!(error.code, code::UNAVAILABLE, "{error}");
    assert!(error.hint.as_deref().is_some_and(|hint| hint.starts_with("try again")), "{error}");
    assert_plain(&error.to_string());
    world.reads.broken.store(false, Ordering::SeqCst);
    assert_eq!(world.lines("SELECT * FROM site_clicks").await.len(), 5);
}

#[tokio::test]
async fn missing_file_is_told_as_such() {
    let world = World::tutorial().await;
    world.remove_objects().await;
    let error = world.error("SELECT * FROM site_clicks").await;
    assert_eq!(error.code, code::UNAVAILABLE);
    assert!(error.message.contains("not in its storage volume"), "{error}");
    assert_plain(&error.to_string());
}

#[tokio::test]
async fn memory_is_bounded() {
    let world = World::with(QuerySettings { memory_bytes: 4 << 20, spill_bytes: 0, ..QuerySettings::default() }).await;
    let sql = "SELECT count(*) FROM (SELECT DISTINCT value FROM generate_series(1, 5000000)) t";
    let error = world.error(sql).await;
    assert_eq!(error.code, code::INTERNAL, "{error}");
    assert!(error.message.contains("more memory than the 4 MB"), "{error}");
    assert!(error.hint.is_some());
}

#[tokio::test]
async fn time_is_bounded() {
    let world = World::with(QuerySettings { time_limit: Duration::from_millis(300), ..QuerySettings::default() }).await;
    let sql = "SELECT count(*) FROM generate_series(1, 10000000) a, generate_series(1, 10000000) b WHERE a.value * b.value % 7 = 3";
    let error = world.error(sql).await;
    assert!(error.message.contains("took longer than"), "{error}");
}
