//! What all connections share: the topics, groups and counters of the one node.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    BrokerError, Limits, durable,
    group_offsets::GroupOffsets,
    groups::Groups,
    log::files::OpenFiles,
    producer_ids::ProducerIds,
    topics::{TopicError, TopicLimits, Topics},
};

/// The node's id in every answer.
pub(crate) const NODE_ID: i32 = 1;

/// The broker's state, without its sockets.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) data: PathBuf,
    pub(crate) cluster_id: String,
    /// Where clients are told to connect.
    pub(crate) host: String,
    pub(crate) port: i32,
    pub(crate) default_partitions: i32,
    pub(crate) auto_create_topics: bool,
    pub(crate) limits: Limits,
    pub(crate) topics: Topics,
    pub(crate) groups: Groups,
    pub(crate) group_offsets: GroupOffsets,
    pub(crate) producer_ids: ProducerIds,
}

/// What a node is told, besides its folder.
#[derive(Debug)]
pub(crate) struct NodeSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) default_partitions: i32,
    pub(crate) auto_create_topics: bool,
    pub(crate) limits: Limits,
}

impl Node {
    /// Reads what `data` holds.
    pub(crate) fn open(data: &Path, settings: NodeSettings) -> Result<Self, BrokerError> {
        let failed = |source: io::Error| BrokerError::Data { path: data.to_owned(), source };
        let limits = settings.limits;
        let files = Arc::new(OpenFiles::new(limits.open_files));
        let topic_limits = TopicLimits {
            partitions_per_topic: limits.partitions_per_topic,
            partitions: limits.partitions,
            segment_bytes: limits.segment_bytes,
        };
        let topics = Topics::open(data.join("topics"), files, topic_limits).map_err(|error| match error {
            TopicError::Recovery(error) => BrokerError::Recovery(error),
            TopicError::Io(source) => failed(source),
            other => failed(io::Error::other(other)),
        })?;
        Ok(Self {
            data: data.to_owned(),
            cluster_id: cluster_id(&data.join("cluster-id")).map_err(failed)?,
            host: settings.host,
            port: i32::from(settings.port),
            default_partitions: settings.default_partitions,
            auto_create_topics: settings.auto_create_topics,
            limits,
            topics,
            groups: Groups::default(),
            group_offsets: GroupOffsets::open(data.join("group-offsets.log")).map_err(failed)?,
            producer_ids: ProducerIds::open(data.join("producer-ids")).map_err(failed)?,
        })
    }

    /// Waits until the disk has everything.
    pub(crate) fn sync(&self) -> io::Result<()> {
        for topic in self.topics.all() {
            for log in topic.logs() {
                log.sync()?;
            }
        }
        self.group_offsets.sync()
    }
}

fn cluster_id(path: &Path) -> io::Result<String> {
    if let Some(known) = durable::read(path)? {
        return String::from_utf8(known).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error));
    }
    let new = Uuid::from_bytes(rand::random()).simple().to_string();
    durable::replace(path, new.as_bytes())?;
    Ok(new)
}
