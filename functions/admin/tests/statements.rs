//! Statements against a catalog in memory and mappings that only remember what was asked of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows these in test functions; this is the same for what they call"
)]

use penstock_sql::error::code;

mod parts;

use parts::{Fixture, JOB, TABLE, rows};

#[path = "statements/costs.rs"]
mod costs;
#[path = "statements/databases.rs"]
mod databases;
#[path = "statements/jobs.rs"]
mod jobs;
#[path = "statements/look.rs"]
mod look;
#[path = "statements/maintenance.rs"]
mod maintenance;
#[path = "statements/partitions.rs"]
mod partitions;
#[path = "statements/show.rs"]
mod show;
#[path = "statements/tables.rs"]
mod tables;
#[path = "statements/volumes.rs"]
mod volumes;

/// The statements of the tutorial in order, each with its outcome; loading is told to the catalog by hand.
#[tokio::test]
async fn the_tutorial_answers_as_it_says() {
    let fixture = Fixture::new().await;
    assert_eq!(rows(&fixture.run("SHOW STORAGE VOLUMES").await), [["builtin_storage_volume"]]);
    let volume = fixture.show("DESC STORAGE VOLUME builtin_storage_volume").await;
    assert_eq!(volume.titles, ["Name", "Type", "IsDefault", "Location", "Params", "Enabled", "Comment"]);
    assert_eq!(
        volume.rows[0],
        [
            "builtin_storage_volume",
            "S3",
            "true",
            "s3://starrocks",
            "{\"aws.s3.access_key\":\"******\",\"aws.s3.secret_key\":\"******\",\
             \"aws.s3.endpoint\":\"http://127.0.0.1:9000\",\"aws.s3.region\":\"us-east-1\",\
             \"aws.s3.use_instance_profile\":\"false\",\"aws.s3.use_aws_sdk_default_behavior\":\"false\"}",
            "true",
            ""
        ]
    );
    fixture.done("CREATE DATABASE quickstart").await;
    fixture.uses("quickstart").await;
    fixture.done(TABLE).await;
    fixture.done(JOB).await;
    let jobs = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!(jobs.cell(0, "State"), "NEED_SCHEDULE");
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 5)]).await;
    fixture.loaded("clicks", 0, 5, 372).await;
    let jobs = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!(jobs.cell(0, "State"), "RUNNING");
    assert_eq!(jobs.cell(0, "Progress"), r#"{"0":"4"}"#);
    assert_eq!(jobs.cell(0, "LatestSourcePosition"), r#"{"0":"5"}"#);
}

#[tokio::test]
async fn what_does_not_parse_is_answered_with_its_place() {
    let fixture = Fixture::new().await;
    let error = fixture.refused("SHOW ROUTIN LOAD").await;
    assert_eq!(error.code, code::PARSE);
    assert!(error.message.starts_with("Getting syntax error at line 1, column 6. Detail message: "), "{error}");
    assert_eq!(error.hint.as_deref(), Some("did you mean `ROUTINE`?"));
}
