//! The query function's face: a statement in, rows out.
//!
//! Work runs on threads of its own: queries compute, and would hold up whatever else a process serves; and planning and
//! evaluating are recursive, so the threads have stacks for the longest statement that is let through.

use std::sync::Arc;
use std::time::Duration;

use datafusion::error::DataFusionError;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use penstock_catalog::Catalog;
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_sql::result::{Cell, ResultColumn, ResultSet};
use penstock_storage::Volumes;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use crate::config::QuerySettings;
use crate::engine::{Answer, Engine};
use crate::failure::unexpected;
use crate::running::Failed;

/// Enough for the deepest tree that the parser lets through; only touched pages cost memory.
const STACK_BYTES: usize = 128 << 20;
/// How much longer than the time limit planning may take: the engine itself says more about what was too long.
const GRACE: Duration = Duration::from_millis(500);
/// Chunks that wait for a slow client.
const CHUNKS_AHEAD: usize = 2;

/// Runs queries. Footers of files are kept between queries, and memory is shared by all that run at once.
pub struct Query {
    engine: Arc<Engine>,
    /// `None` only while it is dropped.
    threads: Option<Runtime>,
    answer_bytes: usize,
}

/// The rows of a query, in chunks as they are made. Dropping it stops the work.
pub struct QueryRows {
    /// Columns in order.
    pub columns: Vec<ResultColumn>,
    /// Chunks of rows, each row one cell a column; ends after the first error.
    pub chunks: BoxStream<'static, Result<Vec<Vec<Cell>>, SqlError>>,
}

/// The query engine could not be set up: a setting is wrong, or the machine is out of something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// DataFusion refused its settings.
    #[error("the query engine cannot be set up")]
    Engine {
        /// What it said.
        #[source]
        source: Box<DataFusionError>,
    },
    /// No threads.
    #[error("the query engine's threads cannot be started")]
    Threads {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Query {
    /// A query engine over the tables of `catalog`, whose files it reads through `volumes`.
    ///
    /// # Errors
    /// [`SetupError`] if there is no directory for temporary files, or no thread can be started.
    pub fn new(catalog: Catalog, volumes: Arc<dyn Volumes>, settings: QuerySettings) -> Result<Self, SetupError> {
        let answer_bytes = settings.answer_bytes;
        let catalog = catalog.with_volumes(Arc::clone(&volumes));
        let threads = Builder::new_multi_thread()
            .worker_threads(settings.threads.get())
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(|source| SetupError::Threads { source })?;
        let engine = Engine::new(catalog, volumes, settings)
            .map_err(|source| SetupError::Engine { source: Box::new(source) })?;
        Ok(Self { engine: Arc::new(engine), threads: Some(threads), answer_bytes })
    }

    /// Runs one SELECT, WITH, VALUES or EXPLAIN, and answers its rows as they are made.
    ///
    /// # Errors
    /// What is wrong with the statement, or which service does not answer. Rows may still fail later, in the stream.
    pub async fn run(&self, request: SqlRequest) -> Result<QueryRows, SqlError> {
        let Some(threads) = &self.threads else {
            return Err(unexpected());
        };
        let (engine, handle) = (Arc::clone(&self.engine), threads.handle().clone());
        let planning = threads.spawn(async move {
            // Planning does not yield: on a thread of its own it holds up nobody, and can be given up.
            let deadline = Instant::now() + engine.time_limit() + GRACE;
            let started = spawn_blocking(move || handle.block_on(engine.start(request)));
            match timeout_at(deadline, started).await {
                Ok(Ok(started)) => started,
                // The engine catches panics, so a task that does not end well was stopped with its runtime.
                Ok(Err(_)) => Err(unexpected()),
                Err(_) => Err(SqlError::new(code::INTERNAL, "the statement took too long to plan")
                    .with_hint("use fewer inner queries and conditions")),
            }
        });
        let stop = Stop(planning.abort_handle());
        let answer = planning.await.map_err(|_| unexpected())??;
        drop(stop);
        match answer {
            Answer::Lines(rows) => Ok(rows),
            Answer::Running(columns, mut running) => {
                let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
                // The engine keeps the limit itself where its operators yield; one that does not is given up here.
                let (deadline, limit) = (running.deadline() + GRACE, self.engine.time_limit());
                let working = threads.spawn(async move {
                    while let Some(chunk) = running.next().await {
                        if sender.send(chunk).await.is_err() {
                            break;
                        }
                    }
                });
                let taking = Some((receiver, Stop(working.abort_handle())));
                let chunks = stream::unfold(taking, move |taking| async move {
                    let (mut receiver, stop) = taking?;
                    match timeout_at(deadline, receiver.recv()).await {
                        Ok(chunk) => chunk.map(|chunk| (chunk, Some((receiver, stop)))),
                        Err(_) => Some((Err(Failed::too_long(limit).error), None)),
                    }
                });
                Ok(QueryRows { columns, chunks: chunks.boxed() })
            }
        }
    }

    /// The same with all rows in one answer, of at most [`QuerySettings::answer_bytes`] as JSON.
    pub async fn run_buffered(&self, request: SqlRequest) -> SqlResponse {
        match self.collected(request).await {
            Ok(rows) => SqlResponse::Rows(rows),
            Err(error) => SqlResponse::Error(error),
        }
    }

    async fn collected(&self, request: SqlRequest) -> Result<ResultSet, SqlError> {
        let QueryRows { columns, mut chunks } = self.run(request).await?;
        let mut rows = Vec::new();
        let mut bytes = 0_usize;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            bytes += chunk.iter().flatten().map(json_bytes).sum::<usize>() + 3 * chunk.len();
            if bytes > self.answer_bytes {
                let message =
                    format!("the answer has more than {} bytes, which is all that one can carry", self.answer_bytes);
                return Err(SqlError::new(code::INTERNAL, message)
                    .with_hint("add LIMIT, select fewer columns, or aggregate; read it in parts with WHERE"));
            }
            rows.extend(chunk);
        }
        Ok(ResultSet { columns, rows })
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        // Waiting for threads is not allowed where async code runs, and nobody is left to take their rows.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// Stops a task when its rows are not wanted any more.
struct Stop(AbortHandle);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// About how many bytes a cell has as JSON, never fewer.
fn json_bytes(cell: &Cell) -> usize {
    match cell {
        Cell::Null => 7,
        Cell::Integer(_) | Cell::Unsigned(_) => 34,
        Cell::Float(value) => value.to_string().len() + 13,
        Cell::Text(text) => {
            // Quotes, backslashes and control characters are written as escapes.
            let escaped = |byte| match byte {
                b'"' | b'\\' => 2,
                0..=0x1f => 6,
                _ => 1,
            };
            text.bytes().map(escaped).sum::<usize>() + 12
        }
        Cell::Binary(bytes) => bytes.len() * 4 + 14,
    }
}
