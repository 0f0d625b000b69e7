//! What must hold, and what was found instead.

use std::fmt;

/// What must hold after every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariant {
    /// A batch is acknowledged only once each of its records is committed, or is none that the job reads.
    AcknowledgedIsCommitted,
    /// What was committed is readable: every record once, in the rows that it should give, and nothing else.
    RowsAreTheModels,
    /// The ranges of a source partition's commits tile [start, next_offset), and pass over no record that is there.
    RangesTile,
    /// Counters equal the sums of what was committed.
    CountersAreSums,
    /// What the catalog names is there and unchanged, and what it named is there for as long as a query may need it.
    FilesAreThere,
    /// Statistics equal the files' content.
    StatisticsAreTrue,
    /// Nothing is committed after PAUSE, ALTER, STOP or DROP TABLE said that it is done.
    FencesHold,
    /// A commit never changes, and its item goes only long after a layout named it.
    CommitsStay,
    /// Each rejected row is found once until it is replayed, and in the table once afterwards.
    RejectedAreOnce,
    /// COVERAGE says that every offset is accounted for.
    CoverageIsComplete,
    /// A reader sees whole commits, each row once.
    ReadersSeeWholeCommits,
    /// A statement that is refused has changed nothing.
    RefusedIsUndone,
    /// Handlers do not panic.
    NoPanic,
    /// Once nothing goes wrong any more, everything that is there gets loaded.
    ComesToRest,
    /// Where maintenance runs, nothing is left that nobody needs, and few files and items of what somebody does.
    TablesAreTidy,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AcknowledgedIsCommitted => "a batch is acknowledged only once its records are committed",
            Self::RowsAreTheModels => "what was committed is readable, every record once, and nothing else",
            Self::RangesTile => "committed ranges tile [start, next_offset) and pass over no record that is there",
            Self::CountersAreSums => "counters equal the sums of what was committed",
            Self::FilesAreThere => {
                "what the catalog names is there, and what it named for as long as a query may need it"
            }
            Self::StatisticsAreTrue => "statistics equal the files' content",
            Self::FencesHold => "nothing is committed after PAUSE, ALTER, STOP or DROP TABLE said that it is done",
            Self::CommitsStay => "a commit never changes, and goes only long after it was folded",
            Self::RejectedAreOnce => {
                "a rejected row is there once until it is replayed, and in the table once afterwards"
            }
            Self::CoverageIsComplete => "COVERAGE says that every offset is accounted for",
            Self::ReadersSeeWholeCommits => "a reader sees whole commits, each row once",
            Self::RefusedIsUndone => "a statement that is refused has changed nothing",
            Self::NoPanic => "handlers do not panic",
            Self::ComesToRest => "once nothing goes wrong any more, everything that is there gets loaded",
            Self::TablesAreTidy => "maintenance leaves nothing that nobody needs, and few files and items of the rest",
        })
    }
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// Expected and found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.found)
    }
}

/// A violation as an error, made where it is found.
pub(crate) fn broken<T>(invariant: Invariant, found: impl fmt::Display) -> Result<T, Violation> {
    Err(Violation { invariant, found: found.to_string() })
}
