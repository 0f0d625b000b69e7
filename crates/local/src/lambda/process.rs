//! A process of a function: started with Lambda's environment, its lines logged, started again when it ends.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::function::{Function, RESTART};

/// A process that ends sooner than this did not start well.
const STARTED: Duration = Duration::from_secs(2);
/// The longest wait before the next start.
const RESTART_CAP: Duration = Duration::from_secs(10);

/// Keeps one process of `function` running until the function is stopped.
pub(super) async fn supervise(function: Arc<Function>, index: usize, api: String, region: String) {
    let mut stopped = function.stopped();
    let Some(slot) = function.slot(index) else {
        return;
    };
    let mut wait = RESTART;
    loop {
        let begun = Instant::now();
        let end = match spawn(&function, index, &api, &region) {
            Ok(mut child) => {
                let end = tokio::select! {
                    status = child.wait() => End::Itself(match status {
                        Ok(status) => format!("the process ended: {status}"),
                        Err(error) => format!("the process is lost: {error}"),
                    }),
                    () = slot.killed() => End::Killed,
                    () = stop(&mut stopped) => End::Stopped,
                };
                // One that ended by itself cannot be killed, and need not be.
                let _ = child.kill().await;
                end
            }
            Err(error) => End::Itself(format!("`{}` cannot be started: {error}", function.settings.binary.display())),
        };
        let message = match end {
            End::Itself(message) => message,
            End::Killed => "the process took too long and was killed".to_owned(),
            End::Stopped => {
                slot.ended("the function was stopped");
                return;
            }
        };
        tracing::warn!(function = function.settings.name, process = index, "{message}");
        let failed = slot.ended(&message);
        if failed || begun.elapsed() > STARTED {
            wait = RESTART;
            continue;
        }
        // Whoever waits hears why, instead of waiting for ever.
        function.fail_one(&message);
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(RESTART_CAP),
            () = stop(&mut stopped) => return,
        }
    }
}

/// How a process ended.
enum End {
    Itself(String),
    Killed,
    Stopped,
}

async fn stop(stopped: &mut watch::Receiver<bool>) {
    // A sender that is gone stops it, too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn spawn(function: &Function, index: usize, api: &str, region: &str) -> std::io::Result<Child> {
    let settings = &function.settings;
    let mut command = Command::new(&settings.binary);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", &settings.name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", settings.memory_mb.to_string())
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", settings.name))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", index.to_string())
        .env("AWS_REGION", region)
        .env("AWS_DEFAULT_REGION", region)
        .envs(["PATH", "TMPDIR"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .envs(&settings.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(lines) = child.stdout.take() {
        tokio::spawn(log(lines, settings.name.clone()));
    }
    if let Some(lines) = child.stderr.take() {
        tokio::spawn(log(lines, settings.name.clone()));
    }
    Ok(child)
}

/// Logs lines as they come. Bytes that are no text are shown as such.
async fn log(lines: impl AsyncRead + Unpin, function: String) {
    let mut lines = BufReader::new(lines);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                tracing::info!(target: "function", function, "{}", text.trim_end());
            }
        }
    }
}
