//! Statements about a table's partitions: ALTER TABLE, TRUNCATE TABLE, SHOW PARTITIONS.

use std::collections::{BTreeMap, HashSet};

use penstock_catalog::commit::DataFile;
use penstock_catalog::removal::Removed;
use penstock_kernel::loaded::TablePartition;
use penstock_kernel::partitioning::{Partitioning, RangeBound};
use penstock_kernel::table::{ColumnType, TableDefinition};
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

/// The name that SHOW PARTITIONS gives to files that several automatic partitions share. No partition has such a one.
const SHARED: &str = "$shared";

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
        wanted(&titles, partition_rows(&table, &types_of(&table)?, &files), &statement.filter)
    }
}

struct Automatic {
    names: HashSet<String>,
    homes: Vec<(TablePartition, String)>,
    shared: bool,
}

/// Rows and bytes of files.
#[derive(Debug, Clone, Copy, Default)]
struct Content {
    rows: u64,
    bytes: u64,
}

/// Whether partitions are lists of values; those of one expression over time are ranges.
fn lists(partitioning: &Partitioning) -> bool {
    match partitioning {
        Partitioning::List(_) => true,
        Partitioning::Automatic(expressions) => !matches!(expressions.as_slice(), [one] if one.slice().is_some()),
        _ => false,
    }
}

/// The defined partitions, with or without rows, or the automatic ones that have some.
fn partition_rows(table: &TableDefinition, types: &[ColumnType], files: &[DataFile]) -> Vec<Vec<Option<String>>> {
    let mut contents: BTreeMap<&TablePartition, Content> = BTreeMap::new();
    for file in files {
        let content = contents.entry(&file.table_partition).or_default();
        content.rows = content.rows.saturating_add(file.rows);
        content.bytes = content.bytes.saturating_add(file.bytes);
    }
    let content = |home: &TablePartition| contents.get(home).copied().unwrap_or_default();
    let shown = |id: Option<u64>, name: String, values: String, content: Content| {
        row(table, id.map(|id| id.to_string()), name, values, content)
    };
    match &table.partitioning {
        Partitioning::Range(range) => range
            .partitions
            .iter()
            .map(|one| {
                let values = range_text(&one.lower, &one.upper, types);
                shown(Some(one.id.into()), one.name.clone(), values, content(&TablePartition::Named(one.id)))
            })
            .collect(),
        Partitioning::List(list) => list
            .partitions
            .iter()
            .map(|one| {
                let content = content(&TablePartition::Named(one.id));
                shown(Some(one.id.into()), one.name.clone(), list_text(&one.values), content)
            })
            .collect(),
        Partitioning::Automatic(expressions) => {
            let slice = match expressions.as_slice() {
                [one] => one.slice(),
                _ => None,
            };
            let automatic = |(home, content): (&TablePartition, Content)| {
                let TablePartition::Values(values) = home else {
                    return shown(None, SHARED.to_owned(), "several partitions".to_owned(), content);
                };
                let name = table.partitioning.name_of(home, types).unwrap_or_default();
                let text = match (slice, values.as_slice()) {
                    (Some((count, unit)), [Some(lower)]) => types
                        .first()
                        .and_then(|column_type| {
                            let upper = unit.next(count, column_type, lower)?;
                            let bound = |text: String| RangeBound(vec![Some(text)]);
                            Some(range_text(&bound(lower.clone()), &bound(upper), types))
                        })
                        .unwrap_or_default(),
                    _ => list_text(std::slice::from_ref(values)),
                };
                shown(None, name, text, content)
            };
            contents.iter().map(|(home, content)| automatic((*home, *content))).collect()
        }
        _ => vec![shown(Some(table.id.0), table.name.clone(), String::new(), content(&TablePartition::Whole))],
    }
}

fn row(
    table: &TableDefinition,
    id: Option<String>,
    name: String,
    values: String,
    content: Content,
) -> Vec<Option<String>> {
    let hash = &table.distribution.hash_columns;
    vec![
        id,
        Some(name),
        Some("NORMAL".to_owned()),
        Some(table.partitioning.columns().join(", ")),
        Some(values),
        Some(if hash.is_empty() { "ALL KEY".to_owned() } else { hash.join(", ") }),
        table.distribution.buckets.map(|buckets| buckets.to_string()),
        Some(size(content.bytes)),
        Some(content.rows.to_string()),
    ]
}

/// A range in StarRocks' form: `[types: [DATE]; keys: [2024-01-01]; ..types: [DATE]; keys: [2024-02-01]; )`.
fn range_text(lower: &RangeBound, upper: &RangeBound, types: &[ColumnType]) -> String {
    let names: Vec<String> = types.iter().map(|column_type| kind(column_type).to_uppercase()).collect();
    let names = names.join(", ");
    let keys = |bound: &RangeBound, absent: &str| {
        let mut keys: Vec<&str> = bound.0.iter().map(|entry| entry.as_deref().unwrap_or("MAXVALUE")).collect();
        keys.resize(types.len(), if bound.0.last() == Some(&None) { "MAXVALUE" } else { absent });
        keys.join(", ")
    };
    let (lower, upper) = (keys(lower, "MINVALUE"), keys(upper, "MINVALUE"));
    format!("[types: [{names}]; keys: [{lower}]; ..types: [{names}]; keys: [{upper}]; )")
}

/// The name of a type without its length.
fn kind(column_type: &ColumnType) -> String {
    let name = column_type.to_string();
    name.split('(').next().unwrap_or_default().to_owned()
}

/// A list in StarRocks' form: `(('a'), ('b'))`, tuples of several columns too.
fn list_text(tuples: &[Vec<Option<String>>]) -> String {
    let value = |value: &Option<String>| match value {
        Some(text) => format!("'{}'", text.replace('\'', "\\'")),
        None => "NULL".to_owned(),
    };
    let tuple = |tuple: &Vec<Option<String>>| format!("({})", tuple.iter().map(value).collect::<Vec<_>>().join(", "));
    format!("({})", tuples.iter().map(tuple).collect::<Vec<_>>().join(", "))
}

/// Bytes as a person reads them: `0B`, `1.5KB`, `20MB`.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    let Some((name, unit)) = UNITS.into_iter().find(|(_, unit)| bytes >= *unit) else {
        return format!("{bytes}B");
    };
    let (whole, tenths) = (bytes / unit, bytes % unit * 10 / unit);
    if tenths == 0 { format!("{whole}{name}") } else { format!("{whole}.{tenths}{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_cut_to_one_digit_behind_the_point() {
        for (bytes, expected) in
            [(0, "0B"), (1023, "1023B"), (1024, "1KB"), (1536, "1.5KB"), (20 << 20, "20MB"), (u64::MAX, "16777215.9TB")]
        {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn bounds_are_filled_up_to_all_columns() {
        let types = [ColumnType::Date, ColumnType::Varchar(5)];
        let text = range_text(&RangeBound(vec![Some("2024-01-01".to_owned())]), &RangeBound(vec![None]), &types);
        let expected = "[types: [DATE, VARCHAR]; keys: [2024-01-01, MINVALUE]; \
                        ..types: [DATE, VARCHAR]; keys: [MAXVALUE, MAXVALUE]; )";
        assert_eq!(text, expected);
    }
}
