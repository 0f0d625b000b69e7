//! Statements about a table's partitions: ALTER TABLE, TRUNCATE TABLE, SHOW PARTITIONS.

use std::collections::HashSet;

use penstock_catalog::removal::Removed;
use penstock_kernel::loaded::TablePartition;
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::table::TableDefinition;
use penstock_show::partition::{PartitionView, distribution_key, lists, partition_views, size};
use penstock_sql::definition::{types_of, unknown_partition, with_partition, without_partitions};
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::statement::{AlterTable, ObjectName, ShowPartitions, TableChange, TruncateTable};

use crate::error::of_catalog;
use crate::tables::wanted;
use crate::{Admin, done};

/// Titles of SHOW PARTITIONS; `Range` is `List` where partitions are lists.
const TITLES: [&str; 9] = [
    "PartitionId",
    "PartitionName",
    "State",
    "PartitionKey",
    "Range",
    "DistributionKey",
    "Buckets",
    "DataSize",
    "RowCount",
];

/// Times that a change is tried again because another changed the table meanwhile.
const MAX_RACES: u32 = 20;

impl Admin {
    pub(crate) async fn alter_table(
        &self,
        statement: AlterTable,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        for _ in 0..MAX_RACES {
            let (_, table) = self.table(&statement.table, session).await?;
            let after = match &statement.change {
                TableChange::AddPartition { if_not_exists, added } => with_partition(&table, added, *if_not_exists)?,
                TableChange::DropPartitions { names, .. }
                    if matches!(table.partitioning, Partitioning::Automatic(_)) =>
                {
                    return self.drop_automatic(&statement.table, &statement.change, names, session).await;
                }
                TableChange::DropPartitions { if_exists, names, .. } => without_partitions(&table, names, *if_exists)?,
            };
            let Some(after) = after else {
                return Ok(done());
            };
            let changed = self.catalog.set_partitioning(table.id, &table.partitioning, &after).await;
            if changed.map_err(of_catalog)? {
                return Ok(done());
            }
        }
        let message = format!("table `{}` changes faster than it can be altered", statement.table.name);
        Err(SqlError::new(code::UNAVAILABLE, message).with_hint("try again"))
    }

    /// An automatic partition is no more than its files, so dropping one is emptying it.
    async fn drop_automatic(
        &self,
        table: &ObjectName,
        change: &TableChange,
        names: &[String],
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let if_exists = matches!(change, TableChange::DropPartitions { if_exists: true, .. });
        let (_, table) = self.table(table, session).await?;
        let existing = self.automatic(&table).await?;
        let mut known = Vec::new();
        for name in names {
            match existing.names.contains(name) {
                true => known.push(name.clone()),
                false if if_exists => {}
                false => return Err(unknown_partition(name, &table)),
            }
        }
        self.truncate(&table, Some(&known)).await
    }

    pub(crate) async fn truncate_table(
        &self,
        statement: TruncateTable,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, table) = self.table(&statement.table, session).await?;
        self.truncate(&table, statement.partitions.as_deref()).await
    }

    /// Takes the rows of these partitions, or all, out of the table at once. Batches in flight load after it.
    async fn truncate(&self, table: &TableDefinition, names: Option<&[String]>) -> Result<SqlResponse, SqlError> {
        let removed = match names {
            None => self.catalog.remove_files(table.id, |_| true).await,
            Some(names) => {
                let homes = self.homes(table, names).await?;
                self.catalog.remove_files(table.id, move |file| homes.contains(&file.table_partition)).await
            }
        };
        match removed.map_err(of_catalog)? {
            Removed::Files(_) => Ok(done()),
            Removed::TableGone => Err(SqlError::new(code::UNKNOWN_TABLE, format!("Unknown table '{}'", table.name))),
            Removed::TooMany(commits) => {
                let detail =
                    format!("table `{}` has {commits} commits, more than can be taken out at once", table.name);
                Err(SqlError::analysis(&detail).with_hint("drop the table and create it again"))
            }
        }
    }

    /// The table partitions of these names.
    async fn homes(&self, table: &TableDefinition, names: &[String]) -> Result<HashSet<TablePartition>, SqlError> {
        let unknown = |name: &String| unknown_partition(name, table);
        match &table.partitioning {
            Partitioning::None => match names.iter().find(|name| !name.eq_ignore_ascii_case(&table.name)) {
                Some(name) => Err(unknown(name)),
                None => Ok(HashSet::from([TablePartition::Whole])),
            },
            Partitioning::Automatic(_) => {
                let existing = self.automatic(table).await?;
                if let Some(name) = names.iter().find(|name| !existing.names.contains(*name)) {
                    return Err(unknown(name));
                }
                if existing.shared {
                    let detail = "some batches had rows of so many partitions that these share files";
                    return Err(SqlError::analysis(detail)
                        .with_hint("the rows of one of them cannot be taken out; TRUNCATE the whole table"));
                }
                let named = |(home, name): (TablePartition, String)| names.contains(&name).then_some(home);
                Ok(existing.homes.into_iter().filter_map(named).collect())
            }
            partitioning => names
                .iter()
                .map(|name| partitioning.id_of(name).map(TablePartition::Named).ok_or_else(|| unknown(name)))
                .collect(),
        }
    }

    /// Refuses names of `PARTITION (...)` that no automatic partition has yet; others are checked by the definition alone.
    pub(crate) async fn check_automatic_partitions(
        &self,
        table: &TableDefinition,
        names: Option<&[String]>,
    ) -> Result<(), SqlError> {
        let Some(names) = names.filter(|_| matches!(table.partitioning, Partitioning::Automatic(_))) else {
            return Ok(());
        };
        let existing = self.automatic(table).await?;
        match names.iter().find(|name| !existing.names.contains(*name)) {
            // Files that several share may hold it.
            Some(name) if !existing.shared => {
                Err(unknown_partition(name, table).with_hint("partitions of this table come with their first rows"))
            }
            _ => Ok(()),
        }
    }

    /// The automatic partitions that have files.
    async fn automatic(&self, table: &TableDefinition) -> Result<Automatic, SqlError> {
        let types = types_of(table)?;
        let files = self.catalog.data_files(table).await.map_err(of_catalog)?;
        let homes: HashSet<TablePartition> = files.into_iter().map(|file| file.table_partition).collect();
        let shared = homes.contains(&TablePartition::Shared);
        let named = |home: TablePartition| table.partitioning.name_of(&home, &types).map(|name| (home, name));
        let homes: Vec<(TablePartition, String)> = homes.into_iter().filter_map(named).collect();
        Ok(Automatic { names: homes.iter().map(|(_, name)| name.clone()).collect(), homes, shared })
    }

    pub(crate) async fn show_partitions(
        &self,
        statement: ShowPartitions,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, table) = self.table(&statement.table, session).await?;
        let files = self.catalog.data_files(&table).await.map_err(of_catalog)?;
        let mut titles = TITLES;
        if lists(&table.partitioning) {
            for title in titles.iter_mut().filter(|title| **title == "Range") {
                *title = "List";
            }
        }
        let views = partition_views(&table, &types_of(&table)?, &files);
        wanted(&titles, views.into_iter().map(|view| row(&table, view)).collect(), &statement.filter)
    }
}

struct Automatic {
    names: HashSet<String>,
    homes: Vec<(TablePartition, String)>,
    shared: bool,
}

fn row(table: &TableDefinition, view: PartitionView) -> Vec<Option<String>> {
    vec![
        view.id.map(|id| id.to_string()),
        Some(view.name),
        Some("NORMAL".to_owned()),
        Some(table.partitioning.columns().join(", ")),
        Some(view.values),
        Some(distribution_key(table)),
        table.distribution.buckets.map(|buckets| buckets.to_string()),
        Some(size(view.bytes)),
        Some(view.rows.to_string()),
    ]
}
