//! Values of columns that hold no others, for comparing: the keys of a MAP.
//!
//! Keys are compared as what they became, not as they were written: `"1"` and `"01"` are one key of a `MAP<INT, ...>`.

use super::{ColumnBuilder, Invalid, boolean, decimal, document, float, integer, read_moment, text};
use crate::format::value::Value;

/// A value that can be compared with others of its column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scalar {
    /// Of every type that counts: integers, decimals unscaled, days, microseconds, 0 and 1.
    Number(i128),
    /// A float's bits.
    Bits(u64),
    /// Text, and bytes that come as text.
    Text(Box<str>),
}

/// What `value`, unescaped already, becomes in the column.
///
/// # Errors
/// [`Invalid`] if the column does not accept it, or if its entries hold others.
pub(super) fn read(column: &ColumnBuilder, value: &Value<'_>) -> Result<Scalar, Invalid> {
    let mut scratch = String::new();
    Ok(match column {
        ColumnBuilder::Boolean(_) => Scalar::Number(boolean::read(value)?.into()),
        ColumnBuilder::TinyInt(_) => Scalar::Number(integer::read::<i8>(value)?.into()),
        ColumnBuilder::SmallInt(_) => Scalar::Number(integer::read::<i16>(value)?.into()),
        ColumnBuilder::Int(_) => Scalar::Number(integer::read::<i32>(value)?.into()),
        ColumnBuilder::BigInt(_) => Scalar::Number(integer::read::<i64>(value)?.into()),
        ColumnBuilder::LargeInt(_) => Scalar::Number(integer::read_large(value)?),
        ColumnBuilder::Float(_) => Scalar::Bits(float::read::<f32>(value)?.to_bits().into()),
        ColumnBuilder::Double(_) => Scalar::Bits(float::read::<f64>(value)?.to_bits()),
        ColumnBuilder::Decimal { precision, scale, .. } => Scalar::Number(decimal::read(value, *precision, *scale)?),
        ColumnBuilder::Text { max_bytes, .. } | ColumnBuilder::Binary { max_bytes, .. } => {
            Scalar::Text(text::read(value, *max_bytes, &mut scratch)?.into())
        }
        ColumnBuilder::Date(_) => Scalar::Number(read_moment(value)?.days().into()),
        ColumnBuilder::DateTime(_) => Scalar::Number(read_moment(value)?.micros().into()),
        ColumnBuilder::Json(_) => {
            document::read(value, &mut scratch)?;
            Scalar::Text(scratch.into())
        }
        ColumnBuilder::Array(_) | ColumnBuilder::Map(_) | ColumnBuilder::Struct(_) => return Err(Invalid),
    })
}
