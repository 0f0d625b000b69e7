//! A table's partitions as they are shown, by SHOW PARTITIONS and by `information_schema.partitions_meta`.

use std::collections::BTreeMap;

use penstock_catalog::commit::DataFile;
use penstock_kernel::loaded::TablePartition;
use penstock_kernel::partitioning::{Partitioning, RangeBound};
use penstock_kernel::table::{ColumnType, TableDefinition};

/// The name given to files that several automatic partitions share. No partition has such a one.
const SHARED: &str = "$shared";

/// What is shown of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionView {
    /// Its id; a table without PARTITION BY is one partition of the table's id, automatic ones have none.
    pub id: Option<u64>,
    /// Its name.
    pub name: String,
    /// Its range or list, in StarRocks' form; empty without PARTITION BY.
    pub values: String,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of its files.
    pub bytes: u64,
}

/// Whether partitions are lists of values; those of one expression over time are ranges.
pub fn lists(partitioning: &Partitioning) -> bool {
    match partitioning {
        Partitioning::List(_) => true,
        Partitioning::Automatic(expressions) => !matches!(expressions.as_slice(), [one] if one.slice().is_some()),
        _ => false,
    }
}

/// The defined partitions, with or without rows, or the automatic ones that have some. `types` are those of the columns
/// that divide the table, `files` those that readers see.
pub fn partition_views(table: &TableDefinition, types: &[ColumnType], files: &[DataFile]) -> Vec<PartitionView> {
    let mut contents: BTreeMap<&TablePartition, Content> = BTreeMap::new();
    for file in files {
        let content = contents.entry(&file.table_partition).or_default();
        content.rows = content.rows.saturating_add(file.rows);
        content.bytes = content.bytes.saturating_add(file.bytes);
    }
    let content = |home: &TablePartition| contents.get(home).copied().unwrap_or_default();
    let shown = |id: Option<u64>, name: String, values: String, content: Content| PartitionView {
        id,
        name,
        values,
        rows: content.rows,
        bytes: content.bytes,
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

/// The columns that rows are distributed by, as they are shown.
pub fn distribution_key(table: &TableDefinition) -> String {
    let hash = &table.distribution.hash_columns;
    if hash.is_empty() { "ALL KEY".to_owned() } else { hash.join(", ") }
}

/// Bytes as a person reads them: `0B`, `1.5KB`, `20MB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    let Some((name, unit)) = UNITS.into_iter().find(|(_, unit)| bytes >= *unit) else {
        return format!("{bytes}B");
    };
    let (whole, tenths) = (bytes / unit, bytes % unit * 10 / unit);
    if tenths == 0 { format!("{whole}{name}") } else { format!("{whole}.{tenths}{name}") }
}

/// Rows and bytes of files.
#[derive(Debug, Clone, Copy, Default)]
struct Content {
    rows: u64,
    bytes: u64,
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
