//! ALTER ROUTINE LOAD: the next version of a paused job's definition.

use penstock_catalog::job::Changed;
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::plan::Plan;
use penstock_kernel::state::JobState;
use penstock_sql::definition::altered_definition;
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::statement::AlterRoutineLoad;

use super::source_mapping::spec;
use crate::error::{of_catalog, of_definition, of_mapping};
use crate::mapping::MappingId;
use crate::{Admin, done};

impl Admin {
    /// The mapping learns of the change first: if it refuses, nothing has changed; if the catalog fails afterwards, a
    /// repeat goes on where it left off.
    pub(crate) async fn alter_job(
        &self,
        statement: AlterRoutineLoad,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, job) = self.live_job(&statement.name, session).await?;
        let only_paused = || SqlError::analysis("Only supports modification of PAUSED jobs");
        if job.state != JobState::Paused {
            return Err(only_paused().with_hint(format!("PAUSE ROUTINE LOAD FOR {} first", job.name)));
        }
        let offsets = statement.source.as_ref().and_then(|source| source.get("kafka_offsets"));
        if let Some(pair) = offsets {
            return Err(SqlError::analysis_at(pair.position, "ALTER of kafka_offsets is not supported yet"));
        }
        let table = self.catalog.table_by_id(job.table).await.map_err(of_catalog)?;
        let table =
            table.ok_or_else(|| SqlError::new(code::UNKNOWN_TABLE, format!("Unknown table '{}'", job.table)))?;
        let current = self.definition(&job).await?;
        let mut next = altered_definition(&current, &statement, &table)?;
        self.check_automatic_partitions(&table, statement.clauses.table_partitions.as_deref()).await?;
        Plan::compile(&next, &table, &NoExpressions).map_err(|error| of_definition(&error))?;
        let (old_spec, new_spec) = (spec(&current, job.created_at_ms), spec(&next, job.created_at_ms));
        if let Some(mapping) = job.mapping.clone().map(MappingId)
            && old_spec != new_spec
        {
            self.mappings.update(&mapping, &new_spec).await.map_err(|error| of_mapping(&error))?;
        }
        // The catalog counts the version up from the one that the change was made to.
        next.version = current.version;
        match self.catalog.add_job_version(job.id, next).await.map_err(of_catalog)? {
            Changed::Now(_) => Ok(done()),
            Changed::Forbidden(_) => Err(only_paused()),
            Changed::Missing => {
                let message = format!("There is not operable routine load job with name {}", job.name);
                Err(SqlError::analysis(&message))
            }
        }
    }
}
