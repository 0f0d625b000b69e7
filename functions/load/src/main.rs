//! Bootstrap: settings, clients, run.

use std::future::ready;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use penstock_catalog::Catalog;
use penstock_catalog::clock::SystemClock;
use penstock_catalog::settings::WrongSettings;
use penstock_catalog::store::dynamodb::DynamoStore;
use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::JobId;
use penstock_load::config::{Config, LogSettings};
use penstock_load::invocation::job_of;
use penstock_load::loader::{LoadReply, Loader, LoaderSettings};
use penstock_load::log;
use penstock_sql::replay::{ReplayAnswer, ReplayInvocation};
use penstock_storage::S3Volumes;
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Keeps the memory of a batch for the next one; the system's gives it back, and the pages cost a third of the next batch.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Target of the events with which the runtime repeats what handlers return.
const ECHO: &str = "lambda_runtime::layers::panic";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let lookup = |name: &str| std::env::var(name).ok();
    log::init(&LogSettings::read(lookup), ECHO);
    let served = match Config::read(lookup) {
        Ok(config) => serve(config).await,
        Err(wrong) => refuse(&wrong).await,
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Answers every invocation with what is wrong: a process that ends instead leaves whoever invokes it without a word.
async fn refuse(wrong: &WrongSettings) -> Result<(), Error> {
    tracing::error!("{wrong}");
    let refused = move |_: LambdaEvent<IgnoredAny>| ready(Err::<(), _>(diagnostic("WrongSettings", wrong)));
    run(service_fn(refused)).await
}

async fn serve(config: Config) -> Result<(), Error> {
    let store = DynamoStore::connect(&config.deployment.catalog).await;
    let settings = LoaderSettings { memory_mb: config.memory_mb, ..LoaderSettings::default() };
    let loader = Loader::new(
        Catalog::new(Arc::new(store), Arc::new(SystemClock)),
        Arc::new(S3Volumes::new(config.deployment.storage)),
        settings,
    );
    let (loader, configured) = (&loader, config.job);
    run(service_fn(move |event| invoked(loader, configured, event))).await
}

/// The payload is taken as text: what it holds is for the loader to read, and to refuse.
async fn invoked(
    loader: &Loader,
    configured: Option<JobId>,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Reply, Diagnostic> {
    let job = job_of(&event.context.invoked_function_arn, configured).map_err(|error| {
        tracing::error!("{error}");
        diagnostic("UnknownJob", &error)
    })?;
    let payload = event.payload.get();
    if let Some(invocation) = ReplayInvocation::of(payload) {
        return Ok(Reply::Replayed(loader.replay_answer(job, &invocation.replay).await));
    }
    let loaded = loader.load(job, payload.as_bytes()).await;
    loaded.map(Reply::Loaded).map_err(|error| diagnostic(error.name(), &error))
}

#[derive(Serialize)]
#[serde(untagged)]
enum Reply {
    Loaded(LoadReply),
    Replayed(ReplayAnswer),
}

fn diagnostic(kind: &str, error: &dyn std::error::Error) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message: one_line(error) }
}
