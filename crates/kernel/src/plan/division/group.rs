//! Rows that agree in all that decides, numbered.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;

use crate::partitioning::{PartitionValue, TimeUnit, floor_days, floor_micros};

/// What decides: a column, or the beginning of the slice of time that its value lies in.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The column, by its place in the table.
    pub(super) column: usize,
    /// Units of a slice, and their unit.
    pub(super) slice: Option<(u32, TimeUnit)>,
}

/// Rows by group.
pub(super) struct Groups {
    /// The group of each row.
    pub(super) of_rows: Vec<u32>,
    /// The first row of each group, ascending.
    pub(super) firsts: Vec<usize>,
}

impl Part {
    /// What decides about a row.
    pub(super) fn value(&self, rows: &RecordBatch, row: usize) -> PartitionValue {
        let Some(column) = rows.columns().get(self.column) else {
            return PartitionValue::Null;
        };
        let value = PartitionValue::of(column, row);
        match (self.slice, &value) {
            (Some((count, unit)), PartitionValue::Integer(value)) => {
                let value = i64::try_from(*value).unwrap_or_default();
                let floor =
                    if is_date(column) { floor_days(value, count, unit) } else { floor_micros(value, count, unit) };
                PartitionValue::Integer(floor.into())
            }
            _ => value,
        }
    }

    /// A number for each row, equal exactly for equal values; the numbers are 0, 1, ... in the order of appearance.
    fn codes(&self, rows: &RecordBatch) -> Vec<u32> {
        let Some(column) = rows.columns().get(self.column) else {
            return vec![0; rows.num_rows()];
        };
        match (column.data_type(), self.slice) {
            (DataType::Utf8, _) => numbered(column.as_string::<i32>().iter()),
            (DataType::Int64, _) => numbered(column.as_primitive::<Int64Type>().iter()),
            (DataType::Date32, Some((count, unit))) => {
                let days = column.as_primitive::<Date32Type>();
                numbered(days.iter().map(|value| value.map(|value| floor_days(value.into(), count, unit))))
            }
            (DataType::Date32, None) => numbered(column.as_primitive::<Date32Type>().iter()),
            (DataType::Timestamp(..), slice) => {
                let micros = column.as_primitive::<TimestampMicrosecondType>();
                match slice {
                    Some((count, unit)) => {
                        numbered(micros.iter().map(|value| value.map(|value| floor_micros(value, count, unit))))
                    }
                    None => numbered(micros.iter()),
                }
            }
            _ => numbered((0..rows.num_rows()).map(|row| match PartitionValue::of(column, row) {
                PartitionValue::Integer(value) => Some(value),
                // Text came above.
                PartitionValue::Null | PartitionValue::Text(_) => None,
            })),
        }
    }
}

fn is_date(column: &ArrayRef) -> bool {
    *column.data_type() == DataType::Date32
}

/// Groups rows by all parts together.
pub(super) fn group(parts: &[Part], rows: &RecordBatch) -> Groups {
    let mut parts = parts.iter();
    let mut of_rows = parts.next().map_or_else(|| vec![0; rows.num_rows()], |part| part.codes(rows));
    for part in parts {
        let codes = part.codes(rows);
        of_rows = numbered(of_rows.iter().zip(&codes).map(|(group, code)| Some((*group, *code))));
    }
    let mut firsts: Vec<usize> = Vec::new();
    for (row, group) in of_rows.iter().enumerate() {
        // Groups are numbered as they appear.
        if usize::try_from(*group).is_ok_and(|group| group == firsts.len()) {
            firsts.push(row);
        }
    }
    Groups { of_rows, firsts }
}

impl Groups {
    /// At most so many groups: those of most rows, among equals those that come first.
    pub(super) fn largest(&self, most: usize) -> HashSet<usize> {
        let mut ranks: Vec<usize> = (0..self.firsts.len()).collect();
        if ranks.len() > most {
            let mut counts = vec![0_u32; self.firsts.len()];
            for group in &self.of_rows {
                if let Some(count) = usize::try_from(*group).ok().and_then(|group| counts.get_mut(group)) {
                    *count += 1;
                }
            }
            ranks.sort_by_key(|group| (Reverse(counts.get(*group).copied()), *group));
            ranks.truncate(most);
        }
        ranks.into_iter().collect()
    }
}

/// Numbers values in the order of their appearance. Neighbours are often equal, so the last one is remembered.
fn numbered<K: Hash + Eq + Copy>(values: impl Iterator<Item = Option<K>>) -> Vec<u32> {
    let mut known: HashMap<Option<K>, u32> = HashMap::new();
    let mut last: Option<(Option<K>, u32)> = None;
    let mut next = 0_u32;
    values
        .map(|value| match last {
            Some((before, number)) if before == value => number,
            _ => {
                let number = *known.entry(value).or_insert(next);
                if number == next {
                    // A batch has far fewer rows than this counts.
                    next = next.saturating_add(1);
                }
                last = Some((value, number));
                number
            }
        })
        .collect()
}
