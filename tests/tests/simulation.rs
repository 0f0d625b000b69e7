//! What a play leaves behind, read by the real query engine. It is too slow to be asked after every step, so that it is asked
//! once a play; that it takes its files from the same list of commits as the simulation's own reader is what matters.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use penstock_query::{Query, QuerySettings};
use penstock_simulation::play_seed;
use penstock_sql::request::{SessionContext, SqlRequest, SqlResponse};
use penstock_sql::result::Cell;

const SEEDS: std::ops::Range<u64> = 2_000..2_012;

async fn rows(query: &Query, sql: String) -> Vec<Vec<Cell>> {
    let session = SessionContext { database: Some("d".to_owned()), ..SessionContext::default() };
    match query.run_buffered(SqlRequest { sql: sql.clone(), session }).await {
        SqlResponse::Rows(set) => set.rows,
        other => panic!("{sql}: {other:?}"),
    }
}

#[test]
fn query_engine_sees_every_committed_row_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut seen = 0;
    for seed in SEEDS {
        let (_, played) = play_seed(seed, None, false);
        assert_eq!(played.violation, None, "seed {seed}");
        let remains = played.remains;
        let query = Query::new(remains.catalog, remains.volumes, QuerySettings::default()).expect("an engine");
        for (table, places) in remains.tables {
            let rows = runtime.block_on(rows(&query, format!("SELECT place FROM d.{table} ORDER BY place")));
            let found: Vec<_> = rows.into_iter().flatten().collect();
            let expected: Vec<_> = places.iter().map(|place| Cell::Integer(*place)).collect();
            assert_eq!(found, expected, "seed {seed}, table {table}");
            seen += found.len();
        }
    }
    assert!(seen > 100, "only {seen} rows");
}
