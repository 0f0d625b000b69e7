//! SHOW ROUTINE LOAD COVERAGE: whether every offset is accounted for, a row a source partition.

use penstock_catalog::coverage::{CoveredRange, SourceCoverage};
use penstock_sql::error::SqlError;
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::ResultSet;
use penstock_sql::statement::ObjectName;

use crate::Admin;
use crate::error::of_catalog;

/// `NextOffset` is exclusive, as are the ends of `Ranges`.
const TITLES: [&str; 12] = [
    "Partition",
    "StartOffset",
    "NextOffset",
    "Ranges",
    "Commits",
    "Records",
    "LoadedRows",
    "ErrorRows",
    "UnselectedRows",
    "SkippedOffsets",
    "SkipReasons",
    "Coverage",
];

/// Why offsets have no record, where the log has none.
const NONE_THERE: &str = "no record there (transaction markers, aborted, compacted or expired records)";

/// Ranges that a row shows at most: of a complete source partition there is one for each time that ALTER moved it.
const SHOWN_RANGES: usize = 20;

impl Admin {
    /// Of the live job of that name, else of the last one that ended.
    pub(crate) async fn show_coverage(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let job = self.latest_job(name, session).await?;
        let coverage = self.catalog.coverage(job.id).await.map_err(of_catalog)?.unwrap_or_default();
        Ok(SqlResponse::Rows(ResultSet::text(&TITLES, coverage.iter().map(row).collect())))
    }
}

fn row(source: &SourceCoverage) -> Vec<Option<String>> {
    let statistics = &source.statistics;
    let commits: u64 = source.ranges.iter().map(|range| range.commits).sum();
    let coverage = match &source.fault {
        None => "complete".to_owned(),
        Some(fault) => format!("incomplete: {fault}"),
    };
    vec![
        Some(source.source_partition.to_string()),
        Some(source.start_offset.to_string()),
        Some(source.next_offset.to_string()),
        Some(ranges(&source.ranges)),
        Some(commits.to_string()),
        Some(statistics.records.to_string()),
        Some(statistics.loaded.to_string()),
        Some(statistics.rejected.to_string()),
        Some(statistics.unselected.to_string()),
        Some(source.skipped.saturating_add(source.passed_over).to_string()),
        Some(reasons(source)),
        Some(coverage),
    ]
}

fn ranges(ranges: &[CoveredRange]) -> String {
    let shown = ranges.iter().take(SHOWN_RANGES).map(|range| format!("[{}, {})", range.from_offset, range.to_offset));
    let mut text = shown.collect::<Vec<_>>().join(" ");
    if ranges.len() > SHOWN_RANGES {
        text.push_str(&format!(" and {} more", ranges.len() - SHOWN_RANGES));
    }
    text
}

fn reasons(source: &SourceCoverage) -> String {
    let mut reasons = Vec::new();
    let within = source.skipped.saturating_sub(source.jumped);
    if within > 0 {
        reasons.push(format!("{within}: {NONE_THERE}"));
    }
    if source.jumped > 0 {
        let jumps: Vec<String> = source.jumps.iter().map(|(from, to)| format!("[{from}, {to})")).collect();
        let named: u64 = source.jumps.iter().map(|(from, to)| to.abs_diff(*from)).sum();
        let others = match source.jumped.saturating_sub(named) {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        reasons.push(format!(
            "{}{others}, before a batch: {NONE_THERE}, or the consumer group was ahead of the job",
            jumps.join(" ")
        ));
    }
    for (ended, begins, version) in &source.moves {
        let how = if begins > ended { "skipped" } else { "loaded again" };
        let (from, to) = (ended.min(begins), ended.max(begins));
        reasons.push(format!("[{from}, {to}) {how} by ALTER, version {version}"));
    }
    reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use penstock_kernel::loaded::LoadStatistics;

    use super::*;

    #[test]
    fn jumps_are_named_and_told_from_what_the_log_does_not_have() {
        let mut source = SourceCoverage {
            source_partition: 0,
            start_offset: 0,
            next_offset: 400,
            ranges: Vec::new(),
            moves: Vec::new(),
            statistics: LoadStatistics::default(),
            skipped: 7,
            jumped: 0,
            jumps: Vec::new(),
            passed_over: 0,
            fault: None,
        };
        assert_eq!(reasons(&source), "7: no record there (transaction markers, aborted, compacted or expired records)");
        (source.skipped, source.jumped, source.jumps) = (160, 160, vec![(100, 250), (300, 305)]);
        assert_eq!(
            reasons(&source),
            "[100, 250) [300, 305) and 5 more, before a batch: no record there (transaction markers, aborted, compacted or \
             expired records), or the consumer group was ahead of the job"
        );
    }
}
