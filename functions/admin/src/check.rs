//! How a check reaches the maintain function, which alone reads files for it: in process, or as an invocation.

use async_trait::async_trait;
use penstock_sql::check::{CheckAnswer, CheckRequest};

pub mod lambda;

/// Checks files of tables.
#[async_trait]
pub trait Checks: Send + Sync {
    /// Has the maintain function check a piece of a table. What cannot be done or reached is an answer, too.
    async fn check(&self, request: &CheckRequest) -> CheckAnswer;
}
