//! One play's world: the services, the processes that run the handlers, and what is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use penstock_admin::Admin;
use penstock_admin::builtin::ensure_builtin_volume;
use penstock_admin::replay::Replays;
use penstock_catalog::Catalog;
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::{Job, SourceReport};
use penstock_catalog::rejected::standing;
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::job::{KafkaSource, StartOffset};
use penstock_kernel::table::TableDefinition;
use penstock_load::error::LoadError;
use penstock_load::loader::{LoadReply, Loader, LoaderSettings};
use penstock_maintain::maintainer::Maintainer;
use penstock_sql::check::{CheckAnswer, CheckRequest};
use penstock_sql::replay::{ReplayAnswer, ReplayRequest};
use penstock_sql::request::{SessionContext, SqlRequest, SqlResponse};
use penstock_storage::{BuiltinStorage, Volumes};

use crate::bucket::{Bucket, BucketClient, Remaining};
use crate::bug::{self, Bug};
use crate::check::{Checker, VOLUME_PATH};
use crate::clock::SkewedClock;
use crate::database::{Database, DatabaseClient};
use crate::dice::Dice;
use crate::files::{self, Row};
use crate::kafka::{Content, Topic, event};
use crate::mapping::{Delivery, Pollers, PollersClient};
use crate::model::Committed;
use crate::net::{Event, Net};
use crate::ready;
use crate::schedule::{Said, Settings, TOPIC};
use crate::tasks::Tasks;

/// What a task came to.
pub(crate) enum Done {
    /// A batch.
    Loaded(Result<LoadReply, LoadError>),
    /// A statement.
    Said(SqlResponse),
    /// A table as a query saw it.
    Read(Result<Seen, String>),
    /// A source report.
    Reported(Result<(), CatalogError>),
    /// A run of the scheduled function.
    Maintained(String),
}

/// What a query saw of a table.
pub(crate) struct Seen {
    /// Each file with its rows.
    pub(crate) files: Vec<(String, Vec<Row>)>,
    /// Commits whose rejected rows count.
    pub(crate) rejected: BTreeSet<String>,
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
    /// A run of the scheduled function.
    Maintain,
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
    maintainers: Vec<Arc<Maintainer>>,
    admin: Admin,
}

impl World {
    /// A database with two empty tables.
    pub(crate) fn new(net: Arc<Net>, dice: Dice, settings: Settings, bug: Option<Bug>) -> Self {
        let database = Arc::new(Database::default());
        let bucket = Arc::new(Bucket::default());
        let pollers = Arc::new(Pollers::default());
        let direct = Catalog::new(database.items.clone(), Arc::new(SkewedClock::new(Arc::clone(&net), 0)))
            .with_volumes(Arc::new(Remaining(Arc::clone(&bucket))));
        let clock = Arc::new(SkewedClock::new(Arc::clone(&net), settings.admin_skew_ms));
        let objects = Arc::new(BucketClient::new(Arc::clone(&net), Arc::clone(&bucket), bug));
        let through = Catalog::new(client(&net, &database, &bucket, bug), clock).with_volumes(objects);
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
            checker: Checker::new(direct.clone(), Arc::clone(&database), Arc::clone(&bucket), Arc::clone(&net)),
            tasks: Tasks::new(Arc::clone(&net)),
            works: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            catalog: direct,
            processes: Vec::new(),
            maintainers: Vec::new(),
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
        let replays = Arc::new(Replayer(world.process(0)));
        world.admin = world.admin.clone().with_replays(replays);
        world.maintainers = (0..2).map(|number| Arc::new(world.maintainer(number))).collect();
        world
    }

    fn maintainer(&self, number: usize) -> Maintainer {
        let skew_ms = self.settings.skews_ms.get(number).copied().unwrap_or(0);
        let skew_ms = skew_ms + bug::clock_ahead_ms(self.bug);
        let clock = Arc::new(SkewedClock::new(Arc::clone(&self.net), skew_ms));
        let catalog = Catalog::new(client(&self.net, &self.database, &self.bucket, self.bug), clock);
        Maintainer::new(catalog, Arc::new(self.objects()))
    }

    /// Runs the scheduled function; its time ends with the function's.
    pub(crate) fn maintain(&mut self, step: u32, process: u64) {
        let place = usize::try_from(process).unwrap_or(0) % self.maintainers.len().max(1);
        let Some(maintainer) = self.maintainers.get(place).cloned() else { return };
        let skew_ms = self.settings.skews_ms.get(place).copied().unwrap_or(0) + bug::clock_ahead_ms(self.bug);
        let until_ms = self.net.now_ms() + skew_ms + 720_000;
        self.works.insert(step, Work::Maintain);
        self.tasks.begin(step, async move {
            Done::Maintained(match maintainer.run(until_ms).await {
                Ok(report) => format!("{report:?}"),
                Err(error) => error.to_string(),
            })
        });
    }

    /// CHECK TABLE, without a network between.
    pub(crate) fn check_table(&self, table: TableId) -> Option<CheckAnswer> {
        let volumes = Arc::new(Remaining(Arc::clone(&self.bucket)));
        let maintainer = Maintainer::new(self.catalog.clone(), volumes);
        let request = CheckRequest { table: table.0, after: None, budget_ms: u64::MAX };
        ready(maintainer.check(&request))
    }

    /// Keys of all objects of a table, relative to the volume.
    pub(crate) fn objects_of(&self, table: TableId) -> Vec<String> {
        let keys = self.bucket.keys(&format!("{VOLUME_PATH}/table/{table}"));
        let prefix = format!("{VOLUME_PATH}/");
        keys.into_iter().map(|key| key.strip_prefix(&prefix).unwrap_or(&key).to_owned()).collect()
    }

    /// Sort keys of all items of a table.
    pub(crate) fn items_of(&self, table: TableId) -> Vec<String> {
        self.database.keys(&format!("table#{table}")).into_iter().map(|key| key.sk).collect()
    }

    fn process(&self, number: usize) -> Arc<Loader> {
        let skew_ms = self.settings.skews_ms.get(number).copied().unwrap_or(0);
        let clock = Arc::new(SkewedClock::new(Arc::clone(&self.net), skew_ms));
        let catalog = Catalog::new(client(&self.net, &self.database, &self.bucket, self.bug), clock);
        Arc::new(Loader::new(catalog, Arc::new(self.objects()), LoaderSettings::default()))
    }

    fn objects(&self) -> BucketClient {
        BucketClient::new(Arc::clone(&self.net), Arc::clone(&self.bucket), self.bug)
    }

    /// The catalog and the objects as they are, for whoever wants to look at them after the play.
    pub(crate) fn remains(&self) -> (Catalog, Arc<dyn Volumes>) {
        (self.catalog.clone(), Arc::new(Remaining(Arc::clone(&self.bucket))))
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
        if let Said::Replay(_, wanted) = &said {
            self.checker.replays.insert(step, *wanted);
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

    /// Reads a table, file by file, with pauses; ends when a query has to.
    pub(crate) fn read(&mut self, step: u32, number: u64, pause_ms: u64) {
        let Some(table) = self.table(number) else { return };
        let objects = self.objects();
        let catalog = Catalog::new(
            client(&self.net, &self.database, &self.bucket, self.bug),
            Arc::new(SkewedClock::new(Arc::clone(&self.net), 0)),
        )
        .with_volumes(Arc::new(objects.clone()));
        let had = self.checker.model.table(table.id).iter().map(Committed::counts).collect();
        let needed = Arc::new(Mutex::new(BTreeSet::new()));
        self.checker.needed.insert(step, Arc::clone(&needed));
        self.works.insert(step, Work::Read(table.clone(), had));
        self.net.schedule(QUERY_US, Event::Expire(step));
        let pause = Duration::from_millis(pause_ms);
        self.tasks.begin(step, async move {
            let committed = match catalog.committed(&table).await {
                Ok(committed) => committed,
                // A manifest that went while it was needed is no file of a commit.
                Err(CatalogError::Unreadable { key, message }) => {
                    return Done::Read(Err(format!("{MISSING}: {key}: {message}")));
                }
                Err(error) => return Done::Read(Err(error.to_string())),
            };
            let rejected = standing(committed.rejections).into_iter().map(|one| one.commit).collect();
            let full = |key: &str| format!("{VOLUME_PATH}/{key}");
            let held = || needed.lock().unwrap_or_else(PoisonError::into_inner);
            held().extend(committed.files.iter().map(|file| full(&file.key)));
            let mut seen = Seen { files: Vec::new(), rejected };
            for file in committed.files {
                if !pause.is_zero() {
                    let clock = catalog.clock();
                    clock.sleep(clock.any_while(pause)).await;
                }
                match read(&objects, &file.key).await {
                    Ok(rows) => {
                        held().remove(&full(&file.key));
                        seen.files.push((file.key, rows));
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
            client(&self.net, &self.database, &self.bucket, self.bug),
            Arc::new(SkewedClock::new(Arc::clone(&self.net), 0)),
        );
        self.works.insert(step, Work::Report);
        self.tasks.begin(step, async move { Done::Reported(catalog.report_source(job, &report, &starts).await) });
    }
}

fn client(net: &Arc<Net>, database: &Arc<Database>, bucket: &Arc<Bucket>, bug: Option<Bug>) -> Arc<DatabaseClient> {
    Arc::new(DatabaseClient::new(Arc::clone(net), Arc::clone(database), Arc::clone(bucket), bug))
}

/// The load function as REPLAY invokes it.
struct Replayer(Arc<Loader>);

#[async_trait]
impl Replays for Replayer {
    async fn replay(&self, job: JobId, request: &ReplayRequest) -> ReplayAnswer {
        self.0.replay_answer(job, request).await
    }
}

fn request(sql: String) -> SqlRequest {
    SqlRequest { sql, session: SessionContext { database: Some("d".to_owned()), ..SessionContext::default() } }
}

async fn read(objects: &BucketClient, key: &str) -> Result<Vec<Row>, String> {
    let path = Path::parse(format!("{VOLUME_PATH}/{key}")).map_err(|error| error.to_string())?;
    let found = objects.get(&path).await;
    let missing = matches!(found, Err(object_store::Error::NotFound { .. }));
    let bytes = match found {
        Ok(found) => found.bytes().await.map_err(|error| error.to_string())?,
        Err(_) if missing => return Err(format!("{MISSING}: {key}")),
        Err(error) => return Err(error.to_string()),
    };
    files::rows(&bytes)
}

/// Time after which a query ends, whatever became of it.
const QUERY_US: u64 = 300_000_000;

/// How the error of a reader begins that missed a file.
pub(crate) const MISSING: &str = "missing";
