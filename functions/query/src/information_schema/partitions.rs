//! `partitions_meta`: the partitions of all tables.

use penstock_show::partition::{distribution_key, partition_views, size};
use penstock_sql::definition::types_of;
use penstock_sql::error::SqlError;

use super::filter::Wanted;
use super::{Origin, Rows, Value, count, number, text};
use crate::failure::of_catalog;

/// Fills `partitions_meta`.
pub(super) async fn fill(origin: &Origin, wanted: &Wanted<'_>, rows: &mut Rows) -> Result<(), SqlError> {
    let catalog = &origin.catalog;
    for database in wanted.databases(catalog, "db_name").await? {
        for table in wanted.tables(catalog, &database, "table_name").await? {
            let files = catalog.data_files(&table).await.map_err(|error| of_catalog(&error))?;
            for view in partition_views(&table, &types_of(&table)?, &files) {
                rows.push(&[
                    ("DB_NAME", text(&database.name)),
                    ("TABLE_NAME", text(&table.name)),
                    ("PARTITION_NAME", text(view.name)),
                    ("PARTITION_ID", view.id.map_or(Value::Null, count)),
                    ("PARTITION_KEY", text(table.partitioning.columns().join(", "))),
                    ("PARTITION_VALUE", text(view.values)),
                    ("DISTRIBUTION_KEY", text(distribution_key(&table))),
                    ("BUCKETS", number(table.distribution.buckets)),
                    ("IS_IN_MEMORY", Value::Number(0)),
                    ("IS_TEMP", Value::Number(0)),
                    ("DATA_SIZE", text(size(view.bytes))),
                    ("ROW_COUNT", count(view.rows)),
                    ("STORAGE_SIZE", count(view.bytes)),
                ]);
            }
        }
    }
    Ok(())
}
