//! Mappings made again for live jobs.
//!
//! AWS keeps mappings as long as jobs live. An emulation keeps them beside its data, which may be another folder, or a
//! temporary one, than at the last start, while the catalog is the same.

use penstock_catalog::job::Job;
use penstock_kernel::error_chain::one_line;
use penstock_sql::error::SqlError;

use super::source_mapping::spec;
use crate::Admin;
use crate::error::of_catalog;

impl Admin {
    /// Gives every live job its mapping: enabled if the job loads, disabled if it is paused. One that is there stays. A job
    /// whose mapping is refused is logged and left as it is, since RESUME and SHOW tell its owner. Reads every live job.
    ///
    /// # Errors
    /// The catalog does not answer.
    pub async fn restore_mappings(&self) -> Result<(), SqlError> {
        for database in self.catalog.databases().await.map_err(of_catalog)? {
            for job in self.catalog.live_jobs(database.id).await.map_err(of_catalog)? {
                self.restore_mapping(&job).await?;
            }
        }
        Ok(())
    }

    async fn restore_mapping(&self, job: &Job) -> Result<(), SqlError> {
        let definition = self.definition(job).await?;
        let made = self.mappings.create(&spec(&definition, job)).await;
        let steered = match made {
            Ok(mapping) => {
                if job.mapping.as_ref() != Some(&mapping.0) {
                    self.catalog.set_job_mapping(job.id, &mapping.0).await.map_err(of_catalog)?;
                }
                self.mappings.set_enabled(&mapping, job.state.loads()).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = steered {
            tracing::warn!(job = job.id.0, error = one_line(&error), "no mapping");
        }
        Ok(())
    }
}
