//! What a commit costs as a table grows: batch after batch loaded by the real handlers, one a second by a virtual clock,
//! with maintenance each minute, and the processor's time of each step by how many commits there were before.
//!
//! No service misbehaves here, and nothing is checked but the rows at the end: this measures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::{BoxFuture, pending};
use penstock_admin::Admin;
use penstock_admin::builtin::ensure_builtin_volume;
use penstock_admin::mapping::{MappingError, MappingId, MappingSpec, Mappings};
use penstock_catalog::Catalog;
use penstock_catalog::clock::{Clock, ManualClock};
use penstock_catalog::error::CatalogError;
use penstock_catalog::store::memory::MemoryStore;
use penstock_kernel::ids::JobId;
use penstock_kernel::table::TableDefinition;
use penstock_load::loader::{Loader, LoaderSettings};
use penstock_maintain::maintainer::Maintainer;
use penstock_sql::request::{SessionContext, SqlRequest, SqlResponse};
use penstock_storage::{BuiltinStorage, MemoryVolumes, Volumes};

use crate::kafka::{Content, Record, event};
use crate::ready;
use crate::schedule::TOPIC;

const BEGAN_MS: i64 = 1_718_000_000_000;
const BATCHES_A_RUN: u64 = 60;
const RECORDS_A_BATCH: i64 = 10;

/// Means over the commits since the figures before.
#[derive(Debug, Clone, Copy)]
pub struct Growth {
    /// Commits so far.
    pub commits: u64,
    /// A batch of ten records: read, converted, written and committed.
    pub load: Duration,
    /// The maintenance that a commit causes.
    pub maintain: Duration,
    /// Finding the table's files, as a query does, once.
    pub plan: Duration,
    /// Files found.
    pub files: usize,
}

/// Loads `commits` batches, and tells of 1, 10, 100, ... and the last.
///
/// # Errors
/// What went wrong, in words; nothing should.
pub fn grow(commits: u64, mut told: impl FnMut(Growth)) -> Result<(), String> {
    let mut table = GrowingTable::new()?;
    let (mut next, mut since) = (1, 0);
    let (mut load, mut maintain) = (Duration::ZERO, Duration::ZERO);
    for number in 1..=commits {
        load += timed(|| table.load())?.0;
        if number % BATCHES_A_RUN == 0 {
            maintain += timed(|| table.maintain())?.0;
        }
        if number == next || number == commits {
            let (plan, files) = timed(|| table.files())?;
            let of = u32::try_from(number - since).unwrap_or(u32::MAX);
            told(Growth { commits: number, load: load / of, maintain: maintain / of, plan, files });
            (next, since, load, maintain) = (number * 10, number, Duration::ZERO, Duration::ZERO);
        }
    }
    Ok(())
}

fn timed<T>(step: impl FnOnce() -> Result<T, String>) -> Result<(Duration, T), String> {
    let began = Instant::now();
    let done = step()?;
    Ok((began.elapsed(), done))
}

struct GrowingTable {
    clock: Arc<Still>,
    catalog: Catalog,
    loader: Loader,
    maintainer: Maintainer,
    next_offset: i64,
    table: TableDefinition,
    job: JobId,
}

impl GrowingTable {
    fn new() -> Result<Self, String> {
        let clock = Arc::new(Still(ManualClock::at(BEGAN_MS)));
        let volumes: Arc<dyn Volumes> = Arc::new(MemoryVolumes::new());
        let store = Arc::new(MemoryStore::new());
        let catalog = Catalog::new(store, Arc::<Still>::clone(&clock)).with_volumes(Arc::clone(&volumes));
        let (table, job) = ready(define(&catalog)).ok_or(WAITS)??;
        Ok(Self {
            loader: Loader::new(catalog.clone(), Arc::clone(&volumes), LoaderSettings::default()),
            maintainer: Maintainer::new(catalog.clone(), volumes),
            next_offset: 0,
            clock,
            catalog,
            table,
            job,
        })
    }

    fn load(&mut self) -> Result<(), String> {
        self.clock.0.advance(1_000);
        let at_ms = self.clock.now_ms();
        let (from, to) = (self.next_offset, self.next_offset + RECORDS_A_BATCH);
        let record =
            |offset| Record { life: 0, source_partition: 0, offset, timestamp_ms: at_ms, content: Content::Row };
        let records: Vec<Record> = (from..to).map(record).collect();
        self.next_offset = to;
        let reply = ready(self.loader.load(self.job, &event(TOPIC, &records))).ok_or(WAITS)?;
        match reply {
            Ok(reply) if reply.commits == 1 => Ok(()),
            Ok(reply) => Err(format!("a batch was not committed: {reply:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn maintain(&self) -> Result<(), String> {
        match ready(self.maintainer.run(i64::MAX)).ok_or(WAITS)? {
            Ok(report) if report.failures == 0 => Ok(()),
            Ok(report) => Err(format!("maintenance failed: {report:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn files(&self) -> Result<usize, String> {
        let committed = ready(self.catalog.committed(&self.table)).ok_or(WAITS)?.map_err(|error| error.to_string())?;
        Ok(committed.files.len())
    }
}

const WAITS: &str = "a service in memory has somebody wait";

/// A database, a table and a job that reads [`TOPIC`].
async fn define(catalog: &Catalog) -> Result<(TableDefinition, JobId), String> {
    let storage = BuiltinStorage { endpoint: None, region: "us-east-1".to_owned(), keys: None, aliases: Vec::new() };
    ensure_builtin_volume(catalog, "bucket/path", &storage).await.map_err(|error| error.to_string())?;
    let admin = Admin::new(catalog.clone(), Arc::new(NoMappings));
    let job = format!(
        r#"CREATE ROUTINE LOAD d.j ON t PROPERTIES ("format" = "json", "jsonpaths" = "[\"$.place\",\"$.a\"]")
           FROM KAFKA ("kafka_broker_list" = "b:9092", "kafka_topic" = "{TOPIC}", "property.kafka_default_offsets" = "OFFSET_BEGINNING")"#
    );
    for sql in ["CREATE DATABASE d", "CREATE TABLE d.t (place BIGINT NOT NULL, a VARCHAR(40))", &job] {
        let request = SqlRequest { sql: sql.to_owned(), session: SessionContext::default() };
        let answer = admin.run(request).await;
        if !matches!(answer, SqlResponse::Done { .. }) {
            return Err(format!("{sql}: {answer:?}"));
        }
    }
    let found = async {
        let Some(database) = catalog.databases().await?.into_iter().next() else { return Ok(None) };
        let table = catalog.table(database.id, "t").await?;
        let job = catalog.jobs(database.id).await?.into_iter().next();
        Ok::<_, CatalogError>(table.zip(job))
    };
    let (table, job) = found.await.map_err(|error| error.to_string())?.ok_or("what was created is not there")?;
    Ok((table, job.id))
}

/// Time passes between batches only, so no wait ends before what is waited for.
struct Still(ManualClock);

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn unique(&self) -> String {
        self.0.unique()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(pending())
    }
}

/// The batches come from here.
struct NoMappings;

#[async_trait]
impl Mappings for NoMappings {
    fn check(&self, _: &MappingSpec) -> Result<(), MappingError> {
        Ok(())
    }

    async fn create(&self, _: &MappingSpec) -> Result<MappingId, MappingError> {
        Ok(MappingId("none".to_owned()))
    }

    async fn set_enabled(&self, _: &MappingId, _: bool) -> Result<(), MappingError> {
        Ok(())
    }

    async fn update(&self, _: &MappingId, _: &MappingSpec) -> Result<(), MappingError> {
        Ok(())
    }

    async fn delete(&self, _: &MappingId, _: JobId) -> Result<(), MappingError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_beyond_what_maintenance_leaves_alone_make_no_more_files() {
        let mut files = Vec::new();
        grow(1000, |growth| files.push((growth.commits, growth.files))).unwrap();
        let [(1, 1), (10, 10), (100, hundred), (1000, thousand)] = files[..] else { panic!("{files:?}") };
        assert!(hundred < 100 && thousand < 100, "{files:?}");
    }
}
