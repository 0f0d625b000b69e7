//! DynamoDB embedded: an emulator over one SQLite file, behind the real protocol, so that the catalog talks to it as it
//! talks to AWS.
//!
//! The file is in WAL mode, and an answered write is in the operating system's hands before the answer: what was
//! acknowledged survives the death of this process. It is not tuned to survive the death of the machine's power.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::StartError;
use crate::http;

/// What an embedded DynamoDB is to be.
#[derive(Debug, Clone)]
pub struct DynamoConfig {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The database file; created if absent, with its directory.
    pub file: PathBuf,
}

/// An embedded DynamoDB. It accepts any credentials and any region, and has one set of tables for all of them.
pub struct DynamoServer {
    /// Where it listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

const SERVICE: &str = "DynamoDB";

impl DynamoServer {
    /// Opens the file and listens. Tables are the caller's to create.
    ///
    /// # Errors
    /// [`StartError::Listen`] if the address is taken, [`StartError::Data`] if the file cannot be used.
    pub async fn start(config: DynamoConfig) -> Result<Self, StartError> {
        let bound = http::bind(SERVICE, config.listen).await?;
        let address = bound.address;
        let file = config.file.clone();
        let database = tokio::task::spawn_blocking(move || open(&file))
            .await
            .map_err(|source| StartError::data(SERVICE, &config.file, source))??;
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let stop = async move {
                // A dropped sender stops it as well.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            if let Err(error) = dynoxide::server::serve_with_shutdown(bound.into_listener(), database, stop).await {
                tracing::error!(error, "DynamoDB ended");
            }
        });
        Ok(Self { address, stop, task: Some(task) })
    }

    /// `http://host:port` for clients.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Accepts no more, and lets requests in flight end for at most `grace`.
    pub async fn shutdown(mut self, grace: Duration) {
        let _ = self.stop.send(true);
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(grace, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl Drop for DynamoServer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn open(file: &Path) -> Result<dynoxide::Database, StartError> {
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory).map_err(|source| StartError::data(SERVICE, directory, source))?;
    }
    let path = file.to_str().ok_or_else(|| StartError::data(SERVICE, file, "expected a path in UTF-8"))?;
    dynoxide::Database::new(path).map_err(|source| StartError::data(SERVICE, file, source))
}

#[cfg(test)]
mod tests {
    use penstock_catalog::store::dynamodb::{DynamoSettings, DynamoStore};
    use penstock_catalog::store::{Action, Condition, Key, Store, Value, Write, WriteOutcome};
    use penstock_storage::Keys;

    use super::*;

    async fn start(file: &Path) -> DynamoServer {
        let listen = "127.0.0.1:0".parse().unwrap();
        DynamoServer::start(DynamoConfig { listen, file: file.to_owned() }).await.unwrap()
    }

    async fn store(server: &DynamoServer) -> DynamoStore {
        let keys = Keys { access_key: "a".to_owned(), secret_key: "b".to_owned(), session_token: None };
        DynamoStore::connect(&DynamoSettings {
            table: "penstock".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: Some(server.endpoint()),
            keys: Some(keys),
        })
        .await
    }

    #[tokio::test]
    async fn items_are_kept_between_starts() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("data/dynamodb.sqlite");
        let server = start(&file).await;
        let first = store(&server).await;
        first.create_table_if_absent().await.unwrap();
        let key = Key { pk: "a".to_owned(), sk: "b".to_owned() };
        let item = std::collections::BTreeMap::from([("revision".to_owned(), Value::Number(1))]);
        let write = Write { key: key.clone(), condition: Condition::Absent, action: Action::Put(item.clone()) };
        assert_eq!(first.transact("token", vec![write]).await.unwrap(), WriteOutcome::Done);
        server.shutdown(Duration::from_secs(1)).await;

        let server = start(&file).await;
        let second = store(&server).await;
        second.create_table_if_absent().await.unwrap();
        assert_eq!(second.get(&key).await.unwrap(), Some(item));
    }

    #[tokio::test]
    async fn taken_address_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let server = start(&directory.path().join("a")).await;
        let again = DynamoConfig { listen: server.address, file: directory.path().join("b") };
        assert_eq!(DynamoServer::start(again).await.err().unwrap().busy_address(), Some(server.address));
    }
}
