//! Bootstrap: settings, clients, run.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use penstock_catalog::Catalog;
use penstock_catalog::clock::SystemClock;
use penstock_catalog::store::dynamodb::DynamoStore;
use penstock_query::{Query, Settings};
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_storage::S3Volumes;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let store = DynamoStore::connect(&settings.deployment.catalog).await;
    let query = Query::new(
        Catalog::new(Arc::new(store), Arc::new(SystemClock)),
        Arc::new(S3Volumes::new(settings.deployment.storage)),
        settings.query,
    )?;
    let query = &query;
    // A wrong statement is an answer, not a failed invocation.
    run(service_fn(move |event: LambdaEvent<SqlRequest>| async move {
        Ok::<SqlResponse, Error>(query.run_buffered(event.payload).await)
    }))
    .await
}
