//! Lists of tuples, none of which two partitions have.

use std::collections::HashMap;

use penstock_kernel::partitioning::{ListPartition, ListPartitioning};
use penstock_kernel::table::{Column, ColumnType};

use super::{analysis, check_name, spelling, value};
use crate::error::SqlError;
use crate::position::Placed;
use crate::statement::ListClause;

/// A partitioning that grows.
pub(super) struct Lists {
    partitioning: ListPartitioning,
    types: Vec<ColumnType>,
    /// The place of the partition that has each tuple.
    owners: HashMap<Vec<Option<String>>, usize>,
}

impl Lists {
    /// No list yet.
    pub(super) fn empty(columns: Vec<&Column>) -> Self {
        let names = columns.iter().map(|column| column.name.clone()).collect();
        let types = columns.into_iter().map(|column| column.column_type.clone()).collect();
        Self::of(ListPartitioning { columns: names, partitions: Vec::new(), next_id: 0 }, types)
    }

    /// Those of a table.
    pub(super) fn of(partitioning: ListPartitioning, types: Vec<ColumnType>) -> Self {
        let partitions = partitioning.partitions.iter().enumerate();
        let owners =
            partitions.flat_map(|(place, one)| one.values.iter().map(move |tuple| (tuple.clone(), place))).collect();
        Self { partitioning, types, owners }
    }

    /// What there is now.
    pub(super) fn finish(self) -> ListPartitioning {
        self.partitioning
    }

    /// Adds a partition.
    pub(super) fn add(&mut self, clause: &ListClause) -> Result<(), SqlError> {
        let ListPartitioning { columns, partitions, next_id } = &mut self.partitioning;
        let name = &clause.name;
        check_name(name, partitions.iter().map(|one| one.name.as_str()), partitions.len())?;
        let mut values = Vec::new();
        for Placed { value: tuple, position } in &clause.values {
            if tuple.len() != self.types.len() {
                let detail = format!("expected {} values, one a column, found {}", self.types.len(), tuple.len());
                return analysis(*position, &detail);
            }
            let mut spelled = Vec::new();
            for ((text, column_type), column) in tuple.iter().zip(&self.types).zip(&*columns) {
                spelled.push(match text {
                    Some(text) => spelling(&value(text, column_type, column, *position)?, column_type),
                    None => None,
                });
            }
            if let Some(owner) = self.owners.insert(spelled.clone(), partitions.len()) {
                let owner = partitions.get(owner).map_or(name.value.as_str(), |one| one.name.as_str());
                let shown: Vec<&str> = spelled.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
                let detail = format!("Duplicate value ({}) in partition {}", shown.join(", "), name.value);
                let error = SqlError::analysis_at(*position, &detail);
                return Err(error.with_hint(format!("partition `{owner}` has it")));
            }
            values.push(spelled);
        }
        partitions.push(ListPartition { id: *next_id, name: name.value.clone(), values });
        *next_id = next_id.saturating_add(1);
        Ok(())
    }
}
