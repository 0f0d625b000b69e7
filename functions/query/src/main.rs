//! Bootstrap: settings, clients, run.

use std::future::ready;
use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use penstock_catalog::Catalog;
use penstock_catalog::clock::SystemClock;
use penstock_catalog::settings::WrongSettings;
use penstock_catalog::store::dynamodb::DynamoStore;
use penstock_query::{Query, Settings};
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_storage::S3Volumes;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    match Settings::read(|name| std::env::var(name).ok()) {
        Ok(settings) => serve(settings).await,
        Err(wrong) => refuse(&wrong).await,
    }
}

async fn serve(settings: Settings) -> Result<(), Error> {
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

/// Answers every invocation with what is wrong: a process that ends instead leaves whoever invokes it without a word.
async fn refuse(wrong: &WrongSettings) -> Result<(), Error> {
    tracing::error!("{wrong}");
    let diagnostic = || Diagnostic { error_type: "WrongSettings".to_owned(), error_message: wrong.to_string() };
    run(service_fn(move |_: LambdaEvent<Value>| ready(Err::<(), _>(diagnostic())))).await
}
