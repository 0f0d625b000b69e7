//! One mapping at work: waits while it is disabled, polls while it is enabled, and begins anew after trouble.

use std::sync::Arc;
use std::time::{Duration, Instant};

use penstock_admin::mapping::MappingSpec;
use penstock_catalog::Catalog;
use penstock_catalog::job::JobFailure;
use penstock_kernel::ids::JobId;
use tokio::sync::watch;

use super::backoff::{Backoff, Quiet};
use super::event::EventSource;
use super::session::{self, Ended};
use crate::invoke::Invoke;

/// What all mappings of an emulation share.
pub(super) struct Shared {
    pub(super) catalog: Catalog,
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) broker_aliases: Vec<(String, String)>,
    pub(super) event_source: EventSource,
    pub(super) backoff: Backoff,
}

/// What a mapping is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) spec: MappingSpec,
    pub(super) enabled: bool,
    /// Grows when it is enabled again: retries that wait need not wait any longer.
    pub(super) nudges: u64,
}

/// The same trouble is told to the job's owner this often.
const TROUBLE_INTERVAL: Duration = Duration::from_secs(30);

/// Works for a mapping until the sender of its orders is dropped, or its job has ended for good.
pub(super) async fn run(shared: Arc<Shared>, mut orders: watch::Receiver<Order>) {
    let mut teller = Teller::new(Arc::clone(&shared), orders.borrow().spec.job);
    let mut failures = 0;
    loop {
        let order = orders.borrow_and_update().clone();
        if !order.enabled {
            if orders.changed().await.is_err() {
                return;
            }
            continue;
        }
        let begun = Instant::now();
        match session::run(&shared, &order, &mut orders, &mut teller).await {
            Ended::Ordered => failures = 0,
            Ended::Deleted => return,
            Ended::Finished => {
                tracing::info!(job = %order.spec.job, "job has ended, its mapping rests");
                if orders.changed().await.is_err() {
                    return;
                }
            }
            Ended::Failed(message) => {
                teller.tell(&message, 0).await;
                // A session that worked for a while is no failure in a row.
                failures = if begun.elapsed() > Duration::from_secs(60) { 1 } else { failures + 1 };
                tokio::select! {
                    () = tokio::time::sleep(shared.backoff.after(failures)) => {}
                    changed = orders.changed() => {
                        if changed.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }
}

/// Tells a job's owner of trouble, not too often.
pub(super) struct Teller {
    shared: Arc<Shared>,
    job: JobId,
    quiet: Quiet,
}

impl Teller {
    pub(super) fn new(shared: Arc<Shared>, job: JobId) -> Self {
        Self { shared, job, quiet: Quiet::new(TROUBLE_INTERVAL) }
    }

    /// Logs `message` and records it with the job; `aborted` batches failed with it.
    pub(super) async fn tell(&mut self, message: &str, aborted: u64) {
        if !self.quiet.admits(Instant::now(), message) {
            return;
        }
        tracing::warn!(job = %self.job, "{message}");
        let clock = self.shared.catalog.clock();
        let failure = JobFailure { at_ms: clock.now_ms(), message: message.to_owned(), task: clock.unique() };
        if let Err(error) = self.shared.catalog.record_failure(self.job, failure, aborted).await {
            tracing::warn!(job = %self.job, %error, "failure cannot be recorded");
        }
    }

    /// The trouble is over.
    pub(super) fn well(&mut self) {
        self.quiet.forget();
    }
}
