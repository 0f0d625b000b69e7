//! `+`, `-`, `*`, `/`, `DIV` and `%`, with StarRocks' result types; overflow and division by zero give NULL.
//!
//! | operands | `+` `-` `*` `%` | `/` | `DIV` |
//! | --- | --- | --- | --- |
//! | integers, BOOLEAN, dates | BIGINT | DOUBLE | BIGINT |
//! | one LARGEINT | LARGEINT | DOUBLE | LARGEINT |
//! | one DECIMAL, none of the following | DECIMAL | DECIMAL | BIGINT |
//! | one FLOAT, DOUBLE, text or JSON | DOUBLE | DOUBLE | BIGINT |

use std::any::Any;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Decimal256Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Decimal256Array, Float64Array, Int64Array};
use arrow_buffer::i256;
use arrow_schema::DataType;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::cast::cast;
use crate::types::{LARGE, widest};

/// An operator of arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// `DIV`.
    Quotient,
    /// `%`.
    Remainder,
}

/// The call of the operator.
pub(crate) fn apply(op: Arithmetic, left: Expr, right: Expr) -> Expr {
    let function = Operation { op, signature: Signature::user_defined(Volatility::Immutable) };
    ScalarUDF::from(function).call(vec![left, right])
}

/// Type of the result.
pub(crate) fn result(op: Arithmetic, left: &DataType, right: &DataType) -> DataType {
    let (left, right) = (class(left), class(right));
    match (op, &left, &right) {
        (Arithmetic::Quotient, l, r) if *l == LARGE || *r == LARGE => LARGE,
        (Arithmetic::Quotient, ..) => DataType::Int64,
        (_, DataType::Float64, _) | (_, _, DataType::Float64) => DataType::Float64,
        (_, l, r) if *l == LARGE || *r == LARGE => {
            let whole = |data_type: &DataType| *data_type == LARGE || *data_type == DataType::Int64;
            if op != Arithmetic::Divide && whole(l) && whole(r) { LARGE } else { DataType::Float64 }
        }
        (Arithmetic::Divide, DataType::Int64, DataType::Int64) => DataType::Float64,
        (_, DataType::Int64, DataType::Int64) => DataType::Int64,
        (_, l, r) => decimal(op, digits(l), digits(r)),
    }
}

/// What a type reckons as.
fn class(data_type: &DataType) -> DataType {
    match widest(data_type) {
        DataType::Int64 | DataType::Boolean | DataType::Date32 | DataType::Timestamp(..) => DataType::Int64,
        DataType::Decimal256(_, 0) => LARGE,
        known @ DataType::Decimal128(..) => known,
        _ => DataType::Float64,
    }
}

/// Digits in all, and after the point.
fn digits(data_type: &DataType) -> (i16, i16) {
    match data_type {
        DataType::Decimal128(precision, scale) => (i16::from(*precision), i16::from(*scale)),
        _ => (19, 0),
    }
}

fn decimal(op: Arithmetic, (p1, s1): (i16, i16), (p2, s2): (i16, i16)) -> DataType {
    let (precision, scale) = match op {
        Arithmetic::Multiply => (p1 + p2, s1 + s2),
        Arithmetic::Divide => (38, if s1 <= 6 { s1 + 6 } else { s1.max(12) }),
        Arithmetic::Remainder => ((p1 - s1).max(p2 - s2) + s1.max(s2), s1.max(s2)),
        _ => ((p1 - s1).max(p2 - s2) + s1.max(s2) + 1, s1.max(s2)),
    };
    match (u8::try_from(precision.min(38)), i8::try_from(scale)) {
        (Ok(precision), Ok(scale @ ..=38)) => DataType::Decimal128(precision.max(scale.unsigned_abs()), scale),
        _ => DataType::Float64,
    }
}

/// The columns reckoned with row by row.
fn reckon(op: Arithmetic, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    let out = result(op, left.data_type(), right.data_type());
    Ok(match &out {
        DataType::Int64 => {
            let (left, right) = (cast(left, &out)?, cast(right, &out)?);
            let pairs = left.as_primitive::<Int64Type>().iter().zip(right.as_primitive::<Int64Type>().iter());
            Arc::new(pairs.map(|(a, b)| integers(op, a?, b?)).collect::<Int64Array>())
        }
        DataType::Float64 => {
            let (left, right) = (cast(left, &out)?, cast(right, &out)?);
            let pairs = left.as_primitive::<Float64Type>().iter().zip(right.as_primitive::<Float64Type>().iter());
            Arc::new(pairs.map(|(a, b)| doubles(op, a?, b?)).collect::<Float64Array>())
        }
        DataType::Decimal128(precision, scale) => {
            let limit = power_of_ten(i16::from(*precision));
            let (left_scale, right_scale) = (digits(&class(left.data_type())).1, digits(&class(right.data_type())).1);
            let (left, right) = (unscaled(left)?, unscaled(right)?);
            let pairs = left.as_primitive::<Decimal256Type>().iter().zip(right.as_primitive::<Decimal256Type>().iter());
            let results = pairs.map(|(a, b)| {
                let value = decimals(op, (a?, left_scale), (b?, right_scale), i16::from(*scale))?;
                (value.checked_abs()? < limit?).then(|| value.to_i128()).flatten()
            });
            Arc::new(results.collect::<Decimal128Array>().with_precision_and_scale(*precision, *scale)?)
        }
        _ => {
            let (left, right) = (cast(left, &LARGE)?, cast(right, &LARGE)?);
            let pairs = left.as_primitive::<Decimal256Type>().iter().zip(right.as_primitive::<Decimal256Type>().iter());
            let results = pairs.map(|(a, b)| large(op, a?, b?));
            Arc::new(results.collect::<Decimal256Array>().with_precision_and_scale(39, 0)?)
        }
    })
}

fn integers(op: Arithmetic, a: i64, b: i64) -> Option<i64> {
    match op {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Quotient => a.checked_div(b),
        // The lowest number has no quotient by −1, but a rest.
        Arithmetic::Remainder if b == -1 => Some(0),
        Arithmetic::Remainder => a.checked_rem(b),
        Arithmetic::Divide => None,
    }
}

fn doubles(op: Arithmetic, a: f64, b: f64) -> Option<f64> {
    let value = match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        _ if b == 0.0 => return None,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
        Arithmetic::Quotient => (a / b).trunc(),
    };
    // Out of finite numbers comes a finite one or NULL.
    (value.is_finite() || !a.is_finite() || !b.is_finite()).then_some(value)
}

fn large(op: Arithmetic, a: i256, b: i256) -> Option<i256> {
    let value = match op {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Quotient => a.checked_div(b),
        Arithmetic::Remainder => a.checked_rem(b),
        Arithmetic::Divide => None,
    }?;
    value.to_i128().map(i256::from_i128)
}

fn decimals(op: Arithmetic, (a, left_scale): (i256, i16), (b, right_scale): (i256, i16), scale: i16) -> Option<i256> {
    let same = |value: i256, from: i16| value.checked_mul(power_of_ten(scale - from)?);
    match op {
        Arithmetic::Add => same(a, left_scale)?.checked_add(same(b, right_scale)?),
        Arithmetic::Subtract => same(a, left_scale)?.checked_sub(same(b, right_scale)?),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Remainder => same(a, left_scale)?.checked_rem(same(b, right_scale)?),
        Arithmetic::Divide | Arithmetic::Quotient => {
            let shift = scale + right_scale - left_scale;
            let dividend = if shift >= 0 { a.checked_mul(power_of_ten(shift)?)? } else { a };
            let divisor = if shift < 0 { b.checked_mul(power_of_ten(-shift)?)? } else { b };
            let (quotient, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
            let up = rest.checked_abs()?.checked_mul(i256::from_i128(2))? >= divisor.checked_abs()?;
            let step = if (dividend < i256::ZERO) == (divisor < i256::ZERO) { i256::ONE } else { i256::MINUS_ONE };
            if up { quotient.checked_add(step) } else { Some(quotient) }
        }
    }
}

fn power_of_ten(power: i16) -> Option<i256> {
    i256::from_i128(10).checked_pow(u32::try_from(power).ok()?)
}

/// The digits without their point.
fn unscaled(column: &ArrayRef) -> Result<ArrayRef> {
    let column = match class(column.data_type()) {
        DataType::Decimal128(..) => Arc::clone(column),
        _ => cast(&cast(column, &DataType::Int64)?, &DataType::Decimal128(38, 0))?,
    };
    let values = column.as_primitive::<Decimal128Type>().iter();
    Ok(Arc::new(values.map(|value| value.map(i256::from_i128)).collect::<Decimal256Array>()))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Operation {
    op: Arithmetic,
    signature: Signature,
}

impl ScalarUDFImpl for Operation {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &'static str {
        match self.op {
            Arithmetic::Add => "add",
            Arithmetic::Subtract => "subtract",
            Arithmetic::Multiply => "multiply",
            Arithmetic::Divide => "divide",
            Arithmetic::Quotient => "int_divide",
            Arithmetic::Remainder => "mod",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [left, right] => Ok(result(self.op, left, right)),
            _ => Err(DataFusionError::Plan(format!("`{}` takes two arguments", self.name()))),
        }
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arguments.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let columns = args.args.into_iter().map(|arg| arg.into_array(rows)).collect::<Result<Vec<_>>>()?;
        let [left, right] = columns.as_slice() else {
            return Err(DataFusionError::Plan(format!("`{}` takes two arguments", self.name())));
        };
        let results = reckon(self.op, left, right)?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?)
        } else {
            ColumnarValue::Array(results)
        })
    }
}
