//! Reading, and changing what was read: the loops in which a writer who lost a race tries again.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::Catalog;
use crate::clock::Clock;
use crate::error::CatalogError;
use crate::job::Revised;
use crate::key;
use crate::record::{self, Record};
use crate::store::{Item, Key, Write, WriteOutcome};

/// Races lost in a row before [`CatalogError::Contended`].
const MAX_ROUNDS: u32 = 40;

/// Items read at a time.
const READS_AT_ONCE: usize = 16;

/// First id that is given out.
const FIRST_ID: u64 = 10_001;

/// The counter behind all ids.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ids {
    last: u64,
}

impl Record for Ids {}

/// What to do with a value that was read.
pub(crate) enum Change<T> {
    /// Store this in its place.
    To(T),
    /// Leave it.
    Leave,
}

/// Counts the rounds of a race, and lets the others go first for a while.
pub(crate) struct Race {
    key: Key,
    round: u32,
}

impl Race {
    /// A race about `key`, which an error names.
    pub(crate) fn about(key: &Key) -> Self {
        Self { key: key.clone(), round: 0 }
    }

    /// Waits by `clock` before the next round.
    ///
    /// # Errors
    /// [`CatalogError::Contended`] after the last one.
    pub(crate) async fn lost(&mut self, clock: &dyn Clock) -> Result<(), CatalogError> {
        self.round += 1;
        if self.round >= MAX_ROUNDS {
            return Err(CatalogError::Contended { key: self.key.to_string() });
        }
        let most = Duration::from_millis(4 << self.round.min(6));
        clock.sleep(clock.any_while(most)).await;
        Ok(())
    }
}

impl Catalog {
    pub(crate) async fn read<T: Record>(&self, key: &Key) -> Result<Option<Revised<T>>, CatalogError> {
        self.store.get(key).await?.map(|item| record::decode(key, &item)).transpose()
    }

    /// The values under these keys in the order of the keys, absent ones left out.
    pub(crate) async fn read_all<T: Record>(&self, keys: Vec<Key>) -> Result<Vec<T>, CatalogError> {
        let read: Vec<Option<Revised<T>>> = stream::iter(keys)
            .map(|key| async move { self.read(&key).await })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(read.into_iter().flatten().map(|revised| revised.value).collect())
    }

    pub(crate) async fn list<T: Record>(&self, pk: &str, prefix: &str) -> Result<Vec<T>, CatalogError> {
        let items: Vec<(Key, Item)> = self.store.query(pk, prefix).await?;
        items.iter().map(|(key, item)| Ok(record::decode(key, item)?.value)).collect()
    }

    /// Writes under a token of its own, so that a lost reply is no lost race.
    pub(crate) async fn write_once(&self, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        self.store.transact(&self.clock.unique(), writes).await
    }

    /// Changes the value under `key`, as often as others come between, and returns what is there in the end.
    pub(crate) async fn update<T: Record>(
        &self,
        key: &Key,
        mut change: impl FnMut(Option<&T>) -> Change<T> + Send,
    ) -> Result<Option<T>, CatalogError> {
        let mut race = Race::about(key);
        loop {
            let read = self.read::<T>(key).await?;
            let Change::To(value) = change(read.as_ref().map(|read| &read.value)) else {
                return Ok(read.map(|read| read.value));
            };
            let write = match read {
                Some(read) => record::next(key, &value, read.revision)?,
                None => record::first(key, &value)?,
            };
            if self.write_once(vec![write]).await? == WriteOutcome::Done {
                return Ok(Some(value));
            }
            race.lost(&*self.clock).await?;
        }
    }

    /// An id that nothing else has.
    pub(crate) async fn next_id(&self) -> Result<u64, CatalogError> {
        let key = key::ids();
        let ids = self
            .update(&key, |ids: Option<&Ids>| {
                Change::To(Ids { last: ids.map_or(FIRST_ID, |ids| ids.last.saturating_add(1)) })
            })
            .await?;
        ids.map(|ids| ids.last).ok_or(CatalogError::Contended { key: key.to_string() })
    }
}
