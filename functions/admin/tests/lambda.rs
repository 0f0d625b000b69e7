//! [`LambdaMappings`] against a server that answers as Lambda does, request by request.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows these in test functions; this is the same for what they call"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use penstock_admin::mapping::lambda::{LambdaMappings, LambdaSettings, SourceAccess};
use penstock_admin::mapping::{MappingError, MappingId, MappingSpec, MappingStart, Mappings};
use penstock_kernel::ids::JobId;
use penstock_storage::Keys;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ALIAS: &str = "arn:aws:lambda:eu-west-1:1:function:load:job-10003";

/// An answer: status, error type (empty for none), body.
type Answer = (u16, &'static str, Value);

struct Lambda {
    endpoint: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Lambda {
    /// Serves these answers in order, one a request, then errors that the test shows.
    async fn answering(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut answers = VecDeque::from(answers);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read(&mut stream).await;
                seen.lock().unwrap().push(request);
                let answer = answers.pop_front();
                let unexpected = (400, "UnexpectedRequest", json!({"message": "no answer is left"}));
                write(&mut stream, answer.unwrap_or(unexpected)).await;
            }
        });
        Self { endpoint, requests }
    }

    async fn mappings(&self, cluster_arn: Option<&str>) -> LambdaMappings {
        LambdaMappings::connect(LambdaSettings {
            endpoint: Some(self.endpoint.clone()),
            region: "eu-west-1".to_owned(),
            keys: Some(Keys { access_key: "key".to_owned(), secret_key: "secret".to_owned(), session_token: None }),
            load_function: "load".to_owned(),
            cluster_arn: cluster_arn.map(str::to_owned),
            source_access: vec![SourceAccess::new("VPC_SUBNET", "subnet:subnet-1").unwrap()],
        })
        .await
    }

    /// Method and path of every request so far.
    fn lines(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }

    fn body(&self, index: usize) -> Value {
        self.requests.lock().unwrap()[index].1.clone()
    }
}

async fn read(stream: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    let head = loop {
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).await.unwrap();
        assert!(length > 0, "the request ended early");
        bytes.extend_from_slice(&chunk[..length]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap());
    while bytes.len() < head + length {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..read]);
    }
    let line = text.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    (line, serde_json::from_slice(&bytes[head..]).unwrap_or(Value::Null))
}

async fn write(stream: &mut TcpStream, (status, error, body): Answer) {
    let body = body.to_string();
    let error = if error.is_empty() { String::new() } else { format!("x-amzn-errortype: {error}\r\n") };
    let head = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\nconnection: close\r\n{error}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
}

fn spec() -> MappingSpec {
    MappingSpec {
        job: JobId(10_003),
        group_id: "clicks_1".to_owned(),
        brokers: vec!["redpanda:29092".to_owned()],
        topic: "test2".to_owned(),
        start: MappingStart::AtTimestamp(1_718_217_653_500),
        batch_size: 10_000,
        window_seconds: 10,
        concurrency: 1,
        custom: Default::default(),
    }
}

fn alias() -> Value {
    json!({"AliasArn": ALIAS, "Name": "job-10003", "FunctionVersion": "$LATEST"})
}

fn mapping() -> Value {
    json!({"UUID": "u-1", "State": "Enabled", "SelfManagedEventSource":
        {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["redpanda:29092"]}}})
}

#[tokio::test]
async fn a_mapping_is_made_on_an_alias_of_its_own() {
    let lambda = Lambda::answering(vec![
        (201, "", alias()),
        (200, "", json!({"EventSourceMappings": []})),
        (202, "", mapping()),
    ])
    .await;
    let made = lambda.mappings(None).await.create(&spec()).await.unwrap();
    assert_eq!(made, MappingId("u-1".to_owned()));
    let lines = lambda.lines();
    assert_eq!(lines[0], "POST /2015-03-31/functions/load/aliases");
    assert_eq!(lambda.body(0), json!({"Name": "job-10003", "FunctionVersion": "$LATEST"}));
    assert!(lines[1].starts_with("GET /2015-03-31/event-source-mappings"), "{}", lines[1]);
    assert!(lines[1].ends_with("load%3Ajob-10003"), "{}", lines[1]);
    assert!(lines[2].starts_with("POST /2015-03-31/event-source-mappings"), "{}", lines[2]);
    assert_eq!(
        lambda.body(2),
        json!({
            "FunctionName": ALIAS,
            "Enabled": true,
            "BatchSize": 10_000,
            "MaximumBatchingWindowInSeconds": 10,
            "Topics": ["test2"],
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": 1_718_217_653.5,
            "SourceAccessConfigurations": [{"Type": "VPC_SUBNET", "URI": "subnet:subnet-1"}],
            "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["redpanda:29092"]}},
            "SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": "clicks_1"}
        })
    );
}

#[tokio::test]
async fn a_cluster_of_msk_is_named_by_its_arn() {
    let lambda = Lambda::answering(vec![
        (201, "", alias()),
        (200, "", json!({"EventSourceMappings": []})),
        (202, "", mapping()),
    ])
    .await;
    let spec = MappingSpec { start: MappingStart::TrimHorizon, ..spec() };
    lambda.mappings(Some("arn:aws:kafka:c")).await.create(&spec).await.unwrap();
    let body = lambda.body(2);
    assert_eq!(body["EventSourceArn"], "arn:aws:kafka:c");
    assert_eq!(body["StartingPosition"], "TRIM_HORIZON");
    assert_eq!(body["AmazonManagedKafkaEventSourceConfig"], json!({"ConsumerGroupId": "clicks_1"}));
    assert_eq!(body.get("SelfManagedEventSource"), None);
}

#[tokio::test]
async fn a_repeat_finds_what_was_made() {
    let conflict = || (409, "ResourceConflictException", json!({"message": "Alias already exists"}));
    let lambda = Lambda::answering(vec![
        conflict(),
        (200, "", alias()),
        (200, "", json!({"EventSourceMappings": [{"UUID": "old", "State": "Deleting"}, mapping()]})),
    ])
    .await;
    let found = lambda.mappings(None).await.create(&spec()).await.unwrap();
    assert_eq!(found, MappingId("u-1".to_owned()));
    assert_eq!(lambda.lines()[1], "GET /2015-03-31/functions/load/aliases/job-10003");
    assert_eq!(lambda.lines().len(), 3);
}

#[tokio::test]
async fn a_mapping_of_another_group_gives_way() {
    let leaving = || json!({"EventSourceMappings": [{"UUID": "u-0", "State": "Deleting"}]});
    let old = json!({"UUID": "u-0", "State": "Enabled", "SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": "clicks_0"}});
    let lambda = Lambda::answering(vec![
        (201, "", alias()),
        (200, "", json!({"EventSourceMappings": [old]})),
        (202, "", json!({"UUID": "u-0"})),
        // It delivers until it is gone.
        (200, "", leaving()),
        (200, "", leaving()),
        (200, "", json!({"EventSourceMappings": []})),
        (202, "", mapping()),
    ])
    .await;
    let mappings = lambda.mappings(None).await.with_pause(std::time::Duration::ZERO);
    assert_eq!(mappings.create(&spec()).await.unwrap(), MappingId("u-1".to_owned()));
    let lines = lambda.lines();
    assert_eq!(lines[2], "DELETE /2015-03-31/event-source-mappings/u-0");
    assert_eq!((lines.len(), lines.iter().filter(|line| line.starts_with("POST")).count()), (7, 2));
}

#[tokio::test]
async fn security_of_a_job_is_the_mappings() {
    let lambda = Lambda::answering(vec![
        (201, "", alias()),
        (200, "", json!({"EventSourceMappings": []})),
        (202, "", mapping()),
    ])
    .await;
    let secret = "arn:aws:secretsmanager:eu-west-1:1:secret:kafka";
    let custom = [("security.protocol", "sasl_ssl"), ("sasl.mechanism", "PLAIN"), ("aws.secret.arn", secret)];
    let custom = custom.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mappings = lambda.mappings(None).await;
    mappings.create(&MappingSpec { custom, ..spec() }).await.unwrap();
    assert_eq!(
        lambda.body(2)["SourceAccessConfigurations"],
        json!([{"Type": "BASIC_AUTH", "URI": secret}, {"Type": "VPC_SUBNET", "URI": "subnet:subnet-1"}])
    );
    let custom = [("sasl.password".to_owned(), "hush".to_owned())].into();
    let error = mappings.check(&MappingSpec { custom, ..spec() }).unwrap_err().to_string();
    assert!(error.contains("give property.aws.secret.arn") && !error.contains("hush"), "{error}");
}

#[tokio::test]
async fn deleting_removes_mapping_and_alias_and_may_be_repeated() {
    let missing = || (404, "ResourceNotFoundException", json!({"message": "gone"}));
    let lambda = Lambda::answering(vec![
        (202, "", mapping()),
        (200, "", alias()),
        (200, "", json!({"EventSourceMappings": [{"UUID": "u-2", "State": "Enabled"}]})),
        (202, "", json!({"UUID": "u-2"})),
        (204, "", json!({})),
        missing(),
        missing(),
    ])
    .await;
    let mappings = lambda.mappings(None).await;
    mappings.delete(&MappingId("u-1".to_owned()), JobId(10_003)).await.unwrap();
    mappings.delete(&MappingId("u-1".to_owned()), JobId(10_003)).await.unwrap();
    let lines = lambda.lines();
    assert_eq!(lines[0], "DELETE /2015-03-31/event-source-mappings/u-1");
    assert_eq!(lines[3], "DELETE /2015-03-31/event-source-mappings/u-2");
    assert_eq!(lines[4], "DELETE /2015-03-31/functions/load/aliases/job-10003");
    assert_eq!(lines.len(), 7);
}

#[tokio::test]
async fn a_busy_mapping_is_waited_for() {
    let busy = || (400, "ResourceInUseException", json!({"Message": "busy"}));
    let lambda = Lambda::answering(vec![busy(), busy(), (202, "", mapping())]).await;
    let mappings = lambda.mappings(None).await.with_pause(std::time::Duration::ZERO);
    mappings.set_enabled(&MappingId("u-1".to_owned()), false).await.unwrap();
    assert_eq!(lambda.lines().len(), 3);
    assert_eq!(lambda.body(2), json!({"Enabled": false}));
}

#[tokio::test]
async fn other_brokers_are_refused() {
    let lambda = Lambda::answering(vec![(200, "", mapping()), (200, "", mapping()), (202, "", mapping())]).await;
    let mappings = lambda.mappings(None).await;
    let id = MappingId("u-1".to_owned());
    let elsewhere = MappingSpec { brokers: vec!["other:1".to_owned()], ..spec() };
    let error = mappings.update(&id, &elsewhere).await.unwrap_err().to_string();
    assert!(error.contains("expected redpanda:29092, found other:1"), "{error}");
    mappings.update(&id, &spec()).await.unwrap();
    assert_eq!(lambda.body(2), json!({"BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 10}));
}

#[tokio::test]
async fn failures_that_pass_are_told_from_those_that_do_not() {
    let wrong = (400, "InvalidParameterValueException", json!({"message": "no such subnet"}));
    let lambda = Lambda::answering(vec![wrong]).await;
    let id = MappingId("u-1".to_owned());
    let error = lambda.mappings(None).await.set_enabled(&id, true).await.unwrap_err();
    let MappingError::Refused { message } = error else { panic!("{error:?}") };
    assert_eq!(message, "InvalidParameterValueException: no such subnet");

    let broken = || (500, "ServiceException", json!({"message": "oops"}));
    let lambda = Lambda::answering(vec![broken(), broken(), broken()]).await;
    let error = lambda.mappings(None).await.set_enabled(&id, true).await.unwrap_err();
    assert!(matches!(error, MappingError::Unavailable { .. }), "{error:?}");

    let nobody = Lambda { endpoint: "http://127.0.0.1:1".to_owned(), requests: Default::default() };
    let error = nobody.mappings(None).await.set_enabled(&id, true).await.unwrap_err();
    assert!(matches!(error, MappingError::Unavailable { .. }), "{error:?}");
}
