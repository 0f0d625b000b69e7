//! Everyday statements and their rows.

use penstock_query::QuerySettings;
use penstock_sql::request::SqlResponse;

use crate::world::World;

#[tokio::test]
async fn tutorial_rows_come_back() {
    let world = World::tutorial().await;
    let answer = world.run("SELECT * FROM site_clicks").await.unwrap();
    assert_eq!(answer.titles, ["uid", "site", "vtime"]);
    assert_eq!(
        answer.sorted(),
        [
            "1575|https://www.starrocks.io/|1718031523",
            "2398|https://docs.starrocks.io/|1718033630",
            "3741|https://www.starrocks.io/product/community|1718030845",
            "4607|https://www.starrocks.io/blog|1718031441",
            "4792|https://www.starrocks.io/|1718033413",
        ]
    );
}

#[tokio::test]
async fn rows_of_later_commits_are_seen_by_later_queries() {
    let world = World::tutorial().await;
    assert_eq!(world.value("SELECT count(*) FROM site_clicks").await, "5");
    let database = world.catalog.database("quickstart").await.unwrap().unwrap();
    let table = world.catalog.table(database.id, "site_clicks").await.unwrap().unwrap();
    world.load_clicks(&table, &[(1, "x", 2), (3, "y", 4)]).await;
    assert_eq!(world.value("SELECT count(*) FROM site_clicks").await, "7");
    assert_eq!(world.value("SELECT count(*) FROM site_clicks a JOIN site_clicks b USING (uid)").await, "7");
}

#[tokio::test]
async fn empty_table_has_columns_and_no_rows() {
    let world = World::empty().await;
    world.site_clicks("t").await;
    let answer = world.run("SELECT * FROM t").await.unwrap();
    assert_eq!(answer.titles, ["uid", "site", "vtime"]);
    assert!(answer.rows.is_empty());
    assert_eq!(world.value("SELECT count(*), max(uid), sum(vtime) FROM t").await, "0|NULL|NULL");
}

#[tokio::test]
async fn everyday_statements_answer() {
    let world = World::tutorial().await;
    for (sql, expected) in [
        (
            "SELECT site, count(*) n FROM site_clicks GROUP BY site ORDER BY n DESC, site LIMIT 1",
            "https://www.starrocks.io/|2",
        ),
        (
            "SELECT site, count(*) FROM site_clicks GROUP BY site ORDER BY count(*) DESC, site LIMIT 1",
            "https://www.starrocks.io/|2",
        ),
        ("SELECT site, count(*) FROM site_clicks GROUP BY 1 HAVING count(*) > 1", "https://www.starrocks.io/|2"),
        (
            "SELECT count(distinct site), sum(uid), avg(uid), min(uid), max(vtime) FROM site_clicks",
            "4|17113|3422.6|1575|1718033630",
        ),
        ("SELECT uid FROM site_clicks ORDER BY uid LIMIT 1, 2", "2398;3741"),
        ("SELECT uid FROM site_clicks ORDER BY uid LIMIT 2 OFFSET 3", "4607;4792"),
        ("SELECT uid FROM site_clicks WHERE uid IN (1575, 4792, 1) ORDER BY 1", "1575;4792"),
        ("SELECT uid FROM site_clicks WHERE site LIKE '%docs%'", "2398"),
        ("SELECT uid FROM site_clicks WHERE site = \"https://docs.starrocks.io/\"", "2398"),
        ("SELECT uid FROM site_clicks WHERE site REGEXP 'blog$'", "4607"),
        ("SELECT uid FROM site_clicks WHERE uid BETWEEN 2000 AND 4000 ORDER BY uid", "2398;3741"),
        ("WITH a AS (SELECT uid, vtime FROM site_clicks WHERE uid > 4000) SELECT count(*) FROM a", "2"),
        ("SELECT a.uid FROM site_clicks a JOIN site_clicks b ON a.uid = b.uid WHERE b.vtime > 1718033500", "2398"),
        ("SELECT uid FROM site_clicks WHERE vtime = (SELECT max(vtime) FROM site_clicks)", "2398"),
        ("SELECT uid FROM site_clicks s WHERE EXISTS (SELECT 1 FROM site_clicks b WHERE b.uid = s.uid + 2166)", "1575"),
        ("SELECT uid, row_number() OVER (ORDER BY uid) r FROM site_clicks ORDER BY r LIMIT 1", "1575|1"),
        ("SELECT max(n) FROM (SELECT site, count(*) n FROM site_clicks GROUP BY site) x", "2"),
        ("SELECT 1 UNION ALL SELECT 2 ORDER BY 1", "1;2"),
        (
            "SELECT CASE WHEN uid > 4000 THEN 'high' ELSE 'low' END k, count(*) FROM site_clicks GROUP BY k ORDER BY k",
            "high|2;low|3",
        ),
        ("SELECT group_concat(uid ORDER BY uid SEPARATOR '-') FROM site_clicks", "1575-2398-3741-4607-4792"),
        ("SELECT group_concat(uid ORDER BY uid) FROM site_clicks WHERE uid < 3000", "1575, 2398"),
        ("SELECT count(*) FROM site_clicks WHERE uid > 1000 && NOT uid > 4000", "3"),
        ("VALUES (1, 'a'), (2, 'b')", "1|a;2|b"),
        ("SELECT 1 FROM dual", "1"),
        ("SELECT * FROM (SELECT 1 a, 2 b) t", "1|2"),
        ("SELECT DISTINCT site FROM site_clicks ORDER BY site LIMIT 1", "https://docs.starrocks.io/"),
        (
            "SELECT default_catalog.quickstart.site_clicks.uid FROM default_catalog.quickstart.site_clicks WHERE uid < 2000",
            "1575",
        ),
        ("SELECT uid FROM site_clicks WHERE uid = 1575 FOR UPDATE", "1575"),
        ("SELECT sum(uid) OVER () FROM site_clicks LIMIT 1", "17113"),
    ] {
        assert_eq!(world.lines(sql).await.join(";"), expected, "{sql}");
    }
}

#[tokio::test]
async fn functions_mean_what_starrocks_means() {
    let world = World::empty().await;
    for (sql, expected) in [
        ("1/2", "0.5"),
        ("1/0", "NULL"),
        ("7 DIV 2", "3"),
        ("7 DIV 0", "NULL"),
        ("7 % 0", "NULL"),
        ("mod(7, 4)", "3"),
        ("10 / 4 * 2", "5"),
        ("'5' + 3", "8"),
        ("'10' > 9", "1"),
        ("'abc' = 0", "NULL"),
        ("1 = '1'", "1"),
        ("true = 1", "1"),
        ("true + 1", "2"),
        ("!true", "0"),
        ("1 <=> NULL", "0"),
        ("NULL <=> NULL", "1"),
        ("true XOR true", "0"),
        ("concat('a', 1, 'b')", "a1b"),
        ("concat('a', NULL)", "NULL"),
        ("1 > 2 || 2 > 1", "1"),
        ("1 > 2 || 2 > 1 && false", "0"),
        ("if(1 > 2, 'y', 'n')", "n"),
        ("ifnull(NULL, 'x')", "x"),
        ("nullif(1, 1)", "NULL"),
        ("coalesce(NULL, 2)", "2"),
        ("length('é')", "2"),
        ("char_length('é')", "1"),
        ("substr('abcdef', -3, 2)", "de"),
        ("substring('abcdef', 2, 3)", "bcd"),
        ("locate('c', 'abc')", "3"),
        ("instr('abc', 'c')", "3"),
        ("UCASE('a')", "A"),
        ("left('abc', 2)", "ab"),
        ("lpad('5', 3, '0')", "005"),
        ("substring_index('a.b.c', '.', 2)", "a.b"),
        ("split_part('a,b', ',', 2)", "b"),
        ("regexp_extract('k=12', '(\\\\d+)', 1)", "12"),
        ("regexp_replace('aXbX', 'X', '-')", "a-b-"),
        ("round(2.567, 1)", "2.6"),
        ("truncate(2.567, 1)", "2.5"),
        ("pow(2, 10)", "1024"),
        ("log(exp(1))", "1"),
        ("greatest(1, 3, 2)", "3"),
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("CAST('12' AS INT)", "12"),
        ("CAST('x' AS INT)", "NULL"),
        ("CAST('2024-06-10 10:11:12' AS DATETIME)", "2024-06-10 10:11:12"),
        ("CAST('170141183460469231731687303715884105727' AS LARGEINT)", "170141183460469231731687303715884105727"),
        ("CAST(1.5 AS DECIMAL(10, 2))", "1.50"),
        ("CONVERT('7', SIGNED)", "7"),
        ("now()", "2024-06-11 12:00:00"),
        ("current_timestamp", "2024-06-11 12:00:00"),
        ("curdate()", "2024-06-11"),
        ("unix_timestamp()", "1718107200"),
        ("database()", "quickstart"),
        ("SCHEMA()", "quickstart"),
        ("version()", "8.0.33"),
        ("current_user()", "'root'@'%'"),
        ("year('2024-06-10')", "2024"),
        ("dayofweek('2024-06-09')", "1"),
        ("weekday('2024-06-10')", "0"),
        ("date('2024-06-10 10:00:00')", "2024-06-10"),
        ("datediff('2024-06-10 23:00:00', '2024-06-01')", "9"),
        ("timestampdiff(HOUR, '2024-06-10 00:00:00', '2024-06-10 05:30:00')", "5"),
        ("date_add('2024-01-31', INTERVAL 1 MONTH)", "2024-02-29 00:00:00"),
        ("date_sub('2024-01-01 00:00:00', INTERVAL 1 SECOND)", "2023-12-31 23:59:59"),
        ("CAST('2024-01-01' AS DATETIME) + INTERVAL 36 HOUR", "2024-01-02 12:00:00"),
        ("date '1998-12-01' - INTERVAL '90' DAY", "1998-09-02 00:00:00"),
        ("date '9999-12-31' > date '1998-12-01' + INTERVAL 1 DAY", "1"),
        (
            "count(*) FROM (SELECT CAST('9999-12-31' AS DATE) d UNION ALL SELECT CAST('0001-01-01' AS DATE)) t WHERE d < now()",
            "1",
        ),
        ("date_sub('1998-12-01', INTERVAL '90' DAY)", "1998-09-02 00:00:00"),
        ("date '1998-12-01' + INTERVAL '-90' DAY", "1998-09-02 00:00:00"),
        ("days_add('2024-01-01', 2)", "2024-01-03 00:00:00"),
        ("date_format('2024-06-10 15:04:05', '%Y/%m/%d %H')", "2024/06/10 15"),
        ("str_to_date('10.06.2024', '%d.%m.%Y')", "2024-06-10"),
        ("from_unixtime(0)", "1970-01-01 00:00:00"),
        ("unix_timestamp('1970-01-01 00:01:00')", "60"),
        ("date_trunc('month', '2024-06-10 15:04:05')", "2024-06-01 00:00:00"),
        ("last_day('2024-02-10')", "2024-02-29"),
        ("dayname('2024-06-10')", "Monday"),
        ("extract(YEAR FROM CAST('2024-06-10' AS DATE))", "2024"),
        ("get_json_int('{\"a\":{\"b\":5}}', '$.a.b')", "5"),
        ("json_query('{\"a\":[1,2]}', '$.a')", "[1,2]"),
        ("'{\"a\":{\"b\":5}}' -> '$.a.b'", "5"),
        ("1 IN (1, 2)", "1"),
        ("'a' LIKE 'A'", "0"),
        ("isnull(NULL)", "1"),
        ("stddev(x) FROM (SELECT 1 x UNION ALL SELECT 3) t", "1"),
        ("count(DISTINCT x) FROM (SELECT 1 x UNION ALL SELECT 1) t", "1"),
        ("approx_count_distinct(x) FROM (SELECT 1 x UNION ALL SELECT 1) t", "1"),
    ] {
        assert_eq!(world.lines(&format!("SELECT {sql}")).await.join(";"), expected, "{sql}");
    }
}

#[tokio::test]
async fn now_follows_the_sessions_time_zone() {
    let mut world = World::empty().await;
    world.session.time_zone = "+08:00".to_owned();
    assert_eq!(world.value("SELECT now(), from_unixtime(0)").await, "2024-06-11 20:00:00|1970-01-01 08:00:00");
    world.session.time_zone = "Mars/Base".to_owned();
    assert_eq!(world.error("SELECT now()").await.code, 1298);
}

#[tokio::test]
async fn nulls_come_first_as_in_mysql() {
    let world = World::empty().await;
    let rows = "(SELECT 1 a UNION ALL SELECT NULL UNION ALL SELECT 2) t";
    assert_eq!(world.lines(&format!("SELECT a FROM {rows} ORDER BY a")).await, ["NULL", "1", "2"]);
    assert_eq!(world.lines(&format!("SELECT a FROM {rows} ORDER BY a DESC")).await, ["2", "1", "NULL"]);
}

#[tokio::test]
async fn explain_shows_plans_line_by_line() {
    let world = World::tutorial().await;
    let answer = world.run("EXPLAIN SELECT count(*) FROM site_clicks WHERE uid > 2000").await.unwrap();
    assert_eq!(answer.titles, ["Explain String"]);
    let text = answer.lines().join("\n");
    assert!(text.contains("PHYSICAL PLAN") && text.contains("uid"), "{text}");
    let analyzed = world.run("EXPLAIN ANALYZE SELECT uid FROM site_clicks").await.unwrap();
    assert!(analyzed.lines().join("\n").contains("output_rows=5"), "{analyzed:?}");
}

#[tokio::test]
async fn buffered_answer_is_bounded() {
    let world = World::tutorial().await;
    let SqlResponse::Rows(rows) = world.query.run_buffered(world.request("SELECT * FROM site_clicks")).await else {
        panic!()
    };
    assert_eq!(rows.rows.len(), 5);

    let world = World::with(QuerySettings { answer_bytes: 20_000, ..QuerySettings::default() }).await;
    let sql = "SELECT repeat('x', 30000)";
    let SqlResponse::Error(error) = world.query.run_buffered(world.request(sql)).await else { panic!() };
    assert!(error.message.contains("20000 bytes") && error.hint.unwrap().contains("LIMIT"));
}
