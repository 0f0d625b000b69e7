use penstock_admin::mapping::MappingStart;
use penstock_sql::error::code;

use super::parts::{Fixture, JOB, NOW_MS, refuses, unavailable};

#[tokio::test]
async fn creating_a_job_makes_its_mapping() {
    let fixture = Fixture::with_job().await;
    let job = fixture.job("clicks").await;
    assert_eq!(job.mapping, Some(format!("mapping-{}", job.id)));
    let spec = fixture.mappings.specs.lock().unwrap()[0].clone();
    assert_eq!((spec.job, spec.topic.as_str()), (job.id, "test2"));
    assert_eq!(spec.brokers, ["redpanda:29092"]);
    assert_eq!(spec.start, MappingStart::TrimHorizon);
    assert_eq!((spec.batch_size, spec.window_seconds), (10_000, 10));
    let uuid = spec.group_id.strip_prefix("clicks_").unwrap();
    assert_eq!(uuid.len(), 36, "{uuid}");
}

#[tokio::test]
async fn a_job_that_starts_at_the_end_is_mapped_from_its_creation_on() {
    let fixture = Fixture::with_table().await;
    let at_end = JOB.replace(",\n    \"kafka_partitions\" = \"0\",\n    \"kafka_offsets\" = \"OFFSET_BEGINNING\"", "");
    fixture.done(&at_end).await;
    fixture.done(&JOB.replace("clicks ON", "other ON").replace("OFFSET_BEGINNING", "7")).await;
    fixture.done(&JOB.replace("clicks ON", "third ON").replace("OFFSET_BEGINNING", "OFFSET_END")).await;
    let starts: Vec<MappingStart> = fixture.mappings.specs.lock().unwrap().iter().map(|spec| spec.start).collect();
    assert_eq!(
        starts,
        [MappingStart::AtTimestamp(NOW_MS), MappingStart::TrimHorizon, MappingStart::AtTimestamp(NOW_MS)]
    );
}

#[tokio::test]
async fn definitions_that_cannot_work_are_refused_and_leave_nothing() {
    let fixture = Fixture::with_table().await;
    for (from, to, code, text) in [
        ("ON site_clicks", "ON sites", code::UNKNOWN_TABLE, "Unknown table 'quickstart.sites'"),
        ("quickstart.clicks", "nowhere.clicks", code::UNKNOWN_DATABASE, "Unknown database 'nowhere'"),
        ("quickstart.clicks", "`a-b`", code::BAD_NAME, "Incorrect ROUTINE LOAD NAME name 'a-b'"),
        ("\"format\"", "\"fromat\"", code::PARSE, "hint: did you mean `format`?"),
        ("[\\\"$.uid\\\",", "[\\\"$.uid\\\"", code::PARSE, "Invalid json path"),
        ("$.uid", "uid[", code::PARSE, "Invalid json path"),
        ("redpanda:29092", "redpanda", code::PARSE, "does not match with host:port"),
        ("\"0\"", "\"0,1\"", code::PARSE, "Partitions number should be equals to offsets number"),
        ("\"JSON\"", "\"XML\"", code::PARSE, "Format type is invalid. format=`XML`"),
        ("PROPERTIES", "COLUMNS (uid) PROPERTIES", code::PARSE, "Column has no default value. column: site"),
    ] {
        let sql = JOB.replacen(from, to, 1);
        assert_ne!(sql, JOB, "{from}");
        let error = fixture.refused(&sql).await;
        assert_eq!(error.code, code, "{to}: {error}");
        assert!(error.to_string().contains(text), "{to}: {error}");
    }
    assert!(fixture.show("SHOW ALL ROUTINE LOAD").await.rows.is_empty());
    assert!(fixture.mappings.take_calls().is_empty());
}

#[tokio::test]
async fn a_live_jobs_name_is_taken_and_a_stopped_ones_free() {
    let fixture = Fixture::with_job().await;
    let error = fixture.refused(JOB).await;
    assert!(error.message.contains("Name clicks already used in db quickstart"), "{error}");
    fixture.done("STOP ROUTINE LOAD FOR clicks").await;
    fixture.done(JOB).await;
    assert_eq!(fixture.show("SHOW ALL ROUTINE LOAD FOR clicks").await.column("State"), ["STOPPED", "NEED_SCHEDULE"]);
}

#[tokio::test]
async fn jobs_are_paused_resumed_and_stopped() {
    let fixture = Fixture::with_job().await;
    let job = fixture.job("clicks").await;
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 5)]).await;
    fixture.mappings.take_calls();
    fixture.done("PAUSE ROUTINE LOAD FOR quickstart.clicks").await;
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!((shown.cell(0, "State"), shown.cell(0, "PauseTime")), ("PAUSED", "2024-06-12 18:40:53"));
    assert_eq!(
        shown.cell(0, "ReasonOfStateChanged"),
        "ErrorReason{errCode = 100, msg='User root pauses routine load job'}"
    );
    assert_eq!(shown.cell(0, "CurrentTaskNum"), "0");
    let error = fixture.refused("PAUSE ROUTINE LOAD FOR clicks").await;
    assert!(error.message.contains("Could not transform PAUSED to PAUSED"), "{error}");
    fixture.done("RESUME ROUTINE LOAD FOR clicks").await;
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!((shown.cell(0, "State"), shown.cell(0, "PauseTime")), ("NEED_SCHEDULE", "NULL"));
    fixture.done("STOP ROUTINE LOAD FOR clicks").await;
    let id = job.id;
    assert_eq!(
        fixture.mappings.take_calls(),
        [
            format!("disable mapping-{id}"),
            format!("disable mapping-{id}"),
            format!("enable mapping-{id}"),
            format!("delete `mapping-{id}` of {id}")
        ]
    );
    for verb in ["PAUSE", "RESUME", "STOP"] {
        let error = fixture.refused(&format!("{verb} ROUTINE LOAD FOR clicks")).await;
        assert!(error.message.contains("There is not operable routine load job with name clicks"), "{error}");
    }
    let shown = fixture.show("SHOW ALL ROUTINE LOAD").await;
    assert_eq!((shown.cell(0, "State"), shown.cell(0, "ReasonOfStateChanged")), ("STOPPED", ""));
}

#[tokio::test]
async fn a_refused_mapping_leaves_no_job() {
    let fixture = Fixture::with_table().await;
    fixture.mappings.fail("create", refuses);
    let error = fixture.refused(JOB).await;
    assert!(error.message.contains("no such subnet"), "{error}");
    assert!(fixture.show("SHOW ROUTINE LOAD").await.rows.is_empty());
    assert_eq!(fixture.show("SHOW ALL ROUTINE LOAD").await.column("State"), ["STOPPED"]);
    fixture.mappings.recover();
    fixture.done(JOB).await;
}

#[tokio::test]
async fn a_refused_mapping_that_cannot_be_removed_leaves_a_job_to_stop() {
    let fixture = Fixture::with_table().await;
    fixture.mappings.fail("", refuses);
    let error = fixture.refused(JOB).await;
    assert!(error.message.contains("no such subnet"), "{error}");
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    assert!(shown.cell(0, "OtherMsg").contains("no such subnet"));
    fixture.mappings.recover();
    fixture.done("STOP ROUTINE LOAD FOR clicks").await;
    assert!(fixture.show("SHOW ROUTINE LOAD").await.rows.is_empty());
}

#[tokio::test]
async fn a_mapping_service_that_is_away_keeps_the_job_for_resume() {
    let fixture = Fixture::with_table().await;
    fixture.mappings.fail("", unavailable);
    let error = fixture.refused(JOB).await;
    assert_eq!(error.code, code::UNAVAILABLE);
    assert_eq!(error.hint.as_deref(), Some("RESUME ROUTINE LOAD FOR clicks tries again"));
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!(shown.cell(0, "State"), "NEED_SCHEDULE");
    let message = shown.cell(0, "OtherMsg");
    assert!(message.starts_with("[2024-06-12 18:40:53] [task id: "), "{message}");
    assert!(message.ends_with("does not answer: connection refused"), "{message}");
    fixture.mappings.recover();
    fixture.done("RESUME ROUTINE LOAD FOR clicks").await;
    assert!(fixture.job("clicks").await.mapping.is_some());
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "OtherMsg"), "");
}

#[tokio::test]
async fn pause_holds_even_if_the_mapping_cannot_be_reached() {
    let fixture = Fixture::with_job().await;
    fixture.mappings.fail("", unavailable);
    let error = fixture.refused("PAUSE ROUTINE LOAD FOR clicks").await;
    assert_eq!((error.code, error.hint.as_deref()), (code::UNAVAILABLE, Some("say PAUSE again")));
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "State"), "PAUSED");
    let error = fixture.refused("STOP ROUTINE LOAD FOR clicks").await;
    assert_eq!(error.code, code::UNAVAILABLE);
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "State"), "PAUSED");
}

#[tokio::test]
async fn alter_changes_a_job_whatever_it_does() {
    let fixture = Fixture::with_job().await;
    let alter = "ALTER ROUTINE LOAD FOR clicks PROPERTIES ('max_batch_interval' = '20', 'max_error_number' = '3')";
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 5)]).await;
    fixture.done(alter).await;
    let spec = fixture.mappings.specs.lock().unwrap().last().unwrap().clone();
    assert_eq!(spec.window_seconds, 20);
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!(shown.cell(0, "State"), "RUNNING");
    let properties = shown.cell(0, "JobProperties");
    assert!(properties.contains(r#""maxBatchIntervalS":"20""#), "{properties}");
    assert!(properties.contains(r#""maxErrorNum":"3""#), "{properties}");
    assert_eq!(fixture.job("clicks").await.version, 2);
    fixture.done("PAUSE ROUTINE LOAD FOR clicks").await;
    fixture.done("ALTER ROUTINE LOAD FOR clicks PROPERTIES ('max_error_number' = '4')").await;
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "State"), "PAUSED");
    for (clause, text) in [
        ("PROPERTIES ('format' = 'csv')", "format is invalid property"),
        ("PROPERTIES ('max_error_number' = '-1')", "max_error_number should >= 0"),
        ("FROM KAFKA ('kafka_topic' = 'x')", "kafka_topic is invalid"),
        ("FROM KAFKA ('kafka_partitions' = '0')", "Partition and offset must be specified at the same time"),
        ("FROM KAFKA ('kafka_offsets' = '0')", "Partition and offset must be specified at the same time"),
        ("FROM KAFKA ('kafka_partitions' = '1', 'kafka_offsets' = '7')", "partition 1 is not in the custom partitions"),
        ("FROM KAFKA ('property.refused.here' = 'x')", "no x here"),
        ("COLUMNS (uid)", "Column has no default value. column: site"),
    ] {
        let error = fixture.refused(&format!("ALTER ROUTINE LOAD FOR clicks {clause}")).await;
        assert!(error.message.contains(text), "{clause}: {error}");
    }
    assert_eq!(fixture.job("clicks").await.version, 3);
}

#[tokio::test]
async fn alter_moves_a_job_back_with_a_group_and_a_mapping_of_its_own() {
    let fixture = Fixture::with_job().await;
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 9)]).await;
    fixture.loaded("clicks", 0, 9, 100).await;
    let group = fixture.mappings.specs.lock().unwrap()[0].group_id.clone();
    fixture.mappings.take_calls();
    fixture.done("ALTER ROUTINE LOAD FOR clicks FROM KAFKA ('kafka_partitions' = '0', 'kafka_offsets' = '4')").await;
    let id = fixture.job("clicks").await.id;
    assert_eq!(fixture.mappings.take_calls(), [format!("create {id}")]);
    let spec = fixture.mappings.specs.lock().unwrap().last().unwrap().clone();
    assert_eq!((spec.group_id, spec.start), (format!("{group}-v2"), MappingStart::TrimHorizon));
    assert_eq!(fixture.job("clicks").await.mapping, Some(format!("mapping-{id}-v2")));
    let shown = fixture.show("SHOW ROUTINE LOAD").await;
    assert_eq!((shown.cell(0, "State"), shown.cell(0, "Progress")), ("RUNNING", r#"{"0":"3"}"#));
    fixture.loaded("clicks", 0, 2, 10).await;
    // Where it stands: the group may be ahead of it, so that another one has to begin anew.
    fixture.mappings.take_calls();
    fixture.done("ALTER ROUTINE LOAD FOR clicks FROM KAFKA ('kafka_partitions' = '0', 'kafka_offsets' = '6')").await;
    assert_eq!(fixture.mappings.take_calls(), [format!("create {id}")]);
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "Progress"), r#"{"0":"5"}"#);
    assert!(fixture.job("clicks").await.rewound);
    // Forward needs no other mapping: what is delivered all the same is passed over.
    fixture.mappings.take_calls();
    fixture.done("ALTER ROUTINE LOAD FOR clicks FROM KAFKA ('kafka_partitions' = '0', 'kafka_offsets' = '8')").await;
    assert!(fixture.mappings.take_calls().is_empty());
    assert_eq!(fixture.show("SHOW ROUTINE LOAD").await.cell(0, "Progress"), r#"{"0":"7"}"#);
}

#[tokio::test]
async fn versions_say_what_changed_and_where_they_began() {
    let fixture = Fixture::with_job().await;
    fixture.scheduled("clicks", &[(0, 2)], &[(0, 9)]).await;
    let shown = fixture.show("SHOW ROUTINE LOAD VERSIONS FOR clicks").await;
    assert_eq!(shown.titles, ["Version", "BeginTime", "Changes", "BeginOffsets", "EndOffsetsBefore"]);
    assert_eq!(shown.rows, [["1", "2024-06-12 18:40:53", "CREATE", r#"{"0":"2"}"#, "{}"]]);
    fixture.loaded("clicks", 0, 7, 100).await;
    fixture.clock.advance(1_000);
    fixture
        .done(
            "ALTER ROUTINE LOAD FOR clicks PROPERTIES ('max_error_number' = '3') FROM KAFKA \
             ('kafka_partitions' = '0', 'kafka_offsets' = 'OFFSET_BEGINNING', 'property.sasl.password' = 'hush', \
             'property.group.id' = 'g')",
        )
        .await;
    fixture
        .done(
            "ALTER ROUTINE LOAD FOR clicks INCLUDE METADATA (KEY, OFFSET AS o) FROM KAFKA \
             ('confluent.schema.registry.url' = 'http://k:hush@h:1')",
        )
        .await;
    let shown = fixture.show("SHOW ROUTINE LOAD VERSIONS FOR clicks").await;
    let changes = shown.cell(2, "Changes");
    assert!(changes.starts_with("INCLUDE METADATA: none -> KEY AS key, OFFSET AS o; "), "{changes}");
    assert!(changes.contains("confluent.schema.registry.url: none -> http://h:1"), "{changes}");
    fixture.done("STOP ROUTINE LOAD FOR clicks").await;
    let shown = fixture.show("SHOW ROUTINE LOAD VERSIONS FOR quickstart.clicks").await;
    assert_eq!(shown.column("BeginOffsets"), [r#"{"0":"2"}"#, r#"{"0":"0"}"#, r#"{"0":"0"}"#]);
    assert_eq!(shown.column("EndOffsetsBefore"), ["{}", r#"{"0":"9"}"#, "{}"]);
    assert_eq!(shown.cell(1, "BeginTime"), "2024-06-12 18:40:54");
    let changes = shown.cell(1, "Changes");
    for change in
        ["max_error_number: none -> 3", "offset of 0: 9 -> 0", "property.sasl.password: none -> ******", "-> g"]
    {
        assert!(changes.contains(change), "{changes}");
    }
    assert!(!changes.contains("hush"), "{changes}");
}

#[tokio::test]
async fn a_mapping_that_cannot_be_made_anew_leaves_an_altered_job_for_resume() {
    let fixture = Fixture::with_job().await;
    fixture.scheduled("clicks", &[(0, 0)], &[(0, 9)]).await;
    fixture.loaded("clicks", 0, 9, 100).await;
    fixture.mappings.fail("create", unavailable);
    let error = fixture.refused("ALTER ROUTINE LOAD FOR clicks FROM KAFKA ('kafka_broker_list' = 'other:9092')").await;
    assert_eq!(error.code, code::UNAVAILABLE);
    assert!(error.message.contains("job `clicks` has version 2, but its records do not come yet"), "{error}");
    let job = fixture.job("clicks").await;
    assert_eq!((job.version, job.mapping), (2, None));
    fixture.mappings.recover();
    fixture.done("RESUME ROUTINE LOAD FOR clicks").await;
    assert!(fixture.job("clicks").await.mapping.is_some());
}

#[tokio::test]
async fn security_that_makes_no_sense_or_is_refused_leaves_no_job() {
    let fixture = Fixture::with_table().await;
    for (property, text) in [
        ("'property.security.protocol' = 'tls'", "property.security.protocol: expected `plaintext`, `ssl`"),
        ("'property.sasl.mechanism' = 'MD5'", "property.sasl.mechanism: expected `PLAIN`"),
        ("'property.security.protocol' = 'sasl_ssl'", "property.sasl.mechanism is required"),
        (
            "'property.security.protocol' = 'sasl_ssl', 'property.sasl.mechanism' = 'PLAIN', 'property.sasl.password' = 'hush'",
            "property.sasl.username is required",
        ),
        ("'property.aws.secret.arn' = 'kafka'", "property.aws.secret.arn: expected an ARN"),
        ("'property.aws.vpc.subnets' = 'subnet-1'", "property.aws.vpc.security.groups is required"),
        ("'property.refused.here' = 'TLS'", "no TLS here"),
    ] {
        let error = fixture.refused(&JOB.replace("\"kafka_topic\"", &format!("{property}, \"kafka_topic\""))).await;
        assert!(error.message.contains(text), "{property}: {error}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
    assert!(fixture.show("SHOW ALL ROUTINE LOAD").await.rows.is_empty());
    assert!(fixture.mappings.take_calls().is_empty());
}
