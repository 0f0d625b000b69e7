use super::parts::{Fixture, JOB};

const TITLES: [&str; 23] = [
    "Id",
    "Name",
    "CreateTime",
    "PauseTime",
    "EndTime",
    "DbName",
    "TableName",
    "State",
    "DataSourceType",
    "CurrentTaskNum",
    "JobProperties",
    "DataSourceProperties",
    "CustomProperties",
    "Statistic",
    "Progress",
    "TimestampProgress",
    "ReasonOfStateChanged",
    "ErrorLogUrls",
    "TrackingSQL",
    "OtherMsg",
    "LatestSourcePosition",
    "OffsetLag",
    "Warehouse",
];

#[tokio::test]
async fn a_new_job_is_shown_as_in_the_tutorial() {
    let fixture = Fixture::with_job().await;
    fixture.scheduled("clicks", &[(0, 0)], &[]).await;
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!(shown.titles, TITLES);
    let job = fixture.job("clicks").await;
    let definition = fixture.catalog.job_definition(job.id, 1).await.unwrap().unwrap();
    let expected = [
        ("Id", job.id.to_string()),
        ("Name", "clicks".to_owned()),
        ("CreateTime", "2024-06-12 18:40:53".to_owned()),
        ("PauseTime", "NULL".to_owned()),
        ("EndTime", "NULL".to_owned()),
        ("DbName", "quickstart".to_owned()),
        ("TableName", "site_clicks".to_owned()),
        ("State", "RUNNING".to_owned()),
        ("DataSourceType", "KAFKA".to_owned()),
        ("CurrentTaskNum", "1".to_owned()),
        (
            "JobProperties",
            concat!(
                r#"{"partitions":"*","partial_update":"false","columnToColumnExpr":"*","maxBatchIntervalS":"10","#,
                r#""partial_update_mode":"null","whereExpr":"*","dataFormat":"json","timezone":"Etc/UTC","#,
                r#""format":"json","log_rejected_record_num":"0","taskTimeoutSecond":"60","json_root":"","#,
                r#""maxFilterRatio":"1.0","strict_mode":"false","jsonpaths":"[\"$.uid\",\"$.site\",\"$.vtime\"]","#,
                r#""taskConsumeSecond":"15","desireTaskConcurrentNum":"5","maxErrorNum":"0","#,
                r#""strip_outer_array":"false","currentTaskConcurrentNum":"1","maxBatchRows":"200000","#,
                r#""pause_on_fatal_parse_error":"false","warehouse":"default_warehouse"}"#
            )
            .to_owned(),
        ),
        (
            "DataSourceProperties",
            r#"{"topic":"test2","currentKafkaPartitions":"0","brokerList":"redpanda:29092"}"#.to_owned(),
        ),
        ("CustomProperties", format!(r#"{{"group.id":"{}"}}"#, definition.source.group_id())),
        (
            "Statistic",
            concat!(
                r#"{"receivedBytes":0,"errorRows":0,"committedTaskNum":0,"loadedRows":0,"loadRowsRate":0,"#,
                r#""abortedTaskNum":0,"totalRows":0,"unselectedRows":0,"receivedBytesRate":0,"taskExecuteTimeMs":1}"#
            )
            .to_owned(),
        ),
        ("Progress", r#"{"0":"OFFSET_ZERO"}"#.to_owned()),
        ("TimestampProgress", "{}".to_owned()),
        ("ReasonOfStateChanged", String::new()),
        ("ErrorLogUrls", String::new()),
        ("TrackingSQL", String::new()),
        ("OtherMsg", String::new()),
        ("Warehouse", "default_warehouse".to_owned()),
        ("LatestSourcePosition", "{}".to_owned()),
        ("OffsetLag", "{}".to_owned()),
    ];
    for (title, value) in expected {
        assert_eq!(shown.cell(0, title), value, "{title}");
    }
}

#[tokio::test]
async fn commits_move_progress_and_statistics() {
    let fixture = Fixture::with_job().await;
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 5)]).await;
    fixture.loaded("clicks", 0, 5, 372).await;
    let shown = fixture.show("SHOW ROUTINE LOAD FOR clicks").await;
    assert_eq!(
        shown.cell(0, "Statistic"),
        concat!(
            r#"{"receivedBytes":372,"errorRows":0,"committedTaskNum":1,"loadedRows":5,"loadRowsRate":9,"#,
            r#""abortedTaskNum":0,"totalRows":5,"unselectedRows":0,"receivedBytesRate":716,"taskExecuteTimeMs":519}"#
        )
    );
    assert_eq!(shown.cell(0, "Progress"), r#"{"0":"4"}"#);
    assert_eq!(shown.cell(0, "TimestampProgress"), r#"{"0":"1718217035111"}"#);
    assert_eq!(shown.cell(0, "LatestSourcePosition"), r#"{"0":"5"}"#);
    assert_eq!(shown.cell(0, "OffsetLag"), r#"{"0":"1"}"#);
    fixture.loaded("clicks", 0, 5, 100).await;
    let shown = fixture.show("SHOW ROUTINE LOAD FOR clicks").await;
    assert_eq!(shown.cell(0, "Progress"), r#"{"0":"9"}"#);
    // The report is older than what was read since.
    assert_eq!(shown.cell(0, "LatestSourcePosition"), r#"{"0":"10"}"#);
}

#[tokio::test]
async fn progress_before_the_first_look_depends_on_the_start() {
    let fixture = Fixture::with_table().await;
    for (name, start, progress) in [
        ("a", "OFFSET_BEGINNING", r#"{"0":"OFFSET_BEGINNING"}"#),
        ("b", "OFFSET_END", r#"{"0":"OFFSET_END"}"#),
        ("c", "0", r#"{"0":"OFFSET_ZERO"}"#),
        ("d", "4", r#"{"0":"3"}"#),
    ] {
        fixture.done(&JOB.replace("clicks ON", &format!("{name} ON")).replace("OFFSET_BEGINNING", start)).await;
        let shown = fixture.show(&format!("SHOW ROUTINE LOAD FOR {name}")).await;
        assert_eq!(shown.cell(0, "Progress"), progress, "{start}");
        assert_eq!(shown.cell(0, "OffsetLag"), "{}");
    }
    let unpinned = JOB
        .replace("clicks ON", "e ON")
        .replace(",\n    \"kafka_partitions\" = \"0\",\n    \"kafka_offsets\" = \"OFFSET_BEGINNING\"", "");
    fixture.done(&unpinned).await;
    let shown = fixture.show("SHOW ROUTINE LOAD FOR e").await;
    assert_eq!(shown.cell(0, "Progress"), "{}");
    assert!(shown.cell(0, "DataSourceProperties").contains(r#""currentKafkaPartitions":"""#));
    fixture.scheduled("e", &[(0, 7), (1, 0)], &[(0, 7), (1, 0)]).await;
    let shown = fixture.show("SHOW ROUTINE LOAD FOR e").await;
    assert_eq!(shown.cell(0, "Progress"), r#"{"0":"6","1":"OFFSET_ZERO"}"#);
    assert_eq!(shown.cell(0, "LatestSourcePosition"), r#"{"0":"7","1":"0"}"#);
    assert_eq!(shown.cell(0, "OffsetLag"), r#"{"0":"1"}"#);
    assert_eq!(shown.cell(0, "CurrentTaskNum"), "2");
}

#[tokio::test]
async fn jobs_are_filtered_ordered_and_limited() {
    let fixture = Fixture::with_table().await;
    for name in ["b", "a", "c"] {
        fixture.done(&JOB.replace("clicks ON", &format!("{name} ON"))).await;
        fixture.clock.advance(1_000);
    }
    fixture.done("PAUSE ROUTINE LOAD FOR c").await;
    fixture.done("STOP ROUTINE LOAD FOR a").await;
    for (tail, names) in [
        ("", vec!["b", "c"]),
        ("ORDER BY Name DESC", vec!["c", "b"]),
        ("WHERE State = 'paused'", vec!["c"]),
        ("WHERE Name LIKE '?' AND State != 'PAUSED'", vec!["b"]),
        ("WHERE Name LIKE '_'", vec![]),
        ("WHERE Id > 0 AND CreateTime > '2024-06-12 18:40:53'", vec!["c"]),
        ("WHERE PauseTime >= '2024-06-12'", vec!["c"]),
        ("ORDER BY PauseTime DESC, Name", vec!["c", "b"]),
        ("LIMIT 1", vec!["b"]),
        ("LIMIT 1 OFFSET 1", vec!["c"]),
        ("LIMIT 1, 5", vec!["c"]),
        ("FROM quickstart WHERE Name NOT IN ('b')", vec!["c"]),
    ] {
        let shown = fixture.show(&format!("SHOW ROUTINE LOAD {tail}")).await;
        assert_eq!(shown.column("Name"), names, "{tail}");
    }
    assert_eq!(fixture.show("SHOW ALL ROUTINE LOAD").await.column("Name"), ["b", "a", "c"]);
    let error = fixture.refused("SHOW ROUTINE LOAD FOR a").await;
    assert!(error.message.contains("There is no running job named a in db quickstart"), "{error}");
    assert!(error.hint.unwrap().contains("SHOW ALL ROUTINE LOAD FOR a"));
    assert_eq!(fixture.show("SHOW ALL ROUTINE LOAD FOR a").await.column("State"), ["STOPPED"]);
}

#[tokio::test]
async fn secrets_are_masked() {
    let fixture = Fixture::with_table().await;
    let secret = "\"property.sasl.username\" = \"me\", \"property.sasl.password\" = \"hush\", \"kafka_topic\"";
    fixture.done(&JOB.replace("\"kafka_topic\"", secret)).await;
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    let custom = shown.cell(0, "CustomProperties");
    assert!(custom.contains(r#""sasl.password":"******","sasl.username":"me""#), "{custom}");
    let shown = fixture.show("SHOW CREATE ROUTINE LOAD clicks").await;
    assert_eq!(shown.titles, ["Job", "Create Job"]);
    let text = shown.cell(0, "Create Job");
    assert!(!text.contains("hush") && text.contains("CREATE ROUTINE LOAD `clicks` ON `site_clicks`"), "{text}");
}

#[tokio::test]
async fn error_files_are_shown_with_their_place() {
    let fixture = Fixture::with_job().await;
    let id = fixture.job("clicks").await.id;
    for key in ["rejected/1/a.parquet", "rejected/1/b.parquet"] {
        fixture.catalog.record_error_file(id, key).await.unwrap();
    }
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!(
        shown.cell(0, "ErrorLogUrls"),
        "SELECT * FROM `quickstart`.`clicks$rejected`, s3://starrocks/rejected/1/a.parquet, \
         s3://starrocks/rejected/1/b.parquet"
    );
    assert_eq!(
        shown.cell(0, "TrackingSQL"),
        format!("select tracking_log from information_schema.load_tracking_logs where job_id={id}")
    );
}

#[tokio::test]
async fn tasks_stand_for_source_partitions_that_load_together() {
    let fixture = Fixture::with_job().await;
    let tasks = "SHOW ROUTINE LOAD TASK WHERE JobName = 'clicks'";
    assert!(fixture.show(tasks).await.rows.is_empty());
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 5)]).await;
    let shown = fixture.show(tasks).await;
    assert_eq!(shown.cell(0, "DataSourceProperties"), r#"Progress:{"0":0},LatestOffset:{"0":5}"#);
    assert_eq!((shown.cell(0, "TxnId"), shown.cell(0, "Message")), ("-1", "NULL"));
    fixture.loaded("clicks", 0, 5, 372).await;
    let shown = fixture.show(tasks).await;
    assert!(shown.cell(0, "Message").starts_with("there is no new data in kafka"));
    let error = fixture.refused("SHOW ROUTINE LOAD TASK WHERE JobName = 'x'").await;
    assert!(error.message.contains("The job named x does not exists"), "{error}");
}

#[tokio::test]
async fn a_job_far_behind_is_unstable_and_an_idle_one_is_not() {
    let fixture = Fixture::with_job().await;
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 5)]).await;
    fixture.loaded("clicks", 0, 5, 372).await;
    fixture.clock.advance(3_601_000);
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "State"), "RUNNING");
    let id = fixture.job("clicks").await.id;
    let report = penstock_catalog::job::SourceReport { latest: [(0, 6)].into(), at_ms: super::parts::NOW_MS + 1 };
    fixture.catalog.report_source(id, &report, &Default::default()).await.unwrap();
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!(shown.cell(0, "State"), "UNSTABLE");
    assert_eq!(
        shown.cell(0, "ReasonOfStateChanged"),
        "ErrorReason{errCode = 105, msg='The lag [4218] of partition [0] exceeds \
         Config.routine_load_unstable_threshold_second [3600]'}"
    );
    // It is a way of showing RUNNING, and no state.
    assert!(fixture.show("SHOW ROUTINE LOAD WHERE State = 'UNSTABLE'").await.rows.is_empty());
    assert_eq!(fixture.show("SHOW ROUTINE LOAD WHERE State = 'running'").await.rows.len(), 1);
}

#[tokio::test]
async fn ended_jobs_are_shown_for_three_days() {
    let fixture = Fixture::with_job().await;
    fixture.done("STOP ROUTINE LOAD FOR clicks").await;
    fixture.clock.advance(3 * 86_400_000);
    assert_eq!(fixture.show("SHOW ALL ROUTINE LOAD").await.rows.len(), 1);
    fixture.clock.advance(1);
    assert!(fixture.show("SHOW ALL ROUTINE LOAD").await.rows.is_empty());
}

#[tokio::test]
async fn the_shown_statement_makes_an_equal_job() {
    let fixture = Fixture::with_table().await;
    let job = r#"CREATE ROUTINE LOAD tricky ON site_clicks
        COLUMNS TERMINATED BY "\t", ROWS TERMINATED BY "\n", COLUMNS (uid, site, vtime)
        PROPERTIES ("format" = "json", "jsonpaths" = "[\"$.uid\",\"$['a b']\",\"$.v\"]", "max_error_number" = "7", "timezone" = "8:00")
        FROM KAFKA ("kafka_broker_list" = "a:1,b:2", "kafka_topic" = "t.t-t_t", "kafka_partitions" = "3,1",
            "kafka_offsets" = "OFFSET_END,5", "property.group.id" = "mine", "property.client.id" = "q\"q")"#;
    let job = job.replace("$['a b']", "$.site");
    fixture.done(&job).await;
    let text = fixture.show("SHOW CREATE ROUTINE LOAD tricky").await.cell(0, "Create Job").to_owned();
    let first = fixture.job("tricky").await;
    let first = fixture.catalog.job_definition(first.id, 1).await.unwrap().unwrap();
    fixture.done("STOP ROUTINE LOAD FOR tricky").await;
    fixture.done(&text).await;
    let second = fixture.job("tricky").await;
    let second = fixture.catalog.job_definition(second.id, 1).await.unwrap().unwrap();
    assert_eq!(penstock_kernel::job::JobDefinition { id: second.id, ..first }, second);
}
