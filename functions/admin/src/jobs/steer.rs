//! PAUSE, RESUME and STOP, and the cancellation of jobs whose table goes.
//!
//! What ends a job removes its mapping first and changes the state then: if either fails, the statement can be said
//! again. PAUSE changes the state first, since from then on no batch is acknowledged, whatever the mapping still sends.

use penstock_catalog::database::Database;
use penstock_catalog::job::{Changed, Job};
use penstock_kernel::error_chain::one_line;
use penstock_kernel::job::JobDefinition;
use penstock_kernel::state::{JobEvent, JobState, StateReason, reason};
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::similar::nearest;
use penstock_sql::statement::ObjectName;

use super::create::MappingFailure;
use super::source_mapping::spec;
use crate::error::{of_catalog, of_mapping};
use crate::mapping::{MappingError, MappingId};
use crate::{Admin, done};

impl Admin {
    pub(crate) async fn pause_job(&self, name: &ObjectName, session: &SessionContext) -> Result<SqlResponse, SqlError> {
        let (_, job) = self.live_job(name, session).await?;
        let message = format!("User {} pauses routine load job", session.user);
        let event = JobEvent::Pause(StateReason { code: reason::MANUAL_PAUSE, message });
        let changed = self.changed(&job, event).await;
        if changed.is_err() && job.state != JobState::Paused {
            return changed.map(|_| done());
        }
        // A job that is paused already may be so by a PAUSE that could not reach the mapping.
        if let Some(mapping) = &job.mapping {
            let disabled = self.mappings.set_enabled(&MappingId(mapping.clone()), false).await;
            disabled.map_err(|error| not_disabled(&job, &error))?;
        }
        changed.map(|_| done())
    }

    pub(crate) async fn resume_job(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, job) = self.live_job(name, session).await?;
        let definition = self.definition(&job).await?;
        let job = self.changed(&job, JobEvent::Resume).await?;
        let spec = spec(&definition, &job);
        let Some(mapping) = job.mapping.clone().map(MappingId) else {
            return match self.make_mapping(job.id, &spec).await {
                Ok(_) => Ok(done()),
                Err(MappingFailure::Catalog(error)) => Err(error),
                Err(MappingFailure::Mapping(error)) => {
                    self.record_mapping_failure(job.id, &error).await?;
                    Err(of_mapping(&error))
                }
            };
        };
        // Once the definition has changed, an ALTER may have failed to tell the mapping.
        if job.version > 1 {
            self.mappings.update(&mapping, &spec).await.map_err(|error| of_mapping(&error))?;
        }
        self.mappings.set_enabled(&mapping, true).await.map_err(|error| of_mapping(&error))?;
        Ok(done())
    }

    pub(crate) async fn stop_job(&self, name: &ObjectName, session: &SessionContext) -> Result<SqlResponse, SqlError> {
        let (_, job) = self.live_job(name, session).await?;
        self.remove_mapping(&job).await?;
        self.changed(&job, JobEvent::Stop).await?;
        Ok(done())
    }

    /// Cancels the job because of `gone`; one that has ended is left as it is.
    pub(crate) async fn cancel_job(&self, job: &Job, gone: &StateReason) -> Result<(), SqlError> {
        if job.state.is_final() {
            return Ok(());
        }
        self.remove_mapping(job).await?;
        // That it has ended meanwhile is as good.
        self.catalog.change_job(job.id, JobEvent::Cancel(gone.clone())).await.map_err(of_catalog)?;
        Ok(())
    }

    /// Removes the job's mapping. An empty id is given if none is known: one may have been made and not remembered.
    pub(super) async fn remove_mapping(&self, job: &Job) -> Result<(), SqlError> {
        let mapping = MappingId(job.mapping.clone().unwrap_or_default());
        self.mappings.delete(&mapping, job.id).await.map_err(|error| of_mapping(&error))
    }

    /// The job that a statement means, if it has not ended.
    pub(super) async fn live_job(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<(Database, Job), SqlError> {
        let database = self.database_of(name.database.as_deref(), session).await?;
        match self.catalog.live_job(database.id, &name.name).await.map_err(of_catalog)? {
            Some(job) => Ok((database, job)),
            None => Err(self.no_such_job(&database, &name.name).await?),
        }
    }

    pub(super) async fn no_such_job(&self, database: &Database, name: &str) -> Result<SqlError, SqlError> {
        let message = format!("There is not operable routine load job with name {name}");
        let error = SqlError::analysis(&message);
        let jobs = self.catalog.jobs(database.id).await.map_err(of_catalog)?;
        if jobs.iter().any(|job| job.name == name) {
            return Ok(error.with_hint("it has ended: SHOW ALL ROUTINE LOAD shows it"));
        }
        let live = jobs.iter().filter(|job| !job.state.is_final()).map(|job| job.name.as_str());
        Ok(match nearest(name, live) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error,
        })
    }

    /// The job after `event`.
    async fn changed(&self, job: &Job, event: JobEvent) -> Result<Job, SqlError> {
        match self.catalog.change_job(job.id, event).await.map_err(of_catalog)? {
            Changed::Now(job) => Ok(job),
            Changed::Forbidden(illegal) => Err(SqlError::analysis(&illegal.to_string())),
            Changed::Missing => {
                let message = format!("There is not operable routine load job with name {}", job.name);
                Err(SqlError::analysis(&message))
            }
        }
    }

    /// The current version of the job's definition.
    pub(super) async fn definition(&self, job: &Job) -> Result<JobDefinition, SqlError> {
        let stored = self.catalog.job_definition(job.id, job.version).await.map_err(of_catalog)?;
        stored.ok_or_else(|| {
            let message = format!("version {} of job {} is missing in the catalog", job.version, job.id);
            SqlError::new(code::INTERNAL, message)
        })
    }
}

fn not_disabled(job: &Job, error: &MappingError) -> SqlError {
    let message = format!("job `{}` is PAUSED, but batches still come, and are refused: {}", job.name, one_line(error));
    SqlError::new(code::UNAVAILABLE, message).with_hint("say PAUSE again")
}
