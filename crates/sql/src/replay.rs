//! What REPLAY asks of the load function, and what it answers.
//!
//! The request travels in the place of a Kafka event, to the alias of its job. A long replay is asked for piece by
//! piece, so that no invocation has to outlive its time limit.

use penstock_kernel::moment;
use penstock_kernel::rejected::Entry;
use serde::{Deserialize, Serialize};

use crate::predicate::Predicate;

/// A column of rejected rows that REPLAY's WHERE may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it may be compared with.
    pub kind: ColumnKind,
}

/// What a column of rejected rows may be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Integers.
    Integer,
    /// Strings.
    Text,
    /// Strings that are a date or a moment of UTC.
    Time,
}

/// The columns of rejected rows that REPLAY's WHERE may name, regardless of case.
pub const COLUMNS: [Column; 10] = {
    const fn column(name: &'static str, kind: ColumnKind) -> Column {
        Column { name, kind }
    }
    [
        column("topic", ColumnKind::Text),
        column("source_partition", ColumnKind::Integer),
        column("offset", ColumnKind::Integer),
        column("index", ColumnKind::Integer),
        column("reason", ColumnKind::Text),
        column("column", ColumnKind::Text),
        column("raw_text", ColumnKind::Text),
        column("timestamp", ColumnKind::Time),
        column("job_version", ColumnKind::Integer),
        column("rejected_at", ColumnKind::Time),
    ]
};

/// A piece of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayRequest {
    /// What must hold for a row to be replayed, in terms of [`COLUMNS`]; `None`: all are.
    #[serde(default)]
    pub filter: Option<Predicate>,
    /// Where the piece before ended; `None` for the first.
    pub after: Option<String>,
    /// Where the replay ends, as the first piece said; `None` for the first. What is rejected later is not replayed.
    pub until: Option<String>,
    /// The file that the piece before did not end, if so. It comes first.
    #[serde(default)]
    pub resume: Option<Resume>,
    /// Milliseconds after which nothing further is begun: no file, and of a very large file no further part. A beginning
    /// is made in any case.
    pub budget_ms: u64,
}

/// A file of which some rows are done with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The commit that has it.
    pub commit: String,
    /// How many of its rows, from the first, are done with.
    pub rows: u64,
}

/// The load function's payload for a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayInvocation {
    /// What is asked.
    pub replay: ReplayRequest,
}

/// What the load function answers to a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayAnswer {
    /// It is done, as far as the reply says.
    Done(ReplayReply),
    /// It cannot be done until something is changed. What was done before holds.
    Refused {
        /// For a person.
        message: String,
    },
    /// A service did not answer, or others were faster every time: ask again. What was done before holds.
    Unavailable {
        /// For a person.
        message: String,
    },
}

/// What became of a piece of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayReply {
    /// Rejected rows that went through the job once more.
    pub replayed: u64,
    /// Rows that were added to the table.
    pub loaded: u64,
    /// Rows that are rejected again.
    pub rejected: u64,
    /// Rows that the job's WHERE leaves out, and which are no longer rejected.
    pub unselected: u64,
    /// Where the next piece begins.
    pub after: Option<String>,
    /// Where the replay ends.
    pub until: Option<String>,
    /// The file that was not ended, if so.
    #[serde(default)]
    pub resume: Option<Resume>,
    /// Whether there is no further piece.
    pub finished: bool,
}

impl ReplayInvocation {
    /// The request that `payload` holds; `None` if it is something else, such as an event of Kafka.
    pub fn of(payload: &str) -> Option<Self> {
        // An event is long, and begins otherwise.
        let text = payload.trim_start().strip_prefix('{')?.trim_start();
        text.starts_with("\"replay\"").then(|| serde_json::from_str(payload).ok()).flatten()
    }
}

impl ReplayRequest {
    /// Whether `entry` is to be replayed.
    pub fn wants(&self, entry: &Entry) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.holds(&|column| cell(entry, column)))
    }
}

/// The text of a column; `None` for NULL.
fn cell(entry: &Entry, column: &str) -> Option<String> {
    let row = &entry.row;
    match column {
        "topic" => Some(entry.topic.clone()),
        "source_partition" => Some(row.source_partition.to_string()),
        "offset" => Some(row.offset.to_string()),
        "index" => row.index.map(|index| index.to_string()),
        "reason" => Some(row.reason.clone()),
        "column" => row.column.clone(),
        "raw_text" => std::str::from_utf8(&row.raw).ok().map(str::to_owned),
        "timestamp" => row.timestamp_ms.map(moment::text),
        "job_version" => Some(entry.job_version.to_string()),
        "rejected_at" => Some(moment::text(entry.rejected_at_ms)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use penstock_kernel::loaded::RejectedRow;

    use super::*;
    use crate::predicate::MAX_NESTED;
    use crate::statement::Statement;

    fn wants(filter: &str) -> bool {
        let row = RejectedRow {
            source_partition: 3,
            offset: 40,
            index: None,
            column: Some("uid".to_owned()),
            reason: "Value 'x' is out of range. The type of 'uid' is BIGINT".to_owned(),
            raw: b"\xff".to_vec(),
            whole: true,
            key: None,
            timestamp_ms: Some(1_718_217_035_111),
        };
        let entry = Entry { topic: "t".to_owned(), row, job_version: 2, rejected_at_ms: 0 };
        match Statement::parse(&format!("REPLAY REJECTED ROWS FOR j WHERE {filter}")).unwrap() {
            Statement::ReplayRejected(statement) => {
                ReplayRequest { filter: statement.filter, ..ReplayRequest::default() }.wants(&entry)
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn rows_are_chosen_by_every_column() {
        for (filter, expected) in [
            ("offset >= 40 AND `Offset` < 41", true),
            ("offset > 40", false),
            ("source_partition IN (1, 3)", true),
            ("`index` IS NULL", true),
            ("`index` = 0", false),
            ("`column` = 'uid' AND reason LIKE '%out of range%'", true),
            ("raw_text IS NULL", true),
            ("timestamp >= '2024-06-12 18:30:35' AND timestamp < '2024-06-13'", true),
            ("job_version != 2", false),
            ("rejected_at = '1970-01-01'", true),
            ("topic = 't'", true),
            ("offset BETWEEN 39 AND 40", true),
            ("offset NOT BETWEEN 39 AND 40", false),
            ("offset = 1 OR offset = 40", true),
            ("offset = 1 || offset = 2", false),
            ("offset = 40 OR offset = 1 AND topic = 'u'", true),
            ("(offset = 40 OR offset = 1) AND topic = 'u'", false),
            ("NOT (offset = 40 AND topic = 'u')", true),
            ("NOT offset = 40", false),
            ("NOT NOT offset = 40", true),
            // What is unknown does not hold, and its opposite does not either.
            ("NOT `index` = 0", false),
            ("NOT `index` IS NULL", false),
            ("`index` = 0 OR offset = 40", true),
            ("NOT (`index` = 0 OR offset = 1)", false),
            ("NOT (`index` = 0 AND offset = 1)", true),
        ] {
            assert_eq!(wants(filter), expected, "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_refused_with_its_place() {
        for (filter, expected) in [
            ("site = 'x'", "site"),
            ("offset = 'x'", "an integer"),
            ("offset LIKE '4%'", "LIKE"),
            ("rejected_at > 'yesterday'", "a time"),
            ("offset = 1 XOR offset = 2", "XOR"),
            ("offset BETWEEN 1", "AND"),
            ("offset BETWEEN 'x' AND 2", "an integer"),
            ("offset + 1 = 2", "+"),
        ] {
            let error = Statement::parse(&format!("REPLAY REJECTED ROWS FOR j WHERE {filter}")).unwrap_err();
            assert!(error.to_string().contains(expected), "{filter}: {error}");
        }
    }

    #[test]
    fn filter_as_deep_as_may_be_reaches_the_function() {
        let filter = |depth: usize| {
            let inner = (0..depth).fold("offset = 1".to_owned(), |inner, level| {
                if level % 2 == 0 {
                    format!("(offset IN (7, 8) OR {inner})")
                } else {
                    format!("(offset = 8 AND {inner})")
                }
            });
            Statement::parse(&format!("REPLAY REJECTED ROWS FOR j WHERE {inner}"))
        };
        let Statement::ReplayRejected(statement) = filter(MAX_NESTED).unwrap() else { panic!("a replay") };
        let replay = ReplayRequest { filter: statement.filter, ..ReplayRequest::default() };
        let payload = serde_json::to_string(&ReplayInvocation { replay: replay.clone() }).unwrap();
        assert_eq!(ReplayInvocation::of(&payload), Some(ReplayInvocation { replay }));
        assert!(filter(MAX_NESTED + 1).unwrap_err().to_string().contains("nested"));
    }

    #[test]
    fn invocation_is_told_from_an_event() {
        let request = ReplayRequest { budget_ms: 7, ..ReplayRequest::default() };
        let payload = serde_json::to_string(&ReplayInvocation { replay: request.clone() }).unwrap();
        assert_eq!(ReplayInvocation::of(&payload).unwrap().replay, request);
        for other in ["", "{}", "[1]", r#"{"eventSource":"aws:kafka","records":{}}"#, r#"{"records":{},"replay":{}}"#] {
            assert_eq!(ReplayInvocation::of(other), None, "{other}");
        }
    }
}
