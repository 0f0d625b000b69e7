//! The DynamoDB client that a store makes for itself.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use penstock_storage::Keys;

use crate::aws::sdk_config;

/// Where the table is and who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamoSettings {
    /// The table's name.
    pub table: String,
    /// AWS region; any text for an endpoint that is not AWS's.
    pub region: String,
    /// `http://host:port` of a DynamoDB that is not AWS's; `None`: AWS's in the region.
    pub endpoint: Option<String>,
    /// `None`: the credentials of the environment, as the AWS SDK finds them.
    pub keys: Option<Keys>,
}

const CONNECT: Duration = Duration::from_secs(2);

/// DynamoDB answers in milliseconds, a page or a large transaction in tens: what takes longer is lost.
const ATTEMPT: Duration = Duration::from_secs(5);

pub(super) async fn client(settings: &DynamoSettings) -> Client {
    let sdk = sdk_config(&settings.region, settings.endpoint.as_deref(), settings.keys.as_ref()).await;
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
    let config = Builder::from(&sdk).retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
    Client::from_conf(config)
}
