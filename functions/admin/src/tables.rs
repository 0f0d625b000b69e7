//! Statements about tables.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use penstock_catalog::database::{Created, Database};
use penstock_kernel::ids::TableId;
use penstock_kernel::state::{StateReason, reason};
use penstock_kernel::table::TableDefinition;
use penstock_sql::definition::{TableContext, table_definition};
use penstock_sql::error::{SqlError, code};
use penstock_sql::information_schema::Shape;
use penstock_sql::like::{self, Wildcards};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::{Cell, ResultSet};
use penstock_sql::similar::nearest;
use penstock_sql::statement::{
    CreateTable, DropTable, ObjectName, ShowColumns, ShowTableStatus, ShowTables, TableFilter,
};
use penstock_sql::{describe, information_schema, render};

use crate::databases::STORAGE_VOLUME;
use crate::error::of_catalog;
use crate::moment::moment;
use crate::names::database_name;
use crate::{Admin, done};

/// Tables whose files are looked up at a time.
const TABLES_AT_ONCE: usize = 16;

const STATUS_TITLES: [&str; 18] = [
    "Name",
    "Engine",
    "Version",
    "Row_format",
    "Rows",
    "Avg_row_length",
    "Data_length",
    "Max_data_length",
    "Index_length",
    "Data_free",
    "Auto_increment",
    "Create_time",
    "Update_time",
    "Check_time",
    "Collation",
    "Checksum",
    "Create_options",
    "Comment",
];

const INDEX_TITLES: [&str; 12] = [
    "Table",
    "Non_unique",
    "Key_name",
    "Seq_in_index",
    "Column_name",
    "Collation",
    "Cardinality",
    "Sub_part",
    "Packed",
    "Null",
    "Index_type",
    "Comment",
];

/// Why a job ends whose table was dropped.
pub(crate) fn table_gone() -> StateReason {
    StateReason { code: reason::TABLE, message: "table not exist".to_owned() }
}

impl Admin {
    pub(crate) async fn create_table(
        &self,
        statement: CreateTable,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let database = self.database_of(statement.name.database.as_deref(), session).await?;
        let volume = self.volume_for(&statement, &database).await?;
        let now_ms = self.catalog.clock().now_ms();
        let context = TableContext { database: database.id, volume: &volume, now_ms };
        let definition = table_definition(&statement, context)?;
        match self.catalog.create_table(definition).await.map_err(of_catalog)? {
            Created::Exists(_) if !statement.if_not_exists => {
                let message = format!("Table '{}' already exists", statement.name.name);
                Err(SqlError::new(code::TABLE_EXISTS, message))
            }
            _ => Ok(done()),
        }
    }

    /// The volume that a new table is to lie in: its own, else its database's, else the default one.
    async fn volume_for(&self, statement: &CreateTable, database: &Database) -> Result<String, SqlError> {
        let named = statement.properties.get(STORAGE_VOLUME).map(|pair| pair.value.clone());
        let name = match named.or_else(|| database.volume.clone()) {
            Some(name) => Some(name),
            None => self.catalog.default_volume().await.map_err(of_catalog)?,
        };
        match name {
            Some(name) => Ok(self.usable_volume(&name).await?.name),
            None => Err(SqlError::analysis("there is no default storage volume")
                .with_hint(format!("name one in the table's property `{STORAGE_VOLUME}`"))),
        }
    }

    /// Cancels the jobs that load the table, then drops it; a repeat goes on where a failure left off. There is no
    /// recycle bin, so FORCE makes no difference.
    pub(crate) async fn drop_table(
        &self,
        statement: DropTable,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let name = &statement.name;
        let database = self.database_of(name.database.as_deref(), session).await?;
        let table = match self.table_in(&database, &name.name).await {
            Ok(table) => table,
            Err(error) if error.code == code::UNKNOWN_TABLE && statement.if_exists => {
                return Ok(done());
            }
            Err(error) => return Err(error),
        };
        self.cancel_jobs_of(&database, &table).await?;
        self.catalog.drop_table(database.id, &name.name).await.map_err(of_catalog)?;
        // A job may have been created since they were listed: from now on none can.
        self.cancel_jobs_of(&database, &table).await?;
        Ok(done())
    }

    async fn cancel_jobs_of(&self, database: &Database, table: &TableDefinition) -> Result<(), SqlError> {
        for job in self.catalog.jobs_of_table(database.id, table.id).await.map_err(of_catalog)? {
            self.cancel_job(&job, &table_gone()).await?;
        }
        Ok(())
    }

    pub(crate) async fn show_tables(
        &self,
        statement: ShowTables,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let name = database_name(statement.database.as_deref(), session)?;
        let names: Vec<(String, &str)> = if information_schema::is(name) {
            information_schema::tables().into_iter().map(|table| (table.to_owned(), "SYSTEM VIEW")).collect()
        } else if information_schema::is_empty(name) {
            Vec::new()
        } else {
            let database = self.database(name).await?;
            let tables = self.catalog.table_names(database.id).await.map_err(of_catalog)?;
            tables.into_iter().map(|(name, _)| (name, "BASE TABLE")).collect()
        };
        let title = format!("Tables_in_{name}");
        let rows = names.into_iter().map(|(name, kind)| {
            let kind = statement.full.then(|| Some(kind.to_owned()));
            std::iter::once(Some(name)).chain(kind).collect()
        });
        let titles: &[&str] = if statement.full { &[&title, "Table_type"] } else { &[&title] };
        wanted(titles, rows.collect(), &statement.filter)
    }

    pub(crate) async fn show_table_status(
        &self,
        statement: ShowTableStatus,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let name = database_name(statement.database.as_deref(), session)?;
        let mut rows = Vec::new();
        if !information_schema::is(name) && !information_schema::is_empty(name) {
            let database = self.database(name).await?;
            let mut names = self.catalog.table_names(database.id).await.map_err(of_catalog)?;
            if let Some(pattern) = &statement.filter.like {
                names.retain(|(name, _)| like::matches(pattern, name, Wildcards::Sql));
            }
            let mut read = stream::iter(names).map(|(_, table)| self.table_status(table)).buffered(TABLES_AT_ONCE);
            while let Some(row) = read.try_next().await? {
                rows.extend(row);
            }
        }
        wanted(&STATUS_TITLES, rows, &statement.filter)
    }

    /// `None` if it was dropped meanwhile.
    async fn table_status(&self, table: TableId) -> Result<Option<Vec<Option<String>>>, SqlError> {
        let Some(table) = self.catalog.table_by_id(table).await.map_err(of_catalog)? else {
            return Ok(None);
        };
        let committed = self.catalog.committed(&table).await.map_err(of_catalog)?;
        let files = committed.files;
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        let updated = committed.last_commit_ms;
        let text = |text: &str| Some(text.to_owned());
        Ok(Some(vec![
            Some(table.name),
            text("StarRocks"),
            None,
            None,
            Some(rows.to_string()),
            Some(bytes.checked_div(rows).unwrap_or_default().to_string()),
            Some(bytes.to_string()),
            None,
            None,
            None,
            None,
            Some(moment(table.created_at_ms)),
            updated.map(moment),
            None,
            text("utf8_general_ci"),
            None,
            None,
            Some(table.comment.unwrap_or_default()),
        ]))
    }

    pub(crate) async fn show_columns(
        &self,
        statement: ShowColumns,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        if let Some(table) = system_table(&statement.table, session)? {
            return filtered(describe::show_system_columns(table, statement.full), &statement.filter);
        }
        let (_, table) = self.table(&statement.table, session).await?;
        filtered(describe::show_columns(&table, statement.full), &statement.filter)
    }

    /// Tables have no indexes, so there are no rows; the table is looked up all the same.
    pub(crate) async fn show_index(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        self.table(name, session).await?;
        Ok(SqlResponse::Rows(ResultSet::text(&INDEX_TITLES, Vec::new())))
    }

    pub(crate) async fn describe_table(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        if let Some(table) = system_table(name, session)? {
            return Ok(SqlResponse::Rows(describe::describe_system(table)));
        }
        let (_, table) = self.table(name, session).await?;
        Ok(SqlResponse::Rows(describe::describe(&table)))
    }

    pub(crate) async fn show_create_table(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, table) = self.table(name, session).await?;
        let rows = vec![vec![Some(table.name.clone()), Some(render::create_table(&table))]];
        Ok(SqlResponse::Rows(ResultSet::text(&["Table", "Create Table"], rows)))
    }
}

/// The table of `information_schema` that is named, if one is.
fn system_table(name: &ObjectName, session: &SessionContext) -> Result<Option<&'static Shape>, SqlError> {
    let database = database_name(name.database.as_deref(), session)?;
    if !information_schema::is(database) {
        return Ok(None);
    }
    let unknown = || SqlError::new(code::UNKNOWN_TABLE, format!("Unknown table '{database}.{}'", name.name));
    information_schema::table(&name.name).map(Some).ok_or_else(unknown)
}

/// The rows that `filter` wants. `LIKE` is about the first column.
pub(crate) fn wanted(
    titles: &[&str],
    rows: Vec<Vec<Option<String>>>,
    filter: &TableFilter,
) -> Result<SqlResponse, SqlError> {
    filtered(ResultSet::text(titles, rows), filter)
}

fn filtered(mut set: ResultSet, filter: &TableFilter) -> Result<SqlResponse, SqlError> {
    if let Some(pattern) = &filter.like {
        set.rows.retain(|row| text(row.first()).is_some_and(|name| like::matches(pattern, name, Wildcards::Sql)));
    }
    for condition in &filter.conditions {
        let titles = || set.columns.iter().map(|column| column.name.as_str());
        let Some(index) = titles().position(|title| title.eq_ignore_ascii_case(&condition.column)) else {
            let error = SqlError::analysis(&format!("column `{}` does not exist", condition.column));
            return Err(match nearest(&condition.column, titles()) {
                Some(title) => error.with_hint(format!("did you mean `{title}`?")),
                None => error,
            });
        };
        set.rows.retain(|row| condition.holds(text(row.get(index)), Wildcards::Sql));
    }
    Ok(SqlResponse::Rows(set))
}

fn text(cell: Option<&Cell>) -> Option<&str> {
    match cell {
        Some(Cell::Text(text)) => Some(text),
        _ => None,
    }
}
