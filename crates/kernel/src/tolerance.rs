//! How many rejected rows a job bears: `max_filter_ratio` a batch, `max_error_number` over a window of rows.

use crate::loaded::LoadStatistics;
use crate::progress::ErrorWindow;

/// The limits of a job version.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Rejected rows that a window may hold.
    pub max_error_number: u64,
    /// Largest share of rejected rows among those that WHERE did not leave out, 0 to 1; 1 disables the check.
    pub max_filter_ratio: f64,
    /// Rows after which a window ends: ten times `max_batch_rows`.
    pub window_rows: u64,
}

/// What is to be done with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Commit; the window goes on with these counts.
    Continue(ErrorWindow),
    /// Commit; a new window begins.
    Tumble,
    /// Commit, then pause the job; a new window begins.
    CommitThenPause {
        /// Rejected rows in the window.
        rejected: u64,
        /// The limit.
        max_error_number: u64,
    },
    /// Load nothing, advance nothing, and pause the job.
    Refuse {
        /// Rejected rows of the batch.
        rejected: u64,
        /// Rows of the batch that WHERE did not leave out.
        considered: u64,
    },
}

/// Decides on a batch with these counts. `window` is the sum over all source partitions before the batch.
pub fn decide(_tolerance: &Tolerance, _batch: &LoadStatistics, _window: ErrorWindow) -> Verdict {
    todo!()
}
