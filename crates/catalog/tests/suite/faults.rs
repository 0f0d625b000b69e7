//! Stores that fail on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use penstock_catalog::error::CatalogError;
use penstock_catalog::store::{Item, Key, Store, Write, WriteOutcome};

fn lost<T>(operation: &'static str) -> Result<T, CatalogError> {
    Err(CatalogError::Unavailable { operation, source: "the test lost it".into() })
}

/// Which writes to fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The write takes place, the reply is lost.
    LoseReply,
    /// The write does not take place.
    LoseRequest,
}

/// Lets some writes through, then fails one after the other until it is told to stop.
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    fault: Fault,
    healthy_writes: AtomicI64,
}

impl Faulty {
    pub(crate) fn after(healthy_writes: i64, fault: Fault, inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { inner, fault, healthy_writes: AtomicI64::new(healthy_writes) })
    }

    pub(crate) fn heal(&self) {
        self.healthy_writes.store(i64::MAX, Ordering::SeqCst);
    }

    fn fails(&self) -> bool {
        self.healthy_writes.fetch_sub(1, Ordering::SeqCst) <= 0
    }
}

#[async_trait]
impl Store for Faulty {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        self.inner.get(key).await
    }

    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError> {
        self.inner.query(pk, prefix).await
    }

    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError> {
        let fails = self.fails();
        if fails && self.fault == Fault::LoseRequest {
            return lost("write");
        }
        let outcome = self.inner.write(write).await?;
        if fails { lost("write") } else { Ok(outcome) }
    }

    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        let fails = self.fails();
        if fails && self.fault == Fault::LoseRequest {
            return lost("transact");
        }
        let outcome = self.inner.transact(token, writes).await?;
        if fails { lost("transact") } else { Ok(outcome) }
    }
}

/// Forgets every token at once, as DynamoDB does after ten minutes.
pub(crate) struct Forgetful {
    inner: Arc<dyn Store>,
    calls: AtomicU64,
}

impl Forgetful {
    pub(crate) fn over(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { inner, calls: AtomicU64::new(0) })
    }
}

#[async_trait]
impl Store for Forgetful {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        self.inner.get(key).await
    }

    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError> {
        self.inner.query(pk, prefix).await
    }

    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError> {
        self.inner.write(write).await
    }

    async fn transact(&self, _token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        let token = format!("forgetful-{}", self.calls.fetch_add(1, Ordering::SeqCst));
        self.inner.transact(&token, writes).await
    }
}
