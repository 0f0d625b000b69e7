//! How a replay reaches the load function, which alone reads and writes files: in process, or as an invocation.

use async_trait::async_trait;
use penstock_kernel::ids::JobId;
use penstock_sql::replay::{ReplayAnswer, ReplayRequest};

pub mod lambda;

/// Replays rejected rows.
#[async_trait]
pub trait Replays: Send + Sync {
    /// Has the load function do a piece of a replay for `job`. What cannot be done or reached is an answer, too; then
    /// the same may be asked again.
    async fn replay(&self, job: JobId, request: &ReplayRequest) -> ReplayAnswer;
}
