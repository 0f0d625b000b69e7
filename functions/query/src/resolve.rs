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
use penstock_catalog::rejected::{Rejection, standing};
use penstock_expressions::name::nearest;
use penstock_kernel::ids::TableId;
use penstock_kernel::table::TableDefinition;
use penstock_sql::error::{SqlError, code};
use penstock_storage::{StorageError, Volume, Volumes};

use crate::failure::{of_catalog, of_query};
use crate::information_schema::{self, Origin};
use crate::rejected;
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
    pub(crate) volumes: &'a Arc<dyn Volumes>,
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
        let stored = self.database(&database).await?;
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
        let (provider, rejections) = self.committed(&table).await?;
        Ok(Found { database, name, provider: Arc::new(provider), columns, rejections: Some((table.id, rejections)) })
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
        let empty = |url| {
            let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
            CommittedTable::new(&definition, Vec::new(), store, url, Arc::clone(self.report))
        };
        let files = match table {
            Some(table) if !files.is_empty() => {
                let Opened { volume, store, url } = self.open(&table).await?;
                let mut data_files = Vec::with_capacity(files.len());
                for file in files {
                    data_files.push((volume.key(&file.key).map_err(wrong_volume)?, rejected::data_file(file)));
                }
                CommittedTable::new(&definition, data_files, store, url, Arc::clone(self.report))
            }
            // The files of a dropped table are nobody's.
            _ => empty(url("").map_err(|error| of_query(&error, self.report, 0))?),
        };
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

    /// The table with the files of its commits as of now, and what these say of rejected rows.
    async fn committed(&self, table: &TableDefinition) -> Result<(CommittedTable, Vec<Rejection>), SqlError> {
        let Opened { volume, store, url } = self.open(table).await?;
        let read = self.catalog.committed(table).await.map_err(|error| of_catalog(&error))?;
        let mut files = Vec::with_capacity(read.files.len());
        for file in read.files {
            files.push((volume.key(&file.key).map_err(wrong_volume)?, file));
        }
        Ok((CommittedTable::new(table, files, store, url, Arc::clone(self.report)), read.rejections))
    }

    /// Where the files of `table` lie.
    async fn open(&self, table: &TableDefinition) -> Result<Opened, SqlError> {
        let volume = self.catalog.volume(&table.volume).await.map_err(|error| of_catalog(&error))?;
        let volume = volume.ok_or_else(|| {
            SqlError::new(
                code::INTERNAL,
                format!("storage volume `{}` of table `{}` is gone", table.volume, table.name),
            )
            .with_hint("create it again at the same location")
        })?;
        let store: Arc<dyn ObjectStore> =
            Arc::new(Source::new(self.volumes.open(&volume).map_err(wrong_volume)?, Arc::clone(self.report)));
        let url = url(&volume.location).map_err(|error| of_query(&error, self.report, 0))?;
        self.runtime.register_object_store(url.as_ref(), Arc::clone(&store));
        Ok(Opened { volume, store, url })
    }
}

/// A volume as one statement reads it.
struct Opened {
    volume: Volume,
    store: Arc<dyn ObjectStore>,
    url: ObjectStoreUrl,
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
