//! Sums and counts of decimals, for one group, for many, and of distinct values. A sum has 256 bits: no number of rows that
//! can be counted makes one of DECIMALs overflow.

use std::collections::HashSet;
use std::mem::{size_of, size_of_val};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, Decimal256Array, UInt64Array};
use arrow_buffer::i256;
use arrow_schema::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::mean::Mean;

/// Digits of a sum's type.
pub(super) const SUM_DIGITS: u8 = 76;

/// Gives each value that is not NULL with its row.
fn each(values: &dyn Array, mut take: impl FnMut(usize, i256) -> Result<()>) -> Result<()> {
    fn of<T: ArrowPrimitiveType>(
        values: &dyn Array,
        mut take: impl FnMut(usize, T::Native) -> Result<()>,
    ) -> Result<()> {
        let values = values.as_primitive::<T>().iter().enumerate();
        values.filter_map(|(row, value)| Some((row, value?))).try_for_each(|(row, value)| take(row, value))
    }
    match values.data_type() {
        DataType::Decimal32(..) => of::<Decimal32Type>(values, |row, value| take(row, i256::from_i128(value.into()))),
        DataType::Decimal64(..) => of::<Decimal64Type>(values, |row, value| take(row, i256::from_i128(value.into()))),
        DataType::Decimal128(..) => of::<Decimal128Type>(values, |row, value| take(row, i256::from_i128(value))),
        DataType::Decimal256(..) => of::<Decimal256Type>(values, take),
        other => Err(unexpected(other)),
    }
}

/// Columns by their place.
fn column(columns: &[ArrayRef], place: usize) -> Result<&ArrayRef> {
    columns.get(place).ok_or_else(|| unexpected(&DataType::Null))
}

fn unexpected(found: &DataType) -> DataFusionError {
    DataFusionError::Internal(format!("`avg` of decimals was given {found}"))
}

fn add(sum: i256, value: i256) -> Result<i256> {
    sum.checked_add(value).ok_or_else(too_large)
}

fn too_large() -> DataFusionError {
    DataFusionError::Execution("the sum of `avg` is too large".to_owned())
}

/// Sums as a column.
fn sums(values: Vec<i256>, mean: Mean) -> Result<ArrayRef> {
    Ok(Arc::new(Decimal256Array::from(values).with_precision_and_scale(SUM_DIGITS, mean.scale())?))
}

fn sum(value: i256, mean: Mean) -> ScalarValue {
    ScalarValue::Decimal256(Some(value), SUM_DIGITS, mean.scale())
}

/// All rows, or those of a window's frame.
#[derive(Debug)]
pub(super) struct One {
    mean: Mean,
    sum: i256,
    count: u64,
}

impl One {
    pub(super) fn new(mean: Mean) -> Self {
        Self { mean, sum: i256::ZERO, count: 0 }
    }
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each(column(values, 0)?, |_, value| {
            self.sum = add(self.sum, value)?;
            self.count += 1;
            Ok(())
        })
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each(column(values, 0)?, |_, value| {
            self.sum = self.sum.checked_sub(value).ok_or_else(too_large)?;
            self.count = self.count.saturating_sub(1);
            Ok(())
        })
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let counts = column(states, 0)?.as_primitive::<UInt64Type>();
        self.count = counts.iter().flatten().fold(self.count, u64::saturating_add);
        each(column(states, 1)?, |_, sum| {
            self.sum = add(self.sum, sum)?;
            Ok(())
        })
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::UInt64(Some(self.count)), sum(self.sum, self.mean)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.mean.value(self.sum, self.count)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// Each value once.
#[derive(Debug)]
pub(super) struct Distinct {
    mean: Mean,
    values: HashSet<i256>,
}

impl Distinct {
    pub(super) fn new(mean: Mean) -> Self {
        Self { mean, values: HashSet::new() }
    }

    fn insert(&mut self, values: &dyn Array) -> Result<()> {
        each(values, |_, value| {
            self.values.insert(value);
            Ok(())
        })
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.insert(column(values, 0)?)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        column(states, 0)?.as_list::<i32>().iter().flatten().try_for_each(|values| self.insert(&values))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<_> = self.values.iter().map(|value| sum(*value, self.mean)).collect();
        let data_type = DataType::Decimal256(SUM_DIGITS, self.mean.scale());
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &data_type))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let total = self.values.iter().try_fold(i256::ZERO, |sum, value| add(sum, *value))?;
        self.mean.value(total, u64::try_from(self.values.len()).unwrap_or(u64::MAX))
    }

    fn size(&self) -> usize {
        // A table keeps a byte beside each place.
        size_of_val(self) + self.values.capacity() * (size_of::<i256>() + 1)
    }
}

/// Many groups.
#[derive(Debug)]
pub(super) struct Groups {
    mean: Mean,
    counts: Vec<u64>,
    sums: Vec<i256>,
}

impl Groups {
    pub(super) fn new(mean: Mean) -> Self {
        Self { mean, counts: Vec::new(), sums: Vec::new() }
    }

    /// Adds each value, and to the count what `counted` says of its row.
    fn add(
        &mut self,
        values: &dyn Array,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        all_groups: usize,
        counted: impl Fn(usize) -> u64,
    ) -> Result<()> {
        self.counts.resize(all_groups, 0);
        self.sums.resize(all_groups, i256::ZERO);
        each(values, |row, value| {
            if filter.is_some_and(|filter| filter.is_null(row) || !filter.value(row)) {
                return Ok(());
            }
            let group = groups.get(row).copied().unwrap_or(all_groups);
            let (Some(count), Some(sum)) = (self.counts.get_mut(group), self.sums.get_mut(group)) else {
                return Err(DataFusionError::Internal(format!("group {group} of {all_groups}")));
            };
            *count = count.saturating_add(counted(row));
            *sum = add(*sum, value)?;
            Ok(())
        })
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        all_groups: usize,
    ) -> Result<()> {
        self.add(column(values, 0)?, groups, filter, all_groups, |_| 1)
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        all_groups: usize,
    ) -> Result<()> {
        let counts = column(states, 0)?.as_primitive::<UInt64Type>();
        let counted = |row| if counts.is_null(row) { 0 } else { counts.value(row) };
        self.add(column(states, 1)?, groups, filter, all_groups, counted)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (counts, sums) = (emit_to.take_needed(&mut self.counts), emit_to.take_needed(&mut self.sums));
        self.mean.values(sums.into_iter().zip(counts))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (counts, all) = (emit_to.take_needed(&mut self.counts), emit_to.take_needed(&mut self.sums));
        Ok(vec![Arc::new(UInt64Array::from(counts)), sums(all, self.mean)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = column(values, 0)?;
        let rows: Vec<usize> = (0..values.len()).collect();
        let mut each = Self::new(self.mean);
        each.add(values, &rows, filter, values.len(), |_| 1)?;
        each.state(EmitTo::All)
    }

    fn supports_convert_to_state(&self) -> bool {
        true
    }

    fn size(&self) -> usize {
        self.counts.capacity() * size_of::<u64>() + self.sums.capacity() * size_of::<i256>()
    }
}
