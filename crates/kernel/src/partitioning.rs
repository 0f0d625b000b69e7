//! PARTITION BY: how a table is divided into table partitions, each in files of its own.
//!
//! Range and list partitions are defined, have names and ids, and take only rows that fit them; automatic ones exist
//! as soon as a row has their values, so making one changes no definition. Values are kept as text in the one spelling
//! that [`PartitionValue::text`] gives, so that equal values are equal text and a definition can be read by a person.
//! How rows find their table partition is not here but in [`plan`](crate::plan), and source partitions of Kafka have
//! nothing to do with any of it.

use serde::{Deserialize, Serialize};

use crate::loaded::TablePartition;
use crate::table::ColumnType;

mod calendar;
mod name;
mod unit;
mod value;

pub use unit::TimeUnit;
pub use value::{BoundKey, PartitionValue, can_divide};

pub(crate) use unit::{floor_days, floor_micros};

/// Range and list partitions that a table has at most. A batch may touch them all, and the files of a batch are named
/// by one catalog item, whose length is limited.
pub const MAX_NAMED_PARTITIONS: usize = 1500;

/// Files that a batch writes for automatic partitions at most; rows of all further ones share one more file.
pub const MAX_AUTOMATIC_FILES: usize = 256;

/// Bytes of text that the values of an automatic partition with files of its own have at most, as JSON writes them: a
/// control character counts six, a quote or a backslash two.
pub const MAX_AUTOMATIC_VALUE_BYTES: usize = 256;

/// How a table is divided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Partitioning {
    /// Not at all.
    #[default]
    None,
    /// `PARTITION BY RANGE (...)`
    Range(RangePartitioning),
    /// `PARTITION BY LIST (...)`
    List(ListPartitioning),
    /// `PARTITION BY <expressions>`: a table partition for each combination of their values. Never empty.
    Automatic(Vec<PartitionExpression>),
}

/// Ranges of the values of some columns, compared as tuples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangePartitioning {
    /// Names of the columns, as the table spells them; at least one.
    pub columns: Vec<String>,
    /// The partitions, ascending; they do not overlap.
    pub partitions: Vec<RangePartition>,
    /// The id that the next partition gets; none is ever used again.
    pub next_id: u32,
}

/// One range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangePartition {
    /// Its id within the table.
    pub id: u32,
    /// Its name, unique in the table without regard to case.
    pub name: String,
    /// Its lower bound, inclusive; the empty one lies below all values.
    #[serde(default, skip_serializing_if = "RangeBound::is_lowest")]
    pub lower: RangeBound,
    /// Its upper bound, exclusive.
    pub upper: RangeBound,
}

/// A bound of a range: values of the leading columns, `None` for MAXVALUE. Columns that it does not name are at their
/// lowest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RangeBound(pub Vec<Option<String>>);

/// Lists of the values of some columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPartitioning {
    /// Names of the columns, as the table spells them; at least one.
    pub columns: Vec<String>,
    /// The partitions, in the order in which they were defined; no two have a tuple in common.
    pub partitions: Vec<ListPartition>,
    /// The id that the next partition gets; none is ever used again.
    pub next_id: u32,
}

/// One list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPartition {
    /// Its id within the table.
    pub id: u32,
    /// Its name, unique in the table without regard to case.
    pub name: String,
    /// Its tuples, each a value a column, `None` for NULL.
    pub values: Vec<Vec<Option<String>>>,
}

/// One expression of `PARTITION BY <expressions>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionExpression {
    /// The column's value.
    Column(String),
    /// `date_trunc('<unit>', <column>)`: the beginning of the unit that the value lies in.
    DateTrunc {
        /// The unit.
        unit: TimeUnit,
        /// The column, of type DATE or DATETIME.
        column: String,
    },
    /// `time_slice(<column>, INTERVAL <count> <unit>)`: the beginning of the value's slice, slices counted from
    /// 0001-01-01 00:00:00.
    TimeSlice {
        /// The column, of type DATE or DATETIME.
        column: String,
        /// Units of a slice, at least 1.
        count: u32,
        /// The unit.
        unit: TimeUnit,
    },
}

impl RangeBound {
    /// Whether it lies below all values.
    pub fn is_lowest(&self) -> bool {
        self.0.is_empty()
    }

    /// What it is compared by, one entry a value; `None` if a text is no value of its column, whose types are `types`.
    pub fn keys(&self, types: &[ColumnType]) -> Option<Vec<BoundKey>> {
        let mut keys = Vec::with_capacity(self.0.len());
        for (index, text) in self.0.iter().enumerate() {
            keys.push(match text {
                None => BoundKey::Max,
                Some(text) => BoundKey::Value(PartitionValue::parse(types.get(index)?, text)?),
            });
        }
        Some(keys)
    }
}

impl PartitionExpression {
    /// The column that it reads.
    pub fn column(&self) -> &str {
        match self {
            Self::Column(column) | Self::DateTrunc { column, .. } | Self::TimeSlice { column, .. } => column,
        }
    }

    /// Units of a slice and their unit; `None` for a plain column.
    pub fn slice(&self) -> Option<(u32, TimeUnit)> {
        match self {
            Self::Column(_) => None,
            Self::DateTrunc { unit, .. } => Some((1, *unit)),
            Self::TimeSlice { count, unit, .. } => Some((*count, *unit)),
        }
    }
}

impl Partitioning {
    /// Names of the columns that decide, in order.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::None => Vec::new(),
            Self::Range(RangePartitioning { columns, .. }) | Self::List(ListPartitioning { columns, .. }) => {
                columns.iter().map(String::as_str).collect()
            }
            Self::Automatic(expressions) => expressions.iter().map(PartitionExpression::column).collect(),
        }
    }

    /// Ids and names of the defined partitions, in order; automatic ones are not defined.
    pub fn named(&self) -> Vec<(u32, &str)> {
        match self {
            Self::None | Self::Automatic(_) => Vec::new(),
            Self::Range(range) => range.partitions.iter().map(|one| (one.id, one.name.as_str())).collect(),
            Self::List(list) => list.partitions.iter().map(|one| (one.id, one.name.as_str())).collect(),
        }
    }

    /// The id of the defined partition of that name, matched without regard to case.
    pub fn id_of(&self, name: &str) -> Option<u32> {
        self.named().into_iter().find(|(_, other)| other.eq_ignore_ascii_case(name)).map(|(id, _)| id)
    }

    /// Whether files of that table partition belong to the table: those of a dropped one do not.
    pub fn holds(&self, table_partition: &TablePartition) -> bool {
        match (table_partition, self) {
            (TablePartition::Named(id), Self::Range(range)) => range.partitions.iter().any(|one| one.id == *id),
            (TablePartition::Named(id), Self::List(list)) => list.partitions.iter().any(|one| one.id == *id),
            (TablePartition::Named(_), _) => false,
            _ => true,
        }
    }

    /// The name of a table partition: that of its definition, or the one that its values make (`p20240131`,
    /// `pNULL_cn`). `None` for a part that has none: the whole table, files that several share, a dropped one.
    ///
    /// Values that do not show in a name as they are (punctuation, long text) end it with a checksum, so that different
    /// values have different names. `types` are those of [`columns`](Self::columns).
    pub fn name_of(&self, table_partition: &TablePartition, types: &[ColumnType]) -> Option<String> {
        match (table_partition, self) {
            (TablePartition::Named(id), _) => {
                self.named().into_iter().find(|(other, _)| other == id).map(|(_, name)| name.to_owned())
            }
            (TablePartition::Values(values), Self::Automatic(expressions)) => {
                Some(name::of_values(expressions, types, values))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
