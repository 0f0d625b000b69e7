//! [`Checks`] by invoking the maintain function.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use penstock_catalog::aws::sdk_config;
use penstock_sql::check::{CheckAnswer, CheckInvocation, CheckRequest};

use super::Checks;
use crate::mapping::lambda::LambdaSettings;

const CONNECT: Duration = Duration::from_secs(2);

/// How long an invocation is waited for.
const INVOCATION: Duration = Duration::from_secs(50);

/// [`Checks`] of AWS Lambda, or of what speaks its API.
#[derive(Debug, Clone)]
pub struct LambdaChecks {
    client: Client,
    maintain_function: String,
}

impl LambdaChecks {
    /// With a client of its own, for the function of that name or ARN. Reaches for nothing yet.
    pub async fn connect(settings: &LambdaSettings, maintain_function: String) -> Self {
        let sdk = sdk_config(&settings.region, settings.endpoint.as_deref(), settings.keys.as_ref()).await;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .read_timeout(INVOCATION)
            .operation_attempt_timeout(INVOCATION)
            .build();
        // A second attempt would outlive the statement.
        let config = Builder::from(&sdk).retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), maintain_function }
    }
}

#[async_trait]
impl Checks for LambdaChecks {
    async fn check(&self, request: &CheckRequest) -> CheckAnswer {
        let payload = match serde_json::to_vec(&CheckInvocation { check: request.clone() }) {
            Ok(payload) => payload,
            Err(error) => return CheckAnswer::Refused { message: error.to_string() },
        };
        let invoked =
            self.client.invoke().function_name(&self.maintain_function).payload(Blob::new(payload)).send().await;
        let output = match invoked {
            Ok(output) => output,
            Err(error) => {
                tracing::warn!(error = %DisplayErrorContext(&error), "the maintain function was not invoked");
                return CheckAnswer::Unavailable { message: format!("the maintain function was not invoked: {error}") };
            }
        };
        let answer = output.payload.map(Blob::into_inner).unwrap_or_default();
        if output.function_error.is_some() {
            let message = format!("the maintain function failed: {}", String::from_utf8_lossy(&answer));
            return CheckAnswer::Unavailable { message };
        }
        serde_json::from_slice(&answer).unwrap_or_else(|error| CheckAnswer::Refused {
            message: format!("the maintain function answered something else: {error}"),
        })
    }
}
