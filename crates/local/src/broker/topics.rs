//! The topics, and the folder that keeps them.
//!
//! Each topic has a folder named by its id, not its name: two names may differ in case only, and a deleted name may
//! come back. In it lie `topic.json` (name, number of source partitions, settings) and one folder per source partition
//! with its log. A folder without `topic.json` is what a kill left of a creation or a deletion, and is removed.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    durable,
    log::{PartitionLog, files::OpenFiles, recovery::RecoveryError},
};

/// The file that makes a folder a topic.
const TOPIC_FILE: &str = "topic.json";

const MAX_NAME_BYTES: usize = 249;

/// A topic's settings as set by its user; what is absent has its default.
pub(crate) type TopicSettings = BTreeMap<String, String>;

/// One topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) id: Uuid,
    directory: PathBuf,
    shape: RwLock<Shape>,
}

#[derive(Debug)]
struct Shape {
    logs: Vec<Arc<PartitionLog>>,
    settings: TopicSettings,
}

/// All topics, by name and by id.
#[derive(Debug)]
pub(crate) struct Topics {
    directory: PathBuf,
    files: Arc<OpenFiles>,
    limits: TopicLimits,
    /// Held while the set of topics or a topic's shape changes, so that the index lock is never held over files.
    change: Mutex<()>,
    index: RwLock<Index>,
}

#[derive(Debug, Default)]
struct Index {
    by_name: BTreeMap<String, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<Topic>>,
}

/// How large topics may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TopicLimits {
    pub(crate) partitions_per_topic: usize,
    pub(crate) partitions: usize,
    pub(crate) segment_bytes: u64,
}

/// Why a topic was not created or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TopicError {
    #[error(
        "topic name `{name}`: expected 1 to {MAX_NAME_BYTES} of a-z, A-Z, 0-9, `.`, `_` and `-`, other than `.` and `..`"
    )]
    Name { name: String },
    #[error("topic `{name}` exists")]
    Exists { name: String },
    #[error("no topic `{name}`")]
    Unknown { name: String },
    #[error("expected {least} to {most} partitions, found {found}")]
    Partitions { least: usize, most: usize, found: i64 },
    #[error("topic has {current} partitions: expected more, found {found}")]
    NotMore { current: usize, found: i64 },
    #[error("topic files")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
}

#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    partitions: usize,
    settings: TopicSettings,
}

impl Topic {
    /// The logs, by index of source partition.
    pub(crate) fn logs(&self) -> Vec<Arc<PartitionLog>> {
        self.read(|shape| shape.logs.clone())
    }

    /// The log of one source partition.
    pub(crate) fn log(&self, partition_index: i32) -> Option<Arc<PartitionLog>> {
        let index = usize::try_from(partition_index).ok()?;
        self.read(|shape| shape.logs.get(index).cloned())
    }

    pub(crate) fn partition_count(&self) -> usize {
        self.read(|shape| shape.logs.len())
    }

    pub(crate) fn settings(&self) -> TopicSettings {
        self.read(|shape| shape.settings.clone())
    }

    /// One setting, if its user set it.
    pub(crate) fn setting(&self, name: &str) -> Option<String> {
        self.read(|shape| shape.settings.get(name).cloned())
    }

    fn read<T>(&self, take: impl FnOnce(&Shape) -> T) -> T {
        take(&self.shape.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn store(&self, partitions: usize, settings: &TopicSettings) -> io::Result<()> {
        let stored = Stored { name: self.name.clone(), partitions, settings: settings.clone() };
        durable::replace(&self.directory.join(TOPIC_FILE), &serde_json::to_vec_pretty(&stored)?)
    }
}

impl Topics {
    /// Opens all topics under `directory`, which is created if need be.
    pub(crate) fn open(directory: PathBuf, files: Arc<OpenFiles>, limits: TopicLimits) -> Result<Self, TopicError> {
        fs::create_dir_all(&directory)?;
        let mut index = Index::default();
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let id = path.file_name().and_then(|name| name.to_str()).and_then(|name| Uuid::parse_str(name).ok());
            let Some(id) = id else { continue };
            let Some(stored) = durable::read(&path.join(TOPIC_FILE))? else {
                fs::remove_dir_all(&path)?;
                continue;
            };
            let stored: Stored = serde_json::from_slice(&stored).map_err(io::Error::from)?;
            let logs = open_logs(&path, 0..stored.partitions, limits, &files)?;
            let shape = RwLock::new(Shape { logs, settings: stored.settings });
            index.insert(Arc::new(Topic { name: stored.name, id, directory: path, shape }));
        }
        Ok(Self { directory, files, limits, change: Mutex::new(()), index: RwLock::new(index) })
    }

    /// Says whether a topic could be created, without doing so.
    pub(crate) fn check_new(&self, name: &str, partitions: i64) -> Result<usize, TopicError> {
        if !is_valid_name(name) {
            return Err(TopicError::Name { name: name.to_owned() });
        }
        if self.named(name).is_some() {
            return Err(TopicError::Exists { name: name.to_owned() });
        }
        self.check_count(partitions, 0)
    }

    /// Creates a topic with empty logs.
    pub(crate) fn create(
        &self,
        name: &str,
        partitions: i64,
        settings: TopicSettings,
    ) -> Result<Arc<Topic>, TopicError> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.check_new(name, partitions)?;
        let id = Uuid::from_bytes(rand::random());
        let directory = self.directory.join(id.to_string());
        fs::create_dir_all(&directory)?;
        let logs = open_logs(&directory, 0..count, self.limits, &self.files)?;
        let shape = RwLock::new(Shape { logs, settings: settings.clone() });
        let topic = Arc::new(Topic { name: name.to_owned(), id, directory, shape });
        topic.store(count, &settings)?;
        self.index.write().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(&topic));
        tracing::info!(topic = name, partitions = count, "topic created");
        Ok(topic)
    }

    /// Deletes a topic and its records.
    pub(crate) fn delete(&self, topic: &Topic) -> Result<(), TopicError> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.index.write().unwrap_or_else(PoisonError::into_inner).remove(topic);
        if !known {
            return Err(TopicError::Unknown { name: topic.name.clone() });
        }
        for log in topic.logs() {
            log.mark_deleted();
        }
        fs::remove_file(topic.directory.join(TOPIC_FILE))?;
        fs::remove_dir_all(&topic.directory)?;
        tracing::info!(topic = topic.name, "topic deleted");
        Ok(())
    }

    /// Says whether a topic could have `partitions` source partitions; returns how many that are.
    pub(crate) fn check_grown(&self, topic: &Topic, partitions: i64) -> Result<usize, TopicError> {
        let current = topic.partition_count();
        if i64::try_from(current).is_ok_and(|current| partitions <= current) {
            return Err(TopicError::NotMore { current, found: partitions });
        }
        self.check_count(partitions, current)
    }

    /// Adds empty logs until the topic has `partitions`.
    pub(crate) fn grow(&self, topic: &Topic, partitions: i64) -> Result<(), TopicError> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.check_grown(topic, partitions)?;
        let added = open_logs(&topic.directory, topic.partition_count()..count, self.limits, &self.files)?;
        topic.store(count, &topic.settings())?;
        topic.shape.write().unwrap_or_else(PoisonError::into_inner).logs.extend(added);
        Ok(())
    }

    /// Replaces a topic's settings by what `change` makes of them.
    pub(crate) fn set(&self, topic: &Topic, change: impl FnOnce(&mut TopicSettings)) -> Result<(), TopicError> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut settings = topic.settings();
        change(&mut settings);
        topic.store(topic.partition_count(), &settings)?;
        topic.shape.write().unwrap_or_else(PoisonError::into_inner).settings = settings;
        Ok(())
    }

    pub(crate) fn named(&self, name: &str) -> Option<Arc<Topic>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).by_name.get(name).cloned()
    }

    pub(crate) fn with_id(&self, id: &Uuid) -> Option<Arc<Topic>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }

    /// All topics in order of name.
    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).by_name.values().cloned().collect()
    }

    fn check_count(&self, partitions: i64, current: usize) -> Result<usize, TopicError> {
        let elsewhere: usize = self.all().iter().map(|topic| topic.partition_count()).sum::<usize>() - current;
        let most = self.limits.partitions_per_topic.min(self.limits.partitions.saturating_sub(elsewhere));
        usize::try_from(partitions).ok().filter(|count| (1..=most).contains(count)).ok_or(TopicError::Partitions {
            least: 1,
            most,
            found: partitions,
        })
    }
}

impl Index {
    fn insert(&mut self, topic: Arc<Topic>) {
        self.by_id.insert(topic.id, Arc::clone(&topic));
        self.by_name.insert(topic.name.clone(), topic);
    }

    fn remove(&mut self, topic: &Topic) -> bool {
        let known = self.by_id.remove(&topic.id).is_some();
        if known {
            self.by_name.remove(&topic.name);
        }
        known
    }
}

/// Whether Kafka would take the name.
pub(crate) fn is_valid_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(legal)
}

fn open_logs(
    topic: &Path,
    indexes: std::ops::Range<usize>,
    limits: TopicLimits,
    files: &Arc<OpenFiles>,
) -> Result<Vec<Arc<PartitionLog>>, RecoveryError> {
    indexes
        .map(|index| {
            PartitionLog::open(topic.join(index.to_string()), limits.segment_bytes, Arc::clone(files)).map(Arc::new)
        })
        .collect()
}
