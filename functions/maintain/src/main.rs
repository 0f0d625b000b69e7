//! Bootstrap: settings, clients, the runtime's loop.

use std::future::ready;
use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use penstock_catalog::Catalog;
use penstock_catalog::clock::{Clock, SystemClock};
use penstock_catalog::settings::WrongSettings;
use penstock_catalog::store::dynamodb::DynamoStore;
use penstock_maintain::config::Config;
use penstock_maintain::maintainer::Maintainer;
use penstock_maintain::{Answer, Invocation};
use penstock_storage::S3Volumes;
use serde_json::Value;

/// Time before the function's limit in which no merge is begun: one takes a minute at most.
const RESERVE_MS: i64 = 180_000;

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
    let catalog = Catalog::new(Arc::new(store), Arc::new(SystemClock));
    let maintainer = Maintainer::new(catalog, Arc::new(S3Volumes::new(config.deployment.storage)));
    let maintainer = &maintainer;
    run(service_fn(move |event| invoked(maintainer, event))).await
}

async fn invoked(maintainer: &Maintainer, event: LambdaEvent<Value>) -> Result<Answer, Error> {
    match Invocation::read(event.payload)? {
        Invocation::Check(request) => Ok(Answer::Check(maintainer.check(&request).await)),
        Invocation::Run => {
            let limit_ms = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
            Ok(Answer::Run(maintainer.run(begins_until(limit_ms, SystemClock.now_ms())).await?))
        }
    }
}

/// Until when work is begun, of a function that is stopped at `limit_ms`.
///
/// `cargo lambda watch` names a moment of 1970, since it never stops one: there the work of a minute is begun.
fn begins_until(limit_ms: i64, now_ms: i64) -> i64 {
    if limit_ms <= now_ms { now_ms.saturating_add(60_000) } else { limit_ms.saturating_sub(RESERVE_MS) }
}

/// Answers every invocation with what is wrong: a process that ends instead leaves whoever invokes it without a word.
async fn refuse(wrong: &WrongSettings) -> Result<(), Error> {
    tracing::error!("{wrong}");
    let diagnostic = || Diagnostic { error_type: "WrongSettings".to_owned(), error_message: wrong.to_string() };
    run(service_fn(move |_: LambdaEvent<Value>| ready(Err::<(), _>(diagnostic())))).await
}

#[cfg(test)]
mod tests {
    use super::begins_until;

    #[test]
    fn nothing_is_begun_shortly_before_the_limit() {
        assert_eq!(begins_until(2_000_900_000, 2_000_000_000), 2_000_720_000);
    }

    #[test]
    fn limit_that_is_over_is_none() {
        assert_eq!(begins_until(600_000, 2_000_000_000), 2_000_060_000);
    }
}
