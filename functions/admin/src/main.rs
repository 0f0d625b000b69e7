//! Bootstrap: settings, clients, the runtime's loop.

use std::future::ready;
use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use penstock_admin::Admin;
use penstock_admin::builtin::ensure_builtin_volume;
use penstock_admin::check::lambda::LambdaChecks;
use penstock_admin::config::Config;
use penstock_admin::mapping::lambda::LambdaMappings;
use penstock_admin::replay::lambda::LambdaReplays;
use penstock_catalog::Catalog;
use penstock_catalog::clock::SystemClock;
use penstock_catalog::settings::WrongSettings;
use penstock_catalog::store::dynamodb::DynamoStore;
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_storage::S3Volumes;
use serde_json::Value;
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    match Config::read(|name| std::env::var(name).ok()) {
        Ok(config) => serve(config).await,
        Err(wrong) => refuse(&wrong).await,
    }
}

async fn serve(config: Config) -> Result<(), Error> {
    let store = DynamoStore::connect(&config.deployment.catalog).await;
    let volumes = Arc::new(S3Volumes::new(config.deployment.storage.clone()));
    let catalog = Catalog::new(Arc::new(store), Arc::new(SystemClock)).with_volumes(volumes);
    let replays = LambdaReplays::connect(&config.lambda).await;
    let checks = match config.maintain_function {
        Some(function) => Some(LambdaChecks::connect(&config.lambda, function).await),
        None => None,
    };
    let mappings = LambdaMappings::connect(config.lambda).await;
    let mut admin = Admin::new(catalog.clone(), Arc::new(mappings)).with_replays(Arc::new(replays));
    if let Some(checks) = checks {
        admin = admin.with_checks(Arc::new(checks));
    }
    // With the first statement, so that a catalog that does not answer is an answer, and the next statement tries again.
    let (bucket, storage) = (&config.bucket, &config.deployment.storage);
    let (admin, catalog, volume) = (&admin, &catalog, &OnceCell::new());
    run(service_fn(move |event: LambdaEvent<SqlRequest>| async move {
        volume.get_or_try_init(|| ensure_builtin_volume(catalog, bucket, storage)).await?;
        Ok::<SqlResponse, Error>(admin.run(event.payload).await)
    }))
    .await
}

/// Answers every invocation with what is wrong: a process that ends instead leaves whoever invokes it without a word.
async fn refuse(wrong: &WrongSettings) -> Result<(), Error> {
    tracing::error!("{wrong}");
    let diagnostic = || Diagnostic { error_type: "WrongSettings".to_owned(), error_message: wrong.to_string() };
    run(service_fn(move |_: LambdaEvent<Value>| ready(Err::<(), _>(diagnostic())))).await
}
