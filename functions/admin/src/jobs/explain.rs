//! EXPLAIN ROUTINE LOAD: the compiled plan of a job, or of a definition that is not made yet, as rows.

use penstock_expressions::StarRocks;
use penstock_kernel::job::JobDefinition;
use penstock_kernel::plan::Plan;
use penstock_kernel::plan::describe::describe;
use penstock_kernel::table::TableDefinition;
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::ResultSet;
use penstock_sql::statement::JobOrDefinition;

use crate::Admin;
use crate::error::{of_catalog, of_definition};

/// A row is about a column of the table, a source field that no column takes, or a rule; `Kind` says which.
const TITLES: [&str; 6] = ["Kind", "Name", "Type", "FedBy", "Conversion", "Nullable"];

impl Admin {
    pub(crate) async fn explain_job(
        &self,
        of: JobOrDefinition,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (definition, table) = self.job_or_definition(&of, session).await?;
        Plan::compile(&definition, &table, &StarRocks).map_err(|error| of_definition(&error))?;
        let description = describe(&definition, &table);
        let mut rows = Vec::new();
        for column in description.columns {
            let nullable = if column.nullable { "YES" } else { "NO" }.to_owned();
            rows.push(
                ["column".to_owned(), column.name, column.column_type, column.fed_by, column.conversion, nullable]
                    .map(Some)
                    .to_vec(),
            );
        }
        for (name, field) in description.fields_aside {
            rows.push(vec![Some("field".to_owned()), Some(name), None, Some(field), None, None]);
        }
        for (name, text) in description.rules {
            rows.push(vec![Some("rule".to_owned()), Some(name.to_owned()), None, Some(text), None, None]);
        }
        Ok(SqlResponse::Rows(ResultSet::text(&TITLES, rows)))
    }

    /// The definition of a live job, or the one that a statement makes, with its table.
    pub(super) async fn job_or_definition(
        &self,
        of: &JobOrDefinition,
        session: &SessionContext,
    ) -> Result<(JobDefinition, TableDefinition), SqlError> {
        match of {
            JobOrDefinition::Job(name) => {
                let (_, job) = self.live_job(name, session).await?;
                let table = self.catalog.table_by_id(job.table).await.map_err(of_catalog)?;
                let table = table
                    .ok_or_else(|| SqlError::new(code::UNKNOWN_TABLE, format!("Unknown table '{}'", job.table)))?;
                Ok((self.definition(&job).await?, table))
            }
            JobOrDefinition::Definition(statement) => {
                let (_, table, definition) = self.compiled(statement, session).await?;
                Ok((definition, table))
            }
        }
    }
}
