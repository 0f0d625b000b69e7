//! Rejected rows as a table.

use penstock_catalog::job::{Changed, Job};
use penstock_kernel::state::JobEvent;

use crate::world::World;

async fn rejecting() -> (World, Job) {
    let world = World::tutorial().await;
    let table = world.catalog.table(world.database().await.id, "site_clicks").await.unwrap().unwrap();
    let job = world.job("clicks", &table).await;
    (world, job)
}

#[tokio::test]
async fn rejected_rows_are_selected_like_any_table() {
    let (world, job) = rejecting().await;
    world.reject(&job, &[(4, br#"{"uid":"x"}"#), (5, b"\xff{")]).await;
    world.reject(&job, &[(9, b"{}")]).await;
    let answer = world.run("SELECT * FROM `clicks$rejected` ORDER BY offset").await.unwrap();
    assert_eq!(
        answer.titles,
        [
            "job_id",
            "job_name",
            "topic",
            "source_partition",
            "offset",
            "index",
            "reason",
            "column",
            "raw",
            "raw_text",
            "whole",
            "key",
            "key_text",
            "timestamp",
            "job_version",
            "rejected_at"
        ]
    );
    let id = job.id;
    assert_eq!(
        answer.lines()[1],
        format!(
            "{id}|clicks|test2|0|5|NULL|Value '5' is out of range.|uid|[255, 123]|NULL|1|NULL|NULL|2024-06-11 12:00:00|1|\
             2024-06-11 12:00:00"
        )
    );
    for (sql, expected) in [
        ("SELECT count(*) FROM clicks$rejected", "3"),
        ("SELECT count(*) FROM quickstart.`clicks$REJECTED` WHERE raw_text IS NULL", "1"),
        ("SELECT raw_text FROM clicks$rejected WHERE `offset` = 4", r#"{"uid":"x"}"#),
        ("SELECT `column`, count(*) n FROM clicks$rejected GROUP BY `column`", "uid|3"),
        ("SELECT max(offset), min(`index`) FROM clicks$rejected r", "9|0"),
        ("SELECT count(*) FROM clicks$rejected WHERE rejected_at >= '2024-06-11' AND timestamp < now()", "0"),
        ("SELECT count(*) FROM clicks$rejected WHERE rejected_at >= '2024-06-11 12:00:00'", "3"),
        ("SELECT count(*) FROM clicks$rejected r JOIN site_clicks c ON r.source_partition = 0 AND c.uid = 4607", "3"),
        ("SELECT reason LIKE '%out of range%' FROM clicks$rejected WHERE job_name = 'clicks' LIMIT 1", "1"),
    ] {
        assert_eq!(world.value(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn replay_is_seen_whole_by_itself_and_beside_the_table() {
    let (world, job) = rejecting().await;
    let one = world.reject(&job, &[(1, b"a"), (2, b"b")]).await;
    let two = world.reject(&job, &[(3, b"c")]).await;
    world.reject(&job, &[(4, b"d")]).await;
    world.replay(&job, &[&one, &two], &[(2, b"b")]).await;
    let offsets = "SELECT offset FROM clicks$rejected ORDER BY 1";
    assert_eq!(world.lines(offsets).await, ["2", "4"]);
    let both = "SELECT (SELECT count(*) FROM clicks$rejected), count(*) FROM site_clicks";
    assert_eq!(world.value(both).await, "2|5");
}

#[tokio::test]
async fn jobs_of_one_name_are_shown_together_and_ended_ones_too() {
    let (world, job) = rejecting().await;
    world.reject(&job, &[(1, b"a")]).await;
    let changed = world.catalog.change_job(job.id, JobEvent::Stop).await.unwrap();
    assert!(matches!(changed, Changed::Now(_)));
    assert_eq!(world.value("SELECT count(*) FROM clicks$rejected").await, "1");
    let other = world.site_clicks("other").await;
    let next = world.job("clicks", &other).await;
    world.reject(&next, &[(1, b"x")]).await;
    assert_eq!(
        world.lines("SELECT job_id, raw_text FROM clicks$rejected ORDER BY job_id").await,
        [format!("{}|a", job.id), format!("{}|x", next.id)]
    );
    let count = format!("SELECT count(*) FROM clicks$rejected WHERE job_id = {}", next.id);
    assert_eq!(world.value(&count).await, "1");
}

#[tokio::test]
async fn files_that_cannot_match_are_not_opened() {
    let (world, job) = rejecting().await;
    for offset in [10, 20, 30] {
        world.reject(&job, &[(offset, b"a"), (offset + 1, b"b")]).await;
    }
    world.reads.take();
    assert_eq!(world.value("SELECT raw_text FROM clicks$rejected WHERE offset = 21").await, "b");
    assert_eq!(world.reads.take().1, 1);
    assert_eq!(world.value("SELECT count(*) FROM clicks$rejected").await, "6");
    assert_eq!(world.reads.take(), (0, 0));
}

#[tokio::test]
async fn job_without_rejected_rows_has_an_empty_table_and_no_job_has_none() {
    let (world, _) = rejecting().await;
    assert_eq!(world.value("SELECT count(*) FROM clicks$rejected").await, "0");
    assert_eq!(world.lines("SELECT raw FROM clicks$rejected WHERE offset > 3").await, [""; 0]);
    let error = world.error("SELECT * FROM click$rejected").await;
    assert_eq!((error.code, error.hint.as_deref()), (5502, Some("did you mean `clicks$rejected`?")));
    assert_eq!(world.error("SELECT offsett FROM clicks$rejected").await.code, 1064);
}
