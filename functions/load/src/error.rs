//! Why a batch was not acknowledged, by what is to be done about it.

use penstock_catalog::error::CatalogError;
use penstock_kernel::encode::EncodeError;
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::plan::DefinitionError;
use penstock_kernel::progress::OverlappingRanges;
use penstock_kernel::rejected::DecodeError;
use penstock_kernel::state::JobState;
use penstock_storage::StorageError;

use crate::registry::RegistryError;
use penstock_event::EventError;

/// The batch was not loaded, or not wholly, and comes again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The event is not what the platform promises.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The event is another job's, or its mapping reads another topic.
    #[error("job {job} reads topic `{expected}`, the event holds `{found}`")]
    Topic {
        /// The job.
        job: JobId,
        /// Its topic.
        expected: String,
        /// The event's.
        found: String,
    },
    /// Delivered ranges contradict each other.
    #[error(transparent)]
    Ranges(#[from] OverlappingRanges),
    /// No such job.
    #[error("there is no job {job}")]
    UnknownJob {
        /// What the invocation named.
        job: JobId,
    },
    /// The job's current definition is gone from the catalog.
    #[error("version {version} of the definition of job {job} is missing")]
    UnknownVersion {
        /// The job.
        job: JobId,
        /// The version that it says is current.
        version: u32,
    },
    /// The job does not load now.
    #[error("job {job} is {state}, its records wait")]
    NotLoading {
        /// The job.
        job: JobId,
        /// Its state.
        state: JobState,
    },
    /// The job has ended, and nothing of it is loaded any more.
    #[error("job {job} is {state}, its rejected rows stay as they are")]
    Ended {
        /// The job.
        job: JobId,
        /// Its state.
        state: JobState,
    },
    /// The table was dropped; the job is cancelled.
    #[error("table {table} of job {job} does not exist any more")]
    TableDropped {
        /// The job.
        job: JobId,
        /// Its table.
        table: TableId,
    },
    /// The definition does not work; the job is paused.
    #[error("version {version} of job {job} cannot work as defined")]
    Definition {
        /// The job.
        job: JobId,
        /// The version.
        version: u32,
        /// What is wrong in it.
        #[source]
        source: DefinitionError,
    },
    /// `max_filter_ratio` refused the batch; the job is paused.
    #[error("too many filtered rows: {rejected} of {considered}")]
    Refused {
        /// Rejected rows.
        rejected: u64,
        /// Rows that WHERE did not leave out.
        considered: u64,
    },
    /// `pause_on_fatal_parse_error` refused the batch; the job is paused.
    #[error("record {offset} of source partition {source_partition} cannot be parsed")]
    Unparsable {
        /// The source partition of the first such record.
        source_partition: i32,
        /// Its offset.
        offset: i64,
    },
    /// `max_error_number` paused the job before all source partitions of the event were loaded.
    #[error("job {job} was paused by `max_error_number`, the rest of the batch waits")]
    PausedHalfway {
        /// The job.
        job: JobId,
    },
    /// Offsets that were committed long ago came again with newer timestamps; the job is paused.
    #[error(
        "topic `{topic}` seems to have been created anew: source partition {source_partition} delivered offsets up to \
         {last_offset} with newer timestamps, expected {next_offset} and on"
    )]
    TopicRecreated {
        /// The topic.
        topic: String,
        /// The source partition.
        source_partition: i32,
        /// Last offset delivered.
        last_offset: i64,
        /// The job's next offset there.
        next_offset: i64,
    },
    /// The table's storage volume is gone.
    #[error("there is no storage volume `{volume}`")]
    UnknownVolume {
        /// Its name.
        volume: String,
    },
    /// The table's storage volume cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The object store would not take a file.
    #[error("cannot put `{key}` after {attempts} attempts")]
    Put {
        /// Key in the bucket.
        key: String,
        /// How often it was tried.
        attempts: u32,
        /// What happened the last time.
        #[source]
        source: PutError,
    },
    /// The schema registry does not do its part.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A file of rejected rows is not to be had.
    #[error("cannot get `{key}`")]
    Get {
        /// Key in the bucket.
        key: String,
        /// What happened.
        #[source]
        source: PutError,
    },
    /// A file of rejected rows is damaged, or something else.
    #[error("`{key}` holds no rejected rows")]
    ErrorFile {
        /// Key in the bucket.
        key: String,
        /// What is wrong with it.
        #[source]
        source: DecodeError,
    },
    /// Other invocations committed first every time.
    #[error("job {job} lost {conflicts} races for its progress")]
    Contended {
        /// The job.
        job: JobId,
        /// Lost races.
        conflicts: u32,
    },
    /// ALTER moved the job back, and the batch, which begins further on, may be of the mapping that was before.
    #[error(
        "job {job} was moved back to offset {next_offset} of source partition {source_partition}: a batch that begins at \
         {first_offset} is not of its new mapping"
    )]
    MovedBack {
        /// The job.
        job: JobId,
        /// The source partition.
        source_partition: i32,
        /// The first offset that would be loaded.
        first_offset: i64,
        /// What the job expects next.
        next_offset: i64,
    },
    /// The catalog does not do its part.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The kernel's counts do not add up, so committing them could hide a lost row.
    #[error("counts of the batch contradict each other: {what}, expected {expected}, found {found}")]
    Miscounted {
        /// What was counted.
        what: &'static str,
        /// What it should be.
        expected: u64,
        /// What it is.
        found: u64,
    },
}

/// One failed try to put or get an object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PutError {
    /// No answer in time.
    #[error("no answer within {millis} ms")]
    Silent {
        /// How long was waited, milliseconds.
        millis: u128,
    },
    /// An answer, but no success.
    #[error(transparent)]
    Store(#[from] object_store::Error),
}

/// What is to be done about a [`LoadError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Nothing: the batch comes again, and a service may answer by then.
    Retry,
    /// RESUME, ALTER or drop the job: its records wait until then.
    Job,
    /// Mend the deployment: a permission, a bucket, a mapping that sends to the wrong job.
    Deployment,
    /// Report a bug, with the log.
    Bug,
}

impl LoadError {
    /// What is to be done.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Contended { .. }
            | Self::MovedBack { .. }
            | Self::Catalog(CatalogError::Unavailable { .. } | CatalogError::Contended { .. }) => ErrorKind::Retry,
            Self::Put { source, .. } | Self::Get { source, .. } if source.may_pass() => ErrorKind::Retry,
            Self::Registry(error) if error.may_pass() => ErrorKind::Retry,
            Self::NotLoading { .. }
            | Self::Ended { .. }
            | Self::TableDropped { .. }
            | Self::Definition { .. }
            | Self::Refused { .. }
            | Self::Unparsable { .. }
            | Self::PausedHalfway { .. }
            | Self::TopicRecreated { .. } => ErrorKind::Job,
            Self::Topic { .. }
            | Self::UnknownJob { .. }
            | Self::UnknownVolume { .. }
            | Self::Storage(_)
            | Self::Put { .. }
            | Self::Registry(_)
            | Self::Get { .. }
            | Self::ErrorFile { .. }
            | Self::Catalog(CatalogError::Refused { .. }) => ErrorKind::Deployment,
            Self::Event(_)
            | Self::Ranges(_)
            | Self::UnknownVersion { .. }
            | Self::Encode(_)
            | Self::Miscounted { .. }
            | Self::Catalog(_) => ErrorKind::Bug,
        }
    }

    /// A stable word for alarms and dashboards.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Event(_) | Self::Ranges(_) => "MalformedEvent",
            Self::Topic { .. } => "WrongTopic",
            Self::UnknownJob { .. } => "UnknownJob",
            Self::UnknownVersion { .. } => "UnknownVersion",
            Self::NotLoading { .. } | Self::Ended { .. } => "JobNotLoading",
            Self::TableDropped { .. } => "TableDropped",
            Self::Definition { .. } => "WrongDefinition",
            Self::Refused { .. } => "TooManyRejectedRows",
            Self::Unparsable { .. } => "UnparsableRecord",
            Self::PausedHalfway { .. } => "JobPaused",
            Self::TopicRecreated { .. } => "TopicRecreated",
            Self::UnknownVolume { .. } | Self::Storage(_) => "WrongVolume",
            Self::Encode(_) => "EncodingFailed",
            Self::Put { .. } | Self::Get { .. } => "ObjectStoreFailed",
            Self::Registry(_) => "RegistryFailed",
            Self::ErrorFile { .. } => "DamagedErrorFile",
            Self::Contended { .. } => "Contended",
            Self::MovedBack { .. } => "JobMovedBack",
            Self::Catalog(_) => "CatalogFailed",
            Self::Miscounted { .. } => "Miscounted",
        }
    }
}

impl PutError {
    /// Whether the same request may succeed later.
    pub(crate) fn may_pass(&self) -> bool {
        use object_store::Error;
        match self {
            Self::Silent { .. } => true,
            Self::Store(error) => !matches!(
                error,
                Error::NotFound { .. }
                    | Error::InvalidPath { .. }
                    | Error::NotSupported { .. }
                    | Error::NotImplemented { .. }
                    | Error::PermissionDenied { .. }
                    | Error::Unauthenticated { .. }
                    | Error::UnknownConfigurationKey { .. }
            ),
        }
    }
}
