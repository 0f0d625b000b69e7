//! CREATE ROUTINE LOAD: a definition that can work, a job, and the event source mapping that brings its records.

use penstock_catalog::database::{Created, Database};
use penstock_catalog::job::{Job, JobFailure};
use penstock_expressions::StarRocks;
use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::JobId;
use penstock_kernel::job::JobDefinition;
use penstock_kernel::plan::Plan;
use penstock_kernel::state::{JobEvent, JobState};
use penstock_kernel::table::TableDefinition;
use penstock_sql::definition::{JobContext, job_definition};
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::statement::CreateRoutineLoad;

use super::source_mapping::spec;
use crate::error::{of_catalog, of_definition, of_mapping};
use crate::mapping::{MappingError, MappingId, MappingSpec};
use crate::tables::table_gone;
use crate::{Admin, done};

impl Admin {
    pub(crate) async fn create_job(
        &self,
        statement: CreateRoutineLoad,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (database, table, mut definition) = self.compiled(&statement, session).await?;
        self.mappings.check(&spec(&definition, &not_created(&definition))).map_err(|error| of_mapping(&error))?;
        let job = match self.catalog.create_job(definition.clone()).await.map_err(of_catalog)? {
            Created::New(job) => job,
            Created::Exists(_) => {
                let message = format!("Name {} already used in db {}", definition.name, database.name);
                return Err(SqlError::analysis(&message).with_hint("STOP ROUTINE LOAD ends a job and frees its name"));
            }
        };
        // DROP TABLE ends the jobs that are there once the table is gone. One that comes later ends here, as if it had come
        // just before.
        if self.catalog.table_by_id(table.id).await.map_err(of_catalog)?.is_none() {
            self.cancel_job(&job, &table_gone()).await?;
            return Ok(done());
        }
        definition.id = job.id;
        self.begin_mapping(&job, &definition).await?;
        Ok(done())
    }

    /// The definition that a statement makes, known to work on its table; nothing is stored.
    pub(super) async fn compiled(
        &self,
        statement: &CreateRoutineLoad,
        session: &SessionContext,
    ) -> Result<(Database, TableDefinition, JobDefinition), SqlError> {
        let database = self.database_of(statement.name.database.as_deref(), session).await?;
        let table = self.table_in(&database, &statement.table).await?;
        let context = JobContext {
            database: database.id,
            table: &table,
            uuid: &uuid(&self.catalog.clock().unique()),
            time_zone: &session.time_zone,
        };
        let definition = job_definition(statement, context)?;
        self.check_automatic_partitions(&table, definition.clauses.table_partitions.as_deref()).await?;
        Plan::compile(&definition, &table, &StarRocks).map_err(|error| of_definition(&error))?;
        Ok((database, table, definition))
    }

    /// Makes the mapping of a job that was just created. If the service refuses it the job ends with it; if the service
    /// does not answer the job stays, and RESUME tries again.
    async fn begin_mapping(&self, job: &Job, definition: &JobDefinition) -> Result<(), SqlError> {
        let spec = spec(definition, job);
        let Err(error) = self.make_mapping(job.id, &spec).await else {
            return Ok(());
        };
        match error {
            MappingFailure::Catalog(error) => Err(error),
            MappingFailure::Mapping(error @ MappingError::Refused { .. }) => {
                // If nothing can be removed either, the job stays and shows why, and STOP is for the user to say.
                match self.remove_mapping(job).await {
                    Ok(()) => {
                        let stopped = self.catalog.change_job(job.id, JobEvent::Stop).await;
                        stopped.map_err(of_catalog)?;
                    }
                    Err(_) => self.record_mapping_failure(job.id, &error).await?,
                }
                Err(of_mapping(&error))
            }
            MappingFailure::Mapping(error) => {
                self.record_mapping_failure(job.id, &error).await?;
                let message =
                    format!("job `{}` is created, but its records do not come yet: {}", job.name, one_line(&error));
                Err(SqlError::new(code::UNAVAILABLE, message)
                    .with_hint(format!("RESUME ROUTINE LOAD FOR {} tries again", job.name)))
            }
        }
    }

    /// Makes the job's mapping and remembers it.
    pub(super) async fn make_mapping(&self, job: JobId, spec: &MappingSpec) -> Result<MappingId, MappingFailure> {
        let mapping = self.mappings.create(spec).await.map_err(MappingFailure::Mapping)?;
        let stored = self.catalog.set_job_mapping(job, &mapping.0).await;
        stored.map_err(|error| MappingFailure::Catalog(of_catalog(error)))?;
        Ok(mapping)
    }

    /// Lets the job show why its records do not come.
    pub(super) async fn record_mapping_failure(&self, job: JobId, error: &MappingError) -> Result<(), SqlError> {
        let clock = self.catalog.clock();
        let failure = JobFailure { at_ms: clock.now_ms(), message: one_line(error), task: uuid(&clock.unique()) };
        self.catalog.record_failure(job, failure, 0).await.map_err(of_catalog)
    }
}

/// A job that stands for the one that a definition would make.
fn not_created(definition: &JobDefinition) -> Job {
    Job {
        id: definition.id,
        name: definition.name.clone(),
        database: definition.database,
        table: definition.table,
        state: JobState::NeedSchedule,
        reason: None,
        version: definition.version,
        fence: 0,
        window: 0,
        mapping: None,
        rewound: false,
        created_at_ms: 0,
        paused_at_ms: None,
        ended_at_ms: None,
    }
}

/// What kept a mapping from being made and remembered.
pub(super) enum MappingFailure {
    /// The mapping service.
    Mapping(MappingError),
    /// The catalog.
    Catalog(SqlError),
}

/// A UUID of version 7 out of a ULID: both lead with the milliseconds at which they were made, the rest is random. A
/// text that is no ULID stands for itself.
fn uuid(ulid: &str) -> String {
    let Ok(ulid) = ulid::Ulid::from_string(ulid) else {
        return ulid.to_owned();
    };
    const VERSION: u128 = 0x7 << 76;
    const VARIANT: u128 = 0b10 << 62;
    let bits = (ulid.0 & !(0xf << 76) & !(0b11 << 62)) | VERSION | VARIANT;
    let digits = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| digits.get(part)).collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn a_ulid_becomes_a_uuid_of_version_7() {
        assert_eq!(uuid("01ARZ3NDEKTSV4RRFFQ69G5FAV"), "01563e3a-b5d3-7676-8c61-efb99302bd5b");
        assert_eq!(uuid("seven"), "seven");
    }
}
