//! `penstock up`: the server without the tutorial.

use std::process::ExitCode;

use crate::args::UpArgs;
use crate::screen;
use crate::server::{Server, ServerSettings, StartError};

/// Serves until Ctrl-C.
pub async fn run(args: UpArgs) -> ExitCode {
    crate::log::init("info");
    match start(ServerSettings::from_args(&args)).await {
        Ok(server) => {
            anstream::println!("\nServing. Ctrl-C ends it.");
            serve(server).await
        }
        Err(code) => code,
    }
}

/// Starts the server and shows what serves where; a failure is printed, and gives the program's exit status.
pub(crate) async fn start(settings: Result<ServerSettings, StartError>) -> Result<Server, ExitCode> {
    screen::heading("Starting");
    let started = async { Server::start(settings?, screen::served).await }.await;
    started.map_err(|error| {
        screen::error(&error);
        ExitCode::FAILURE
    })
}

/// Serves until Ctrl-C or SIGTERM, then stops cleanly.
pub(crate) async fn serve(server: Server) -> ExitCode {
    interrupted().await;
    anstream::println!("Stopping.");
    server.shutdown().await;
    ExitCode::SUCCESS
}

/// Returns at Ctrl-C or SIGTERM.
pub(crate) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            // Without the handler, SIGTERM ends the process in the system's way.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
