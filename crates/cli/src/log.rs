//! The log: readable lines on standard error, warnings and errors unless `RUST_LOG` says otherwise.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Embedded services that log what clients do wrong, or whole requests: their answers tell the client already.
const QUIET: &str = "dynoxide=error,s3s=error,s3s_fs=error,librdkafka=error,rdkafka=error";

/// Sends the log to standard error. `level` applies where `RUST_LOG` is not set.
pub fn init(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{level},{QUIET}")));
    // A second call (tests) keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .with_span_events(FmtSpan::NONE)
        .try_init();
}
