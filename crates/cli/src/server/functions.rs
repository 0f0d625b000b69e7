//! The functions: their handlers in this process, or built binaries behind the Runtime API.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use penstock_admin::Admin;
use penstock_admin::builtin::ensure_builtin_volume;
use penstock_admin::check::Checks;
use penstock_admin::replay::Replays;
use penstock_catalog::Catalog;
use penstock_catalog::clock::{Clock as _, SystemClock};
use penstock_catalog::settings::SettingsReader;
use penstock_gateway::functions::{Functions as SqlFunctions, QueryRows};
use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::JobId;
use penstock_load::loader::{Loader, LoaderSettings};
use penstock_local::data_dir::DataDir;
use penstock_local::esm::backoff::Backoff;
use penstock_local::esm::event::EventSource;
use penstock_local::esm::{Esm, EsmSettings};
use penstock_local::invoke::{Invoke, InvokeError};
use penstock_local::lambda::{FunctionSettings, LambdaServer, binaries};
use penstock_local::sampler::KafkaSampler;
use penstock_local::timer::{Scheduled, Timer};
use penstock_maintain::maintainer::Maintainer;
use penstock_query::{Query, QuerySettings};
use penstock_sql::check::{CheckAnswer, CheckRequest};
use penstock_sql::error::SqlError;
use penstock_sql::replay::{ReplayAnswer, ReplayRequest};
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_storage::{S3Volumes, Volumes};

use super::embedded::EmbeddedVolumes;
use super::services::Services;
use super::settings::{ServerSettings, StartError};

/// What answers statements, and what has to end with the server.
pub(super) struct Functions {
    sql: Arc<dyn SqlFunctions>,
    maintenance: Timer,
    lambda: Option<LambdaServer>,
}

/// What functions stand on.
pub(super) struct Ground<'a> {
    pub(super) settings: &'a ServerSettings,
    pub(super) services: &'a Services,
    pub(super) catalog: &'a Catalog,
    pub(super) data: &'a DataDir,
}

/// Starts the functions and the mappings that invoke them.
pub(super) async fn start(
    ground: &Ground<'_>,
    told: &impl Fn(&str, &str, &str),
) -> Result<(Arc<Esm>, Functions), StartError> {
    let storage = ground.services.storage(ground.settings);
    let volumes = Arc::new(S3Volumes::new(storage.clone()));
    let volume = ensure_builtin_volume(ground.catalog, &ground.settings.bucket, &storage)
        .await
        .map_err(|source| StartError::Catalog { source })?;
    if !ground.services.brings_bucket() {
        let bucket = ground.settings.bucket.clone();
        volumes.ensure_bucket(&volume).await.map_err(|source| StartError::Bucket { bucket, source })?;
    }
    match &ground.settings.functions {
        None => in_process(ground, volumes, told).await,
        Some(directory) => built(ground, directory, told).await,
    }
}

async fn in_process(
    ground: &Ground<'_>,
    volumes: Arc<S3Volumes>,
    told: &impl Fn(&str, &str, &str),
) -> Result<(Arc<Esm>, Functions), StartError> {
    let catalog = ground.catalog;
    let loader = Arc::new(Loader::new(catalog.clone(), volumes.clone(), LoaderSettings::default()));
    let esm = start_mappings(ground, Arc::new(InProcessLoad { loader: Arc::clone(&loader) })).await?;
    let maintainer = Arc::new(Maintainer::new(catalog.clone(), Arc::clone(&volumes) as _));
    let aliases = ground.settings.aliases(ground.services.embedded_broker());
    let admin = Admin::new(catalog.clone(), esm.clone())
        .with_sampler(Arc::new(KafkaSampler::new(aliases)))
        .with_replays(Arc::new(InProcessLoad { loader }))
        .with_checks(Arc::new(InProcessMaintain { maintainer: Arc::clone(&maintainer) }));
    restore_mappings(&admin).await?;
    let mut reader = SettingsReader::new(query_setting);
    let limits = QuerySettings::read(&mut reader);
    let limits = reader.finish(limits).map_err(functions_error)?;
    let read: Arc<dyn Volumes> = match ground.services.brings_bucket() {
        true => Arc::new(EmbeddedVolumes { objects: ground.data.objects(), s3: volumes }),
        false => volumes,
    };
    let query = Query::new(catalog.clone(), read, limits).map_err(functions_error)?;
    let maintenance = Timer::start(MAINTENANCE, Arc::new(InProcessMaintain { maintainer }));
    told("load, admin, query, maintain", "in this process", "");
    Ok((esm, Functions { sql: Arc::new(InProcess { admin, query }), maintenance, lambda: None }))
}

/// The environment's settings of queries; without one for memory, a quarter of this machine's where that is known,
/// and never less than functions have by default.
fn query_setting(name: &str) -> Option<String> {
    let given = std::env::var(name).ok().filter(|value| !value.is_empty());
    given.or_else(|| {
        if name == QUERY_MEMORY { memory_mb().map(|megabytes| (megabytes / 4).max(512).to_string()) } else { None }
    })
}

/// Where queries read how much memory they may hold.
const QUERY_MEMORY: &str = "PENSTOCK_QUERY_MEMORY_MB";

/// This machine's memory, on Linux.
fn memory_mb() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kilobytes = told.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.split_whitespace().next()?;
    Some(kilobytes.parse::<u64>().ok()? / 1024)
}

async fn built(
    ground: &Ground<'_>,
    directory: &Path,
    told: &impl Fn(&str, &str, &str),
) -> Result<(Arc<Esm>, Functions), StartError> {
    let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    let lambda = LambdaServer::start(address, &ground.settings.region).await.map_err(StartError::Service)?;
    let environment = environment(ground, &lambda);
    for function in BUILT {
        lambda.run(FunctionSettings {
            name: function.name.to_owned(),
            binary: binaries::find(directory, function.name).map_err(functions_error)?,
            environment: environment.clone(),
            memory_mb: function.memory_mb,
            timeout: function.timeout,
            processes: function.processes,
        });
    }
    let esm = start_mappings(ground, Arc::new(lambda.invoker(LOAD))).await?;
    restore_mappings(&Admin::new(ground.catalog.clone(), esm.clone())).await?;
    lambda.attach_mappings(esm.clone(), LOAD).await;
    told("load, admin, query, maintain", &lambda.endpoint(), &format!("built, in {}", directory.display()));
    let sql = Arc::new(lambda.functions(ADMIN, QUERY));
    let maintenance = Timer::start(MAINTENANCE, Arc::new(lambda.schedule(MAINTAIN)));
    Ok((esm, Functions { sql, maintenance, lambda: Some(lambda) }))
}

const LOAD: &str = "load";
const ADMIN: &str = "admin";
const QUERY: &str = "query";
const MAINTAIN: &str = "maintain";

/// Time between two runs of maintenance, as the template's schedule has it.
const MAINTENANCE: Duration = Duration::from_secs(60);

/// Time that a run has in this process, milliseconds: what is left is for the next.
const RUN_MS: i64 = 300_000;

/// A built function as the template deploys it.
struct Built {
    name: &'static str,
    memory_mb: u32,
    timeout: Duration,
    /// Lambda makes as many as it needs; here jobs wait for one another beyond this.
    processes: usize,
}

const BUILT: [Built; 4] = [
    Built { name: LOAD, memory_mb: 2048, timeout: Duration::from_secs(120), processes: 4 },
    Built { name: ADMIN, memory_mb: 512, timeout: Duration::from_secs(60), processes: 2 },
    Built { name: QUERY, memory_mb: 3008, timeout: Duration::from_secs(300), processes: 2 },
    Built { name: MAINTAIN, memory_mb: 1769, timeout: Duration::from_secs(900), processes: 2 },
];

/// The settings of built functions, as the template gives them, and where this machine's services are.
fn environment(ground: &Ground<'_>, lambda: &LambdaServer) -> BTreeMap<String, String> {
    let settings = ground.settings;
    let storage = ground.services.storage(settings);
    let mut environment = BTreeMap::from([
        ("PENSTOCK_TABLE", settings.table.clone()),
        ("PENSTOCK_BUCKET", settings.bucket.clone()),
        ("PENSTOCK_LOAD_FUNCTION", LOAD.to_owned()),
        ("PENSTOCK_MAINTAIN_FUNCTION", MAINTAIN.to_owned()),
        ("PENSTOCK_LAMBDA_ENDPOINT", lambda.endpoint()),
        ("AWS_REGION", settings.region.clone()),
    ]);
    if let Some(endpoint) = storage.endpoint {
        environment.insert("PENSTOCK_S3_ENDPOINT", endpoint);
    }
    if !storage.aliases.is_empty() {
        environment.insert("PENSTOCK_S3_ALIASES", storage.aliases.join(","));
    }
    if let Some(endpoint) = ground.services.dynamodb_endpoint(settings) {
        environment.insert("PENSTOCK_DYNAMODB_ENDPOINT", endpoint);
    }
    // Without keys of our own the functions find those of the environment as any AWS client does.
    if let Some(keys) = storage.keys {
        environment.insert("AWS_ACCESS_KEY_ID", keys.access_key);
        environment.insert("AWS_SECRET_ACCESS_KEY", keys.secret_key);
        environment.extend(keys.session_token.map(|token| ("AWS_SESSION_TOKEN", token)));
    }
    environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

async fn start_mappings(ground: &Ground<'_>, load: Arc<dyn Invoke>) -> Result<Arc<Esm>, StartError> {
    let settings = EsmSettings {
        broker_aliases: ground.settings.aliases(ground.services.embedded_broker()),
        event_source: EventSource::SelfManaged,
        directory: ground.data.mappings(),
        backoff: Backoff::default(),
    };
    let esm = Esm::start(settings, ground.catalog.clone(), load).await.map_err(StartError::Service)?;
    Ok(Arc::new(esm))
}

/// Jobs of an outside catalog may have been made by another process, whose mappings this one does not have.
async fn restore_mappings(admin: &Admin) -> Result<(), StartError> {
    admin.restore_mappings().await.map_err(functions_error)
}

fn functions_error(source: impl std::error::Error + Send + Sync + 'static) -> StartError {
    StartError::Functions { source: Box::new(source) }
}

impl Functions {
    /// What the gateway sends statements to.
    pub(super) fn sql(&self) -> Arc<dyn SqlFunctions> {
        Arc::clone(&self.sql)
    }

    /// Ends built binaries.
    pub(super) async fn shutdown(self, grace: Duration) {
        // Whatever it is at, the next run goes on with it.
        drop(self.maintenance);
        if let Some(lambda) = self.lambda {
            lambda.shutdown(grace).await;
        }
    }
}

struct InProcessLoad {
    loader: Arc<Loader>,
}

#[async_trait]
impl Invoke for InProcessLoad {
    async fn invoke(&self, job: JobId, event: Bytes) -> Result<(), InvokeError> {
        let loader = Arc::clone(&self.loader);
        // A task of its own, as an invocation is: a panic in it fails this batch and nothing else.
        match tokio::spawn(async move { loader.load(job, &event).await }).await {
            Ok(Ok(_)) => Ok(()),
            Err(error) => Err(InvokeError::Unanswered { message: error.to_string() }),
            Ok(Err(error)) => {
                Err(InvokeError::Function { error_type: error.name().to_owned(), message: error.to_string() })
            }
        }
    }
}

#[async_trait]
impl Replays for InProcessLoad {
    async fn replay(&self, job: JobId, request: &ReplayRequest) -> ReplayAnswer {
        let (loader, request) = (Arc::clone(&self.loader), request.clone());
        let replayed = tokio::spawn(async move { loader.replay_answer(job, &request).await });
        replayed.await.unwrap_or_else(|error| ReplayAnswer::Unavailable { message: error.to_string() })
    }
}

struct InProcessMaintain {
    maintainer: Arc<Maintainer>,
}

#[async_trait]
impl Scheduled for InProcessMaintain {
    async fn run(&self) {
        let until_ms = SystemClock.now_ms().saturating_add(RUN_MS);
        if let Err(error) = self.maintainer.run(until_ms).await {
            tracing::error!("tables were not maintained: {}", one_line(&error));
        }
    }
}

#[async_trait]
impl Checks for InProcessMaintain {
    async fn check(&self, request: &CheckRequest) -> CheckAnswer {
        let (maintainer, request) = (Arc::clone(&self.maintainer), request.clone());
        let checked = tokio::spawn(async move { maintainer.check(&request).await });
        checked.await.unwrap_or_else(|error| CheckAnswer::Unavailable { message: error.to_string() })
    }
}

struct InProcess {
    admin: Admin,
    query: Query,
}

#[async_trait]
impl SqlFunctions for InProcess {
    async fn admin(&self, request: SqlRequest) -> Result<SqlResponse, SqlError> {
        Ok(self.admin.run(request).await)
    }

    async fn query(&self, request: SqlRequest) -> Result<QueryRows, SqlError> {
        let rows = self.query.run(request).await?;
        Ok(QueryRows { columns: rows.columns, chunks: rows.chunks })
    }
}
