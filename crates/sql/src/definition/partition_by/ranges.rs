//! Ranges in order: each new one finds its place, or the one that it overlaps.

use penstock_kernel::partitioning::{BoundKey, RangeBound, RangePartition, RangePartitioning};
use penstock_kernel::table::{Column, ColumnType};

use super::{analysis, batch, check_name, shown, spelling, too_many, value};
use crate::error::SqlError;
use crate::position::{Placed, Position};
use crate::statement::{Bound, BoundValue, RangeClause, RangeValues};

/// A partitioning that grows.
pub(super) struct Ranges {
    partitioning: RangePartitioning,
    types: Vec<ColumnType>,
    /// Bounds of each partition, in the same order.
    keys: Vec<(Vec<BoundKey>, Vec<BoundKey>)>,
    skip_known: bool,
}

impl Ranges {
    /// No range yet.
    pub(super) fn empty(columns: Vec<&Column>) -> Self {
        Self {
            partitioning: RangePartitioning {
                columns: columns.iter().map(|column| column.name.clone()).collect(),
                partitions: Vec::new(),
                next_id: 0,
            },
            types: columns.into_iter().map(|column| column.column_type.clone()).collect(),
            keys: Vec::new(),
            skip_known: false,
        }
    }

    /// Those of a table. A bound that cannot be read, as no table has one, counts as the lowest.
    pub(super) fn of(partitioning: RangePartitioning, types: Vec<ColumnType>) -> Self {
        let keys = |bound: &RangeBound| bound.keys(&types).unwrap_or_default();
        let keys = partitioning.partitions.iter().map(|one| (keys(&one.lower), keys(&one.upper))).collect();
        Self { partitioning, types, keys, skip_known: false }
    }

    /// Whether partitions of a batch whose names are in use are left out.
    pub(super) fn skip_known(&mut self, skip: bool) {
        self.skip_known = skip;
    }

    /// What there is now.
    pub(super) fn finish(self) -> RangePartitioning {
        self.partitioning
    }

    /// Adds what a clause says.
    pub(super) fn add(&mut self, clause: &RangeClause) -> Result<(), SqlError> {
        match clause {
            RangeClause::One(item) => {
                let position = item.name.position;
                let (lower, upper) = match &item.values {
                    RangeValues::LessThan(upper) => {
                        let upper = self.keys_of(upper)?;
                        (self.end_before(&upper), upper)
                    }
                    RangeValues::Between(lower, upper) => {
                        if let Some(max) = lower.iter().find(|entry| entry.value == BoundValue::MaxValue) {
                            return analysis(max.position, "expected a value, found `MAXVALUE`: nothing lies above it");
                        }
                        let (lower, upper) = (self.keys_of(lower)?, self.keys_of(upper)?);
                        if lower >= upper {
                            let (lower, upper) = (shown(&lower, &self.types), shown(&upper, &self.types));
                            let detail =
                                format!("expected a lower bound below the upper one, found [({lower}), ({upper}))");
                            return analysis(position, &detail);
                        }
                        (lower, upper)
                    }
                };
                self.insert(&item.name, lower, upper, position)
            }
            RangeClause::Batch(clause) => {
                let position = clause.start.position;
                let [column_type] = self.types.as_slice() else {
                    return analysis(position, "START ... END ... EVERY needs exactly one partition column");
                };
                for made in batch::ranges(clause, column_type)?.ranges {
                    let name = Placed { value: made.name, position };
                    let known = |one: &RangePartition| one.name.eq_ignore_ascii_case(&name.value);
                    if self.skip_known && self.partitioning.partitions.iter().any(known) {
                        continue;
                    }
                    self.insert(&name, vec![BoundKey::Value(made.lower)], vec![BoundKey::Value(made.upper)], position)?;
                }
                Ok(())
            }
        }
    }

    /// Where a range that ends at `upper` begins: at the end of the last one that begins before.
    fn end_before(&self, upper: &[BoundKey]) -> Vec<BoundKey> {
        let before = self.keys.partition_point(|(lower, _)| lower.as_slice() < upper);
        before.checked_sub(1).and_then(|last| self.keys.get(last)).map_or_else(Vec::new, |(_, end)| end.clone())
    }

    fn insert(
        &mut self,
        name: &Placed<String>,
        lower: Vec<BoundKey>,
        upper: Vec<BoundKey>,
        position: Position,
    ) -> Result<(), SqlError> {
        let partitions = &mut self.partitioning.partitions;
        check_name(name, partitions.iter().map(|one| one.name.as_str()), partitions.len())?;
        let types = &self.types;
        let range =
            |lower: &[BoundKey], upper: &[BoundKey]| format!("[({}), ({}))", shown(lower, types), shown(upper, types));
        let place = self.keys.partition_point(|(other, _)| *other < lower);
        let behind = self.keys.get(place).filter(|(other, _)| *other < upper || *other == lower);
        let before = place.checked_sub(1).and_then(|before| self.keys.get(before)).filter(|(_, end)| *end > lower);
        // Only a range that was to begin at another's end can end before it begins.
        let touching = (lower >= upper).then(|| self.keys.iter().find(|(_, end)| *end == lower)).flatten();
        if let Some((other_lower, other_upper)) = before.or(behind).or(touching) {
            let detail = format!(
                "Range {} is intersected with range: {}",
                range(if lower >= upper { &[] } else { &lower }, &upper),
                range(other_lower, other_upper)
            );
            let other = self.keys.iter().position(|(other, _)| other == other_lower);
            let error = SqlError::analysis_at(position, &detail);
            return Err(match other.and_then(|other| partitions.get(other)) {
                Some(other) => {
                    error.with_hint(format!("partition `{}` overlaps partition `{}`", name.value, other.name))
                }
                None => error,
            });
        }
        partitions.insert(
            place,
            RangePartition {
                id: self.partitioning.next_id,
                name: name.value.clone(),
                lower: text(&lower, types),
                upper: text(&upper, types),
            },
        );
        self.partitioning.next_id = self.partitioning.next_id.checked_add(1).ok_or_else(|| too_many(position))?;
        self.keys.insert(place, (lower, upper));
        Ok(())
    }

    /// A bound's values. What stands behind MAXVALUE decides nothing, and falls away.
    fn keys_of(&self, bound: &Bound) -> Result<Vec<BoundKey>, SqlError> {
        let mut keys = Vec::new();
        for (index, Placed { value: entry, position }) in bound.iter().enumerate() {
            let (Some(column_type), Some(column)) = (self.types.get(index), self.partitioning.columns.get(index))
            else {
                let detail = format!("expected at most {} values, one a column, found more", self.types.len());
                return analysis(*position, &detail);
            };
            if keys.last() == Some(&BoundKey::Max) {
                continue;
            }
            keys.push(match entry {
                BoundValue::MaxValue => BoundKey::Max,
                BoundValue::Text(text) => BoundKey::Value(value(text, column_type, column, *position)?),
            });
        }
        Ok(keys)
    }
}

fn text(keys: &[BoundKey], types: &[ColumnType]) -> RangeBound {
    let entry = |(key, column_type): (&BoundKey, &ColumnType)| match key {
        BoundKey::Value(value) => spelling(value, column_type),
        BoundKey::Max => None,
    };
    RangeBound(keys.iter().zip(types).map(entry).collect())
}
