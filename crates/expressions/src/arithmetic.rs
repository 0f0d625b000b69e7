//! `+`, `-`, `*`, `/`, `DIV` and `%`, with StarRocks' result types; overflow and division by zero give NULL.
//!
//! | operands | `+` `-` `*` `%` | `/` | `DIV` |
//! | --- | --- | --- | --- |
//! | integers, BOOLEAN, dates | BIGINT | DOUBLE | BIGINT |
//! | one LARGEINT | LARGEINT | DOUBLE | LARGEINT |
//! | one DECIMAL, none of the following | DECIMAL | DECIMAL | BIGINT |
//! | one FLOAT, DOUBLE, text or JSON | DOUBLE | DOUBLE | BIGINT |

use std::any::Any;

use arrow_schema::DataType;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::types::{LARGE, widest};

mod columns;
mod value;

use columns::{Operand, reckon};

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

/// Digits that the result may have, in all and after the point, whether or not there is a type for them.
fn result_digits(op: Arithmetic, (p1, s1): (i16, i16), (p2, s2): (i16, i16)) -> (i16, i16) {
    match op {
        Arithmetic::Multiply => (p1 + p2, s1 + s2),
        Arithmetic::Divide => (38, if s1 <= 6 { s1 + 6 } else { s1.max(12) }),
        Arithmetic::Remainder => ((p1 - s1).max(p2 - s2) + s1.max(s2), s1.max(s2)),
        _ => ((p1 - s1).max(p2 - s2) + s1.max(s2) + 1, s1.max(s2)),
    }
}

fn decimal(op: Arithmetic, left: (i16, i16), right: (i16, i16)) -> DataType {
    let (precision, scale) = result_digits(op, left, right);
    match (u8::try_from(precision.min(38)), i8::try_from(scale)) {
        (Ok(precision), Ok(scale @ ..=38)) => DataType::Decimal128(precision.max(scale.unsigned_abs()), scale),
        _ => DataType::Float64,
    }
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
        let rows = args.number_rows;
        let operands = args.args.iter().map(Operand::of).collect::<Result<Vec<_>>>()?;
        let [left, right] = operands.as_slice() else {
            return Err(DataFusionError::Plan(format!("`{}` takes two arguments", self.name())));
        };
        let results = reckon(self.op, left, right, rows)?;
        Ok(if left.is_constant() && right.is_constant() {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?)
        } else {
            ColumnarValue::Array(results)
        })
    }
}
