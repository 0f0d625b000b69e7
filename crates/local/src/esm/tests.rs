//! The emulation between the embedded broker and a function that only records what it gets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use penstock_admin::mapping::MappingStart;
use penstock_catalog::clock::{Clock, SystemClock};
use penstock_catalog::commit::{Commit, CommitOutcome, ProgressMove};
use penstock_catalog::database::Created;
use penstock_catalog::job::JobSnapshot;
use penstock_catalog::store::memory::MemoryStore;
use penstock_kernel::ids::{DatabaseId, TableId};
use penstock_kernel::job::{KafkaSource, LoadClauses, StartOffset};
use penstock_kernel::property::JobProperties;
use penstock_kernel::state::JobState;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::Value;
use tokio::sync::mpsc;

use super::*;
use crate::broker::{Broker, BrokerConfig};
use crate::invoke::InvokeError;

/// Nothing here takes longer, or something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Records events, and fails as often as told. Success moves the job's progress, as loading does.
struct Recorder {
    catalog: Catalog,
    events: mpsc::UnboundedSender<Value>,
    failures: AtomicUsize,
}

#[async_trait]
impl Invoke for Recorder {
    async fn invoke(&self, job: JobId, event: Bytes) -> Result<(), InvokeError> {
        let event: Value = serde_json::from_slice(&event).unwrap();
        let told = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if told.is_err() {
            self.advance(job, &event).await;
        }
        self.events.send(event).unwrap();
        match told {
            Ok(_) => Err(InvokeError::Unanswered { message: "as told".to_owned() }),
            Err(_) => Ok(()),
        }
    }
}

impl Recorder {
    async fn advance(&self, job: JobId, event: &Value) {
        let snapshot = self.catalog.job_snapshot(job).await.unwrap().unwrap();
        let mut moves = Vec::new();
        for list in event["records"].as_object().unwrap().values() {
            let last = list.as_array().unwrap().last().unwrap();
            let source_partition = i32::try_from(last["partition"].as_i64().unwrap()).unwrap();
            let before = snapshot.progress.get(&source_partition).cloned().expect("a start before the first delivery");
            let mut after = before.value.clone();
            after.next_offset = after.next_offset.max(last["offset"].as_i64().unwrap() + 1);
            moves.push(ProgressMove { source_partition, before: Some(before), after });
        }
        let commit = Commit {
            id: SystemClock.unique(),
            table: snapshot.job.table,
            job,
            job_version: 1,
            topic: "t".to_owned(),
            files: Vec::new(),
            errors: None,
            ranges: Vec::new(),
            committed_at_ms: SystemClock.now_ms(),
            replay: None,
        };
        let outcome = self.catalog.commit(&commit, snapshot.job.fence, &moves).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
    }
}

struct Fixture {
    data: tempfile::TempDir,
    catalog: Catalog,
    recorder: Arc<Recorder>,
    events: mpsc::UnboundedReceiver<Value>,
}

impl Fixture {
    fn new() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let catalog = Catalog::new(Arc::new(MemoryStore::new()), Arc::new(SystemClock));
        let recorder = Recorder { catalog: catalog.clone(), events: sender, failures: AtomicUsize::new(0) };
        Self { data: tempfile::tempdir().unwrap(), catalog, recorder: Arc::new(recorder), events }
    }

    async fn esm(&self) -> Esm {
        let settings = EsmSettings {
            broker_aliases: Vec::new(),
            event_source: EventSource::SelfManaged,
            directory: self.data.path().join("mappings"),
            backoff: Backoff { first: Duration::from_millis(10), cap: Duration::from_millis(50) },
        };
        Esm::start(settings, self.catalog.clone(), Arc::clone(&self.recorder) as Arc<dyn Invoke>).await.unwrap()
    }

    /// A job on topic `t` and the mapping that it would get.
    async fn job(&self, broker: SocketAddr, start: Option<StartOffset>) -> MappingSpec {
        let custom = BTreeMap::from([("group.id".to_owned(), "group".to_owned())]);
        let definition = JobDefinition {
            id: JobId(0),
            version: 1,
            name: "job".to_owned(),
            database: DatabaseId(1),
            table: TableId(2),
            clauses: LoadClauses::default(),
            properties: JobProperties::default(),
            source: KafkaSource {
                brokers: vec![broker.to_string()],
                topic: "t".to_owned(),
                pinned: None,
                default_start: start,
                registry: None,
                custom: custom.clone(),
            },
        };
        let job = match self.catalog.create_job(definition).await.unwrap() {
            Created::New(job) => job,
            Created::Exists(_) => panic!("the job is new"),
        };
        MappingSpec {
            job: job.id,
            group_id: "group".to_owned(),
            brokers: vec![broker.to_string()],
            topic: "t".to_owned(),
            start: MappingStart::TrimHorizon,
            batch_size: 10_000,
            window_seconds: 0,
            concurrency: 5,
            custom,
        }
    }

    async fn event(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.events.recv()).await.expect("an event in time").unwrap()
    }

    /// Values of the next `count` records, by source partition.
    async fn values(&mut self, count: usize) -> BTreeMap<i64, Vec<String>> {
        let mut values: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        while values.values().map(Vec::len).sum::<usize>() < count {
            for record in
                self.event().await["records"].as_object().unwrap().values().flat_map(|list| list.as_array().unwrap())
            {
                let value = base64_simd::STANDARD.decode_to_vec(record["value"].as_str().unwrap()).unwrap();
                let of = values.entry(record["partition"].as_i64().unwrap()).or_default();
                of.push(String::from_utf8(value).unwrap());
            }
        }
        values
    }

    /// The job once `ready` holds for it.
    async fn snapshot(&self, job: JobId, ready: impl Fn(&JobSnapshot) -> bool) -> JobSnapshot {
        let waiting = async {
            loop {
                let snapshot = self.catalog.job_snapshot(job).await.unwrap().unwrap();
                if ready(&snapshot) {
                    return snapshot;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the job changes in time")
    }
}

async fn broker(data: &Path, listen: SocketAddr) -> Broker {
    Broker::start(BrokerConfig::new(listen, data.join("broker"))).await.unwrap()
}

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn config(broker: SocketAddr) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.to_string()).set("message.timeout.ms", "10000");
    config
}

async fn create_topic(broker: SocketAddr, source_partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = config(broker).create().unwrap();
    let topic = NewTopic::new("t", source_partitions, TopicReplication::Fixed(1));
    admin.create_topics([&topic], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
}

async fn produce(broker: SocketAddr, source_partition: i32, values: &[&str]) {
    let producer: FutureProducer = config(broker).create().unwrap();
    for value in values {
        let record = FutureRecord::<(), str>::to("t").partition(source_partition).payload(value);
        producer.send(record, PATIENCE).await.unwrap();
    }
}

fn committed(broker: SocketAddr, source_partition: i32) -> rdkafka::Offset {
    let consumer: BaseConsumer = config(broker).set("group.id", "group").create().unwrap();
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition("t", source_partition);
    let list = consumer.committed_offsets(list, PATIENCE).unwrap();
    list.find_partition("t", source_partition).unwrap().offset()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_arrive_in_order_as_events_and_then_the_group_moves() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    create_topic(address, 1).await;
    let producer: FutureProducer = config(address).create().unwrap();
    let headers = OwnedHeaders::new().insert(Header { key: "h", value: Some(&[0xC3_u8, 1][..]) });
    let record = FutureRecord::to("t").key("k").payload("first").timestamp(1_700_000_000_000).headers(headers);
    producer.send(record, PATIENCE).await.unwrap();
    let tombstone = FutureRecord::<str, str>::to("t").key("k").timestamp(1_700_000_000_001);
    producer.send(tombstone, PATIENCE).await.unwrap();

    let esm = fixture.esm().await;
    let spec = MappingSpec { window_seconds: 1, ..fixture.job(address, Some(StartOffset::Beginning)).await };
    esm.create(&spec).await.unwrap();
    let event = fixture.event().await;
    let expected = serde_json::json!({
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": address.to_string(),
        "records": { "t-0": [
            { "topic": "t", "partition": 0, "offset": 0, "timestamp": 1_700_000_000_000_i64, "timestampType": "CREATE_TIME",
              "key": "aw==", "value": "Zmlyc3Q=", "headers": [ { "h": [-61, 1] } ] },
            { "topic": "t", "partition": 0, "offset": 1, "timestamp": 1_700_000_000_001_i64, "timestampType": "CREATE_TIME",
              "key": "aw==", "headers": [] },
        ] }
    });
    assert_eq!(event, expected);
    esm.shutdown(PATIENCE).await;
    assert_eq!(committed(address, 0), rdkafka::Offset::Offset(2));
    let snapshot = fixture.catalog.job_snapshot(spec.job).await.unwrap().unwrap();
    assert_eq!(snapshot.job.state, JobState::Running);
    assert_eq!(snapshot.report.latest, BTreeMap::from([(0, 2)]));
    assert_eq!(snapshot.progress[&0].value.start_offset, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_batch_comes_again_whole() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    produce(address, 0, &["a", "b"]).await;
    fixture.recorder.failures.store(2, Ordering::SeqCst);
    let esm = fixture.esm().await;
    let spec = MappingSpec { window_seconds: 1, ..fixture.job(address, Some(StartOffset::Beginning)).await };
    esm.create(&spec).await.unwrap();
    let first = fixture.event().await;
    assert_eq!(fixture.event().await, first);
    assert_eq!(fixture.event().await, first);
    esm.shutdown(PATIENCE).await;
    assert!(fixture.events.try_recv().is_err());
    assert_eq!(committed(address, 0), rdkafka::Offset::Offset(2));
    let trouble = fixture.snapshot(spec.job, |snapshot| snapshot.trouble.last_failure.is_some()).await.trouble;
    assert!(trouble.last_failure.unwrap().message.contains("as told"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mapping_survives_a_restart_and_goes_on_where_it_failed() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    produce(address, 0, &["a"]).await;
    fixture.recorder.failures.store(usize::MAX, Ordering::SeqCst);
    let esm = fixture.esm().await;
    let spec = fixture.job(address, Some(StartOffset::Beginning)).await;
    let id = esm.create(&spec).await.unwrap();
    fixture.event().await;
    esm.shutdown(PATIENCE).await;
    assert_eq!(committed(address, 0), rdkafka::Offset::Invalid);
    while fixture.events.try_recv().is_ok() {}

    fixture.recorder.failures.store(0, Ordering::SeqCst);
    let esm = fixture.esm().await;
    assert_eq!(esm.create(&spec).await.unwrap(), id);
    assert_eq!(fixture.values(1).await, BTreeMap::from([(0, vec!["a".to_owned()])]));
    esm.shutdown(PATIENCE).await;
    assert_eq!(committed(address, 0), rdkafka::Offset::Offset(1));

    let esm = fixture.esm().await;
    produce(address, 0, &["b"]).await;
    assert_eq!(fixture.values(1).await, BTreeMap::from([(0, vec!["b".to_owned()])]));
    esm.delete(&id, spec.job).await.unwrap();
    esm.delete(&id, spec.job).await.unwrap();
    assert_eq!(fixture.esm().await.list().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_that_comes_later_is_read_and_never_created() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    let esm = fixture.esm().await;
    let spec = fixture.job(address, None).await;
    esm.create(&spec).await.unwrap();
    let snapshot = fixture.snapshot(spec.job, |snapshot| snapshot.trouble.last_failure.is_some()).await;
    assert!(snapshot.trouble.last_failure.unwrap().message.contains("topic `t` does not exist yet"));
    assert!(broker.watermarks("t").is_none());
    produce(address, 0, &["a"]).await;
    assert_eq!(fixture.values(1).await, BTreeMap::from([(0, vec!["a".to_owned()])]));
    let snapshot = fixture.snapshot(spec.job, |snapshot| snapshot.job.state == JobState::Running).await;
    assert_eq!(snapshot.progress[&0].value.start_offset, 0);
    esm.shutdown(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn source_partition_that_comes_later_is_read_from_its_beginning() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    create_topic(address, 1).await;
    produce(address, 0, &["before"]).await;
    let esm = fixture.esm().await;
    let spec = fixture.job(address, None).await;
    let start = MappingStart::AtTimestamp(SystemClock.now_ms() + 60_000);
    esm.create(&MappingSpec { start, ..spec.clone() }).await.unwrap();
    fixture.snapshot(spec.job, |snapshot| snapshot.report.latest.contains_key(&0)).await;
    let admin: AdminClient<DefaultClientContext> = config(address).create().unwrap();
    let wider = admin.create_partitions([&NewPartitions::new("t", 2)], &AdminOptions::new()).await.unwrap();
    wider[0].as_ref().unwrap();
    produce(address, 1, &["a", "b"]).await;
    let expected = BTreeMap::from([(1, vec!["a".to_owned(), "b".to_owned()])]);
    assert_eq!(fixture.values(2).await, expected);
    let snapshot = fixture.snapshot(spec.job, |snapshot| snapshot.report.latest.contains_key(&1)).await;
    assert_eq!(snapshot.progress[&1].value.start_offset, 0);
    assert_eq!(snapshot.progress[&0].value.start_offset, 1);
    esm.shutdown(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_mapping_rests_and_goes_on_when_enabled() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    produce(address, 0, &["a"]).await;
    let esm = fixture.esm().await;
    let spec = fixture.job(address, Some(StartOffset::Beginning)).await;
    let id = esm.create(&spec).await.unwrap();
    fixture.values(1).await;
    esm.set_enabled(&id, false).await.unwrap();
    // Whatever was still under way ends before a new start.
    esm.shutdown(PATIENCE).await;
    let esm = fixture.esm().await;
    assert!(!esm.get(&id).await.unwrap().enabled);
    produce(address, 0, &["b"]).await;
    assert!(fixture.events.try_recv().is_err());
    esm.set_enabled(&id, true).await.unwrap();
    assert_eq!(fixture.values(1).await, BTreeMap::from([(0, vec!["b".to_owned()])]));
    esm.shutdown(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enabling_again_ends_the_wait_of_a_retry() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    produce(address, 0, &["a"]).await;
    fixture.recorder.failures.store(1, Ordering::SeqCst);
    let settings = EsmSettings {
        broker_aliases: Vec::new(),
        event_source: EventSource::SelfManaged,
        directory: fixture.data.path().join("mappings"),
        backoff: Backoff { first: Duration::from_secs(3600), cap: Duration::from_secs(3600) },
    };
    let invoke = Arc::clone(&fixture.recorder) as Arc<dyn Invoke>;
    let esm = Esm::start(settings, fixture.catalog.clone(), invoke).await.unwrap();
    let spec = fixture.job(address, Some(StartOffset::Beginning)).await;
    let id = esm.create(&spec).await.unwrap();
    let first = fixture.event().await;
    fixture.snapshot(spec.job, |snapshot| snapshot.trouble.last_failure.is_some()).await;
    esm.set_enabled(&id, true).await.unwrap();
    assert_eq!(fixture.event().await, first);
    esm.shutdown(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_that_is_away_is_told_and_waited_for() {
    let mut fixture = Fixture::new();
    let first = broker(fixture.data.path(), any()).await;
    let address = first.address();
    produce(address, 0, &["a"]).await;
    first.shutdown().await;
    let esm = fixture.esm().await;
    let spec = fixture.job(address, Some(StartOffset::Beginning)).await;
    esm.create(&spec).await.unwrap();
    let snapshot = fixture.snapshot(spec.job, |snapshot| snapshot.trouble.last_failure.is_some()).await;
    let message = snapshot.trouble.last_failure.unwrap().message;
    assert!(message.contains(&address.to_string()), "{message}");
    let _second = broker(fixture.data.path(), address).await;
    assert_eq!(fixture.values(1).await, BTreeMap::from([(0, vec!["a".to_owned()])]));
    esm.shutdown(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_property_is_told_and_unknown_ones_are_passed_over() {
    let fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    produce(address, 0, &["a"]).await;
    let esm = fixture.esm().await;
    let mut spec = fixture.job(address, Some(StartOffset::Beginning)).await;
    spec.custom.insert("something.else".to_owned(), "1".to_owned());
    spec.custom.insert("session.timeout.ms".to_owned(), "soon".to_owned());
    esm.create(&spec).await.unwrap();
    let snapshot = fixture.snapshot(spec.job, |snapshot| snapshot.trouble.last_failure.is_some()).await;
    let message = snapshot.trouble.last_failure.unwrap().message;
    assert!(message.contains("property `session.timeout.ms`"), "{message}");
    esm.shutdown(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_records_of_many_source_partitions_arrive_once_in_order() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    create_topic(address, 4).await;
    let producer: FutureProducer = config(address).set("linger.ms", "5").create().unwrap();
    let payload = "x".repeat(400);
    let values: Vec<String> = (0..5_000).map(|number| format!("{number}-{payload}")).collect();
    for source_partition in 0..4 {
        let sends = values.iter().map(|value| {
            let record = FutureRecord::<(), str>::to("t").partition(source_partition).payload(value);
            producer.send_result(record).unwrap()
        });
        for sent in sends.collect::<Vec<_>>() {
            sent.await.unwrap().unwrap();
        }
    }
    let esm = fixture.esm().await;
    let spec = fixture.job(address, Some(StartOffset::Beginning)).await;
    esm.create(&MappingSpec { batch_size: 700, ..spec }).await.unwrap();
    let got = fixture.values(20_000).await;
    for (source_partition, got) in got {
        assert_eq!(got, values, "source partition {source_partition}");
    }
    esm.shutdown(PATIENCE).await;
    assert!(fixture.events.try_recv().is_err());
    assert_eq!(committed(address, 3), rdkafka::Offset::Offset(5_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn position_that_the_log_no_longer_has_goes_on_at_the_oldest_record() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    produce(address, 0, &["a", "b"]).await;
    let esm = fixture.esm().await;
    let spec = fixture.job(address, Some(StartOffset::Beginning)).await;
    esm.create(&spec).await.unwrap();
    fixture.values(2).await;
    esm.shutdown(PATIENCE).await;
    produce(address, 0, &["c", "d", "e"]).await;
    let admin: AdminClient<DefaultClientContext> = config(address).create().unwrap();
    let mut oldest = rdkafka::TopicPartitionList::new();
    oldest.add_partition_offset("t", 0, rdkafka::Offset::Offset(4)).unwrap();
    admin.delete_records(&oldest, &AdminOptions::new()).await.unwrap();

    let esm = fixture.esm().await;
    assert_eq!(fixture.values(1).await, BTreeMap::from([(0, vec!["e".to_owned()])]));
    esm.shutdown(PATIENCE).await;
    assert_eq!(committed(address, 0), rdkafka::Offset::Offset(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn job_that_begins_behind_the_end_is_paused_until_records_come() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    produce(address, 0, &["a", "b"]).await;
    let esm = fixture.esm().await;
    let spec = fixture.job(address, Some(StartOffset::At(3))).await;
    esm.create(&spec).await.unwrap();
    let snapshot = fixture.snapshot(spec.job, |snapshot| snapshot.job.state == JobState::Paused).await;
    let why = snapshot.job.reason.unwrap();
    assert_eq!(why.code, 104);
    let expected = "Consume offset: 3 is greater than the latest offset: 2 in kafka partition: 0";
    assert!(why.message.contains(expected), "{}", why.message);
    assert_eq!((snapshot.report.latest[&0], snapshot.progress[&0].value.next_offset), (2, 3));
    produce(address, 0, &["c", "d"]).await;
    assert_eq!(fixture.values(1).await[&0].last().map(String::as_str), Some("d"));
    esm.shutdown(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_made_anew_is_read_from_its_beginning() {
    let mut fixture = Fixture::new();
    let broker = broker(fixture.data.path(), any()).await;
    let address = broker.address();
    produce(address, 0, &["a", "b", "c"]).await;
    let esm = fixture.esm().await;
    let spec = fixture.job(address, Some(StartOffset::Beginning)).await;
    esm.create(&spec).await.unwrap();
    fixture.values(3).await;
    let admin: AdminClient<DefaultClientContext> = config(address).create().unwrap();
    admin.delete_topics(&["t"], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    let told = |snapshot: &JobSnapshot| snapshot.trouble.last_failure.is_some();
    let trouble = fixture.snapshot(spec.job, told).await.trouble;
    assert!(trouble.last_failure.unwrap().message.contains("topic `t`"));
    produce(address, 0, &["x"]).await;
    // What this means for the job is the loader's to say: it gets the record.
    assert_eq!(fixture.values(1).await, BTreeMap::from([(0, vec!["x".to_owned()])]));
    esm.shutdown(PATIENCE).await;
}

#[test]
fn uuid_is_of_version_4() {
    let uuid = uuid();
    let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(uuid.as_bytes()[14], b'4');
    assert!(b"89ab".contains(&uuid.as_bytes()[19]));
}
