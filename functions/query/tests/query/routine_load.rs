//! Jobs, commits and error logs in `information_schema`.

use crate::world::World;

#[tokio::test]
async fn jobs_are_shown_as_show_does() {
    let world = World::tutorial().await;
    let table = world.site_clicks("t").await;
    let job = world.job("clicks", &table).await;
    let columns = "ID, NAME, CREATE_TIME, PAUSE_TIME, DB_NAME, TABLE_NAME, STATE, DATA_SOURCE_TYPE, CURRENT_TASK_NUM, \
                   PROGRESS, OTHER_MSG, LATEST_SOURCE_POSITION";
    let sql = format!("SELECT {columns} FROM information_schema.routine_load_jobs WHERE NAME = 'clicks'");
    assert_eq!(
        world.value(&sql).await,
        format!("{}|clicks|2024-06-11 12:00:00|NULL|quickstart|t|NEED_SCHEDULE|KAFKA|0|{{}}||{{}}", job.id)
    );
    world.reject(&job, &[(1, b"a")]).await;
    let urls = "SELECT ERROR_LOG_URLS FROM information_schema.routine_load_jobs";
    let urls = world.value(urls).await;
    assert!(urls.starts_with("SELECT * FROM `quickstart`.`clicks$rejected`,s3://starrocks/data/rejected/"), "{urls}");
    assert_eq!(world.value("SELECT count(*) FROM information_schema.routine_load_jobs WHERE id = 1").await, "0");
}

#[tokio::test]
async fn tracking_sql_answers_the_last_errors() {
    let world = World::tutorial().await;
    let table = world.site_clicks("t").await;
    let job = world.job("clicks", &table).await;
    for offset in [1, 2, 3, 4] {
        world.reject(&job, &[(offset, b"{\"uid\":\n\"x\"}"), (offset + 10, b"\xff")]).await;
    }
    let sql = "SELECT tracking_sql FROM information_schema.routine_load_jobs";
    let logs = world.lines(&world.value(sql).await).await;
    assert_eq!(logs.len(), 3, "{logs:?}");
    assert_eq!(
        logs[2],
        "Error: Value '4' is out of range. Row: {\"uid\":\\n\"x\"} [meta: kafka partition: 0, offset: 4]\n\
         Error: Value '14' is out of range. Row: \u{fffd} [meta: kafka partition: 0, offset: 14]"
    );
    let error = world.error("SELECT * FROM information_schema.load_tracking_logs").await;
    assert!(error.message.contains("job_id"), "{error}");
    let joined = "SELECT count(*) FROM information_schema.loads l JOIN information_schema.load_tracking_logs t \
                  ON l.label = t.label AND l.id = t.id";
    assert_eq!(world.value(&format!("{joined} WHERE t.job_id = {}", job.id)).await, "3");
    let other = "SELECT count(*) FROM information_schema.load_tracking_logs WHERE job_id IN (1, 2)";
    assert_eq!(world.value(other).await, "0");
}

#[tokio::test]
async fn every_commit_is_a_load() {
    let world = World::tutorial().await;
    let table = world.site_clicks("t").await;
    let job = world.job("clicks", &table).await;
    let first = world.reject(&job, &[(1, b"a")]).await;
    world.replay(&job, &[&first], &[]).await;
    let sql = "SELECT JOB_ID, LABEL, DB_NAME, TABLE_NAME, STATE, TYPE, LOAD_COMMIT_TIME, ERROR_MSG \
               FROM information_schema.loads WHERE TABLE_NAME = 't' ORDER BY ID LIMIT 1";
    let id = job.id;
    assert_eq!(
        world.value(sql).await,
        format!(
            "{id}|job-{id}-{}|quickstart|t|CANCELLED|ROUTINE_LOAD|2024-06-11 12:00:00|No rows were imported from upstream",
            first.id
        )
    );
    let replays = "SELECT count(*) FROM information_schema.loads WHERE properties LIKE '%\"replay\":true%'";
    assert_eq!(world.value(replays).await, "1");
    assert_eq!(world.value("SELECT count(*) FROM information_schema.loads WHERE db_name = 'nowhere'").await, "0");
}

#[tokio::test]
async fn rows_and_bytes_of_tables_come_from_their_commits() {
    let world = World::tutorial().await;
    let sql = "SELECT TABLE_ROWS, DATA_LENGTH > 100, AVG_ROW_LENGTH > 10, UPDATE_TIME FROM information_schema.tables \
               WHERE TABLE_SCHEMA = 'quickstart' AND TABLE_NAME = 'site_clicks'";
    assert_eq!(world.value(sql).await, "5|1|1|2024-06-11 12:00:00");
    assert_eq!(world.value("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'x'").await, "0");
}
