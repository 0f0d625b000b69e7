//! The suite on a running DynamoDB Local, or anything else that takes any credentials, at `PENSTOCK_TEST_DYNAMODB`
//! (`http://host:port`). Not run unless named: `cargo test -p penstock-catalog --test dynamodb_local`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a claim that does not hold panics"
)]

mod suite;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use penstock_catalog::clock::{Clock, SystemClock};
use penstock_catalog::error::CatalogError;
use penstock_catalog::store::dynamodb::{DynamoSettings, DynamoStore};
use penstock_catalog::store::{Item, Key, Store, Write, WriteOutcome};
use penstock_storage::Keys;

/// An empty table under a name that no other test has.
async fn open() -> Arc<dyn Store> {
    let endpoint = std::env::var("PENSTOCK_TEST_DYNAMODB")
        .expect("PENSTOCK_TEST_DYNAMODB: expected the address of a DynamoDB, such as http://127.0.0.1:8000");
    let table = format!("conformance-{}", SystemClock.unique());
    let store = DynamoStore::connect(&DynamoSettings {
        table: table.clone(),
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint),
        keys: Some(Keys { access_key: "local".to_owned(), secret_key: "local".to_owned(), session_token: None }),
    })
    .await;
    assert!(!store.table_exists().await.unwrap());
    store.create_table_if_absent().await.unwrap();
    store.create_table_if_absent().await.unwrap();
    assert!(store.table_exists().await.unwrap());
    Arc::new(OwnTokens { inner: store, table })
}

/// A server knows the tokens of an account, whichever table they were used for; so each table here has its own.
struct OwnTokens {
    inner: DynamoStore,
    table: String,
}

#[async_trait]
impl Store for OwnTokens {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        self.inner.get(key).await
    }

    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError> {
        self.inner.query(pk, prefix).await
    }

    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError> {
        self.inner.write(write).await
    }

    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        // Tokens out of bounds are to be refused as they are.
        if !(1..=36).contains(&token.len()) {
            return self.inner.transact(token, writes).await;
        }
        let mut hasher = DefaultHasher::new();
        (&self.table, token).hash(&mut hasher);
        self.inner.transact(&format!("{:016x}", hasher.finish()), writes).await
    }
}

suite::run_suite!(crate::open);
