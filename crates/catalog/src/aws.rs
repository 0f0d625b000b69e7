//! How services of AWS are reached, and emulations of them: region, credentials, endpoint, TLS.
//!
//! Retries and time limits are each client's own, since they depend on what is asked.

use std::sync::OnceLock;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};
use penstock_storage::Keys;

/// What a client of any service is made from.
///
/// `endpoint` is `http://host:port` of a service that is not AWS's; `None`: AWS's in the region. `keys` are used as they
/// are; `None`: the credentials of the environment, as the AWS SDK finds them. Only that search reaches for anything.
pub async fn sdk_config(region: &str, endpoint: Option<&str>, keys: Option<&Keys>) -> SdkConfig {
    let region = Region::new(region.to_owned());
    let builder = match keys {
        Some(keys) => SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .credentials_provider(SharedCredentialsProvider::new(credentials(keys))),
        None => {
            // Some sources of credentials are asked over https, wherever the service is.
            let defaults = aws_config::defaults(BehaviorVersion::latest()).region(region).http_client(https());
            defaults.load().await.into_builder()
        }
    };
    match endpoint {
        Some(plain) if plain.starts_with("http://") => builder.endpoint_url(plain).http_client(http()),
        Some(secure) => builder.endpoint_url(secure).http_client(https()),
        None => builder.http_client(https()),
    }
    .build()
}

fn credentials(keys: &Keys) -> Credentials {
    Credentials::new(&keys.access_key, &keys.secret_key, keys.session_token.clone(), None, "settings")
}

/// Without TLS, so that no root certificate is ever read for a server on this machine.
fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

fn https() -> SharedHttpClient {
    SharedHttpClient::new(Https::default())
}

/// With TLS from the first request on: reading the system's root certificates takes a quarter of a function's start.
#[derive(Debug, Default)]
struct Https(OnceLock<SharedHttpClient>);

impl HttpClient for Https {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let client = self.0.get_or_init(|| {
            let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
            aws_smithy_http_client::Builder::new().tls_provider(provider).build_https()
        });
        client.http_connector(settings, components)
    }
}
