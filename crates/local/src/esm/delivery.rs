//! The delivery of one batch: again and again until it succeeds, then the group's position. Never the other way round.

use std::sync::Arc;

use std::collections::BTreeMap;
use std::time::Duration;

use penstock_kernel::ids::JobId;
use tokio::sync::{mpsc, watch};

use super::batch::Batch;
use super::poller::{Order, Shared};
use super::source::Source;
use crate::invoke::InvokeError;

/// How a delivery ended.
#[derive(Debug)]
pub(super) struct Delivered {
    /// Its source partitions, with the offset after the last record of each.
    pub(super) next_offsets: BTreeMap<i32, i64>,
    /// What became of the batch.
    pub(super) outcome: Outcome,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Loaded, and the group's position moved.
    Committed,
    /// Loaded; the position could not be moved, so that records may come again after a restart.
    Uncommitted,
    /// Given up, because the mapping was disabled, changed or deleted. The batch will come again.
    Abandoned,
}

/// Delivers `batch` until it succeeds or `orders` end the session that began with `begun`. Failures that the function
/// cannot have recorded by itself go to `troubles`.
pub(super) async fn deliver(
    shared: Arc<Shared>,
    source: Arc<Source>,
    begun: Order,
    mut orders: watch::Receiver<Order>,
    batch: Batch,
    troubles: mpsc::Sender<String>,
) -> Delivered {
    let job = begun.spec.job;
    let next_offsets = batch.next_offsets;
    let mut failures = 0_u32;
    orders.mark_unchanged();
    while let Err(error) = shared.invoke.invoke(job, batch.event.clone()).await {
        failures = failures.saturating_add(1);
        let wait = shared.backoff.after(failures);
        report(job, &error, batch.records, failures, wait);
        if !matches!(error, InvokeError::Function { .. }) {
            // Full means that the owner is being told already.
            let _ = troubles.try_send(error.to_string());
        }
        if pause(&mut orders, &begun, wait, &mut failures).await {
            return Delivered { next_offsets, outcome: Outcome::Abandoned };
        }
    }
    let positions = next_offsets.clone();
    let committed = tokio::task::spawn_blocking(move || source.commit(&positions)).await;
    let outcome = match committed {
        Ok(Ok(())) => Outcome::Committed,
        Ok(Err(error)) => {
            tracing::warn!(%job, %error, "group position cannot be moved yet");
            Outcome::Uncommitted
        }
        Err(_) => Outcome::Uncommitted,
    };
    Delivered { next_offsets, outcome }
}

fn report(job: JobId, error: &InvokeError, records: usize, failures: u32, wait: Duration) {
    tracing::warn!(%job, records, failures, wait_ms = wait.as_millis(), %error, "batch failed and will come again");
}

/// Waits before the next try; at once when the job is resumed. Whether the session is over.
async fn pause(orders: &mut watch::Receiver<Order>, begun: &Order, wait: Duration, failures: &mut u32) -> bool {
    let changed = tokio::select! {
        () = tokio::time::sleep(wait) => return ends(&orders.borrow(), begun),
        changed = orders.changed() => changed,
    };
    *failures = 0;
    changed.is_err() || ends(&orders.borrow(), begun)
}

/// Whether a session that began with `begun` has to end now that `order` is given.
pub(super) fn ends(order: &Order, begun: &Order) -> bool {
    !order.enabled || order.spec != begun.spec
}
