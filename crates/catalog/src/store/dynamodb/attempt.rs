//! Which failures pass, and how long to wait for that.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use tokio::time::Instant;

use crate::error::CatalogError;

/// Most attempts at one request.
const MAX_ATTEMPTS: u32 = 12;

/// No attempt begins later than this after the first.
const PATIENCE: Duration = Duration::from_secs(15);

const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Why an attempt gave no outcome.
pub(super) enum Failure {
    /// It passes; whether the request took place may be unknown.
    Again(Box<dyn Error + Send + Sync>),
    /// The store does not want it.
    Refused(String),
    /// Nothing to be asked again.
    Final(CatalogError),
}

/// Codes of errors that pass, whatever their HTTP status.
const PASSING: [&str; 8] = [
    "InternalFailure",
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// What a failed request means.
pub(super) fn classify<E>(error: SdkError<E, HttpResponse>) -> Failure
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(service) => {
            let (metadata, status) = (service.err().meta(), service.raw().status());
            let code = metadata.code();
            if status.is_server_error() || code.is_some_and(|code| PASSING.contains(&code)) {
                return Failure::Again(Box::new(error));
            }
            let message = metadata.message().unwrap_or("no message");
            let request = metadata.request_id().map(|id| format!(" (request {id})")).unwrap_or_default();
            Failure::Refused(format!("{}: {message}{request}", code.unwrap_or(status.as_u16().to_string().as_str())))
        }
        SdkError::ConstructionFailure(_) => Failure::Refused(DisplayErrorContext(&error).to_string()),
        SdkError::DispatchFailure(dispatch) if dispatch.is_user() => {
            Failure::Refused(DisplayErrorContext(&error).to_string())
        }
        _ => Failure::Again(Box::new(error)),
    }
}

/// Makes attempts until one has an outcome, waiting a random while in between that doubles at most each time.
pub(super) async fn retry<T, F, A>(operation: &'static str, mut attempt: A) -> Result<T, CatalogError>
where
    A: FnMut() -> F + Send,
    F: Future<Output = Result<T, Failure>> + Send,
{
    let began = Instant::now();
    let mut wait = FIRST_WAIT;
    let mut attempts = 1;
    loop {
        let source = match attempt().await {
            Ok(outcome) => return Ok(outcome),
            Err(Failure::Refused(message)) => {
                return Err(CatalogError::Refused { operation, message });
            }
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Again(source)) => source,
        };
        let pause = wait.mul_f64(rand::random_range(0.2..=1.0));
        if attempts >= MAX_ATTEMPTS || began.elapsed() + pause > PATIENCE {
            return Err(CatalogError::Unavailable { operation, source });
        }
        tracing::debug!(operation, attempts, error = %source, "the catalog's store is asked again");
        tokio::time::sleep(pause).await;
        attempts += 1;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails `failures` times, then succeeds; returns the outcome, the attempts made and the time they took.
    async fn tried(failures: u32) -> (Result<(), CatalogError>, u32, Duration) {
        let mut attempts = 0;
        let began = Instant::now();
        let outcome = retry("test", || {
            attempts += 1;
            let fails = attempts <= failures;
            async move { if fails { Err(Failure::Again("busy".into())) } else { Ok(()) } }
        })
        .await;
        (outcome, attempts, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn passing_failures_are_tried_again() {
        let (outcome, attempts, _) = tried(5).await;
        assert!(outcome.is_ok());
        assert_eq!(attempts, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let (outcome, attempts, took) = tried(u32::MAX).await;
        assert!(matches!(outcome, Err(CatalogError::Unavailable { operation: "test", .. })));
        assert_eq!(attempts, MAX_ATTEMPTS);
        assert!(took <= PATIENCE, "{took:?}");
    }

    #[tokio::test]
    async fn refusal_is_not_tried_again() {
        let mut attempts = 0;
        let outcome: Result<(), _> = retry("test", || {
            attempts += 1;
            async { Err(Failure::Refused("no".to_owned())) }
        })
        .await;
        assert!(matches!(outcome, Err(CatalogError::Refused { operation: "test", .. })));
        assert_eq!(attempts, 1);
    }
}
