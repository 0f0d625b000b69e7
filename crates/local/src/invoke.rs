//! How a batch reaches the load function: in process, or through the Runtime API. Also the place to put faults
//! between the event source mapping and the function: lost replies, repeated and late calls.

use async_trait::async_trait;
use bytes::Bytes;
use penstock_kernel::ids::JobId;

/// Invokes the load function for one job and waits for its answer.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Delivers `event`, the JSON of a Kafka event. Success means that every record of it is accounted for durably;
    /// after anything else the whole event comes again.
    async fn invoke(&self, job: JobId, event: Bytes) -> Result<(), InvokeError>;
}

/// An invocation failed, or nobody knows how it ended; the event must come again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The function ran and answered with an error.
    #[error("the function failed: {error_type}: {message}")]
    Function {
        /// Kind of error, as the runtime names it, such as `Unhandled`.
        error_type: String,
        /// For a person.
        message: String,
    },
    /// It did not answer in time and was stopped.
    #[error("the function timed out after {seconds} s")]
    TimedOut {
        /// Its timeout.
        seconds: u64,
    },
    /// It could not be reached, or ended without an answer.
    #[error("the function did not answer: {message}")]
    Unanswered {
        /// What is known.
        message: String,
    },
}
