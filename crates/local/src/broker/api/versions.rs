//! ApiVersions: what is served.

use kafka_protocol::{
    ResponseError,
    messages::{ApiKey, ApiVersionsResponse, api_versions_response::ApiVersion},
};

use super::NONE;
use crate::broker::dispatch::APIS;

/// Lists the APIs. With an error, the client asked in a version that is not served, and is to ask again.
pub(crate) fn api_versions(error: Option<ResponseError>) -> ApiVersionsResponse {
    let apis = APIS.iter().map(|(api, first, last)| {
        // librdkafka does not compress for brokers that claim not to know Produce 0, although it never sends it
        let first = if *api == ApiKey::Produce { 0 } else { *first };
        ApiVersion::default().with_api_key(*api as i16).with_min_version(first).with_max_version(*last)
    });
    ApiVersionsResponse::default()
        .with_error_code(error.map_or(NONE, |error| error.code()))
        .with_api_keys(apis.collect())
}
