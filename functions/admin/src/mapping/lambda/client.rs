//! The Lambda client that [`LambdaMappings`](super::LambdaMappings) makes for itself.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use penstock_catalog::aws::sdk_config;

use super::LambdaSettings;

const CONNECT: Duration = Duration::from_secs(2);

/// Making a mapping takes seconds at times; what takes longer is lost, and is looked up at the next attempt.
const ATTEMPT: Duration = Duration::from_secs(15);

/// Attempts at a request that fails in a way that passes.
const ATTEMPTS: u32 = 3;

pub(super) async fn client(settings: &LambdaSettings) -> Client {
    let sdk = sdk_config(&settings.region, settings.endpoint.as_deref(), settings.keys.as_ref()).await;
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    let config = Builder::from(&sdk).retry_config(retries).timeout_config(timeouts).build();
    Client::from_conf(config)
}
