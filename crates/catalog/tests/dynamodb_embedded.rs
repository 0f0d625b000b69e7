//! The suite on DynamoDB as the embedded server speaks it, over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a claim that does not hold panics"
)]

mod suite;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use penstock_catalog::error::CatalogError;
use penstock_catalog::store::dynamodb::{DynamoSettings, DynamoStore};
use penstock_catalog::store::{Action, Condition, Item, Key, Store, Value, Write, WriteOutcome};
use penstock_storage::Keys;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An empty table on a server of its own, which ends with the test's runtime.
async fn open() -> Arc<dyn Store> {
    let store = DynamoStore::connect(&settings(&serve().await)).await;
    store.create_table_if_absent().await.unwrap();
    Arc::new(store)
}

async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()));
    endpoint
}

fn settings(endpoint: &str) -> DynamoSettings {
    DynamoSettings {
        table: "penstock".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        keys: Some(Keys { access_key: "local".to_owned(), secret_key: "local".to_owned(), session_token: None }),
    }
}

suite::run_suite!(crate::open);

/// Passes connections on to `server`, and breaks off instead of replying as often as `replies_to_lose` says.
async fn lossy(server: String, replies_to_lose: Arc<AtomicU32>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(server.trim_start_matches("http://")).await.unwrap();
            tokio::spawn(pass_on(client, server, Arc::clone(&replies_to_lose)));
        }
    });
    endpoint
}

async fn pass_on(mut client: TcpStream, mut server: TcpStream, replies_to_lose: Arc<AtomicU32>) {
    let (mut from_client, mut from_server) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => match read {
                Ok(read @ 1..) => server.write_all(&from_client[..read]).await.unwrap(),
                _ => return,
            },
            read = server.read(&mut from_server) => match read {
                Ok(read @ 1..) => {
                    let lose = |left: u32| left.checked_sub(1);
                    if replies_to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose).is_ok() {
                        return;
                    }
                    client.write_all(&from_server[..read]).await.unwrap();
                }
                _ => return,
            },
        }
    }
}

fn put(sk: &str, condition: Condition, n: i64) -> Write {
    let item = Item::from([("n".to_owned(), Value::Number(n))]);
    Write { key: Key::new("p", sk), condition, action: Action::Put(item) }
}

#[tokio::test]
async fn lost_replies_are_asked_for_under_the_same_token() {
    let replies_to_lose = Arc::new(AtomicU32::new(0));
    let endpoint = lossy(serve().await, Arc::clone(&replies_to_lose)).await;
    let store = DynamoStore::connect(&settings(&endpoint)).await;
    store.create_table_if_absent().await.unwrap();

    replies_to_lose.store(3, Ordering::SeqCst);
    let writes = vec![put("a", Condition::Absent, 1), put("b", Condition::Absent, 1)];
    assert_eq!(store.transact("t", writes).await.unwrap(), WriteOutcome::Done);
    assert_eq!(replies_to_lose.load(Ordering::SeqCst), 0);
    assert_eq!(store.query("p", "").await.unwrap().len(), 2);

    // Outside a transaction the store can only say what it finds: the item that it wrote itself.
    replies_to_lose.store(1, Ordering::SeqCst);
    let outcome = store.write(put("c", Condition::Absent, 1)).await.unwrap();
    assert!(matches!(outcome, WriteOutcome::ConditionFailed { index: 0, stored: Some(_) }), "{outcome:?}");

    replies_to_lose.store(2, Ordering::SeqCst);
    assert!(store.get(&Key::new("p", "c")).await.unwrap().is_some());
    replies_to_lose.store(2, Ordering::SeqCst);
    assert_eq!(store.query("p", "").await.unwrap().len(), 3);
}

#[tokio::test]
async fn missing_table_is_refused_and_says_so() {
    let store = DynamoStore::connect(&settings(&serve().await)).await;
    assert!(!store.table_exists().await.unwrap());
    for result in [
        store.get(&Key::new("p", "a")).await.map(|_| ()),
        store.query("p", "").await.map(|_| ()),
        store.write(put("a", Condition::Absent, 1)).await.map(|_| ()),
        store.transact("t", vec![put("a", Condition::Absent, 1)]).await.map(|_| ()),
    ] {
        match result {
            Err(CatalogError::Refused { message, .. }) => {
                assert!(message.starts_with("ResourceNotFoundException: "), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn table_is_created_once_by_whoever_comes_first() {
    let settings = settings(&serve().await);
    let (one, other) = (DynamoStore::connect(&settings).await, DynamoStore::connect(&settings).await);
    let (first, second) = tokio::join!(one.create_table_if_absent(), other.create_table_if_absent());
    first.unwrap();
    second.unwrap();
    assert!(one.table_exists().await.unwrap());
}

// Time is paused, so that the waits between attempts take none.
#[tokio::test(start_paused = true)]
async fn server_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let store = DynamoStore::connect(&settings(&endpoint)).await;
    let read = store.get(&Key::new("p", "a")).await;
    assert!(matches!(read, Err(CatalogError::Unavailable { operation: "get", .. })), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn server_that_does_not_answer_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let store = DynamoStore::connect(&settings(&endpoint)).await;
    let written = store.transact("t", vec![put("a", Condition::Absent, 1)]).await;
    assert!(matches!(written, Err(CatalogError::Unavailable { operation: "transact", .. })), "{written:?}");
    drop(listener);
}
