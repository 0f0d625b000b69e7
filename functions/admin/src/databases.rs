//! Statements about databases.

use penstock_catalog::database::Created;
use penstock_kernel::state::{StateReason, reason};
use penstock_sql::definition::check_database_name;
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::SqlResponse;
use penstock_sql::result::ResultSet;
use penstock_sql::statement::{CreateDatabase, DropDatabase, ShowDatabases};
use penstock_sql::{information_schema, render};

use crate::error::of_catalog;
use crate::tables::wanted;
use crate::{Admin, done};

/// The property of databases and tables that names their storage volume.
pub(crate) const STORAGE_VOLUME: &str = "storage_volume";

impl Admin {
    pub(crate) async fn create_database(&self, statement: CreateDatabase) -> Result<SqlResponse, SqlError> {
        let name = &statement.name;
        check_database_name(name)?;
        let exists = || {
            let message = format!("Can't create database '{name}'; database exists");
            SqlError::new(code::DATABASE_EXISTS, message)
        };
        if is_system(name) {
            return Err(exists());
        }
        for pair in &statement.properties.0 {
            if pair.key != STORAGE_VOLUME {
                let detail = format!("{} is invalid property", pair.key);
                return Err(SqlError::analysis_at(pair.position, &detail)
                    .with_hint(format!("a database has the property `{STORAGE_VOLUME}`")));
            }
        }
        let named = statement.properties.get(STORAGE_VOLUME).map(|pair| pair.value.as_str());
        // Bound now: a default volume set later is for databases made later.
        let volume = match named {
            Some(name) => Some(self.usable_volume(name).await?.name),
            None => self.catalog.default_volume().await.map_err(of_catalog)?,
        };
        match self.catalog.create_database(name, volume.as_deref()).await.map_err(of_catalog)? {
            Created::Exists(_) if !statement.if_not_exists => Err(exists()),
            _ => Ok(done()),
        }
    }

    /// Ends the jobs of the database, then drops its tables, then itself; a repeat goes on where a failure left off.
    /// There is no recycle bin, so FORCE makes no difference.
    pub(crate) async fn drop_database(&self, statement: DropDatabase) -> Result<SqlResponse, SqlError> {
        let name = &statement.name;
        if is_system(name) {
            return Err(SqlError::analysis(&format!("database `{}` cannot be dropped", name.to_ascii_lowercase())));
        }
        let missing = || {
            let message = format!("Can't drop database '{name}'; database doesn't exist");
            SqlError::new(code::DATABASE_MISSING_ON_DROP, message)
        };
        let Some(database) = self.catalog.database(name).await.map_err(of_catalog)? else {
            return if statement.if_exists { Ok(done()) } else { Err(missing()) };
        };
        let message = format!("db {}not exist", database.id);
        let gone = StateReason { code: reason::DATABASE, message };
        for job in self.catalog.live_jobs(database.id).await.map_err(of_catalog)? {
            self.cancel_job(&job, &gone).await?;
        }
        for (name, _) in self.catalog.table_names(database.id).await.map_err(of_catalog)? {
            self.catalog.drop_table(database.id, &name).await.map_err(of_catalog)?;
        }
        // Some may have been created since they were listed: from now on none can, there is no table.
        for job in self.catalog.jobs(database.id).await.map_err(of_catalog)? {
            self.cancel_job(&job, &gone).await?;
        }
        self.catalog.drop_database(name).await.map_err(of_catalog)?;
        Ok(done())
    }

    pub(crate) async fn show_databases(&self, statement: ShowDatabases) -> Result<SqlResponse, SqlError> {
        let databases = self.catalog.databases().await.map_err(of_catalog)?;
        let mut names: Vec<String> = databases.into_iter().map(|database| database.name).collect();
        names.push(information_schema::NAME.to_owned());
        names.extend(information_schema::EMPTY.map(str::to_owned));
        names.sort();
        let rows = names.into_iter().map(|name| vec![Some(name)]).collect();
        wanted(&["Database"], rows, &statement.filter)
    }

    pub(crate) async fn show_create_database(&self, name: &str) -> Result<SqlResponse, SqlError> {
        let text = if is_system(name) {
            render::create_database(name, None)
        } else {
            render::create_database(name, self.database(name).await?.volume.as_deref())
        };
        let rows = vec![vec![Some(name.to_owned()), Some(text)]];
        Ok(SqlResponse::Rows(ResultSet::text(&["Database", "Create Database"], rows)))
    }

    pub(crate) async fn use_database(&self, name: String) -> Result<SqlResponse, SqlError> {
        let name = if is_system(&name) { name.to_ascii_lowercase() } else { self.database(&name).await?.name };
        Ok(SqlResponse::Done { affected_rows: 0, database: Some(name) })
    }
}

/// Whether this is the name of a database that no statement made.
fn is_system(name: &str) -> bool {
    information_schema::is(name) || information_schema::is_empty(name)
}

/// There is one catalog.
pub(crate) fn show_catalogs() -> SqlResponse {
    let row = ["default_catalog", "Internal", "The databases and tables of this deployment"];
    let rows = vec![row.map(|cell| Some(cell.to_owned())).to_vec()];
    SqlResponse::Rows(ResultSet::text(&["Catalog", "Type", "Comment"], rows))
}
