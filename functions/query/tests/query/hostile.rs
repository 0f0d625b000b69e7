//! Statements made to hurt: an answer or an error, and soon.

use penstock_sql::error::code;

use crate::world::World;

fn chain(count: usize, between: &str, term: impl Fn(usize) -> String) -> String {
    (0..count).map(term).collect::<Vec<_>>().join(between)
}

#[tokio::test]
async fn long_chains_of_and_and_or_are_answered() {
    let world = World::tutorial().await;
    let or = chain(3000, " OR ", |n| format!("uid = {n}"));
    assert_eq!(world.value(&format!("SELECT count(*) FROM site_clicks WHERE {or}")).await, "2");
    let and = chain(300, " AND ", |n| format!("site <> 'x{n}'"));
    assert_eq!(world.value(&format!("SELECT count(*) FROM site_clicks WHERE {and}")).await, "5");
    let list = chain(20_000, ",", |n| n.to_string());
    assert_eq!(world.value(&format!("SELECT count(*) FROM site_clicks WHERE uid IN ({list})")).await, "5");
}

#[tokio::test]
async fn deep_expressions_are_refused_or_answered() {
    let world = World::tutorial().await;
    let sum = |count| format!("SELECT {} FROM site_clicks LIMIT 1", chain(count, " + ", |_| "uid".to_owned()));
    assert_eq!(world.lines(&sum(200)).await.len(), 1);
    let error = world.error(&sum(5000)).await;
    assert_eq!(error.code, code::PARSE);
    assert!(error.message.contains("levels"), "{error}");
}

#[tokio::test]
async fn nested_and_repeated_forms_are_refused_or_answered() {
    let world = World::tutorial().await;
    let nested = |count: usize, open: &str, inner: &str, close: &str| {
        format!("SELECT {}{inner}{}", open.repeat(count), close.repeat(count))
    };
    for count in [20, 60, 90, 500] {
        for sql in [
            nested(count, "(", "1", ")"),
            nested(count, "abs(", "1", ")"),
            nested(count, "(SELECT ", "1", ")"),
            nested(count, "CASE WHEN true THEN ", "1", " END"),
            nested(count, "NOT ", "true", ""),
            nested(count, "- ", "1", ""),
            nested(count, "1 BETWEEN 0 AND ", "1", ""),
            nested(count, "(1, ", "1", ")"),
            nested(count, "if(true, ", "1", ", 0)"),
            nested(count, "concat('a', ", "'b'", ")"),
            format!("SELECT 1 FROM {}site_clicks{}", "(".repeat(count), ")".repeat(count)),
            format!("SELECT 1 FROM {}site_clicks{}", "(SELECT * FROM ".repeat(count), ") x".repeat(count)),
        ] {
            let short: String = sql.chars().take(60).collect();
            if let Err(error) = world.run(&sql).await {
                assert_eq!(error.code, code::PARSE, "{short}: {error}");
                assert!(error.message.len() < 500, "{short}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn many_selects_and_tables_are_refused() {
    let world = World::tutorial().await;
    let union = |count| chain(count, " UNION ALL ", |n| format!("SELECT {n}"));
    assert_eq!(world.lines(&union(300)).await.len(), 300);
    assert!(world.error(&union(600)).await.message.contains("SELECTs"));
    let tables = chain(400, ", ", |n| format!("site_clicks t{n}"));
    assert!(world.error(&format!("SELECT 1 FROM {tables}")).await.message.contains("tables"));
}

#[tokio::test]
async fn odd_text_never_breaks_the_engine() {
    let world = World::tutorial().await;
    for sql in [
        "SELECT '\0', \"\u{1F600}\" FROM site_clicks LIMIT 1",
        "SELECT `\0` FROM site_clicks",
        "SELECT /* unclosed",
        "SELECT 'unclosed",
        "SELECT `unclosed",
        "SELECT 99999999999999999999999999999999999999999999999999999",
        "SELECT 1e999",
        "SELECT 0x",
        "SELECT -9223372036854775808",
        "SELECT abs(-9223372036854775808)",
        "SELECT 9223372036854775807 + 1",
        "SELECT repeat('x', 9223372036854775807)",
        "SELECT space(1000000000000)",
        "SELECT lpad('x', 2147483647, 'yyyyyyyyyyyyyyyyy')",
        "SELECT regexp_like('a', '((((')",
        "SELECT regexp_extract(repeat('a', 1000), '(a*)*b', 1)",
        "SELECT CAST('x' AS DECIMAL(99, 50))",
        "SELECT CAST(1 AS DECIMAL(0, 0))",
        "SELECT date_add('9999-12-31', INTERVAL 1 DAY)",
        "SELECT date_trunc('fortnight', now())",
        "SELECT * FROM site_clicks LIMIT 99999999999999999999",
        "SELECT * FROM site_clicks LIMIT -1",
        "SELECT ?",
        "SELECT @@version, @x",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM `/etc/passwd`",
        "SELECT count(*) OVER (PARTITION BY uid ORDER BY nosuch) FROM site_clicks",
        "\u{feff}SELECT 1",
    ] {
        match world.run(sql).await {
            Ok(answer) => assert!(answer.rows.len() <= 5, "{sql}"),
            Err(error) => assert!(!error.message.is_empty() && error.message.len() < 1000, "{sql}: {error}"),
        }
    }
}
