//! The embedded S3 through the client that loader and query use.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::*;

async fn start(data: &std::path::Path) -> S3Server {
    S3Server::start(S3Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        data: data.to_owned(),
        buckets: vec!["penstock".to_owned()],
        access_key: "AAAAAAAAAAAAAAAAAAAA".to_owned(),
        secret_key: "BBBB".to_owned(),
    })
    .await
    .unwrap()
}

fn client(server: &S3Server, secret_key: &str) -> Arc<AmazonS3> {
    let client = AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_allow_http(true)
        .with_region("us-east-1")
        .with_bucket_name("penstock")
        .with_access_key_id("AAAAAAAAAAAAAAAAAAAA")
        .with_secret_access_key(secret_key)
        .build()
        .unwrap();
    Arc::new(client)
}

#[tokio::test]
async fn objects_are_kept_between_starts() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let key = Key::from("table/10001/0-15.parquet");
    let body = Bytes::from(vec![7_u8; 300_000]);
    client(&server, "BBBB").put(&key, PutPayload::from(body.clone())).await.unwrap();
    server.shutdown(Duration::from_secs(1)).await;

    let server = start(data.path()).await;
    let client = client(&server, "BBBB");
    assert_eq!(client.get(&key).await.unwrap().bytes().await.unwrap(), body);
    assert_eq!(client.get_range(&key, 10..20).await.unwrap(), body.slice(10..20));
    let listed: Vec<_> = client.list(None).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].size, 300_000);
    client.copy(&key, &Key::from("copy")).await.unwrap();
    assert_eq!(client.get(&Key::from("copy")).await.unwrap().bytes().await.unwrap(), body);
    client.delete(&key).await.unwrap();
    assert!(matches!(client.get(&key).await, Err(object_store::Error::NotFound { .. })));
}

#[tokio::test]
async fn ranges_of_large_objects_are_their_bytes() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let client = client(&server, "BBBB");
    let (key, length) = (Key::from("large"), 3_500_001_u64);
    let body: Bytes = (0..length).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect::<Vec<_>>().into();
    client.put(&key, PutPayload::from(body.clone())).await.unwrap();
    for range in [0..1, 0..length, 1..length, 1_048_575..1_048_577, 1_048_576..2_097_152, 3_500_000..3_500_001] {
        let expected = body.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap());
        assert_eq!(client.get_range(&key, range.clone()).await.unwrap(), expected, "{range:?}");
    }
    assert_eq!(client.get(&key).await.unwrap().bytes().await.unwrap(), body);
    let last = object_store::GetOptions { range: Some(object_store::GetRange::Suffix(5)), ..Default::default() };
    let last = client.get_opts(&key, last).await.unwrap().bytes().await.unwrap();
    assert_eq!(last, body.slice(body.len() - 5..));
    assert!(client.get_range(&key, length..length + 1).await.is_err());
    client.put(&Key::from("empty"), PutPayload::default()).await.unwrap();
    assert_eq!(client.get(&Key::from("empty")).await.unwrap().bytes().await.unwrap(), Bytes::new());
}

#[tokio::test]
async fn first_object_makes_its_bucket() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let client = AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_allow_http(true)
        .with_bucket_name("my-starrocks-bucket")
        .with_access_key_id("AAAAAAAAAAAAAAAAAAAA")
        .with_secret_access_key("BBBB")
        .build()
        .unwrap();
    client.put(&Key::from("a"), PutPayload::from_static(b"x")).await.unwrap();
    assert_eq!(client.get(&Key::from("a")).await.unwrap().bytes().await.unwrap(), "x");
}

#[tokio::test]
async fn key_that_is_only_a_prefix_is_not_found() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let client = client(&server, "BBBB");
    client.put(&Key::from("a/b"), PutPayload::from_static(b"x")).await.unwrap();
    assert!(matches!(client.head(&Key::from("a")).await, Err(object_store::Error::NotFound { .. })));
    assert!(matches!(client.get(&Key::from("a")).await, Err(object_store::Error::NotFound { .. })));
}

#[tokio::test]
async fn wrong_secret_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let answer = client(&server, "CCCC").put(&Key::from("a"), PutPayload::from_static(b"x")).await;
    assert!(answer.is_err());
    assert!(!data.path().join("penstock/a").exists());
}

#[tokio::test]
async fn unfinished_upload_is_never_visible() {
    use tokio::io::AsyncWriteExt;
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    // A presigned address lets the body be cut off by hand.
    let address = object_store::signer::Signer::signed_url(
        client(&server, "BBBB").as_ref(),
        hyper::Method::PUT,
        &Key::from("half"),
        Duration::from_secs(60),
    )
    .await
    .unwrap();
    let mut socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "PUT {}?{} HTTP/1.1\r\nhost: {}\r\ncontent-length: 1000\r\n\r\n",
        address.path(),
        address.query().unwrap(),
        server.address
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&[1; 500]).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut answer).await.unwrap();
    assert!(!data.path().join("penstock/half").exists(), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn taken_address_is_named() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let address = server.address;
    let second = S3Server::start(S3Config {
        listen: address,
        data: data.path().to_owned(),
        buckets: Vec::new(),
        access_key: String::new(),
        secret_key: String::new(),
    })
    .await;
    assert_eq!(second.err().unwrap().busy_address(), Some(address));
}
