//! DynamoDB as it is simulated: the store in memory behind a network, with the client's own tries.
//!
//! A Query is of one moment only if nothing comes between its pages; [`Kind::Torn`] makes something come between.
//!
//! [`Kind::Torn`]: crate::fault::Kind::Torn

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use penstock_catalog::error::CatalogError;
use penstock_catalog::store::memory::MemoryStore;
use penstock_catalog::store::{Action, Item, Key, Store, Write, WriteOutcome};

use crate::bucket::Bucket;
use crate::bug::{self, Bug};
use crate::client::{Heard, ask};
use crate::fault::{Kind, Operation};
use crate::net::Net;
use crate::ready;

/// The service: what is stored, and what changed since anyone looked.
#[derive(Default)]
pub(crate) struct Database {
    pub(crate) items: Arc<MemoryStore>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    /// Transactions that took place, by the token that the store knows: when, milliseconds since the epoch.
    tokens: BTreeMap<String, i64>,
    changes: Vec<Change>,
}

/// Items that were written at once.
pub(crate) struct Change {
    /// By whom.
    pub(crate) task: u32,
    /// Which.
    pub(crate) keys: Vec<Key>,
}

/// For how long the service knows the token of a transaction that took place.
const TOKEN_MS: i64 = 600_000;

impl Database {
    /// What was written since the last call.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.log().changes)
    }

    /// An item as it is.
    pub(crate) fn item(&self, key: &Key) -> Option<Item> {
        at_once(self.items.get(key)).ok().flatten()
    }

    /// Keys of all items of that partition key.
    pub(crate) fn keys(&self, pk: &str) -> Vec<Key> {
        let items = at_once(self.items.query(pk, "")).unwrap_or_default();
        items.into_iter().map(|(key, _)| key).collect()
    }

    /// The store in memory knows a token for ever; for one that the service has forgotten another stands.
    fn transact(&self, task: u32, token: &str, writes: Vec<Write>, now_ms: i64) -> Result<WriteOutcome, CatalogError> {
        let mut log = self.log();
        let mut token = token.to_owned();
        for round in 1.. {
            if log.tokens.get(&token).is_none_or(|at_ms| now_ms - at_ms <= TOKEN_MS) {
                break;
            }
            token = format!("{round}{}", token.get(1..).unwrap_or_default());
        }
        let written = writes.iter().filter(|write| write.action != Action::Check);
        let keys = written.map(|write| write.key.clone()).collect();
        let outcome = at_once(self.items.transact(&token, writes));
        if matches!(outcome, Ok(WriteOutcome::Done)) && !log.tokens.contains_key(&token) {
            log.tokens.insert(token, now_ms);
            log.changes.push(Change { task, keys });
        }
        outcome
    }

    fn write(&self, task: u32, write: Write) -> Result<WriteOutcome, CatalogError> {
        let keys = vec![write.key.clone()];
        let outcome = at_once(self.items.write(write));
        if matches!(outcome, Ok(WriteOutcome::Done)) {
            self.log().changes.push(Change { task, keys });
        }
        outcome
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match ready(answer) {
        Some(answer) => answer,
        None => unreachable!("the store in memory answers at once"),
    }
}

/// A client of the service: what a handler's catalog stands on.
pub(crate) struct DatabaseClient {
    net: Arc<Net>,
    database: Arc<Database>,
    bucket: Arc<Bucket>,
    bug: Option<Bug>,
}

impl DatabaseClient {
    pub(crate) fn new(net: Arc<Net>, database: Arc<Database>, bucket: Arc<Bucket>, bug: Option<Bug>) -> Self {
        Self { net, database, bucket, bug }
    }
}

fn heard<T>(operation: &'static str, heard: Heard<Result<T, CatalogError>>) -> Result<T, CatalogError> {
    match heard {
        Heard::Answer(answer) => answer,
        Heard::Nothing | Heard::Conflict => Err(CatalogError::Unavailable { operation, source: "no answer".into() }),
        Heard::Refused => {
            Err(CatalogError::Refused { operation, message: "ValidationError: simulated: too large".to_owned() })
        }
    }
}

#[async_trait]
impl Store for DatabaseClient {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        let (database, wanted) = (Arc::clone(&self.database), key.clone());
        let get = move |_| at_once(database.items.get(&wanted));
        heard("get", ask(&self.net, Operation::Get, format!("get {key}"), get).await)
    }

    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError> {
        let (database, pk, prefix) = (Arc::clone(&self.database), pk.to_owned(), prefix.to_owned());
        let what = format!("query {pk}/{prefix}");
        let call = self.net.call(Operation::Query, what.clone());
        let page = move || at_once(database.items.query(&pk, &prefix));
        let mut items = match call.fault.map(|fault| fault.kind) {
            Some(Kind::Torn(ms)) => {
                let mut items = self.net.exchange(&call, call.leg(0), page.clone()).await?;
                // usize has at most 64 bits, and no more items are kept than there are.
                items.truncate(usize::try_from(call.any(items.len() as u64)).unwrap_or(usize::MAX));
                let last = items.last().map(|(key, _)| key.clone());
                let rest = self.net.exchange(&call, ms.saturating_mul(1000), page).await?;
                items.extend(rest.into_iter().filter(|(key, _)| last.as_ref().is_none_or(|last| key > last)));
                items
            }
            _ => heard("query", call.ask(&self.net, move |_| page()).await)?,
        };
        bug::read(self.bug, &mut items);
        Ok(items)
    }

    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError> {
        let (database, task) = (Arc::clone(&self.database), self.net.current());
        let what = format!("write {}", write.key);
        let put = move |_| database.write(task, write.clone());
        heard("write", ask(&self.net, Operation::Write, what, put).await)
    }

    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        let (database, task) = (Arc::clone(&self.database), self.net.current());
        let what = match writes.first() {
            Some(first) => format!("transact {} and {} more", first.key, writes.len() - 1),
            None => "transact nothing".to_owned(),
        };
        let (bug, commit) = (self.bug, bug::is_commit(&writes));
        let writes = bug::sent(bug, writes);
        for key in bug::deleted_early(bug, &writes, &self.bucket) {
            self.bucket.lose(&key);
        }
        let token = token.to_owned();
        // Weak, since the network keeps what is on its way.
        let net = Arc::downgrade(&self.net);
        let sent = writes.clone();
        let apply = move |this_try: u32| {
            let token = match bug {
                Some(Bug::ChangesToken) if this_try > 1 => format!("{}{this_try}", token.get(1..).unwrap_or_default()),
                _ => token.clone(),
            };
            let writes = match bug {
                Some(Bug::IgnoresFence) if commit => bug::unfenced(&database.items, sent.clone()),
                _ => sent.clone(),
            };
            let now_ms = net.upgrade().map_or(0, |net| net.now_ms());
            database.transact(task, &token, writes, now_ms)
        };
        if commit && bug == Some(Bug::AcknowledgesBeforeCommit) {
            let call = self.net.call(Operation::Transact, what);
            let lost = call.fault.is_some_and(|fault| fault.moment == crate::fault::Moment::Before);
            if !lost {
                self.net.post(&call, call.leg(0), move || {
                    let _ = apply(1);
                });
            }
            return Ok(WriteOutcome::Done);
        }
        let outcome = heard("transact", ask(&self.net, Operation::Transact, what, apply).await);
        if commit && outcome.is_err() && bug == Some(Bug::AdvancesOnFailure) {
            for write in bug::progress_alone(&writes) {
                let _ = self.database.write(task, write);
            }
        }
        outcome.map(|outcome| bug::understood(bug, commit, outcome))
    }
}
