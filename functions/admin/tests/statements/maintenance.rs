//! Coverage, maintenance, and what files there are.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use penstock_admin::check::Checks;
use penstock_catalog::layout::{MaintenanceReport, TableFigures};
use penstock_sql::check::{CheckAnswer, CheckReply, CheckRequest, DamagedFile};

use super::parts::{Fixture, NOW_MS};

#[tokio::test]
async fn cost_of_a_job_is_modelled_until_a_batch_was_counted() {
    let fixture = Fixture::with_job().await;
    let sql = "EXPLAIN COST FOR ROUTINE LOAD clicks";
    let shown = fixture.show(sql).await;
    let place = |item: &str| shown.rows.iter().position(|row| row[0] == item).unwrap();
    assert!(shown.cell(0, "Note").starts_with("no batch was counted yet: modelled"));
    assert!(shown.cell(place("total"), "DollarsPerTB").parse::<f64>().unwrap() < 5.0);
    assert_eq!(shown.cell(place("S3 PUT requests"), "PerDay"), "NULL");
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 30)]).await;
    // As a version did that counted nothing.
    fixture.loaded("clicks", 0, 10, 100).await;
    let shown = fixture.show(sql).await;
    assert!(shown.cell(0, "Note").ends_with("; 10 records from before that are in no figure"));
    assert_eq!(shown.cell(place("S3 storage"), "PerDay"), "0.000001");
}

#[tokio::test]
async fn cost_of_a_job_that_does_not_load_says_so_and_of_none_is_refused() {
    let fixture = Fixture::with_job().await;
    for (statement, state) in [("PAUSE", "PAUSED"), ("STOP", "STOPPED")] {
        fixture.done(&format!("{statement} ROUTINE LOAD FOR clicks")).await;
        let shown = fixture.show("EXPLAIN COST ROUTINE LOAD FOR quickstart.clicks").await;
        let total = shown.rows.iter().find(|row| row[0] == "total").unwrap();
        let note = format!("the job is {state}: meanwhile only storage is charged");
        assert!(total.iter().any(|cell| cell.contains(&note)), "{total:?}");
    }
    let unknown = fixture.refused("EXPLAIN COST FOR ROUTINE LOAD nothing").await;
    let shown = fixture.refused("SHOW ROUTINE LOAD COVERAGE FOR nothing").await;
    assert_eq!(unknown, shown, "as other statements refuse it");
    assert!(unknown.to_string().contains("nothing"));
}

#[tokio::test]
async fn coverage_is_complete_or_names_what_is_missing() {
    let fixture = Fixture::with_job().await;
    fixture.scheduled("clicks", &[(0, 5)], &[(0, 30)]).await;
    let sql = "SHOW ROUTINE LOAD COVERAGE FOR clicks";
    let shown = fixture.show(sql).await;
    assert_eq!((shown.cell(0, "NextOffset"), shown.cell(0, "Coverage")), ("5", "complete"));
    fixture.loaded("clicks", 0, 10, 100).await;
    fixture.loaded("clicks", 0, 5, 50).await;
    let shown = fixture.show(sql).await;
    let row: Vec<&str> = shown.rows[0].iter().map(String::as_str).collect();
    assert_eq!(row, ["0", "5", "20", "[5, 20)", "2", "15", "15", "0", "0", "0", "", "complete"]);
    fixture.done("PAUSE ROUTINE LOAD FOR clicks").await;
    fixture
        .done("ALTER ROUTINE LOAD FOR clicks FROM KAFKA (\"kafka_partitions\" = \"0\", \"kafka_offsets\" = \"12\")")
        .await;
    fixture.done("RESUME ROUTINE LOAD FOR clicks").await;
    fixture.loaded("clicks", 0, 4, 40).await;
    let shown = fixture.show(sql).await;
    assert_eq!(shown.cell(0, "Ranges"), "[5, 20) [12, 16)");
    assert_eq!(shown.cell(0, "SkipReasons"), "[12, 20) loaded again by ALTER, version 2");
    assert_eq!((shown.cell(0, "NextOffset"), shown.cell(0, "Coverage")), ("16", "complete"));
    fixture.done("STOP ROUTINE LOAD FOR clicks").await;
    assert_eq!(fixture.show(sql).await.cell(0, "Coverage"), "complete", "of a job that has ended, too");
    assert!(fixture.refused("SHOW ROUTINE LOAD COVERAGE FOR nothing").await.to_string().contains("nothing"));
}

#[tokio::test]
async fn maintenance_shows_what_was_done_and_what_comes_next() {
    let fixture = Fixture::with_job().await;
    let shown = fixture.show("SHOW MAINTENANCE").await;
    assert_eq!(
        (shown.cell(0, "TableName"), shown.cell(0, "LastRun"), shown.cell(0, "Next")),
        ("site_clicks", "NULL", "nothing")
    );
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 30)]).await;
    fixture.loaded("clicks", 0, 10, 100).await;
    let figures = |files, bytes| TableFigures { files, bytes, commits: 0 };
    let report = MaintenanceReport {
        at_ms: NOW_MS,
        did: "folded 8 commits".to_owned(),
        before: figures(9, 900),
        after: figures(1, 800),
        ..MaintenanceReport::default()
    };
    fixture.catalog.report_maintenance(fixture.job("clicks").await.table, &report).await.unwrap();
    let shown = fixture.show("SHOW MAINTENANCE FROM quickstart").await;
    let row: Vec<&str> = shown.rows[0].iter().map(String::as_str).collect();
    assert_eq!(
        row,
        [
            "site_clicks",
            "2024-06-12 18:40:53",
            "folded 8 commits",
            "9",
            "900",
            "1",
            "800",
            "0",
            "1",
            "fold 1 commits",
            "NULL"
        ]
    );
    let shown = fixture.show("SHOW FILES FROM site_clicks").await;
    assert_eq!(shown.rows, [["s3://starrocks/table/1/a.parquet", "10", "1000", "NO", "NULL"]]);
}

/// Answers one file a piece, the second of three damaged.
#[derive(Default)]
struct Pieces(Mutex<Vec<Option<String>>>);

#[async_trait]
impl Checks for Pieces {
    async fn check(&self, request: &CheckRequest) -> CheckAnswer {
        let mut asked = self.0.lock().unwrap();
        asked.push(request.after.clone());
        let piece = asked.len();
        let damaged = DamagedFile { key: "b".to_owned(), message: "it is not there".to_owned() };
        CheckAnswer::Done(CheckReply {
            files: 1,
            rows: u64::from(piece != 2),
            bytes: 10 * u64::from(piece != 2),
            damaged: if piece == 2 { vec![damaged] } else { Vec::new() },
            after: Some(["a", "b", "c"][piece - 1].to_owned()),
            finished: piece == 3,
        })
    }
}

#[tokio::test]
async fn check_asks_until_all_is_checked_and_names_damage() {
    let mut fixture = Fixture::with_table().await;
    assert!(fixture.refused("CHECK TABLE site_clicks").await.to_string().contains("not available here"));
    let pieces = Arc::new(Pieces::default());
    fixture.admin = fixture.admin.with_checks(Arc::<Pieces>::clone(&pieces));
    let shown = fixture.show("CHECK TABLE site_clicks").await;
    assert_eq!(
        shown.rows,
        [
            ["b", "damaged", "it is not there"],
            ["NULL", "damaged", "3 files checked, 2 rows and 20 bytes are right, 1 files are not"],
        ]
    );
    let asked = pieces.0.lock().unwrap().clone();
    assert_eq!(asked, [None, Some("a".to_owned()), Some("b".to_owned())]);
    assert!(fixture.refused("CHECK TABLE nothing").await.to_string().contains("nothing"));
}
