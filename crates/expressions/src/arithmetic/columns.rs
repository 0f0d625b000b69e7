//! Columns and constants reckoned with, value by value: no row makes an allocation, and a constant is no column.

use std::iter::once;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, Decimal256Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Decimal256Array, Float64Array, Int64Array};
use arrow_buffer::{ArrowNativeType, BooleanBufferBuilder, NullBuffer};
use arrow_schema::DataType;
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use super::value::{Decimals, doubles, integers, large};
use super::{Arithmetic, class, digits, result, result_digits};
use crate::cast::cast;
use crate::types::LARGE;

/// What an operator is applied to.
pub(super) struct Operand {
    /// One value if it is constant.
    column: ArrayRef,
    constant: bool,
}

impl Operand {
    pub(super) fn of(value: &ColumnarValue) -> Result<Self> {
        Ok(match value {
            ColumnarValue::Array(column) => Self { column: Arc::clone(column), constant: false },
            ColumnarValue::Scalar(value) => Self { column: value.to_array_of_size(1)?, constant: true },
        })
    }

    pub(super) fn is_constant(&self) -> bool {
        self.constant
    }

    fn cast(&self, to: &DataType) -> Result<Self> {
        Ok(Self { column: cast(&self.column, to)?, constant: self.constant })
    }

    /// The digits without their point.
    fn unscaled(&self) -> Result<Self> {
        Ok(match class(self.column.data_type()) {
            known @ DataType::Decimal128(..) => self.cast(&known)?,
            _ => self.cast(&DataType::Int64)?.cast(&DataType::Decimal128(38, 0))?,
        })
    }

    fn values<T: ArrowPrimitiveType>(&self) -> Values<'_, T::Native> {
        let column = self.column.as_primitive::<T>();
        if self.constant {
            Values::Constant(column.iter().next().flatten())
        } else {
            Values::Column(column.values(), column.nulls())
        }
    }
}

/// The values of an operand in the type that is reckoned in.
enum Values<'a, T> {
    Column(&'a [T], Option<&'a NullBuffer>),
    Constant(Option<T>),
}

/// The operator applied to `rows` rows; to one row if both are constant.
pub(super) fn reckon(op: Arithmetic, left: &Operand, right: &Operand, rows: usize) -> Result<ArrayRef> {
    let rows = if left.constant && right.constant { 1 } else { rows };
    let out = result(op, left.column.data_type(), right.column.data_type());
    Ok(match &out {
        DataType::Int64 => {
            let (left, right) = (left.cast(&out)?, right.cast(&out)?);
            let (values, nulls) = each::<Int64Type, _>(&left, &right, rows, |a, b| integers(op, a, b));
            Arc::new(Int64Array::new(values.into(), nulls))
        }
        DataType::Float64 => {
            let (left, right) = (left.cast(&out)?, right.cast(&out)?);
            let (values, nulls) = each::<Float64Type, _>(&left, &right, rows, |a, b| doubles(op, a, b));
            Arc::new(Float64Array::new(values.into(), nulls))
        }
        DataType::Decimal128(precision, scale) => {
            let (p, q) = (digits(&class(left.column.data_type())), digits(&class(right.column.data_type())));
            let (wide, _) = result_digits(op, p, q);
            let (left, right) = (left.unscaled()?, right.unscaled()?);
            let (values, nulls) = match Decimals::new(op, (p.1, q.1), wide, (*precision, *scale)) {
                Some(decimals) if decimals.bounded => {
                    each::<Decimal128Type, _>(&left, &right, rows, decimals.unchecked())
                }
                Some(decimals) => each::<Decimal128Type, _>(&left, &right, rows, |a, b| decimals.checked(a, b)),
                None => each::<Decimal128Type, _>(&left, &right, rows, |_, _| None),
            };
            Arc::new(Decimal128Array::new(values.into(), nulls).with_precision_and_scale(*precision, *scale)?)
        }
        _ => {
            let (left, right) = (left.cast(&LARGE)?, right.cast(&LARGE)?);
            let (values, nulls) = each::<Decimal256Type, _>(&left, &right, rows, |a, b| large(op, a, b));
            Arc::new(Decimal256Array::new(values.into(), nulls).with_precision_and_scale(39, 0)?)
        }
    })
}

type Results<T> = (Vec<<T as ArrowPrimitiveType>::Native>, Option<NullBuffer>);

/// `f` of every row; what it has no result for is NULL. It is called for rows with NULL, too, with any value.
fn each<T: ArrowPrimitiveType, F>(left: &Operand, right: &Operand, rows: usize, f: F) -> Results<T>
where
    F: Fn(T::Native, T::Native) -> Option<T::Native>,
{
    match (left.values::<T>(), right.values::<T>()) {
        (Values::Column(a, a_nulls), Values::Column(b, b_nulls)) => {
            filled(a.iter().zip(b).map(|(a, b)| f(*a, *b)), NullBuffer::union(a_nulls, b_nulls))
        }
        (Values::Column(a, nulls), Values::Constant(Some(b))) => filled(a.iter().map(|a| f(*a, b)), nulls.cloned()),
        (Values::Constant(Some(a)), Values::Column(b, nulls)) => filled(b.iter().map(|b| f(a, *b)), nulls.cloned()),
        (Values::Constant(Some(a)), Values::Constant(Some(b))) => filled(once(f(a, b)), None),
        _ => (vec![T::Native::default(); rows], Some(NullBuffer::new_null(rows))),
    }
}

fn filled<T: ArrowNativeType>(
    results: impl Iterator<Item = Option<T>>,
    nulls: Option<NullBuffer>,
) -> (Vec<T>, Option<NullBuffer>) {
    let mut without: Vec<usize> = Vec::new();
    let value = |(row, result): (usize, Option<T>)| {
        result.unwrap_or_else(|| {
            without.push(row);
            T::default()
        })
    };
    let values: Vec<T> = results.enumerate().map(value).collect();
    if without.is_empty() {
        return (values, nulls);
    }
    let mut valid = BooleanBufferBuilder::new(values.len());
    match &nulls {
        Some(nulls) => valid.append_buffer(nulls.inner()),
        None => valid.append_n(values.len(), true),
    }
    without.into_iter().for_each(|row| valid.set_bit(row, false));
    (values, Some(NullBuffer::new(valid.finish())))
}
