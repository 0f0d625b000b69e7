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
    /// The job cannot work as defined.
    pub const INTERNAL: u32 = 2;
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
/// | from | Scheduled | Pause | Resume | Stop | Cancel |
/// | --- | --- | --- | --- | --- | --- |
/// | NEED_SCHEDULE | RUNNING | PAUSED | NEED_SCHEDULE | STOPPED | CANCELLED |
/// | RUNNING | RUNNING | PAUSED | NEED_SCHEDULE | STOPPED | CANCELLED |
/// | PAUSED | | | NEED_SCHEDULE | STOPPED | CANCELLED |
/// | STOPPED | | | | | |
/// | CANCELLED | | | | | |
///
/// # Errors
/// [`IllegalTransition`] where the table is empty.
pub fn transition(state: JobState, event: &JobEvent) -> Result<JobState, IllegalTransition> {
    let to = match event {
        JobEvent::Scheduled => JobState::Running,
        JobEvent::Pause(_) => JobState::Paused,
        JobEvent::Resume => JobState::NeedSchedule,
        JobEvent::Stop => JobState::Stopped,
        JobEvent::Cancel(_) => JobState::Cancelled,
    };
    let legal = match state {
        JobState::NeedSchedule | JobState::Running => true,
        JobState::Paused => !matches!(event, JobEvent::Scheduled | JobEvent::Pause(_)),
        JobState::Stopped | JobState::Cancelled => false,
    };
    if legal { Ok(to) } else { Err(IllegalTransition { from: state, to }) }
}

#[cfg(test)]
mod tests {
    use super::JobState::{Cancelled, NeedSchedule, Paused, Running, Stopped};
    use super::*;

    #[test]
    fn transitions_are_those_of_the_table() {
        let why =
            || StateReason { code: reason::MANUAL_PAUSE, message: "User root pauses routine load job".to_owned() };
        let events =
            [JobEvent::Scheduled, JobEvent::Pause(why()), JobEvent::Resume, JobEvent::Stop, JobEvent::Cancel(why())];
        let table = [
            (NeedSchedule, [Some(Running), Some(Paused), Some(NeedSchedule), Some(Stopped), Some(Cancelled)]),
            (Running, [Some(Running), Some(Paused), Some(NeedSchedule), Some(Stopped), Some(Cancelled)]),
            (Paused, [None, None, Some(NeedSchedule), Some(Stopped), Some(Cancelled)]),
            (Stopped, [None; 5]),
            (Cancelled, [None; 5]),
        ];
        for (from, row) in table {
            for (event, expected) in events.iter().zip(row) {
                assert_eq!(transition(from, event).ok(), expected, "{from} {event:?}");
            }
        }
    }

    #[test]
    fn refusal_is_worded_as_clients_know_it() {
        let pause = JobEvent::Pause(StateReason { code: reason::MANUAL_PAUSE, message: String::new() });
        let refused = transition(Paused, &pause).unwrap_err();
        assert_eq!(refused.to_string(), "Could not transform PAUSED to PAUSED");
    }

    #[test]
    fn nothing_follows_a_final_state() {
        for state in [NeedSchedule, Running, Paused, Stopped, Cancelled] {
            let open = transition(state, &JobEvent::Stop).is_ok();
            assert_eq!(open, !state.is_final(), "{state}");
        }
    }

    #[test]
    fn reason_is_printed_with_its_number() {
        let reason = StateReason { code: reason::TOO_MANY_FAILURE_ROWS, message: "too many filtered rows".to_owned() };
        assert_eq!(reason.to_string(), "ErrorReason{errCode = 102, msg='too many filtered rows'}");
    }

    #[test]
    fn states_are_stored_as_they_are_printed() {
        for state in [NeedSchedule, Running, Paused, Stopped, Cancelled] {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }
}
