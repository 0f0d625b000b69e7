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
///
/// The ratio comes first, since a refused batch leaves the window as it was:
///
/// | | |
/// | --- | --- |
/// | rejected / (total − unselected) > `max_filter_ratio` | [`Refuse`](Verdict::Refuse) |
/// | rejected in the window > `max_error_number` | [`CommitThenPause`](Verdict::CommitThenPause) |
/// | rows in the window > `window_rows` | [`Tumble`](Verdict::Tumble) |
/// | else | [`Continue`](Verdict::Continue) |
pub fn decide(tolerance: &Tolerance, batch: &LoadStatistics, window: ErrorWindow) -> Verdict {
    let considered = batch.total.saturating_sub(batch.unselected);
    if exceeds(batch.rejected, considered, tolerance.max_filter_ratio) {
        return Verdict::Refuse { rejected: batch.rejected, considered };
    }
    let window = ErrorWindow {
        number: window.number,
        total: window.total.saturating_add(batch.total),
        rejected: window.rejected.saturating_add(batch.rejected),
    };
    if window.rejected > tolerance.max_error_number {
        Verdict::CommitThenPause { rejected: window.rejected, max_error_number: tolerance.max_error_number }
    } else if window.total > tolerance.window_rows {
        Verdict::Tumble
    } else {
        Verdict::Continue(window)
    }
}

/// Whether `part / whole > ratio`. Row counts of a batch lie far below 2^53, so they are exact as floats.
fn exceeds(part: u64, whole: u64, ratio: f64) -> bool {
    whole > 0 && part as f64 / whole as f64 > ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(total: u64, rejected: u64, unselected: u64) -> LoadStatistics {
        LoadStatistics {
            records: total,
            total,
            loaded: total - rejected - unselected,
            rejected,
            unselected,
            received_bytes: 0,
        }
    }

    fn window(total: u64, rejected: u64) -> ErrorWindow {
        ErrorWindow { number: 4, total, rejected }
    }

    fn limits(max_error_number: u64, max_filter_ratio: f64) -> Tolerance {
        Tolerance { max_error_number, max_filter_ratio, window_rows: 2_000_000 }
    }

    /// 100 rows, 3 rejected, 10 unselected.
    #[test]
    fn threshold_vectors() {
        let batch = counts(100, 3, 10);
        let pause = |max_error_number| Verdict::CommitThenPause { rejected: 3, max_error_number };
        let refuse = Verdict::Refuse { rejected: 3, considered: 90 };
        for (max_error_number, max_filter_ratio, expected) in
            [(3, 1.0, Verdict::Continue(window(100, 3))), (2, 1.0, pause(2)), (2, 0.01, refuse), (0, 0.05, pause(0))]
        {
            let limits = limits(max_error_number, max_filter_ratio);
            assert_eq!(decide(&limits, &batch, window(0, 0)), expected, "{limits:?}");
        }
    }

    #[test]
    fn limits_are_crossed_only_by_more() {
        // Five rejected rows are borne by a limit of five, the sixth is not.
        assert_eq!(decide(&limits(5, 1.0), &counts(10, 2, 0), window(90, 3)), Verdict::Continue(window(100, 5)));
        assert_eq!(
            decide(&limits(5, 1.0), &counts(10, 3, 0), window(90, 3)),
            Verdict::CommitThenPause { rejected: 6, max_error_number: 5 }
        );
        // 1 of 10 is a tenth, and not more.
        assert_eq!(decide(&limits(9, 0.1), &counts(10, 1, 0), window(0, 0)), Verdict::Continue(window(10, 1)));
        // The window's last row still belongs to it.
        assert_eq!(
            decide(&limits(0, 1.0), &counts(1, 0, 0), window(1_999_999, 0)),
            Verdict::Continue(window(2_000_000, 0))
        );
        assert_eq!(decide(&limits(0, 1.0), &counts(2, 0, 0), window(1_999_999, 0)), Verdict::Tumble);
    }

    #[test]
    fn window_that_ends_over_the_limit_pauses() {
        assert_eq!(
            decide(&limits(1, 1.0), &counts(2, 2, 0), window(1_999_999, 0)),
            Verdict::CommitThenPause { rejected: 2, max_error_number: 1 }
        );
    }

    #[test]
    fn ratio_of_nothing_is_borne() {
        for batch in [counts(0, 0, 0), counts(5, 0, 5)] {
            assert!(matches!(decide(&limits(0, 0.0), &batch, window(0, 0)), Verdict::Continue(_)));
        }
    }

    #[test]
    fn ratio_of_zero_refuses_one_row_and_of_one_bears_all() {
        let all = counts(5, 5, 0);
        assert_eq!(
            decide(&limits(9, 0.0), &counts(5, 1, 0), window(0, 0)),
            Verdict::Refuse { rejected: 1, considered: 5 }
        );
        assert_eq!(decide(&limits(9, 1.0), &all, window(0, 0)), Verdict::Continue(window(5, 5)));
    }
}
