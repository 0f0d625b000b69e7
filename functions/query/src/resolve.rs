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
use object_store::memory::InMemory;
use penstock_catalog::Catalog;
use penstock_catalog::commit::ErrorFile;
use penstock_catalog::database::Database;
use penstock_catalog::job::Job;
use penstock_catalog::kept::Kept;
use penstock_catalog::rejected::{Rejection, standing};
use penstock_catalog::visible::Visible;
use penstock_expressions::name::nearest;
use penstock_kernel::ids::TableId;
use penstock_kernel::table::TableDefinition;
use penstock_sql::error::{SqlError, code};
use penstock_storage::{StorageError, Volume, Volumes};

use crate::failure::{of_catalog, of_query};
use crate::information_schema::{self, Origin};
use crate::names::Names;
use crate::part::Part;
use crate::rejected;
use crate::report::Report;
use crate::session::DEFAULT_CATALOG;
use crate::source::Source;
use crate::table::{CommittedTable, OpenVolume};

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
    pub(crate) volumes: &'a Arc<dyn Volumes>,
    pub(crate) runtime: &'a RuntimeEnv,
    pub(crate) report: &'a Arc<Report>,
    /// Tables found before.
    pub(crate) names: &'a Names,
    /// What was made of manifests before.
    pub(crate) parts: &'a Kept,
    pub(crate) ranges: &'a Kept,
    /// The session's database.
    pub(crate) database: Option<&'a str>,
}

struct Found {
    database: String,
    name: String,
    provider: Arc<dyn TableProvider>,
    columns: Vec<String>,
    /// What the commits say of rejected rows, if the table was read from commits.
    rejections: Option<(TableId, Vec<Rejection>)>,
}

/// What the commits of tables that a statement reads say of rejected rows.
type ReadRejections = HashMap<TableId, Vec<Rejection>>;

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
        let (of_jobs, of_tables): (Vec<_>, Vec<_>) = names
            .into_iter()
            .partition(|(database, name)| !information_schema::is(database) && rejected::job_name(name).is_some());
        let mut found: Vec<Found> = futures::stream::iter(of_tables)
            .map(|(database, name)| self.find(database, name))
            .buffered(LOOKUPS)
            .try_collect()
            .await?;
        let read: ReadRejections = found.iter_mut().filter_map(|found| found.rejections.take()).collect();
        for (database, name) in of_jobs {
            found.push(self.find_rejected(database, name, &read).await?);
        }

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
            let origin = Origin {
                catalog: self.catalog.clone(),
                volumes: Arc::clone(self.volumes),
                report: Arc::clone(self.report),
            };
            let table = information_schema::table(origin, &name);
            let (columns, provider) = table.ok_or_else(|| unknown_table(&database, &name))?;
            return Ok(Found { database, name, provider, columns, rejections: None });
        }
        if let Some(found) = self.find_again(&database, &name).await? {
            return Ok(found);
        }
        let stored = self.database(&database).await?;
        let table = self.catalog.table(stored.id, &name).await.map_err(|error| of_catalog(&error))?;
        let visible = match table {
            Some(table) => self.catalog.visible(table.id).await.map_err(|error| of_catalog(&error))?,
            None => None,
        };
        let Some(visible) = visible else {
            let others = self.catalog.tables(stored.id).await.map_err(|error| of_catalog(&error))?;
            let error = unknown_table(&database, &name);
            let known = nearest(&name, others.iter().map(|other| other.name.as_str()));
            return Err(match known {
                Some(known) => error.with_hint(format!("did you mean `{known}`?")),
                None => error,
            });
        };
        let volume = self.catalog.volume(&visible.definition.volume).await.map_err(|error| of_catalog(&error))?;
        self.names.learn(&database, &visible.definition);
        self.committed(database, visible, volume)
    }

    /// The table that had these names before, if it has them still; its definition says so, which is read with its files.
    async fn find_again(&self, database: &str, name: &str) -> Result<Option<Found>, SqlError> {
        let Some(known) = self.names.known(database, name) else {
            return Ok(None);
        };
        let read = futures::future::try_join(self.catalog.visible(known.table), self.catalog.volume(&known.volume));
        let (visible, volume) = read.await.map_err(|error| of_catalog(&error))?;
        match visible.filter(|visible| known.is(&visible.definition, name)) {
            Some(visible) => self.committed(database.to_owned(), visible, volume).map(Some),
            None => {
                self.names.forget(database, name);
                Ok(None)
            }
        }
    }

    /// The rejected rows of the jobs that `name` stands for.
    async fn find_rejected(&self, database: String, name: String, read: &ReadRejections) -> Result<Found, SqlError> {
        let stored = self.database(&database).await?;
        let job_name = rejected::job_name(&name).unwrap_or_default();
        let mut jobs = self.catalog.jobs(stored.id).await.map_err(|error| of_catalog(&error))?;
        if !jobs.iter().any(|job| job.name == job_name) {
            let error = unknown_table(&database, &name);
            return Err(match nearest(job_name, jobs.iter().map(|job| job.name.as_str())) {
                Some(known) => error.with_hint(format!("did you mean `{known}$rejected`?")),
                None => error.with_hint(format!("there is no routine load job `{job_name}`")),
            });
        }
        jobs.retain(|job| job.name == job_name);
        let mut parts = Vec::new();
        for job in jobs {
            parts.push(self.rejected_of(job, read).await?);
        }
        let provider = rejected::provider(parts).map_err(|error| of_query(&error, self.report, 0))?;
        let provider = provider.ok_or_else(|| unknown_table(&database, &name))?;
        Ok(Found { database, name, provider, columns: rejected::titles(), rejections: None })
    }

    async fn rejected_of(&self, job: Job, read: &ReadRejections) -> Result<rejected::Part, SqlError> {
        let rejections = match read.get(&job.table) {
            Some(of_table) => of_table.iter().filter(|rejection| rejection.job == job.id).cloned().collect(),
            None => self.catalog.rejections(job.id).await.map_err(|error| of_catalog(&error))?,
        };
        let files: Vec<ErrorFile> = standing(rejections).into_iter().filter_map(|rejection| rejection.errors).collect();
        let table = self.catalog.table_by_id(job.table).await.map_err(|error| of_catalog(&error))?;
        let definition = rejected::definition();
        let schema = rejected::schema(&definition);
        let (volume, parts) = match table {
            Some(table) if !files.is_empty() => {
                let volume = self.catalog.volume(&table.volume).await.map_err(|error| of_catalog(&error))?;
                let files = files.into_iter().map(rejected::data_file).collect();
                (self.open(&table, volume)?, vec![Arc::new(Part::new(Arc::new(files), &definition))])
            }
            // The files of a dropped table are nobody's.
            _ => {
                let url = url("").map_err(|error| of_query(&error, self.report, 0))?;
                (OpenVolume { path: String::new(), store: Arc::new(InMemory::new()), url }, Vec::new())
            }
        };
        let files = CommittedTable::new(&definition, parts, &volume, Arc::clone(self.report));
        Ok(rejected::Part { job, files: files.with_schema(schema) })
    }

    /// The database of that name.
    async fn database(&self, database: &str) -> Result<Database, SqlError> {
        let stored = self.catalog.database(database).await.map_err(|error| of_catalog(&error))?;
        let Some(stored) = stored else {
            let others = self.catalog.databases().await.map_err(|error| of_catalog(&error))?;
            let error = SqlError::new(code::UNKNOWN_DATABASE, format!("Unknown database '{database}'"));
            let known = nearest(database, others.iter().map(|other| other.name.as_str()));
            return Err(match known {
                Some(known) => error.with_hint(format!("did you mean `{known}`?")),
                None => error,
            });
        };
        Ok(stored)
    }

    /// The table with the files that it has as of now, and what its commits say of rejected rows.
    fn committed(&self, database: String, visible: Visible, volume: Option<Volume>) -> Result<Found, SqlError> {
        let Visible { definition, groups, rejections } = visible;
        let volume = self.open(&definition, volume)?;
        let parts = groups.into_iter().map(|group| Part::of_group(group, &definition, self.parts)).collect();
        let columns = definition.columns.iter().map(|column| column.name.clone()).collect();
        let provider = Arc::new(CommittedTable::new(&definition, parts, &volume, Arc::clone(self.report)));
        Ok(Found { database, name: definition.name, provider, columns, rejections: Some((definition.id, rejections)) })
    }

    /// Where the files of `table` lie.
    fn open(&self, table: &TableDefinition, volume: Option<Volume>) -> Result<OpenVolume, SqlError> {
        let volume = volume.ok_or_else(|| {
            SqlError::new(
                code::INTERNAL,
                format!("storage volume `{}` of table `{}` is gone", table.volume, table.name),
            )
            .with_hint("create it again at the same location")
        })?;
        let path = volume.key("").map_err(wrong_volume)?;
        let url = url(&volume.location).map_err(|error| of_query(&error, self.report, 0))?;
        let (store, name) = (self.volumes.open(&volume).map_err(wrong_volume)?, format!("{}@{url}", volume.name));
        let store: Arc<dyn ObjectStore> =
            Arc::new(Source::new(store, Arc::clone(self.report)).keeping(self.ranges.clone(), name));
        self.runtime.register_object_store(url.as_ref(), Arc::clone(&store));
        Ok(OpenVolume { path, store, url })
    }
}

fn wrong_volume(error: StorageError) -> SqlError {
    SqlError::new(code::INTERNAL, error.to_string())
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
