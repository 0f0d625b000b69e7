//! Bootstrap: settings, clients, the runtime's loop.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use penstock_admin::Admin;
use penstock_admin::builtin::ensure_builtin_volume;
use penstock_admin::check::lambda::LambdaChecks;
use penstock_admin::config::Config;
use penstock_admin::mapping::lambda::LambdaMappings;
use penstock_admin::replay::lambda::LambdaReplays;
use penstock_catalog::Catalog;
use penstock_catalog::clock::SystemClock;
use penstock_catalog::store::dynamodb::DynamoStore;
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_storage::S3Volumes;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = Config::read(|name| std::env::var(name).ok())?;
    let store = DynamoStore::connect(&config.deployment.catalog).await;
    let volumes = Arc::new(S3Volumes::new(config.deployment.storage.clone()));
    let catalog = Catalog::new(Arc::new(store), Arc::new(SystemClock)).with_volumes(volumes);
    ensure_builtin_volume(&catalog, &config.bucket, &config.deployment.storage).await?;
    let replays = LambdaReplays::connect(&config.lambda).await;
    let checks = match config.maintain_function {
        Some(function) => Some(LambdaChecks::connect(&config.lambda, function).await),
        None => None,
    };
    let mappings = LambdaMappings::connect(config.lambda).await;
    let mut admin = Admin::new(catalog, Arc::new(mappings)).with_replays(Arc::new(replays));
    if let Some(checks) = checks {
        admin = admin.with_checks(Arc::new(checks));
    }
    let run = |event: LambdaEvent<SqlRequest>| {
        let admin = admin.clone();
        async move { Ok::<SqlResponse, Error>(admin.run(event.payload).await) }
    };
    lambda_runtime::run(service_fn(run)).await
}
