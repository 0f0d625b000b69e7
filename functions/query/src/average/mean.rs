//! A sum of decimals by a count.

use std::any::Any;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{ArrayRef, Decimal128Array, Float64Array};
use arrow_buffer::i256;
use arrow_schema::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use penstock_sql::error::{SqlError, code};

/// Digits of a DECIMAL at most.
const DIGITS: u8 = 38;

/// Which mean values have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mean {
    /// A DECIMAL of 38 digits; digits after the point of the values, and of the mean.
    Decimal { scale: i8, of_mean: i8 },
    /// A DOUBLE; digits after the point of the values.
    Double { scale: i8 },
}

impl Mean {
    /// The mean of values of a type; `None` if they are no decimals.
    pub(super) fn of(values: &DataType) -> Option<Self> {
        match values {
            DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
                let scale = *scale;
                Some(Self::Decimal { scale, of_mean: if scale <= 6 { scale + 6 } else { scale.max(12) } })
            }
            DataType::Decimal256(_, scale) => Some(Self::Double { scale: *scale }),
            _ => None,
        }
    }

    /// Digits after the point of the values.
    pub(super) fn scale(self) -> i8 {
        match self {
            Self::Decimal { scale, .. } | Self::Double { scale } => scale,
        }
    }

    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Decimal { of_mean, .. } => DataType::Decimal128(DIGITS, of_mean),
            Self::Double { .. } => DataType::Float64,
        }
    }

    /// The mean of so many values with this unscaled sum; NULL of none.
    ///
    /// # Errors
    /// If the mean has more digits than its type.
    pub(super) fn value(self, sum: i256, count: u64) -> Result<ScalarValue> {
        Ok(match self {
            Self::Decimal { scale, of_mean } => {
                ScalarValue::Decimal128(decimal(sum, count, scale, of_mean)?, DIGITS, of_mean)
            }
            Self::Double { scale } => ScalarValue::Float64(double(sum, count, scale)),
        })
    }

    /// The same of many.
    pub(super) fn values(self, sums: impl Iterator<Item = (i256, u64)>) -> Result<ArrayRef> {
        Ok(match self {
            Self::Decimal { scale, of_mean } => {
                let means = sums.map(|(sum, count)| decimal(sum, count, scale, of_mean));
                let means = means.collect::<Result<Decimal128Array>>()?;
                Arc::new(means.with_precision_and_scale(DIGITS, of_mean)?)
            }
            Self::Double { scale } => {
                Arc::new(sums.map(|(sum, count)| double(sum, count, scale)).collect::<Float64Array>())
            }
        })
    }
}

fn decimal(sum: i256, count: u64, scale: i8, of_mean: i8) -> Result<Option<i128>> {
    if count == 0 {
        return Ok(None);
    }
    let raise = 10_i128.pow(u32::from(of_mean.abs_diff(scale)));
    // Nearly all sums have room in 128 bits, where dividing costs a fraction.
    let narrow = sum.to_i128().and_then(|sum| sum.checked_mul(raise)).map(|raised| {
        let count = i128::from(count);
        let (mean, rest) = (raised / count, raised % count);
        if rest.unsigned_abs() * 2 >= count.unsigned_abs() { mean + raised.signum() } else { mean }
    });
    let mean = match narrow {
        Some(mean) => Some(mean),
        None => wide(sum, count, raise).and_then(i256::to_i128),
    };
    match mean {
        Some(mean) if mean.unsigned_abs() < 10_u128.pow(u32::from(DIGITS)) => Ok(Some(mean)),
        _ => Err(no_room(of_mean)),
    }
}

/// `None` if 256 bits do not hold the raised sum, whose mean no DECIMAL holds then.
fn wide(sum: i256, count: u64, raise: i128) -> Option<i256> {
    let raised = sum.checked_mul(i256::from_i128(raise))?;
    let count = i256::from_i128(i128::from(count));
    let (mean, rest) = (raised.checked_div(count)?, raised.checked_rem(count)?);
    let rest = rest.checked_abs()?;
    if rest.checked_add(rest)? >= count { mean.checked_add(raised.signum()) } else { Some(mean) }
}

fn double(sum: i256, count: u64, scale: i8) -> Option<f64> {
    let divisor = i256::from_i128(i128::from(count));
    // Whole part and rest apart: each is exact, or as near as a DOUBLE is.
    let (whole, rest) = (sum.checked_div(divisor)?, sum.checked_rem(divisor)?);
    #[expect(clippy::cast_precision_loss, reason = "a DOUBLE is the result")]
    let rest = rest.to_i128()? as f64 / count as f64;
    let whole: f64 = whole.to_string().parse().ok()?;
    Some((whole + rest) / 10_f64.powi(i32::from(scale)))
}

fn no_room(of_mean: i8) -> DataFusionError {
    let message = format!("the result of `avg` has no room in DECIMAL({DIGITS}, {of_mean})");
    DataFusionError::External(Box::new(
        SqlError::new(code::PARSE, message).with_hint("cast its argument to a DECIMAL of fewer digits, or to DOUBLE"),
    ))
}

/// A scalar function: the mean by a sum and a count, which are aggregates already.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct MeanOfSum {
    signature: Signature,
}

impl MeanOfSum {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for MeanOfSum {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &'static str {
        "mean"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arguments.to_vec())
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [sum @ DataType::Decimal128(..), DataType::Int64] => Mean::of(sum).map(Mean::data_type),
            _ => None,
        }
        .ok_or_else(|| DataFusionError::Plan("`mean` takes a sum of decimals and a count".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let means = match arrays.as_slice() {
            [sums, counts] => Mean::of(sums.data_type()).map(|mean| {
                let sums = sums.as_primitive::<Decimal128Type>().iter();
                let counts = counts.as_primitive::<Int64Type>().iter();
                mean.values(sums.zip(counts).map(|(sum, count)| match (sum, count) {
                    (Some(sum), Some(count)) => (i256::from_i128(sum), u64::try_from(count).unwrap_or_default()),
                    _ => (i256::ZERO, 0),
                }))
            }),
            _ => None,
        };
        let means = means.ok_or_else(|| DataFusionError::Plan("`mean` takes a sum and a count".to_owned()))??;
        Ok(ColumnarValue::Array(means))
    }
}
