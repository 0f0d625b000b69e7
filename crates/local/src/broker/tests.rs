use std::net::Ipv4Addr;

use bytes::Buf;
use kafka_protocol::messages::ApiKey;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{log::batch::samples::Sample, shape::samples, *};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn start(folder: &TempDir) -> Broker {
    Broker::start(BrokerConfig::new(LOOPBACK, folder.path().to_owned())).await.unwrap()
}

/// A client that speaks frames.
struct Client(TcpStream);

impl Client {
    async fn connect(broker: &Broker) -> Self {
        Self(TcpStream::connect(broker.address()).await.unwrap())
    }

    fn frame(api: ApiKey, version: i16, correlation_id: i32, body: &[u8]) -> Vec<u8> {
        let mut request = Vec::new();
        request.extend_from_slice(&(api as i16).to_be_bytes());
        request.extend_from_slice(&version.to_be_bytes());
        request.extend_from_slice(&correlation_id.to_be_bytes());
        request.extend_from_slice(b"\0\x04test");
        if api.request_header_version(version) >= 2 {
            request.push(0);
        }
        request.extend_from_slice(body);
        let mut frame = (request.len() as i32).to_be_bytes().to_vec();
        frame.extend_from_slice(&request);
        frame
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next answer: correlation id and the rest; `None` if the broker hung up.
    async fn answer(&mut self) -> Option<(i32, Vec<u8>)> {
        let length = self.0.read_i32().await.ok()?;
        let mut answer = vec![0; length as usize];
        self.0.read_exact(&mut answer).await.ok()?;
        let mut answer = answer.as_slice();
        Some((answer.get_i32(), answer.to_vec()))
    }

    async fn call(&mut self, api: ApiKey, version: i16, body: &[u8]) -> Option<Vec<u8>> {
        self.send(&Self::frame(api, version, 7, body)).await;
        let (correlation_id, answer) = self.answer().await?;
        assert_eq!(correlation_id, 7);
        Some(answer)
    }
}

/// Produce 3 to source partition 0 of `t`.
fn produce_body(acks: i16, batch: &[u8]) -> Vec<u8> {
    let mut body = (-1i16).to_be_bytes().to_vec();
    body.extend_from_slice(&acks.to_be_bytes());
    body.extend_from_slice(&1_000i32.to_be_bytes());
    body.extend_from_slice(b"\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\0");
    body.extend_from_slice(&(batch.len() as i32).to_be_bytes());
    body.extend_from_slice(batch);
    body
}

/// The error code in the answer to [`produce_body`]: after topics, name, partitions and index.
fn produced(answer: &[u8]) -> (i16, i64) {
    let mut fields = &answer[4 + 3 + 4 + 4..];
    (fields.get_i16(), fields.get_i64())
}

async fn create_topic(client: &mut Client) {
    client.call(ApiKey::Metadata, 1, b"\0\0\0\x01\0\x01t").await.unwrap();
}

#[tokio::test]
async fn every_served_version_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(&folder).await;
    let mut client = Client::connect(&broker).await;
    for (api, first, last) in dispatch::APIS.iter().filter(|(api, ..)| *api != ApiKey::Produce) {
        for version in *first..=*last {
            create_topic(&mut client).await;
            let batch = Sample::of(&[1, 2]).bytes();
            assert_eq!(produced(&client.call(ApiKey::Produce, 3, &produce_body(1, &batch)).await.unwrap()).0, 0);
            let answer = client.call(*api, version, &samples::body(*api, version)).await;
            assert!(answer.is_some(), "{api:?} {version}");
        }
    }
}

#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(&folder).await;
    let answer = Client::connect(&broker).await.call(ApiKey::ApiVersions, 99, b"").await.unwrap();
    let mut answer = answer.as_slice();
    assert_eq!(answer.get_i16(), 35);
    assert_eq!(answer.get_i32() as usize, dispatch::APIS.len());
    assert_eq!(answer.len(), dispatch::APIS.len() * 6);
}

#[tokio::test]
async fn hostile_frames_close_their_connection_only() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(&folder).await;
    let claim = i32::MAX.to_be_bytes();
    let hostile: Vec<Vec<u8>> = vec![
        claim.to_vec(),
        (-1i32).to_be_bytes().to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"\0\0\0\x02\0\x03".to_vec(),
        b"\0\0\0\x08\x7f\xff\0\0\0\0\0\0".to_vec(),
        Client::frame(ApiKey::Metadata, 99, 1, b""),
        Client::frame(ApiKey::EndTxn, 3, 1, b""),
        Client::frame(ApiKey::Metadata, 1, 1, &claim),
        Client::frame(ApiKey::Metadata, 12, 1, b"\xff\xff\xff\xff\x0f"),
        Client::frame(ApiKey::DescribeGroups, 0, 1, &claim),
        Client::frame(ApiKey::Fetch, 4, 1, &[0xff; 40]),
        Client::frame(ApiKey::Metadata, 1, 1, b"\0\0\0\x01\0\x02\xff\xfe"),
    ];
    for bytes in hostile {
        let mut client = Client::connect(&broker).await;
        client.send(&bytes).await;
        assert!(client.answer().await.is_none(), "{bytes:?}");
    }
    assert!(Client::connect(&broker).await.call(ApiKey::ApiVersions, 0, b"").await.is_some());
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(&folder).await;
    let mut client = Client::connect(&broker).await;
    let requests = (0..50).flat_map(|number| match number % 2 {
        0 => Client::frame(ApiKey::Metadata, 1, number, b"\0\0\0\x01\0\x01t"),
        _ => Client::frame(ApiKey::ApiVersions, 0, number, b""),
    });
    client.send(&requests.collect::<Vec<_>>()).await;
    for number in 0..50 {
        assert_eq!(client.answer().await.unwrap().0, number);
    }
}

#[tokio::test]
async fn batches_are_refused_with_the_code_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(&folder).await;
    let mut client = Client::connect(&broker).await;
    create_topic(&mut client).await;
    let whole = Sample::of(&[1, 2]).bytes();
    let changed = |position: usize, value: u8| {
        let mut batch = whole.clone();
        batch[position] = value;
        batch
    };
    let cases = [
        (whole.clone(), 0),
        (changed(whole.len() - 1, 9), 2),
        (changed(16, 1), 43),
        (whole[..40].to_vec(), 2),
        ([whole.clone(), whole.clone()].concat(), 2),
        (Sample { compress: (4, |bytes| bytes.to_vec()), ..Sample::of(&[1]) }.bytes(), 76),
        (Sample { compress: (7, |bytes| bytes.to_vec()), ..Sample::of(&[1]) }.bytes(), 76),
        (Sample { compress: (0x20, |bytes| bytes.to_vec()), ..Sample::of(&[1]) }.bytes(), 87),
        (Sample { producer: Some((5, 0, 0)), ..Sample::of(&[1]) }.bytes(), 0),
        (Sample { producer: Some((5, 0, 2)), ..Sample::of(&[1]) }.bytes(), 45),
    ];
    for (number, (batch, code)) in cases.into_iter().enumerate() {
        let answer = client.call(ApiKey::Produce, 3, &produce_body(-1, &batch)).await.unwrap();
        assert_eq!(produced(&answer).0, code, "case {number}");
    }
    assert_eq!(broker.watermarks("t").unwrap(), [Watermarks { start_offset: 0, high_watermark: 3 }]);
}

#[tokio::test]
async fn without_acks_there_is_no_answer_but_a_closed_connection_for_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(&folder).await;
    let mut client = Client::connect(&broker).await;
    create_topic(&mut client).await;
    client.send(&Client::frame(ApiKey::Produce, 3, 1, &produce_body(0, &Sample::of(&[1]).bytes()))).await;
    assert!(client.call(ApiKey::ApiVersions, 0, b"").await.is_some());
    assert_eq!(broker.watermarks("t").unwrap()[0].high_watermark, 1);
    client.send(&Client::frame(ApiKey::Produce, 3, 1, &produce_body(0, b"no batch"))).await;
    assert!(client.answer().await.is_none());
}

#[tokio::test]
async fn a_restart_keeps_topics_records_and_cluster_id() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(&folder).await;
    let mut client = Client::connect(&broker).await;
    create_topic(&mut client).await;
    client.call(ApiKey::Produce, 3, &produce_body(1, &Sample::of(&[1, 2]).bytes())).await.unwrap();
    let id = broker.node.topics.named("t").unwrap().id;
    let cluster_id = broker.node.cluster_id.clone();
    broker.shutdown().await;

    let broker = start(&folder).await;
    assert_eq!(broker.watermarks("t").unwrap(), [Watermarks { start_offset: 0, high_watermark: 2 }]);
    assert_eq!((broker.node.topics.named("t").unwrap().id, &broker.node.cluster_id), (id, &cluster_id));
}

#[tokio::test]
async fn a_producer_id_is_given_out_once_also_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let broker = start(&folder).await;
        for _ in 0..3 {
            ids.push(broker.node.producer_ids.next().unwrap());
        }
        drop(broker);
    }
    let given = ids.len();
    ids.dedup();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), given);
}

#[tokio::test]
async fn a_busy_port_and_a_used_folder_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let broker = start(&folder).await;
    let other = tempfile::tempdir().unwrap();
    let taken = Broker::start(BrokerConfig::new(broker.address(), other.path().to_owned())).await;
    assert!(matches!(taken, Err(BrokerError::AddressInUse { address }) if address == broker.address()));
    let used = Broker::start(BrokerConfig::new(LOOPBACK, folder.path().to_owned())).await;
    assert!(matches!(used, Err(BrokerError::DataInUse { .. })));
}

#[tokio::test]
async fn hundreds_of_connections_are_served_and_too_many_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = BrokerConfig::new(LOOPBACK, folder.path().to_owned());
    config.limits.connections = 300;
    let broker = Broker::start(config).await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..300 {
        let mut client = Client::connect(&broker).await;
        assert!(client.call(ApiKey::ApiVersions, 0, b"").await.is_some());
        clients.push(client);
    }
    assert!(Client::connect(&broker).await.answer().await.is_none());
}
