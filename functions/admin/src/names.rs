//! Names of a statement into what they name: databases and tables.

use penstock_catalog::database::Database;
use penstock_kernel::table::TableDefinition;
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::SessionContext;
use penstock_sql::similar::nearest;
use penstock_sql::statement::ObjectName;

use crate::Admin;
use crate::error::of_catalog;

/// The database that a statement means: the one it names, else the session's.
pub(crate) fn database_name<'a>(named: Option<&'a str>, session: &'a SessionContext) -> Result<&'a str, SqlError> {
    named.or(session.database.as_deref()).ok_or_else(|| {
        SqlError::new(code::NO_DATABASE, "No database selected")
            .with_hint("say USE <database>, or lead the name with its database")
    })
}

impl Admin {
    /// The database of that name.
    pub(crate) async fn database(&self, name: &str) -> Result<Database, SqlError> {
        match self.catalog.database(name).await.map_err(of_catalog)? {
            Some(database) => Ok(database),
            None => Err(self.unknown_database(name).await?),
        }
    }

    async fn unknown_database(&self, name: &str) -> Result<SqlError, SqlError> {
        let error = SqlError::new(code::UNKNOWN_DATABASE, format!("Unknown database '{name}'"));
        let known = self.catalog.databases().await.map_err(of_catalog)?;
        Ok(match nearest(name, known.iter().map(|database| database.name.as_str())) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error,
        })
    }

    /// The database that a statement means.
    pub(crate) async fn database_of(
        &self,
        named: Option<&str>,
        session: &SessionContext,
    ) -> Result<Database, SqlError> {
        self.database(database_name(named, session)?).await
    }

    /// The table of that name.
    pub(crate) async fn table(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<(Database, TableDefinition), SqlError> {
        let database = self.database_of(name.database.as_deref(), session).await?;
        let table = self.table_in(&database, &name.name).await?;
        Ok((database, table))
    }

    /// The table of that name in the database.
    pub(crate) async fn table_in(&self, database: &Database, name: &str) -> Result<TableDefinition, SqlError> {
        if let Some(table) = self.catalog.table(database.id, name).await.map_err(of_catalog)? {
            return Ok(table);
        }
        let message = format!("Unknown table '{}.{name}'", database.name);
        let error = SqlError::new(code::UNKNOWN_TABLE, message);
        let known = self.catalog.table_names(database.id).await.map_err(of_catalog)?;
        Err(match nearest(name, known.iter().map(|(name, _)| name.as_str())) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error,
        })
    }
}
