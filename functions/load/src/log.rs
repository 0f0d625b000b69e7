//! The function's log: JSON where the platform asks for it, readable text elsewhere, one line an event.
//!
//! The runtime prints every error that a handler returns. Those lines are left out: the loader said the same before,
//! with level, fields and causes, and a paused job would otherwise cry for help once a second. The platform adds the
//! time, and the runtime the request's id.

use std::io::IsTerminal as _;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::LogSettings;

/// Sends the process's events to standard output. `echo` is the target under which the runtime repeats what handlers
/// return. A second call changes nothing.
pub fn init(settings: &LogSettings, echo: &'static str) {
    let json = settings.json.then(|| fmt::layer().json().with_target(false).without_time().with_current_span(false));
    let text = (!settings.json)
        .then(|| fmt::layer().with_target(false).without_time().with_ansi(std::io::stdout().is_terminal()));
    let initialised = tracing_subscriber::registry()
        .with(EnvFilter::builder().parse_lossy(&settings.level))
        .with(filter_fn(move |event| !repeats_the_loader(event, echo)))
        .with(json)
        .with(text)
        .try_init();
    if initialised.is_err() {
        tracing::debug!("the log was set up before");
    }
}

/// The runtime's line about a failed invocation has no field but its message; that about a panic has the panic too.
fn repeats_the_loader(event: &Metadata<'_>, echo: &str) -> bool {
    event.is_event() && *event.level() == Level::ERROR && event.target() == echo && event.fields().len() == 1
}
