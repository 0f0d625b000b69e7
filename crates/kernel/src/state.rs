//! The states of a job, as printed, and what moves it from one to the next.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A job's state; printed in capitals with underscores, as StarRocks does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobState {
    /// Created or resumed; the source has not been looked at yet.
    NeedSchedule,
    /// Loading, or waiting for records.
    Running,
    /// Waits for RESUME.
    Paused,
    /// Ended by STOP; final.
    Stopped,
    /// Ended because its database or table vanished; final.
    Cancelled,
}

impl JobState {
    /// Whether batches may be loaded.
    pub fn loads(self) -> bool {
        matches!(self, Self::NeedSchedule | Self::Running)
    }

    /// Whether nothing can follow.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Cancelled)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeedSchedule => "NEED_SCHEDULE",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
            Self::Cancelled => "CANCELLED",
        })
    }
}

/// What happens to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEvent {
    /// The source was found, its partitions are known.
    Scheduled,
    /// PAUSE, a limit crossed, or a source that cannot go on.
    Pause(StateReason),
    /// RESUME.
    Resume,
    /// STOP.
    Stop,
    /// Database or table are gone.
    Cancel(StateReason),
}

/// Why a job is in its state; `SHOW` prints it as `ErrorReason{errCode = 102, msg='...'}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateReason {
    /// StarRocks' number for the kind of reason, such as [`reason::TOO_MANY_FAILURE_ROWS`].
    pub code: u32,
    /// For a person.
    pub message: String,
}

impl fmt::Display for StateReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorReason{{errCode = {}, msg='{}'}}", self.code, self.message)
    }
}

/// StarRocks' numbers of reasons.
pub mod reason {
    /// Kafka's partitions cannot be listed.
    pub const PARTITIONS: u32 = 4;
    /// The database is gone.
    pub const DATABASE: u32 = 5;
    /// The table is gone.
    pub const TABLE: u32 = 6;
    /// PAUSE was said.
    pub const MANUAL_PAUSE: u32 = 100;
    /// STOP was said.
    pub const MANUAL_STOP: u32 = 101;
    /// `max_error_number` or `max_filter_ratio` was crossed.
    pub const TOO_MANY_FAILURE_ROWS: u32 = 102;
    /// The source cannot go on from where the job stands.
    pub const TASKS_ABORTED: u32 = 104;
    /// A payload could not be parsed, and the job wants to pause then.
    pub const PARSE_ERROR: u32 = 5611;
}

/// The event cannot happen in this state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Could not transform {from} to {to}")]
pub struct IllegalTransition {
    /// The state.
    pub from: JobState,
    /// Where the event would have led.
    pub to: JobState,
}

/// The state after `event`.
///
/// # Errors
/// [`IllegalTransition`] for PAUSE of a paused job, and for anything after a final state.
pub fn transition(_state: JobState, _event: &JobEvent) -> Result<JobState, IllegalTransition> {
    todo!()
}
