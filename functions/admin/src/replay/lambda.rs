//! [`Replays`] by invoking the load function under the job's alias.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use penstock_catalog::aws::sdk_config;
use penstock_kernel::ids::JobId;
use penstock_sql::replay::{ReplayAnswer, ReplayInvocation, ReplayRequest};

use super::Replays;
use crate::mapping::lambda::{LambdaSettings, alias};

const CONNECT: Duration = Duration::from_secs(2);

/// How long an invocation is waited for. One that is given up may still commit, which the next finds done.
const INVOCATION: Duration = Duration::from_secs(50);

/// [`Replays`] of AWS Lambda, or of what speaks its API.
#[derive(Debug, Clone)]
pub struct LambdaReplays {
    client: Client,
    load_function: String,
}

impl LambdaReplays {
    /// With a client of its own. Reaches for nothing yet: a wrong setting shows at the first request.
    pub async fn connect(settings: &LambdaSettings) -> Self {
        let sdk = sdk_config(&settings.region, settings.endpoint.as_deref(), settings.keys.as_ref()).await;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .read_timeout(INVOCATION)
            .operation_attempt_timeout(INVOCATION)
            .build();
        // A second attempt would outlive the statement; whoever asked asks again.
        let config = Builder::from(&sdk).retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), load_function: settings.load_function.clone() }
    }
}

#[async_trait]
impl Replays for LambdaReplays {
    async fn replay(&self, job: JobId, request: &ReplayRequest) -> ReplayAnswer {
        let payload = match serde_json::to_vec(&ReplayInvocation { replay: request.clone() }) {
            Ok(payload) => payload,
            Err(error) => return ReplayAnswer::Refused { message: error.to_string() },
        };
        let invoked = self
            .client
            .invoke()
            .function_name(&self.load_function)
            .qualifier(alias(job))
            .payload(Blob::new(payload))
            .send()
            .await;
        let output = match invoked {
            Ok(output) => output,
            Err(error) => {
                tracing::warn!(job = job.0, error = %DisplayErrorContext(&error), "the load function was not invoked");
                let message = format!("the load function was not invoked: {error}");
                return ReplayAnswer::Unavailable { message };
            }
        };
        let answer = output.payload.map(Blob::into_inner).unwrap_or_default();
        if output.function_error.is_some() {
            let message = format!("the load function failed: {}", String::from_utf8_lossy(&answer));
            return ReplayAnswer::Unavailable { message };
        }
        serde_json::from_slice(&answer).unwrap_or_else(|error| ReplayAnswer::Refused {
            message: format!("the load function answered something else: {error}"),
        })
    }
}
