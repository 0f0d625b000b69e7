//! EXPLAIN COST FOR ROUTINE LOAD: what a job costs, from what its batches used.

use penstock_catalog::layout::TableState;
use penstock_kernel::usage::Usage;
use penstock_show::cost::{CostView, TITLES};
use penstock_sql::error::SqlError;
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::ResultSet;
use penstock_sql::statement::ObjectName;

use crate::Admin;
use crate::error::of_catalog;

impl Admin {
    /// Of the live job of that name, else of the last one that ended.
    pub(crate) async fn explain_cost(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let job = self.latest_job(name, session).await?;
        let definition = self.definition(&job).await?;
        let state = self.catalog.unread_state(job.table).await.map_err(of_catalog)?;
        let mut view = CostView {
            usage: Usage::default(),
            records: 0,
            failed: 0,
            source_partitions: 0,
            stored_bytes: stored_bytes(&state),
            window_s: definition.properties.max_batch_interval_s(),
            state: job.state,
        };
        if let Some(snapshot) = self.catalog.job_snapshot(job.id).await.map_err(of_catalog)? {
            view.failed = snapshot.trouble.aborted_tasks;
            view.source_partitions = snapshot.progress.len();
            for progress in snapshot.progress.values() {
                view.usage.add(&progress.value.usage);
                view.records = view.records.saturating_add(progress.value.statistics.records);
            }
        }
        Ok(SqlResponse::Rows(ResultSet::text(&TITLES, view.rows())))
    }
}

/// Bytes of all files of a table: those of its manifests, and those of commits that are not folded. Of a dropped one: none.
fn stored_bytes(state: &TableState) -> u64 {
    if state.definition.is_none() {
        return 0;
    }
    let folded = state.layout.iter().flat_map(|layout| &layout.value.manifests).map(|manifest| manifest.bytes);
    let fresh = state.commits.iter().flat_map(|commit| &commit.files).map(|file| file.bytes);
    folded.chain(fresh).sum()
}
