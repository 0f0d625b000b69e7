//! The expression library's own cases, said in SELECT: COLUMNS, WHERE and queries are to agree.

use penstock_sql::error::SqlError;

use crate::world::World;

/// Files of `crates/expressions/tests/data`; how they read stands in the test that COLUMNS has for them.
const FILES: [(&str, &str); 4] = [
    ("arrays", include_str!("../../../../crates/expressions/tests/data/arrays.txt")),
    ("casts", include_str!("../../../../crates/expressions/tests/data/casts.txt")),
    ("load_mappings", include_str!("../../../../crates/expressions/tests/data/load_mappings.txt")),
    ("operators", include_str!("../../../../crates/expressions/tests/data/operators.txt")),
];

/// What the job's moment answers, which those cases fix and a query does not.
const MOMENTS: [&str; 5] = ["now()", "current_timestamp", "curdate()", "unix_timestamp()", "utc_"];

fn relation(row: &str) -> String {
    let item = |one: &str| one.split_once(" = ").map(|(name, value)| format!("{value} AS {name}"));
    let items: Vec<String> = row.split(", ").filter_map(item).collect();
    format!(" FROM (SELECT {}) t", items.join(", "))
}

async fn value(world: &World, sql: &str) -> Result<String, SqlError> {
    Ok(world.run(sql).await?.lines().concat())
}

#[tokio::test]
async fn select_gives_what_columns_gives() {
    let world = World::empty().await;
    let mut wrong = Vec::new();
    for (name, file) in FILES {
        let (mut from, mut zone) = (String::new(), "UTC");
        for line in file.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            if let Some(row) = line.strip_prefix("with ") {
                from = relation(row);
                continue;
            }
            if let Some(named) = line.strip_prefix("zone: ") {
                zone = named;
                continue;
            }
            let (text, expected) = line.rsplit_once(" => ").unwrap();
            let (text, expected) = (text.trim(), expected.trim());
            if zone != "UTC" || MOMENTS.iter().any(|moment| text.contains(moment)) {
                continue;
            }
            let found = match value(&world, &format!("SELECT {text}{from}")).await {
                Ok(found) => found,
                Err(error) => error.to_string(),
            };
            let expected = if expected == "''" { "" } else { expected };
            let same_number = matches!((found.parse::<f64>(), expected.parse::<f64>()), (Ok(a), Ok(b)) if a == b);
            let same_document = text.ends_with("AS JSON)") && found == format!("\"{expected}\"");
            if !found.eq_ignore_ascii_case(expected) && !same_number && !same_document {
                wrong.push(format!("{name}: {text}\n  expected {expected}\n  found    {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
