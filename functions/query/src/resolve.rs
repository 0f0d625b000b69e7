//! The tables that a statement names, looked up in the catalog before it is planned.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, TableProvider};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::sql::TableReference;
use datafusion::sql::parser::Statement;
use datafusion::sql::resolve::resolve_table_references;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use penstock_catalog::Catalog;
use penstock_expressions::name::nearest;
use penstock_kernel::table::TableDefinition;
use penstock_sql::error::{SqlError, code};
use penstock_storage::Volumes;

use crate::failure::{of_catalog, of_query};
use crate::information_schema;
use crate::report::Report;
use crate::session::DEFAULT_CATALOG;
use crate::source::Source;
use crate::table::CommittedTable;

/// Tables looked up at once.
const LOOKUPS: usize = 8;

/// The tables of a statement.
pub(crate) struct Resolved {
    /// All of them, under the names that the statement uses.
    pub(crate) tables: Arc<MemoryCatalogProvider>,
    /// Names of their columns as defined, by lower case.
    pub(crate) spelled: HashMap<String, String>,
}

/// Looks tables up.
pub(crate) struct Resolver<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) volumes: &'a dyn Volumes,
    pub(crate) runtime: &'a RuntimeEnv,
    pub(crate) report: &'a Arc<Report>,
    /// The session's database.
    pub(crate) database: Option<&'a str>,
}

struct Found {
    database: String,
    name: String,
    provider: Arc<dyn TableProvider>,
    columns: Vec<String>,
}

impl Resolver<'_> {
    /// Looks up all tables of `statement`, each once; names in `functions` are no tables.
    ///
    /// # Errors
    /// 5501 and 5502 for what does not exist, 1046 for a bare name without a database, 1205 if a service does not answer.
    pub(crate) async fn resolve(
        &self,
        statement: &Statement,
        functions: &std::collections::HashSet<String>,
    ) -> Result<Resolved, SqlError> {
        let (references, _) =
            resolve_table_references(statement, false).map_err(|error| of_query(&error, self.report, 0))?;
        let mut names = BTreeSet::new();
        for reference in references {
            if !functions.contains(reference.table()) {
                names.insert(self.full_name(&reference)?);
            }
        }
        let found: Vec<Found> = futures::stream::iter(names)
            .map(|(database, name)| self.find(database, name))
            .buffered(LOOKUPS)
            .try_collect()
            .await?;

        let tables = Arc::new(MemoryCatalogProvider::new());
        // The session's database has to exist even if no table of it is named.
        for database in self.database.into_iter().chain(found.iter().map(|table| table.database.as_str())) {
            if tables.schema(database).is_none() {
                let registered = tables.register_schema(database, Arc::new(MemorySchemaProvider::new()));
                registered.map_err(|error| of_query(&error, self.report, 0))?;
            }
        }
        let mut spelled = HashMap::new();
        for table in found {
            for column in table.columns {
                spelled.entry(column.to_lowercase()).or_insert(column);
            }
            if let Some(schema) = tables.schema(&table.database) {
                let registered = schema.register_table(table.name, table.provider);
                registered.map_err(|error| of_query(&error, self.report, 0))?;
            }
        }
        Ok(Resolved { tables, spelled })
    }

    fn full_name(&self, reference: &TableReference) -> Result<(String, String), SqlError> {
        if let Some(catalog) = reference.catalog()
            && ![DEFAULT_CATALOG, "def"].contains(&catalog)
        {
            return Err(SqlError::new(code::PARSE, format!("Unknown catalog '{catalog}'"))
                .with_hint(format!("there is only `{DEFAULT_CATALOG}`")));
        }
        let database = reference.schema().or(self.database).ok_or_else(|| {
            SqlError::new(code::NO_DATABASE, "No database selected").with_hint("say USE <database>, or database.table")
        })?;
        Ok((database.to_owned(), reference.table().to_owned()))
    }

    async fn find(&self, database: String, name: String) -> Result<Found, SqlError> {
        if information_schema::is(&database) {
            let provider = information_schema::table(self.catalog, &name).await.map_err(|error| of_catalog(&error))?;
            let (columns, provider) = provider.ok_or_else(|| unknown_table(&database, &name))?;
            return Ok(Found { database, name, provider, columns });
        }
        let stored = self.catalog.database(&database).await.map_err(|error| of_catalog(&error))?;
        let Some(stored) = stored else {
            let others = self.catalog.databases().await.map_err(|error| of_catalog(&error))?;
            let error = SqlError::new(code::UNKNOWN_DATABASE, format!("Unknown database '{database}'"));
            let known = nearest(&database, others.iter().map(|other| other.name.as_str()));
            return Err(match known {
                Some(known) => error.with_hint(format!("did you mean `{known}`?")),
                None => error,
            });
        };
        let table = self.catalog.table(stored.id, &name).await.map_err(|error| of_catalog(&error))?;
        let Some(table) = table else {
            let others = self.catalog.tables(stored.id).await.map_err(|error| of_catalog(&error))?;
            let error = unknown_table(&database, &name);
            let known = nearest(&name, others.iter().map(|other| other.name.as_str()));
            return Err(match known {
                Some(known) => error.with_hint(format!("did you mean `{known}`?")),
                None => error,
            });
        };
        let columns = table.columns.iter().map(|column| column.name.clone()).collect();
        let provider = self.committed(&table).await?;
        Ok(Found { database, name, provider: Arc::new(provider), columns })
    }

    /// The table with the files of its commits as of now.
    async fn committed(&self, table: &TableDefinition) -> Result<CommittedTable, SqlError> {
        let volume = self.catalog.volume(&table.volume).await.map_err(|error| of_catalog(&error))?;
        let volume = volume.ok_or_else(|| {
            SqlError::new(
                code::INTERNAL,
                format!("storage volume `{}` of table `{}` is gone", table.volume, table.name),
            )
            .with_hint("create it again at the same location")
        })?;
        let wrong = |error: penstock_storage::StorageError| SqlError::new(code::INTERNAL, error.to_string());
        let store: Arc<dyn ObjectStore> =
            Arc::new(Source::new(self.volumes.open(&volume).map_err(wrong)?, Arc::clone(self.report)));
        let url = url(&volume.location).map_err(|error| of_query(&error, self.report, 0))?;
        self.runtime.register_object_store(url.as_ref(), Arc::clone(&store));
        let mut files = Vec::new();
        for file in self.catalog.data_files(table).await.map_err(|error| of_catalog(&error))? {
            files.push((volume.key(&file.key).map_err(wrong)?, file));
        }
        Ok(CommittedTable::new(table, files, store, url, Arc::clone(self.report)))
    }
}

/// Where DataFusion finds the store of a location: a URL that no other location has.
fn url(location: &str) -> datafusion::error::Result<ObjectStoreUrl> {
    let mut url = "volume://v".to_owned();
    for byte in location.bytes() {
        // Writing to a String cannot fail.
        let _ = write!(url, "{byte:02x}");
    }
    ObjectStoreUrl::parse(url)
}

fn unknown_table(database: &str, name: &str) -> SqlError {
    SqlError::new(code::UNKNOWN_TABLE, format!("Unknown table '{database}.{name}'"))
}
