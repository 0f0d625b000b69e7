//! Reaching the server, and saying what is wrong in words.

use std::error::Error;

use mysql_async::{Conn, OptsBuilder};

use super::SqlArgs;

/// The server cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("{}\nhint: `--user`, and `--password` or PENSTOCK_PASSWORD, say who you are", described(.0))]
    Refused(mysql_async::ServerError),
    /// The cause is in the text, before the hint.
    #[error("cannot connect to {address}: {}\nhint: `penstock up` or `penstock quickstart` starts a server", innermost(.error))]
    Unreachable { address: String, error: mysql_async::Error },
}

/// The text of the cause that has no further cause; those above it only repeat it.
fn innermost(error: &mysql_async::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

/// `ERROR code (state): message`, as MySQL clients write it.
pub(super) fn described(error: &mysql_async::ServerError) -> String {
    format!("ERROR {} ({}): {}", error.code, error.state, error.message)
}

/// Connects and logs in.
pub(super) async fn connect(args: &SqlArgs) -> Result<Conn, ConnectError> {
    let options = OptsBuilder::default()
        .ip_or_hostname(args.host.clone())
        .tcp_port(args.port)
        .user(Some(args.user.clone()))
        .pass(args.password.clone().filter(|password| !password.is_empty()))
        .db_name(args.database.clone())
        // A statement is said once, so keeping it prepared would gain nothing; a socket file is never meant.
        .stmt_cache_size(0)
        .prefer_socket(false);
    match Conn::new(options).await {
        Ok(connection) => Ok(connection),
        Err(mysql_async::Error::Server(error)) => Err(ConnectError::Refused(error)),
        Err(error) => Err(ConnectError::Unreachable { address: format!("{}:{}", args.host, args.port), error }),
    }
}
