//! Joins: rows that cannot match are left out early, and nothing else changes.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array};
use penstock_kernel::table::ColumnType;

use crate::world::World;

/// `many` has 60,000 rows of 6,000 keys and ten without; `few` has three keys, one of them nowhere else, and one row without;
/// `names` has the three keys.
async fn world() -> World {
    let world = World::empty().await;
    let columns = [("k", ColumnType::Int), ("v", ColumnType::BigInt)];
    let many = world.table("many", &columns).await;
    let key = |row: i32| (row % 6001 != 6000).then_some(row % 6001);
    let cells: Vec<ArrayRef> = vec![
        Arc::new((0..60_010).map(key).collect::<Int32Array>()),
        Arc::new((0..60_010).map(Some).collect::<Int64Array>()),
    ];
    world.load(&many, cells).await;
    for (name, keys) in
        [("few", vec![Some(7), Some(5999), Some(99_999), None]), ("names", vec![Some(7), Some(5999), Some(99_999)])]
    {
        let table = world.table(name, &columns).await;
        let values = (0..).take(keys.len()).map(Some).collect::<Int64Array>();
        world.load(&table, vec![Arc::new(Int32Array::from(keys)) as ArrayRef, Arc::new(values)]).await;
    }
    world
}

const GROUPED: &str = "(SELECT k, count(*) n, min(v) m FROM many GROUP BY k) g";

#[tokio::test]
async fn rows_are_left_out_before_they_are_grouped() {
    let world = world().await;
    let sql = format!("SELECT few.k, n, m FROM few JOIN {GROUPED} ON few.k = g.k ORDER BY few.k");
    assert_eq!(world.lines(&sql).await, ["7|10|7", "5999|10|5999"]);
    let analyzed = world.lines(&format!("EXPLAIN ANALYZE {sql}")).await;
    let sieve = analyzed.iter().find(|line| line.contains("Sieve")).unwrap();
    assert!(sieve.contains("output_rows=20,"), "{sieve}");
}

#[tokio::test]
async fn rows_are_left_out_before_other_joins() {
    let world = world().await;
    let sql =
        "SELECT count(*), sum(a.v), count(DISTINCT a.k) FROM many a JOIN many b ON a.v = b.v JOIN few ON few.k = b.k";
    assert_eq!(world.value(sql).await, "20|600150|2");
    let outer = "SELECT count(*), count(few.k) FROM many a JOIN many b ON a.v = b.v LEFT JOIN few ON few.k = b.k";
    assert_eq!(world.value(outer).await, "60010|20");
}

#[tokio::test]
async fn join_that_wants_null_finds_null() {
    let world = world().await;
    let sql = format!("SELECT few.k, n FROM few JOIN {GROUPED} ON few.k <=> g.k ORDER BY few.k");
    assert_eq!(world.lines(&sql).await, ["NULL|10", "7|10", "5999|10"]);
}

#[tokio::test]
async fn list_of_groups_is_asked_of_the_table_that_has_the_key() {
    let world = world().await;
    for (sql, lines) in [
        (
            "SELECT f.k, n.v FROM few f JOIN names n ON f.k = n.k \
             WHERE f.k IN (SELECT k FROM many GROUP BY k HAVING max(v) < 54050) ORDER BY f.k",
            &["7|0"][..],
        ),
        (
            "SELECT count(*) FROM few f JOIN names n ON f.v = n.v JOIN names o ON o.v = n.v \
             WHERE n.k IN (SELECT k + 1 FROM many GROUP BY k HAVING count(*) = 10)",
            &["2"],
        ),
        (
            "SELECT x.a FROM (SELECT f.k + 1 b, n.k a FROM few f JOIN names n ON f.k = n.k) x \
             WHERE x.a IN (SELECT k FROM many GROUP BY k HAVING count(*) > 1) ORDER BY x.a",
            &["7", "5999"],
        ),
        (
            "SELECT x.b FROM (SELECT f.k + 1 b, n.k a FROM few f JOIN names n ON f.k = n.k) x \
             WHERE x.b IN (SELECT k FROM many GROUP BY k HAVING count(*) > 1) ORDER BY x.b",
            &["8"],
        ),
        (
            "SELECT f.v FROM few f LEFT JOIN names n ON f.k = n.k \
             WHERE f.k IN (SELECT k FROM many GROUP BY k HAVING count(*) > 1) ORDER BY f.v",
            &["0", "1"],
        ),
        (
            "SELECT f.v FROM few f JOIN names n ON f.v = n.v \
             WHERE f.k NOT IN (SELECT k FROM many WHERE k IS NOT NULL GROUP BY k HAVING count(*) > 1) ORDER BY f.v",
            &["2"],
        ),
    ] {
        assert_eq!(world.lines(sql).await, lines, "{sql}");
    }
    let plan = world
        .lines(
            "EXPLAIN SELECT f.k FROM few f JOIN names n ON f.k = n.k \
             WHERE f.k IN (SELECT k FROM many GROUP BY k HAVING max(v) < 54050)",
        )
        .await;
    let line = |text: &str| plan.iter().position(|line| line.contains(text)).unwrap();
    assert!(line("Inner Join") < line("LeftSemi Join"), "{plan:#?}");
}

#[tokio::test]
async fn what_a_with_groups_is_grouped_once() {
    let world = world().await;
    let groups = "WITH g AS (SELECT k, sum(v) s FROM many GROUP BY k)";
    let sql = format!("{groups} SELECT k, s FROM g WHERE s = (SELECT max(s) FROM g)");
    assert_eq!(world.lines(&sql).await, ["NULL|330045"]);
    let analyzed = world.lines(&format!("EXPLAIN ANALYZE {sql}")).await;
    assert_eq!(analyzed.iter().filter(|line| line.contains("SharedExec")).count(), 2, "{analyzed:#?}");
    let scans: Vec<_> = analyzed.iter().filter(|line| line.contains("DataSourceExec")).collect();
    let read = |line: &&&String| line.contains("output_rows=60");
    assert_eq!((scans.len(), scans.iter().filter(read).count()), (2, 1), "{scans:#?}");
    // Each time, something else may come of it.
    let volatile = "WITH g AS (SELECT k, max(rand()) r FROM many GROUP BY k) SELECT count(*) FROM g a JOIN g b ON a.k = b.k WHERE a.r + b.r > -1";
    let planned = world.lines(&format!("EXPLAIN {volatile}")).await;
    assert!(!planned.iter().any(|line| line.contains("SharedExec")), "{planned:#?}");
    assert_eq!(world.value(volatile).await, "6000");
}
