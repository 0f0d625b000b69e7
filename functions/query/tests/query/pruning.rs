//! What is not read.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Date32Array, Int64Array, StringArray};
use futures::StreamExt;
use penstock_kernel::table::ColumnType;
use penstock_query::QuerySettings;

use crate::world::World;

/// Ten files of 100 rows: `n` from 0 to 999 ascending, `name` a long text, `none` all NULL.
async fn ten_files() -> World {
    many_files(10).await
}

async fn many_files(count: i64) -> World {
    let world = World::empty().await;
    let columns = [("n", ColumnType::BigInt), ("name", ColumnType::Varchar(200)), ("none", ColumnType::BigInt)];
    let table = world.table("t", &columns).await;
    for file in 0..count {
        let numbers = (file * 100)..(file * 100 + 100);
        let names: StringArray = numbers.clone().map(|n| Some(format!("{}{n:03}", "x".repeat(80)))).collect();
        let rows: Vec<ArrayRef> = vec![
            Arc::new(numbers.clone().collect::<Int64Array>()),
            Arc::new(names),
            Arc::new(numbers.map(|_| None::<i64>).collect::<Int64Array>()),
        ];
        world.load(&table, rows).await;
    }
    world
}

#[tokio::test]
async fn counts_and_bounds_touch_no_data_file() {
    let world = ten_files().await;
    for (sql, expected) in [
        ("SELECT count(*) FROM t", "1000"),
        ("SELECT COUNT(1) n FROM t", "1000"),
        ("SELECT min(n), max(n), count(*) FROM t", "0|999|1000"),
        ("SELECT count(n), count(none) FROM t", "1000|0"),
        ("SELECT max(N) + 1 FROM t x", "1000"),
    ] {
        assert_eq!(world.value(sql).await, expected, "{sql}");
        assert_eq!(world.reads.take(), (0, 0), "{sql}");
    }
}

#[tokio::test]
async fn only_matching_files_are_opened() {
    let world = ten_files().await;
    for (filter, rows, files) in [
        ("n = 150", 1, 1),
        ("N = '150'", 1, 1),
        ("n >= 850 AND n < 950", 100, 2),
        ("n IN (5, 505)", 2, 2),
        ("n BETWEEN 120 AND 130", 11, 1),
        ("n < 0", 0, 0),
        ("n + 0 = 150 AND n < 200", 1, 2),
        ("none IS NOT NULL", 0, 0),
        ("n = 150 OR n = 950", 2, 2),
        ("n > (SELECT 989)", 10, 10),
    ] {
        let found = world.lines(&format!("SELECT n FROM t WHERE {filter}")).await.len();
        assert_eq!(found, rows, "{filter}");
        let (_, opened) = world.reads.take();
        assert!(opened <= files, "{filter}: {opened} files were opened");
    }
}

/// A file for each of three cities in each of four months, as `PARTITION BY date_trunc('month', day), city` makes them.
async fn partitions() -> World {
    let world = World::empty().await;
    let columns = [("day", ColumnType::Date), ("city", ColumnType::Varchar(20)), ("n", ColumnType::BigInt)];
    let table = world.table("t", &columns).await;
    // 2024-01-01 and the days of three months more.
    for (month, days) in [(19_723, 31), (19_754, 29), (19_783, 31), (19_814, 30)] {
        for city in ["berlin", "paris", "wien"] {
            let rows: Vec<ArrayRef> = vec![
                Arc::new((month..month + days).map(Some).collect::<Date32Array>()),
                Arc::new((0..days).map(|_| Some(city)).collect::<StringArray>()),
                Arc::new((0..i64::from(days)).collect::<Int64Array>()),
            ];
            world.load(&table, rows).await;
        }
    }
    world
}

#[tokio::test]
async fn files_of_other_partitions_are_not_opened() {
    let world = partitions().await;
    for (filter, rows, files) in [
        ("city = 'paris'", 121, 4),
        ("city IN ('paris', 'wien') AND day < '2024-02-01'", 62, 2),
        ("day = '2024-02-29'", 3, 3),
        ("day >= '2024-04-01'", 90, 3),
        ("day BETWEEN '2024-01-31' AND '2024-02-01' AND city = 'wien'", 2, 2),
        ("day >= '2024-03-01 00:00:00' AND day < '2024-03-02 00:00:00'", 3, 3),
        ("day = CAST('2024-03-05' AS DATE) AND city > 'berlin'", 2, 2),
        ("day >= '2024-03-31' + INTERVAL 1 DAY AND day < '2024-05-02' - INTERVAL '1' DAY", 90, 3),
        ("day < '2024-01-02 12:00:00'", 6, 3),
        ("day > '2024-04-29 12:00:00'", 3, 3),
        ("day = CAST('2024-04-29 12:00:00' AS DATETIME)", 0, 12),
        ("city = 'oslo'", 0, 0),
        ("city IS NULL", 0, 0),
        ("day > '2024-12-31'", 0, 0),
    ] {
        let found = world.lines(&format!("SELECT n FROM t WHERE {filter}")).await.len();
        assert_eq!(found, rows, "{filter}");
        let (_, opened) = world.reads.take();
        assert!(opened <= files, "{filter}: {opened} files were opened");
    }
}

#[tokio::test]
async fn bounds_of_cut_text_prune_but_never_answer() {
    let world = ten_files().await;
    let name = format!("{}150", "x".repeat(80));
    assert_eq!(world.value(&format!("SELECT n FROM t WHERE name = '{name}'")).await, "150");
    assert_eq!(world.value("SELECT max(name) FROM t").await, format!("{}999", "x".repeat(80)));
    assert_eq!(world.value("SELECT count(*) FROM t WHERE name > 'y'").await, "0");
    world.reads.take();
    assert_eq!(world.lines("SELECT n FROM t WHERE name > 'y'").await.len(), 0);
    assert_eq!(world.reads.take(), (0, 0));
}

#[tokio::test]
async fn limit_opens_no_more_files_than_it_needs() {
    let world = ten_files().await;
    assert_eq!(world.lines("SELECT * FROM t LIMIT 150").await.len(), 150);
    let (_, files) = world.reads.take();
    assert!(files <= 2, "{files} files were opened");
}

#[tokio::test]
async fn small_file_takes_one_request() {
    let world = ten_files().await;
    for number in [150, 151] {
        world.lines(&format!("SELECT name FROM t WHERE n = {number}")).await;
        assert_eq!(world.reads.take(), (1, 1));
    }
}

async fn one_large_file(settings: QuerySettings) -> World {
    let world = World::with(settings).await;
    let table = world.table("large", &[("n", ColumnType::BigInt)]).await;
    // Numbers that no encoding makes short.
    let numbers: Int64Array = (0..60_000_i64).map(|row| row.wrapping_mul(0x5851_f42d_4c95_7f2d)).collect();
    world.load(&table, vec![Arc::new(numbers)]).await;
    world
}

#[tokio::test]
async fn data_is_read_once_as_long_as_there_is_room() {
    let world = one_large_file(QuerySettings::default()).await;
    for (condition, requests) in [("n > 0", 2), ("n <= 0", 0), ("n > 0", 0)] {
        assert_eq!(world.value(&format!("SELECT count(*) FROM large WHERE {condition}")).await, "30000");
        assert_eq!(world.reads.take().0, requests, "{condition}");
    }
}

#[tokio::test]
async fn footers_are_read_once() {
    let world = one_large_file(QuerySettings { data_cache_bytes: 0, ..QuerySettings::default() }).await;
    assert_eq!(world.value("SELECT count(*) FROM large WHERE n > 0").await, "30000");
    let (first, _) = world.reads.take();
    assert_eq!(world.value("SELECT count(*) FROM large WHERE n <= 0").await, "30000");
    let (second, _) = world.reads.take();
    assert!(second < first, "{first} requests, then {second}");
}

/// Who holds the counter while no query runs: the world, its volumes, and the engine, which remembers its last store.
const IDLE: usize = 3;

async fn is_idle(world: &World) {
    while Arc::strong_count(&world.reads) > IDLE {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn dropping_the_rows_stops_the_work() {
    let world = many_files(60).await;
    let last = "SELECT n FROM t LIMIT 1";
    world.lines(last).await;
    is_idle(&world).await;
    let mut rows = world.query.run(world.request("SELECT * FROM t")).await.unwrap();
    assert!(!rows.chunks.next().await.unwrap().unwrap().is_empty());
    // The engine remembers the store of the last query: with this one, only `rows` holds the other's.
    world.lines(last).await;
    assert!(Arc::strong_count(&world.reads) > IDLE);
    world.reads.take();
    drop(rows);
    tokio::time::timeout(Duration::from_secs(20), is_idle(&world)).await.unwrap();
    let (_, opened) = world.reads.take();
    assert!(opened < 60, "all files were read for nobody");
}
