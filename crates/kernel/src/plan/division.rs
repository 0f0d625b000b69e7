//! Stage 8: each row to the table partition that accepts it.
//!
//! Rows are grouped by the values that decide before anything is looked up, so a lookup is made once a combination of
//! values, and each table partition's rows are copied once. What a batch may cost is bounded whatever it holds: range
//! and list partitions are as many as were defined; of automatic ones the largest get files of their own, and all
//! further rows share one file, in which they are found as in any other. So no row is lost, or rejected, because of the
//! company that it came in.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow_array::{RecordBatch, UInt32Array};
use arrow_select::take::take_record_batch;

use super::error::DefinitionError;
use crate::loaded::TablePartition;
use crate::partitioning::{
    BoundKey, MAX_AUTOMATIC_FILES, MAX_AUTOMATIC_VALUE_BYTES, PartitionExpression, PartitionValue, Partitioning,
    can_divide,
};
use crate::table::{ColumnType, TableDefinition};

mod group;

use group::{Part, group};

/// Why a row is rejected that no table partition accepts, in StarRocks' words.
pub(super) const NO_TABLE_PARTITION: &str = "The row is out of partition ranges. Please add a new partition.";

/// A compiled [`Partitioning`], restricted to what `PARTITION (...)` names.
#[derive(Debug, Clone)]
pub(super) struct Division {
    /// What decides, one entry a column or expression.
    parts: Vec<Part>,
    accepting: Accepting,
}

#[derive(Debug, Clone)]
enum Accepting {
    /// Ascending, without overlap.
    Ranges(Vec<Range>),
    /// The id of each listed tuple.
    Lists(HashMap<Vec<PartitionValue>, u32>),
    /// Any values.
    Automatic {
        partitioning: Partitioning,
        types: Vec<ColumnType>,
        /// Names of those that the job may load into; `None` for all.
        names: Option<HashSet<String>>,
    },
}

#[derive(Debug, Clone)]
struct Range {
    id: u32,
    lower: Vec<BoundKey>,
    upper: Vec<BoundKey>,
}

/// Rows by table partition.
pub(super) struct Divided {
    /// Ascending by table partition, each at most once, none without rows.
    pub(super) tables: Vec<(TablePartition, RecordBatch)>,
    /// Rows that no table partition accepts, ascending.
    pub(super) refused: Vec<usize>,
}

impl Division {
    /// The division of `table`, `None` if it has one part that accepts all rows. `names` are those of `PARTITION (...)`;
    /// rows of other partitions are not accepted. Names of automatic partitions are taken as they are, since those come
    /// with their rows; a table without PARTITION BY is one partition of the table's name.
    pub(super) fn new(table: &TableDefinition, names: Option<&[String]>) -> Result<Option<Self>, DefinitionError> {
        let types = types(table)?;
        let partitioning = &table.partitioning;
        let accepting = match partitioning {
            Partitioning::None => {
                let unknown = names.into_iter().flatten().find(|name| !name.eq_ignore_ascii_case(&table.name));
                return match unknown {
                    Some(name) => Err(DefinitionError::UnknownTablePartition { name: name.clone() }),
                    None => Ok(None),
                };
            }
            Partitioning::Range(range) => {
                let wanted = wanted(partitioning, names)?;
                let mut ranges = Vec::new();
                for one in range.partitions.iter().filter(|one| is_wanted(&wanted, one.id)) {
                    let wrong = || DefinitionError::PartitionValue { partition: one.name.clone() };
                    let lower = one.lower.keys(&types).ok_or_else(wrong)?;
                    let upper = one.upper.keys(&types).ok_or_else(wrong)?;
                    ranges.push(Range { id: one.id, lower, upper });
                }
                ranges.sort_by(|one, other| one.lower.cmp(&other.lower));
                Accepting::Ranges(ranges)
            }
            Partitioning::List(list) => {
                let wanted = wanted(partitioning, names)?;
                let mut lists = HashMap::new();
                for one in list.partitions.iter().filter(|one| is_wanted(&wanted, one.id)) {
                    for tuple in &one.values {
                        let wrong = || DefinitionError::PartitionValue { partition: one.name.clone() };
                        lists.insert(values(tuple, &types).ok_or_else(wrong)?, one.id);
                    }
                }
                Accepting::Lists(lists)
            }
            Partitioning::Automatic(_) => Accepting::Automatic {
                partitioning: partitioning.clone(),
                types,
                names: names.map(|names| names.iter().cloned().collect()),
            },
        };
        Ok(Some(Self { parts: parts(table)?, accepting }))
    }

    /// Divides rows, whose columns are the table's.
    pub(super) fn divide(&self, rows: RecordBatch) -> Divided {
        let groups = group(&self.parts, &rows);
        let values =
            |first: usize| -> Vec<PartitionValue> { self.parts.iter().map(|part| part.value(&rows, first)).collect() };
        // Which table partition each group goes to; `None` for none.
        let mut homes: Vec<Option<TablePartition>> = Vec::with_capacity(groups.firsts.len());
        match &self.accepting {
            Accepting::Ranges(ranges) => {
                homes.extend(
                    groups.firsts.iter().map(|first| range_of(ranges, values(*first)).map(TablePartition::Named)),
                );
            }
            Accepting::Lists(lists) => {
                homes.extend(
                    groups.firsts.iter().map(|first| lists.get(&values(*first)).copied().map(TablePartition::Named)),
                );
            }
            Accepting::Automatic { partitioning, types, names } => {
                let own = groups.largest(MAX_AUTOMATIC_FILES);
                for (number, first) in groups.firsts.iter().enumerate() {
                    if names.is_none() && !own.contains(&number) {
                        homes.push(Some(TablePartition::Shared));
                        continue;
                    }
                    let texts: Vec<Option<String>> =
                        values(*first).iter().zip(types).map(|(value, column_type)| value.text(column_type)).collect();
                    let bytes: usize = texts.iter().flatten().map(|text| written_bytes(text)).sum();
                    let home = TablePartition::Values(texts);
                    let may = names.as_ref().is_none_or(|names| {
                        partitioning.name_of(&home, types).is_some_and(|name| names.contains(&name))
                    });
                    homes.push(match may {
                        false => None,
                        true if own.contains(&number) && bytes <= MAX_AUTOMATIC_VALUE_BYTES => Some(home),
                        true => Some(TablePartition::Shared),
                    });
                }
            }
        }
        gather(rows, &groups.of_rows, &homes)
    }
}

/// Bytes that a value takes in a commit, which is JSON.
fn written_bytes(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum()
}

/// Copies each table partition's rows, unless it is one that has them all.
fn gather(rows: RecordBatch, of_rows: &[u32], homes: &[Option<TablePartition>]) -> Divided {
    let numbers: BTreeMap<&TablePartition, usize> = {
        let distinct: std::collections::BTreeSet<&TablePartition> = homes.iter().flatten().collect();
        distinct.into_iter().zip(0..).collect()
    };
    let places: Vec<Option<usize>> =
        homes.iter().map(|home| home.as_ref().and_then(|home| numbers.get(home).copied())).collect();
    if numbers.len() == 1 && places.iter().all(Option::is_some) {
        let only = numbers.into_keys().next().cloned();
        return Divided { tables: only.map(|home| (home, rows)).into_iter().collect(), refused: Vec::new() };
    }
    let mut indices: Vec<Vec<u32>> = vec![Vec::new(); numbers.len()];
    let mut refused = Vec::new();
    for (row, group) in (0_u32..).zip(of_rows) {
        let place = usize::try_from(*group).ok().and_then(|group| places.get(group).copied().flatten());
        match place.and_then(|place| indices.get_mut(place)) {
            Some(indices) => indices.push(row),
            None => refused.extend(usize::try_from(row)),
        }
    }
    let tables = numbers
        .into_keys()
        .zip(indices)
        .map(|(home, indices)| match take_record_batch(&rows, &UInt32Array::from(indices)) {
            Ok(taken) => (home.clone(), taken),
            Err(error) => unreachable!("indices are rows of the batch: {error}"),
        })
        .collect();
    Divided { tables, refused }
}

/// The range that holds the values: the last one that does not begin behind them, unless it ends before.
fn range_of(ranges: &[Range], values: Vec<PartitionValue>) -> Option<u32> {
    let key: Vec<BoundKey> = values.into_iter().map(BoundKey::Value).collect();
    let range = ranges.get(ranges.partition_point(|range| range.lower <= key).checked_sub(1)?)?;
    (key < range.upper).then_some(range.id)
}

/// Ids of the partitions of these names; `None` for all.
fn wanted(partitioning: &Partitioning, names: Option<&[String]>) -> Result<Option<HashSet<u32>>, DefinitionError> {
    let Some(names) = names else {
        return Ok(None);
    };
    let id = |name: &String| {
        partitioning.id_of(name).ok_or_else(|| DefinitionError::UnknownTablePartition { name: name.clone() })
    };
    names.iter().map(id).collect::<Result<_, _>>().map(Some)
}

fn is_wanted(wanted: &Option<HashSet<u32>>, id: u32) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted.contains(&id))
}

fn values(texts: &[Option<String>], types: &[ColumnType]) -> Option<Vec<PartitionValue>> {
    let value = |(text, column_type): (&Option<String>, &ColumnType)| match text {
        None => Some(PartitionValue::Null),
        Some(text) => PartitionValue::parse(column_type, text),
    };
    if texts.len() == types.len() { texts.iter().zip(types).map(value).collect() } else { None }
}

/// Types of the columns that decide.
fn types(table: &TableDefinition) -> Result<Vec<ColumnType>, DefinitionError> {
    let column_type = |name: &str| match table.column(name) {
        Some(column) if can_divide(&column.column_type) => Ok(column.column_type.clone()),
        _ => Err(DefinitionError::PartitionColumn { column: name.to_owned() }),
    };
    table.partitioning.columns().into_iter().map(column_type).collect()
}

fn parts(table: &TableDefinition) -> Result<Vec<Part>, DefinitionError> {
    let slices: Vec<_> = match &table.partitioning {
        Partitioning::Automatic(expressions) => expressions.iter().map(PartitionExpression::slice).collect(),
        other => vec![None; other.columns().len()],
    };
    let part = |(name, slice): (&str, _)| {
        let column = table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        column
            .map(|column| Part { column, slice })
            .ok_or_else(|| DefinitionError::PartitionColumn { column: name.to_owned() })
    };
    table.partitioning.columns().into_iter().zip(slices).map(part).collect()
}
