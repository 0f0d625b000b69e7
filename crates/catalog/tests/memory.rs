//! The suite on the store in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a claim that does not hold panics"
)]

mod suite;

use std::sync::Arc;

use penstock_catalog::store::Store;
use penstock_catalog::store::memory::MemoryStore;

async fn open() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

suite::run_suite!(crate::open);
