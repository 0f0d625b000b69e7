//! What a gateway is told when it starts. Values only: nothing here reads the environment.

use std::fmt;
use std::time::Duration;

/// How a gateway greets, whom it lets in, and what one client may use.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// What `root` must know; `None` lets `root` in without a password.
    pub password: Option<Secret>,
    /// Version of Penstock, such as `0.1.0`; shown in `@@version_comment` and behind the MySQL version.
    pub version: String,
    /// Bounds.
    pub limits: Limits,
}

impl GatewaySettings {
    /// Settings with the usual limits, open to `root` without a password.
    pub fn new(version: impl Into<String>) -> Self {
        Self { password: None, version: version.into(), limits: Limits::default() }
    }

    /// The version as the handshake announces it.
    ///
    /// Clients decide by the leading number what they may send. `8.0.33` is what StarRocks announces, too; with it,
    /// Connector/J asks for `transaction_isolation` rather than its removed older name, and no client turns to the
    /// dialects of MySQL 5 or MariaDB.
    pub fn server_version(&self) -> String {
        format!("8.0.33-penstock-{}", self.version)
    }
}

/// Bounds on what clients may use of this process.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at the same time; one more is answered with error 1040. Each idle one costs about 20 KB.
    pub connections: usize,
    /// Longest statement or parameter, in bytes; what clients see as `max_allowed_packet`. Lower it to bound memory,
    /// which is at most a few times this for each connection that is just sending or receiving so much.
    pub packet_bytes: usize,
    /// Open prepared statements a connection.
    pub prepared_statements: usize,
    /// Time from connecting to the end of the login.
    pub login: Duration,
    /// Time that a connection may say nothing; what clients see as `wait_timeout`.
    pub idle: Duration,
    /// Time that a client may leave rows unread before it is given up.
    pub write: Duration,
    /// Time that running statements get to end when the gateway is told to stop.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            packet_bytes: 64 << 20,
            prepared_statements: 1024,
            login: Duration::from_secs(10),
            idle: Duration::from_secs(8 * 3600),
            write: Duration::from_secs(600),
            shutdown: Duration::from_secs(1),
        }
    }
}

/// A text that no log and no debug output shows.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("******")
    }
}
