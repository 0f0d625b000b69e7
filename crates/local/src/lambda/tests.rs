//! Built functions without a build: the process is a script that only lives, and the test speaks the Runtime API for it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    EventSourcePosition, InvocationType, SelfManagedEventSource, SelfManagedKafkaEventSourceConfig,
};
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use penstock_admin::mapping::lambda::{LambdaMappings, LambdaSettings};
use penstock_admin::mapping::{MappingSpec, Mappings};
use penstock_catalog::Catalog;
use penstock_catalog::clock::SystemClock;
use penstock_catalog::database::Created;
use penstock_catalog::store::memory::MemoryStore;
use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::job::{JobDefinition, KafkaSource, LoadClauses};
use penstock_kernel::property::JobProperties;
use penstock_storage::Keys;

use super::*;
use crate::esm::EsmSettings;
use crate::esm::backoff::Backoff;
use crate::esm::event::EventSource;
use crate::invoke::Invoke;

const LIVES: &str = "#!/bin/sh\nexec sleep 3600\n";

fn script(directory: &Path, text: &str) -> PathBuf {
    let path = directory.join("function");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

async fn server(directory: &Path, text: &str, timeout: Duration) -> LambdaServer {
    let server = LambdaServer::start("127.0.0.1:0".parse().unwrap(), "us-east-1").await.unwrap();
    server.run(FunctionSettings {
        name: "load".to_owned(),
        binary: script(directory, text),
        environment: BTreeMap::new(),
        memory_mb: 128,
        timeout,
        processes: 1,
    });
    server
}

/// A request to the Runtime API of the only process.
async fn runtime(address: SocketAddr, method: &str, path: &str, body: &str) -> (StatusCode, hyper::HeaderMap, String) {
    let socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(format!("/runtime/load/0/2018-06-01/runtime/{path}"))
        .header("host", address.to_string())
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    connection.abort();
    (head.status, head.headers, text)
}

fn client(server: &LambdaServer) -> Client {
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.endpoint())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

#[tokio::test]
async fn invocation_reaches_the_process_under_the_jobs_alias_and_its_answer_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), LIVES, Duration::from_secs(60)).await;
    let address = server.address;
    let invoker = server.invoker("load");
    let invoked = tokio::spawn(async move { invoker.invoke(JobId(7), Bytes::from_static(b"{\"a\":1}")).await });
    let (status, headers, body) = runtime(address, "GET", "invocation/next", "").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "{\"a\":1}"));
    let arn = headers["lambda-runtime-invoked-function-arn"].to_str().unwrap();
    assert_eq!(arn, "arn:aws:lambda:us-east-1:000000000000:function:load:job-7");
    let deadline: u128 = headers["lambda-runtime-deadline-ms"].to_str().unwrap().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!(deadline > now && deadline <= now + 60_000);
    let id = headers["lambda-runtime-aws-request-id"].to_str().unwrap();
    let (status, ..) = runtime(address, "POST", &format!("invocation/{id}/response"), "null").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    invoked.await.unwrap().unwrap();
    let (status, ..) = runtime(address, "POST", &format!("invocation/{id}/response"), "null").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn error_of_the_function_is_the_callers() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), LIVES, Duration::from_secs(60)).await;
    let address = server.address;
    let client = client(&server);
    let invoked =
        tokio::spawn(async move { client.invoke().function_name("load").payload(Blob::new("{}")).send().await });
    let (_, headers, _) = runtime(address, "GET", "invocation/next", "").await;
    let id = headers["lambda-runtime-aws-request-id"].to_str().unwrap();
    let error = "{\"errorType\":\"Paused\",\"errorMessage\":\"job 7 is paused\"}";
    runtime(address, "POST", &format!("invocation/{id}/error"), error).await;
    let answer = invoked.await.unwrap().unwrap();
    assert_eq!(answer.function_error(), Some("Unhandled"));
    let payload = String::from_utf8(answer.payload().unwrap().as_ref().to_vec()).unwrap();
    assert!(payload.contains("job 7 is paused"), "{payload}");
}

#[tokio::test]
async fn function_that_takes_too_long_is_killed_and_started_again() {
    let directory = tempfile::tempdir().unwrap();
    let started = directory.path().join("started");
    let text = format!("#!/bin/sh\necho x >> {}\nexec sleep 3600\n", started.display());
    let server = server(directory.path(), &text, Duration::from_millis(300)).await;
    let address = server.address;
    let invoker = server.invoker("load");
    let invoked = tokio::spawn(async move { invoker.invoke(JobId(7), Bytes::from_static(b"{}")).await });
    runtime(address, "GET", "invocation/next", "").await;
    assert!(matches!(invoked.await.unwrap(), Err(InvokeError::TimedOut { .. })));
    let again = async {
        while std::fs::read_to_string(&started).unwrap_or_default().lines().count() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("a second process");
}

#[tokio::test]
async fn function_that_cannot_start_fails_its_invocations() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "#!/bin/sh\nexit 3\n", Duration::from_secs(60)).await;
    let answer = server.invoke("load", None, Bytes::from_static(b"{}")).await;
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("exit status: 3"), "{error}");
    let error = server.invoke("other", None, Bytes::new()).await.unwrap_err().to_string();
    assert!(error.contains("no function `other`"), "{error}");
}

struct Never;

#[async_trait::async_trait]
impl Invoke for Never {
    async fn invoke(&self, _job: JobId, _event: Bytes) -> Result<(), InvokeError> {
        std::future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sdk_steers_aliases_and_mappings() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), LIVES, Duration::from_secs(60)).await;
    let catalog = Catalog::new(Arc::new(MemoryStore::new()), Arc::new(SystemClock));
    let definition = JobDefinition {
        id: JobId(0),
        version: 1,
        name: "job".to_owned(),
        database: DatabaseId(1),
        table: TableId(2),
        clauses: LoadClauses::default(),
        properties: JobProperties::default(),
        source: KafkaSource {
            brokers: vec!["127.0.0.1:1".to_owned()],
            topic: "t".to_owned(),
            pinned: None,
            default_start: None,
            registry: None,
            custom: BTreeMap::from([("client.id".to_owned(), "mine".to_owned())]),
        },
    };
    let Created::New(job) = catalog.create_job(definition).await.unwrap() else { panic!("the job is new") };
    let settings = EsmSettings {
        broker_aliases: Vec::new(),
        event_source: EventSource::SelfManaged,
        directory: directory.path().join("mappings"),
        backoff: Backoff::default(),
    };
    let esm = Arc::new(Esm::start(settings, catalog, Arc::new(Never)).await.unwrap());
    server.attach_mappings(Arc::clone(&esm), "load").await;
    let client = client(&server);
    let alias = format!("job-{}", job.id);

    let missing = client.get_alias().function_name("load").name(&alias).send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_exception());
    let create = || client.create_alias().function_name("load").name(&alias).function_version("$LATEST");
    let made = create().send().await.unwrap();
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:load:{alias}");
    assert_eq!(made.alias_arn(), Some(arn.as_str()));
    assert!(create().send().await.unwrap_err().into_service_error().is_resource_conflict_exception());

    let create = || {
        let brokers = SelfManagedEventSource::builder()
            .endpoints("KAFKA_BOOTSTRAP_SERVERS".into(), vec!["redpanda:29092".to_owned()])
            .build();
        let group = SelfManagedKafkaEventSourceConfig::builder().consumer_group_id("group").build();
        client
            .create_event_source_mapping()
            .function_name(&arn)
            .topics("t")
            .self_managed_event_source(brokers)
            .self_managed_kafka_event_source_config(group)
            .starting_position(EventSourcePosition::AtTimestamp)
            .starting_position_timestamp(aws_sdk_lambda::primitives::DateTime::from_millis(1_700_000_000_500))
            .batch_size(10_000)
            .maximum_batching_window_in_seconds(10)
    };
    let refused = create().batch_size(10_001).send().await.unwrap_err();
    assert!(refused.into_service_error().is_invalid_parameter_value_exception());
    let made = create().send().await.unwrap();
    assert!(create().send().await.unwrap_err().into_service_error().is_resource_conflict_exception());
    let id = made.uuid().unwrap().to_owned();
    let kept = esm.list().await;
    assert_eq!(kept[0].spec.brokers, ["redpanda:29092"]);
    assert_eq!(kept[0].spec.start, penstock_admin::mapping::MappingStart::AtTimestamp(1_700_000_000_500));
    assert_eq!(kept[0].spec.custom["client.id"], "mine");

    client.update_event_source_mapping().uuid(&id).enabled(false).batch_size(5).send().await.unwrap();
    let got = client.get_event_source_mapping().uuid(&id).send().await.unwrap();
    assert_eq!((got.state(), got.batch_size()), (Some("Disabled"), Some(5)));
    assert_eq!(got.function_arn(), Some(arn.as_str()));
    let listed = client.list_event_source_mappings().function_name(&arn).send().await.unwrap();
    assert_eq!(listed.event_source_mappings().len(), 1);
    client.delete_event_source_mapping().uuid(&id).send().await.unwrap();
    let gone = client.get_event_source_mapping().uuid(&id).send().await.unwrap_err();
    assert!(gone.into_service_error().is_resource_not_found_exception());
    client.delete_alias().function_name("load").name(&alias).send().await.unwrap();

    // The admin function's own client, whose repeats must find what is there.
    let mappings = LambdaMappings::connect(LambdaSettings {
        endpoint: Some(server.endpoint()),
        region: "us-east-1".to_owned(),
        keys: Some(Keys { access_key: "a".to_owned(), secret_key: "b".to_owned(), session_token: None }),
        load_function: "load".to_owned(),
        cluster_arn: None,
        source_access: Vec::new(),
    })
    .await;
    let spec = kept[0].spec.clone();
    let id = mappings.create(&spec).await.unwrap();
    assert_eq!(mappings.create(&spec).await.unwrap(), id);
    mappings.set_enabled(&id, false).await.unwrap();
    let wider = MappingSpec { batch_size: 7, ..spec.clone() };
    mappings.update(&id, &wider).await.unwrap();
    let found = esm.get(&id).await.unwrap();
    assert_eq!((found.spec, found.enabled), (wider, false));
    mappings.delete(&id, job.id).await.unwrap();
    mappings.delete(&id, job.id).await.unwrap();
    assert_eq!(esm.list().await, []);

    let dry = client.invoke().function_name("load").invocation_type(InvocationType::DryRun).send().await.unwrap();
    assert_eq!(dry.status_code(), 204);
    let absent = client.invoke().function_name("other").send().await.unwrap_err();
    assert!(absent.into_service_error().is_resource_not_found_exception());
    esm.shutdown(Duration::ZERO).await;
}
