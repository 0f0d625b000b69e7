//! Requests to a registry: limits of time and size, further tries, and what an answer means.

use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use penstock_kernel::registry::SchemaRegistry;
use reqwest::header::ACCEPT;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, ClientBuilder, Response, StatusCode};
use serde::Deserialize;

use super::RegistrySettings;

/// Clients by scheme, made when they are needed: one for TLS wants the system's certificates, which a machine that asks
/// nobody over TLS may lack.
#[derive(Debug)]
pub(super) struct Http {
    connect_timeout: Duration,
    timeout: Duration,
    plain: OnceLock<Client>,
    tls: OnceLock<Client>,
}

/// A registry's answer.
pub(super) enum Answer {
    /// The body.
    Found(Vec<u8>),
    /// There is no such thing, says the registry itself.
    Unknown,
}

/// A registry does not answer, or not as one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The client cannot be made.
    #[error("schema registry: no HTTP client")]
    Client {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// No answer.
    #[error("schema registry `{url}` does not answer, tried {attempts} times: {problem}")]
    Silent {
        /// What was asked.
        url: String,
        /// How often.
        attempts: u32,
        /// What happened the last time.
        problem: String,
    },
    /// It says that it cannot answer now.
    #[error("schema registry answered `{url}` with status {status}, tried {attempts} times{}", after(message))]
    Busy {
        /// What was asked.
        url: String,
        /// The status, 429 or from 500.
        status: u16,
        /// How often it was asked.
        attempts: u32,
        /// What it said.
        message: String,
    },
    /// It wants other credentials, or is no registry.
    #[error("schema registry answered `{url}` with status {status}{}", after(message))]
    Refused {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The answer is none that a registry gives.
    #[error("schema registry answered `{url}` with what is no schema")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The answer is too long.
    #[error("schema registry answered `{url}` with more than {max_bytes} bytes")]
    Long {
        /// What was asked.
        url: String,
        /// The limit.
        max_bytes: usize,
    },
}

impl RegistryError {
    /// Whether the same request may succeed later with nothing mended.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Silent { .. } | Self::Busy { .. })
    }
}

/// The body of an error, as registries have it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error_code: Option<i64>,
    message: Option<String>,
}

/// Codes of errors that say that subject, version or schema do not exist. A 404 of anybody else says nothing about them.
const UNKNOWN_CODES: [i64; 3] = [40_401, 40_402, 40_403];

/// Bytes of an error's body that are read, and characters of it that are quoted.
const ERROR_BYTES: usize = 16 << 10;
const QUOTED_CHARACTERS: usize = 200;

/// Hops that a request may be sent on.
const MAX_REDIRECTS: usize = 3;

impl Http {
    pub(super) fn new(settings: &RegistrySettings) -> Self {
        Self {
            connect_timeout: settings.connect_timeout,
            timeout: settings.timeout,
            plain: OnceLock::new(),
            tls: OnceLock::new(),
        }
    }

    /// Asks for `path`, as often as `settings` allow.
    pub(super) async fn get(
        &self,
        registry: &SchemaRegistry,
        path: &str,
        settings: &RegistrySettings,
    ) -> Result<Answer, RegistryError> {
        let client = self.client(registry.url.starts_with("https:"))?;
        let url = format!("{}{path}", registry.url);
        let mut pause = settings.pause;
        let mut attempts = 1;
        loop {
            let error = match self.ask(&client, registry, &url, attempts, settings).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if attempts >= settings.attempts || !error.may_pass() {
                return Err(error);
            }
            tracing::debug!(%error, "schema registry failed, trying again");
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
            attempts += 1;
        }
    }

    async fn ask(
        &self,
        client: &Client,
        registry: &SchemaRegistry,
        url: &str,
        attempts: u32,
        settings: &RegistrySettings,
    ) -> Result<Answer, RegistryError> {
        let silent =
            |error: reqwest::Error| RegistryError::Silent { url: url.to_owned(), attempts, problem: told(error) };
        let mut request = client.get(url).header(ACCEPT, "application/vnd.schemaregistry.v1+json, application/json");
        if let Some(credentials) = &registry.credentials {
            request = request.basic_auth(&credentials.user, Some(&credentials.secret));
        }
        let response = request.send().await.map_err(silent)?;
        let status = response.status();
        if status.is_success() {
            let max_bytes = settings.max_answer_bytes;
            return match body(response, max_bytes).await.map_err(silent)? {
                Some(body) => Ok(Answer::Found(body)),
                None => Err(RegistryError::Long { url: url.to_owned(), max_bytes }),
            };
        }
        let body = body(response, ERROR_BYTES).await.map_err(silent)?.unwrap_or_default();
        let ErrorBody { error_code, message } = serde_json::from_slice(&body).unwrap_or_default();
        if status == StatusCode::NOT_FOUND && error_code.is_some_and(|code| UNKNOWN_CODES.contains(&code)) {
            return Ok(Answer::Unknown);
        }
        let message: String = message.unwrap_or_default().chars().take(QUOTED_CHARACTERS).collect();
        let (url, status_number) = (url.to_owned(), status.as_u16());
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Err(RegistryError::Busy { url, status: status_number, attempts, message });
        }
        Err(RegistryError::Refused { url, status: status_number, message })
    }

    fn client(&self, tls: bool) -> Result<Client, RegistryError> {
        let kept = if tls { &self.tls } else { &self.plain };
        if let Some(client) = kept.get() {
            return Ok(client.clone());
        }
        let client = ClientBuilder::new()
            .user_agent(concat!("penstock/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .tls_built_in_root_certs(tls)
            .redirect(Policy::custom(redirect))
            .build()
            .map_err(|source| RegistryError::Client { source })?;
        Ok(kept.get_or_init(|| client).clone())
    }
}

/// Goes on where the same host says so, and never from TLS to none: credentials are for nobody else.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let same = attempt.previous().last().is_some_and(|from| {
        let to = attempt.url();
        from.host() == to.host()
            && from.port_or_known_default() == to.port_or_known_default()
            && from.scheme() == to.scheme()
    });
    if same && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// The whole body; `None` if it is longer than `max_bytes`.
async fn body(mut response: Response, max_bytes: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len().saturating_add(chunk.len()) > max_bytes {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// The error's innermost cause, which is what a person can act on, without the URL that stands beside it anyway.
fn told(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn after(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// A part of a path with whatever means something there written in percent signs.
pub(super) fn encoded(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
