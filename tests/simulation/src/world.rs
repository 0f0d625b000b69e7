//! One play's world: the services, the processes that run the handlers, and what is under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use penstock_admin::Admin;
use penstock_admin::builtin::ensure_builtin_volume;
use penstock_catalog::Catalog;
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::{Job, SourceReport};
use penstock_kernel::ids::JobId;
use penstock_kernel::job::{KafkaSource, StartOffset};
use penstock_kernel::table::TableDefinition;
use penstock_load::error::LoadError;
use penstock_load::loader::{LoadReply, Loader, LoaderSettings};
use penstock_sql::request::{SessionContext, SqlRequest, SqlResponse};
use penstock_storage::{BuiltinStorage, Volumes};

use crate::bucket::{Bucket, BucketClient};
use crate::bug::Bug;
use crate::check::{Checker, VOLUME_PATH};
use crate::clock::SkewedClock;
use crate::database::{Database, DatabaseClient};
use crate::dice::Dice;
use crate::files;
use crate::kafka::{Content, Topic, event};
use crate::mapping::{Delivery, Pollers, PollersClient};
use crate::model::Committed;
use crate::net::Net;
use crate::ready;
use crate::schedule::{Said, Settings, TOPIC};
use crate::tasks::Tasks;

/// What a task came to.
pub(crate) enum Done {
    /// A batch.
    Loaded(Result<LoadReply, LoadError>),
    /// A statement.
    Said(SqlResponse),
    /// A table as a reader saw it: each file with the places of its rows, ascending.
    Read(Result<Vec<(String, Vec<i64>)>, String>),
    /// A source report.
    Reported(Result<(), CatalogError>),
}

/// What a task is about.
pub(crate) enum Work {
    /// A batch, in `deliveries`.
    Load,
    /// A statement, with the live jobs that it may be about as they were.
    Say(Said, Vec<Job>),
    /// A reader of this table, and which of its commits counted when it began.
    Read(TableDefinition, Vec<bool>),
    /// A source report.
    Report,
}

/// Everything.
pub(crate) struct World {
    pub(crate) net: Arc<Net>,
    pub(crate) dice: Dice,
    pub(crate) settings: Settings,
    pub(crate) topic: Topic,
    pub(crate) pollers: Arc<Pollers>,
    pub(crate) checker: Checker,
    pub(crate) tasks: Tasks<Done>,
    pub(crate) works: BTreeMap<u32, Work>,
    pub(crate) deliveries: BTreeMap<u32, Delivery>,
    /// The catalog without a network before it.
    pub(crate) catalog: Catalog,
    bucket: Arc<Bucket>,
    database: Arc<Database>,
    bug: Option<Bug>,
    processes: Vec<Arc<Loader>>,
    admin: Admin,
}

impl World {
    /// A database with two empty tables.
    pub(crate) fn new(net: Arc<Net>, dice: Dice, settings: Settings, bug: Option<Bug>) -> Self {
        let database = Arc::new(Database::default());
        let bucket = Arc::new(Bucket::default());
        let pollers = Arc::new(Pollers::default());
        let direct = Catalog::new(database.items.clone(), Arc::new(SkewedClock::new(Arc::clone(&net), 0)));
        let clock = Arc::new(SkewedClock::new(Arc::clone(&net), settings.admin_skew_ms));
        let through = Catalog::new(client(&net, &database, bug), clock);
        let mappings = || Arc::new(PollersClient::new(Arc::clone(&net), Arc::clone(&pollers)));
        let storage =
            BuiltinStorage { endpoint: None, region: "us-east-1".to_owned(), keys: None, aliases: Vec::new() };
        let location = format!("bucket/{VOLUME_PATH}");
        let settled = async {
            let volume = ensure_builtin_volume(&direct, &location, &storage).await;
            let admin = Admin::new(direct.clone(), mappings());
            let mut answers = Vec::new();
            for sql in ["CREATE DATABASE d".to_owned(), Said::CreateTable(0).sql(), Said::CreateTable(1).sql()] {
                answers.push(admin.run(request(sql)).await);
            }
            (volume, answers)
        };
        let done = |answers: &[SqlResponse]| answers.iter().all(|answer| matches!(answer, SqlResponse::Done { .. }));
        let built = ready(settled);
        assert!(matches!(&built, Some((Ok(_), answers)) if done(answers)), "the world is empty: {built:?}");
        let mut world = Self {
            topic: Topic::new(settings.source_partitions),
            checker: Checker::new(direct.clone(), Arc::clone(&database), Arc::clone(&bucket)),
            tasks: Tasks::new(Arc::clone(&net)),
            works: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            catalog: direct,
            processes: Vec::new(),
            admin: Admin::new(through, mappings()),
            net,
            dice,
            settings,
            pollers,
            bucket,
            database,
            bug,
        };
        world.processes = (0..world.settings.skews_ms.len()).map(|number| world.process(number)).collect();
        world
    }

    fn process(&self, number: usize) -> Arc<Loader> {
        let skew_ms = self.settings.skews_ms.get(number).copied().unwrap_or(0);
        let clock = Arc::new(SkewedClock::new(Arc::clone(&self.net), skew_ms));
        let catalog = Catalog::new(client(&self.net, &self.database, self.bug), clock);
        Arc::new(Loader::new(catalog, Arc::new(self.objects()), LoaderSettings::default()))
    }

    fn objects(&self) -> BucketClient {
        BucketClient::new(Arc::clone(&self.net), Arc::clone(&self.bucket), self.bug)
    }

    /// The catalog and the objects as they are, for whoever wants to look at them after the play.
    pub(crate) fn remains(&self) -> (Catalog, Arc<dyn Volumes>) {
        (self.catalog.clone(), Arc::new(crate::bucket::Remaining(Arc::clone(&self.bucket))))
    }

    /// A process begins anew.
    pub(crate) fn restart(&mut self, number: u64) {
        let Some(place) = number.checked_rem(self.processes.len() as u64) else { return };
        let Ok(place) = usize::try_from(place) else { return };
        let fresh = self.process(place);
        if let Some(process) = self.processes.get_mut(place) {
            *process = fresh;
        }
    }

    /// Produces `count` records, good and bad as the dice for `step` say.
    pub(crate) fn produce(&mut self, step: u32, source_partition: u64, count: u64) {
        let mut dice = self.dice.of(&[u64::from(step), 0x920d]);
        for _ in 0..count {
            // A topic made anew holds newer records; clocks of producers differ less than its making takes.
            let age_ms = i64::try_from(dice.below(1_500)).unwrap_or(0);
            let timestamp_ms = self.net.now_ms() - age_ms + i64::from(self.topic.life()) * 60_000;
            let bad = self.settings.bad_records > 0 && dice.below(self.settings.bad_records) == 0;
            let content = if bad {
                dice.pick(&[Content::RowAndRejected, Content::Rejected, Content::Broken, Content::Tombstone])
            } else {
                dice.pick(&[Content::Row, Content::Row, Content::Row, Content::TwoRows])
            };
            self.topic.produce(source_partition, timestamp_ms, content.copied().unwrap_or(Content::Row));
        }
    }

    /// The job of a mapping, by number.
    pub(crate) fn mapped(&self, number: u64) -> Option<JobId> {
        let jobs = self.pollers.jobs();
        let place = number.checked_rem(jobs.len() as u64)?; // usize has at most 64 bits
        jobs.get(usize::try_from(place).ok()?).copied()
    }

    /// The next batch of a mapping.
    pub(crate) fn cut(&self, job: JobId, step: u32) -> Option<Delivery> {
        let mut dice = self.dice.of(&[u64::from(step), 0xc07]);
        let needed = match self.settings.reports {
            true => {
                let snapshot = self.checker.snapshot(job).ok()?;
                Some(snapshot.progress.iter().map(|(number, progress)| (*number, progress.value.next_offset)).collect())
            }
            false => None,
        };
        self.pollers.cut(job, step, &self.topic, needed.as_ref(), self.net.is_calm(), &mut dice)
    }

    /// A batch that strays.
    pub(crate) fn stray(&self, job: JobId, step: u32, back: u64) -> Option<Delivery> {
        let mut dice = self.dice.of(&[u64::from(step), 0xc08]);
        self.pollers.stray(job, &self.topic, i64::try_from(back).unwrap_or(0), &mut dice)
    }

    /// Invokes the function with a batch.
    pub(crate) fn load(&mut self, step: u32, process: u64, delivery: Delivery) {
        let place = process.checked_rem(self.processes.len() as u64).and_then(|place| usize::try_from(place).ok());
        let Some(loader) = place.and_then(|place| self.processes.get(place)).cloned() else { return };
        let event = event(TOPIC, &delivery.records);
        let job = delivery.job;
        self.deliveries.insert(step, delivery);
        self.works.insert(step, Work::Load);
        self.tasks.begin(step, async move { Done::Loaded(loader.load(job, &event).await) });
    }

    /// Runs a statement.
    pub(crate) fn say(&mut self, step: u32, said: Said) {
        let admin = self.admin.clone();
        let request = request(said.sql());
        let about = self.about(&said);
        if let Said::Truncate(number) = said
            && let Some(table) = self.table(number)
        {
            self.checker.truncates.insert(step, (table.id, self.checker.model.table(table.id).len()));
        }
        self.works.insert(step, Work::Say(said, about));
        self.tasks.begin(step, async move { Done::Said(admin.run(request).await) });
    }

    /// The live jobs that a statement is about.
    fn about(&self, said: &Said) -> Vec<Job> {
        let jobs = self.live_jobs();
        match said {
            Said::Pause(job) | Said::Alter(job, _) | Said::Seek(job, ..) | Said::Tolerate(job) | Said::Stop(job) => {
                jobs.into_iter().filter(|known| known.name == format!("j{job}")).collect()
            }
            Said::DropTable(number) => {
                let table = self.table(*number);
                jobs.into_iter().filter(|job| table.as_ref().is_some_and(|table| table.id == job.table)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Jobs that have not ended, as they are stored.
    pub(crate) fn live_jobs(&self) -> Vec<Job> {
        let jobs = ready(async {
            let database = self.catalog.database("d").await.ok()??;
            self.catalog.jobs(database.id).await.ok()
        });
        jobs.flatten().unwrap_or_default().into_iter().filter(|job| !job.state.is_final()).collect()
    }

    /// A table as it is stored.
    pub(crate) fn table(&self, number: u64) -> Option<TableDefinition> {
        let found = ready(async {
            let database = self.catalog.database("d").await.ok()??;
            self.catalog.table(database.id, &format!("t{number}")).await.ok()?
        });
        found.flatten()
    }

    /// The source of a job as its current version says.
    pub(crate) fn source(&self, job: JobId) -> Option<KafkaSource> {
        let snapshot = self.checker.snapshot(job).ok()?;
        ready(self.catalog.job_definition(job, snapshot.job.version))?.ok()?.map(|definition| definition.source)
    }

    /// Reads a table, file by file.
    pub(crate) fn read(&mut self, step: u32, number: u64) {
        let Some(table) = self.table(number) else { return };
        let catalog = Catalog::new(
            client(&self.net, &self.database, self.bug),
            Arc::new(SkewedClock::new(Arc::clone(&self.net), 0)),
        );
        let objects = self.objects();
        let had = self.checker.model.table(table.id).iter().map(Committed::counts).collect();
        self.works.insert(step, Work::Read(table.clone(), had));
        self.tasks.begin(step, async move {
            let files = match catalog.data_files(&table).await {
                Ok(files) => files,
                Err(error) => return Done::Read(Err(error.to_string())),
            };
            let mut seen = Vec::new();
            for file in files {
                match read(&objects, &file.key).await {
                    Ok(mut places) => {
                        places.sort_unstable();
                        seen.push((file.key, places));
                    }
                    Err(error) => return Done::Read(Err(error)),
                }
            }
            Done::Read(Ok(seen))
        });
    }

    /// Reports what the source holds, and where the job starts what it has not begun.
    pub(crate) fn report(&mut self, step: u32, job: JobId) {
        let (Some(source), Ok(snapshot)) = (self.source(job), self.checker.snapshot(job)) else { return };
        let known = !snapshot.report.latest.is_empty() || !snapshot.progress.is_empty();
        let mut report = SourceReport { latest: BTreeMap::new(), at_ms: self.net.now_ms() };
        let mut starts = BTreeMap::new();
        for (number, log) in self.topic.logs() {
            let Some(start) = source.start_of(number) else { continue };
            report.latest.insert(number, log.end_offset());
            let late = known && source.default_start.is_none() && source.pinned.is_none();
            let offset = match start {
                StartOffset::At(offset) => offset,
                StartOffset::Beginning => log.start_offset(),
                StartOffset::End if late => log.start_offset(),
                StartOffset::End => log.since(snapshot.job.created_at_ms),
            };
            if !snapshot.progress.contains_key(&number) {
                starts.insert(number, offset);
            }
        }
        let catalog = Catalog::new(
            client(&self.net, &self.database, self.bug),
            Arc::new(SkewedClock::new(Arc::clone(&self.net), 0)),
        );
        self.works.insert(step, Work::Report);
        self.tasks.begin(step, async move { Done::Reported(catalog.report_source(job, &report, &starts).await) });
    }
}

fn client(net: &Arc<Net>, database: &Arc<Database>, bug: Option<Bug>) -> Arc<DatabaseClient> {
    Arc::new(DatabaseClient::new(Arc::clone(net), Arc::clone(database), bug))
}

fn request(sql: String) -> SqlRequest {
    SqlRequest { sql, session: SessionContext { database: Some("d".to_owned()), ..SessionContext::default() } }
}

async fn read(objects: &BucketClient, key: &str) -> Result<Vec<i64>, String> {
    let path = Path::parse(format!("{VOLUME_PATH}/{key}")).map_err(|error| error.to_string())?;
    let found = objects.get(&path).await;
    let missing = matches!(found, Err(object_store::Error::NotFound { .. }));
    let bytes = match found {
        Ok(found) => found.bytes().await.map_err(|error| error.to_string())?,
        Err(_) if missing => return Err(format!("{MISSING}: {key}")),
        Err(error) => return Err(error.to_string()),
    };
    Ok(files::rows(&bytes)?.into_iter().map(|(place, _)| place).collect())
}

/// How the error of a reader begins that missed a file.
pub(crate) const MISSING: &str = "missing";
