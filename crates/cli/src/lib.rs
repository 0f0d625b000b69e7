//! The `penstock` program as a library, so that tests start the very server that users start.
//!
//! Everything here is wiring and presentation; what a statement means or how a row is loaded is decided elsewhere.

pub mod args;
pub mod log;
pub mod preview;
pub mod quickstart;
pub mod screen;
pub mod server;
pub mod sql_client;
pub mod table;
pub mod up;

use std::process::ExitCode;

use args::{Cli, Command};

/// Runs a command to its end.
pub fn run(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(4 << 20).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            screen::error(&error);
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        match cli.command {
            Command::Quickstart(args) => quickstart::run(args).await,
            Command::Up(args) => up::run(*args).await,
            Command::Sql(args) => sql_client::run(args).await,
            Command::Preview(args) => preview::run(&args),
        }
    });
    // What still runs holds nothing that was acknowledged; waiting for it would only delay the user's prompt.
    runtime.shutdown_background();
    code
}
