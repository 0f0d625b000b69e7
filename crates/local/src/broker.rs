//! An embedded Kafka broker: one node, for a laptop and for tests.
//!
//! Clients (kafka-python, librdkafka, Java) produce, consume, join groups and administer topics as with Apache Kafka.
//! Batches are stored as produced, and nothing expires by itself. It is **not** a
//! replacement for Kafka: there is one replica, no transactions, no access control, no encryption, no quotas.
//!
//! An answered produce survives a kill of the process, since its bytes are the system's by then; files are synced to
//! the disk when a segment is full and at [`Broker::shutdown`].
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # use penstock_local::broker::{Broker, BrokerConfig};
//! let broker = Broker::start(BrokerConfig::new("127.0.0.1:0".parse()?, "/tmp/broker".into())).await?;
//! println!("bootstrap.servers={}", broker.address());
//! broker.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # References
//! - <https://kafka.apache.org/protocol>

mod api;
mod connection;
mod dispatch;
pub(crate) mod durable;
mod frame;
mod group_offsets;
mod groups;
mod log;
mod node;
mod producer_ids;
mod producers;
mod settings;
mod shape;
#[cfg(test)]
mod tests;
mod topics;

use std::{
    fs::{self, File, TryLockError},
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

pub use self::log::recovery::RecoveryError;
use self::node::{Node, NodeSettings};

/// Held while a broker uses its folder.
const LOCK_FILE: &str = "lock";

/// How long a shutdown waits for the disk. What was answered is with the system already.
const SYNC_TIMEOUT: Duration = Duration::from_millis(800);

/// How to start a [`Broker`].
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The host that clients are told to connect to. It must lead to `listen` from where they are.
    pub advertised_host: String,
    /// The folder that keeps everything; created if need be.
    pub data: PathBuf,
    /// Source partitions of a topic that is created without saying how many.
    pub default_partitions: i32,
    /// Whether asking for a topic that does not exist creates it.
    pub auto_create_topics: bool,
    /// What clients may ask for at most.
    pub limits: Limits,
}

impl BrokerConfig {
    /// One source partition a topic, topics created when asked for, and `listen`'s own address advertised (for one that
    /// means all addresses, the loopback).
    pub fn new(listen: SocketAddr, data: PathBuf) -> Self {
        Self {
            listen,
            advertised_host: if listen.ip().is_unspecified() {
                "127.0.0.1".to_owned()
            } else {
                listen.ip().to_string()
            },
            data,
            default_partitions: 1,
            auto_create_topics: true,
            limits: Limits::default(),
        }
    }
}

/// Bounds on memory, files and descriptors.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one request. Raising it lets each connection take that much memory.
    pub frame_bytes: usize,
    /// Bytes of one record batch, unless the topic sets `max.message.bytes`.
    pub batch_bytes: usize,
    /// Bytes of records in one answer to Fetch; one larger batch is still answered.
    pub fetch_bytes: u64,
    /// Bytes of one segment file. Raising it makes starts verify more, lowering it makes more files.
    pub segment_bytes: u64,
    /// Segment files that are open at a time.
    pub open_files: usize,
    /// Connections at a time; more are closed at once.
    pub connections: usize,
    /// Source partitions of one topic.
    pub partitions_per_topic: usize,
    /// Source partitions of all topics.
    pub partitions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 100 << 20,
            batch_bytes: 32 << 20,
            fetch_bytes: 55 << 20,
            segment_bytes: 128 << 20,
            open_files: 100,
            connections: 2_000,
            partitions_per_topic: 1_000,
            partitions: 10_000,
        }
    }
}

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Another process listens there: stop it or take another port.
    #[error("address {address} is in use")]
    AddressInUse {
        /// What was asked for.
        address: SocketAddr,
    },
    /// The system does not let this process listen there.
    #[error("cannot listen on {address}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Another broker uses the folder: stop it or take another folder.
    #[error("broker folder `{path}` is in use", path = path.display())]
    DataInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The folder cannot be read or written.
    #[error("broker folder `{path}`", path = path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A log in the folder cannot be opened.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
}

/// The offsets of one source partition: `start_offset` (inclusive) to `high_watermark` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// The first record that is still there.
    pub start_offset: i64,
    /// Where the next record will be.
    pub high_watermark: i64,
}

/// A running broker. Dropping it ends it as a kill would; [`Broker::shutdown`] ends it properly.
#[derive(Debug)]
pub struct Broker {
    node: Arc<Node>,
    address: SocketAddr,
    serving: JoinHandle<()>,
    _lock: File,
}

impl Broker {
    /// Opens the folder, listens and serves on the current runtime. Clients can connect when this returns.
    ///
    /// # Errors
    /// See [`BrokerError`]; nothing is left running.
    pub async fn start(config: BrokerConfig) -> Result<Self, BrokerError> {
        let address = config.listen;
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => BrokerError::AddressInUse { address },
            _ => BrokerError::Listen { address, source },
        })?;
        let address = listener.local_addr().map_err(|source| BrokerError::Listen { address, source })?;
        let opened = tokio::task::spawn_blocking(move || open(config, address)).await;
        let (node, lock) =
            opened.map_err(|error| BrokerError::Listen { address, source: io::Error::other(error) })??;
        let node = Arc::new(node);
        let serving = tokio::spawn(serve(Arc::clone(&node), listener));
        tracing::info!(%address, data = %node.data.display(), "broker serves");
        Ok(Self { node, address, serving, _lock: lock })
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The offsets of a topic's source partitions, by index; `None` if there is no such topic.
    pub fn watermarks(&self, topic: &str) -> Option<Vec<Watermarks>> {
        let topic = self.node.topics.named(topic)?;
        let bounds = topic.logs().into_iter().map(|log| log.bounds());
        let watermarks = bounds
            .map(|bounds| Watermarks { start_offset: bounds.start_offset, high_watermark: bounds.high_watermark });
        Some(watermarks.collect())
    }

    /// Closes all connections and brings everything to the disk, within a second.
    pub async fn shutdown(mut self) {
        self.serving.abort();
        // an aborted task is what is wanted
        drop((&mut self.serving).await);
        let node = Arc::clone(&self.node);
        let sync = tokio::task::spawn_blocking(move || node.sync());
        match tokio::time::timeout(SYNC_TIMEOUT, sync).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::error!(%error, "broker files could not be synced"),
            Ok(Err(_)) | Err(_) => tracing::warn!("broker stopped before the disk had everything"),
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn open(config: BrokerConfig, address: SocketAddr) -> Result<(Node, File), BrokerError> {
    let data = config.data;
    let failed = |source| BrokerError::Data { path: data.clone(), source };
    fs::create_dir_all(&data).map_err(failed)?;
    let lock = File::create(data.join(LOCK_FILE)).map_err(failed)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => BrokerError::DataInUse { path: data.clone() },
        TryLockError::Error(source) => failed(source),
    })?;
    let settings = NodeSettings {
        host: config.advertised_host,
        port: address.port(),
        default_partitions: config.default_partitions,
        auto_create_topics: config.auto_create_topics,
        limits: config.limits,
    };
    Ok((Node::open(&data, settings)?, lock))
}

/// Accepts until aborted; the connections end with it.
async fn serve(node: Arc<Node>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    let permits = Arc::new(Semaphore::new(node.limits.connections));
    let mut ticks = tokio::time::interval(groups::TICK);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
                        tracing::warn!(%peer, "too many connections");
                        continue;
                    };
                    let node = Arc::clone(&node);
                    connections.spawn(async move {
                        connection::serve(node, stream, peer).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    // out of descriptors: some have to be closed before the next can come
                    tracing::error!(%error, "cannot accept connections");
                    ticks.tick().await;
                }
            },
            // a panic ends its own connection only
            Some(_) = connections.join_next() => {}
            _ = ticks.tick() => node.groups.tick(Instant::now(), |group| node.group_offsets.has_group(group)),
        }
    }
}
