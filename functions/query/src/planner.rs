//! MySQL's operators and types where they differ from DataFusion's.
//!
//! | form | meaning |
//! | --- | --- |
//! | `a / b` | DOUBLE unless one is DECIMAL; NULL if `b` is 0 |
//! | `a DIV b`, `a % b` | whole quotient, rest; NULL if `b` is 0 |
//! | text compared with a number | both as numbers; text that is no number matches nothing |
//! | BOOLEAN compared or reckoned with a number | true is 1, false 0 |
//! | `a XOR b`, `a AND b`, `a OR b` on numbers | logical: 0 is false |

use std::sync::Arc;

use arrow_schema::{DataType, TimeUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, TypePlanner};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, TryCast, lit};
use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType as SqlType, ExactNumberInfo};

use crate::function;

/// Planners that go before DataFusion's.
pub(crate) fn expression_planners() -> Vec<Arc<dyn ExprPlanner>> {
    vec![Arc::new(MySqlOperators)]
}

/// The types of CAST.
pub(crate) fn type_planner() -> Arc<dyn TypePlanner> {
    Arc::new(StarRocksTypes)
}

#[derive(Debug)]
struct MySqlOperators;

impl ExprPlanner for MySqlOperators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        // A column that does not exist is reported better by the planner itself.
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(expr));
        };
        Ok(match operation(&expr, &left, &right) {
            Some(planned) => PlannerResult::Planned(planned),
            None => PlannerResult::Original(expr),
        })
    }
}

fn operation(expr: &RawBinaryExpr, left: &DataType, right: &DataType) -> Option<Expr> {
    let operands = || (expr.left.clone(), expr.right.clone());
    match &expr.op {
        BinaryOperator::Divide => {
            let (dividend, divisor) = operands();
            let decimal = matches!((left, right), (DataType::Decimal128(..), r) if r.is_integer() || is_decimal(r))
                || matches!((left, right), (l, DataType::Decimal128(..)) if l.is_integer());
            if decimal {
                return Some(binary(dividend, Operator::Divide, not_zero(divisor, right)?));
            }
            is_countable(left).then_some(())?;
            is_countable(right).then_some(())?;
            let divisor = not_zero(as_double(divisor, right), &DataType::Float64)?;
            Some(binary(as_double(dividend, left), Operator::Divide, divisor))
        }
        BinaryOperator::Modulo => {
            let (dividend, divisor) = operands();
            if right.is_numeric() && left.is_numeric() {
                return Some(binary(dividend, Operator::Modulo, not_zero(divisor, right)?));
            }
            is_countable(left).then_some(())?;
            is_countable(right).then_some(())?;
            let divisor = not_zero(as_double(divisor, right), &DataType::Float64)?;
            Some(binary(as_double(dividend, left), Operator::Modulo, divisor))
        }
        BinaryOperator::MyIntegerDivide => {
            let (dividend, divisor) = operands();
            let whole = |expr: Expr, from: &DataType| {
                if *from == DataType::Int64 { expr } else { try_cast(expr, DataType::Int64) }
            };
            let divisor = not_zero(whole(divisor, right), &DataType::Int64)?;
            Some(binary(whole(dividend, left), Operator::Divide, divisor))
        }
        BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply => {
            let reckons = |other: &DataType| other.is_numeric() || is_text(other) || *other == DataType::Boolean;
            let odd = |one: &DataType| is_text(one) || *one == DataType::Boolean;
            if !(odd(left) && reckons(right) || odd(right) && reckons(left)) {
                return None;
            }
            let op = match expr.op {
                BinaryOperator::Plus => Operator::Plus,
                BinaryOperator::Minus => Operator::Minus,
                _ => Operator::Multiply,
            };
            let (a, b) = operands();
            Some(binary(as_number(a, left), op, as_number(b, right)))
        }
        BinaryOperator::Xor => {
            let (a, b) = operands();
            Some(binary(as_boolean(a, left), Operator::NotEq, as_boolean(b, right)))
        }
        BinaryOperator::And | BinaryOperator::Or if left.is_numeric() || right.is_numeric() => {
            let (a, b) = operands();
            let op = if expr.op == BinaryOperator::And { Operator::And } else { Operator::Or };
            Some(binary(as_boolean(a, left), op, as_boolean(b, right)))
        }
        BinaryOperator::Arrow => Some(Expr::ScalarFunction(ScalarFunction::new_udf(
            function::json_query(),
            vec![expr.left.clone(), expr.right.clone()],
        ))),
        op => comparison(op).and_then(|op| compare(expr, op, left, right)),
    }
}

fn comparison(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        BinaryOperator::Spaceship => Operator::IsNotDistinctFrom,
        _ => return None,
    })
}

/// Comparisons of unlike types; `None` leaves like ones to DataFusion.
fn compare(expr: &RawBinaryExpr, op: Operator, left: &DataType, right: &DataType) -> Option<Expr> {
    let (a, b) = (expr.left.clone(), expr.right.clone());
    if is_text(right) && left.is_numeric() {
        return Some(match literal_as(&b, left) {
            Some(b) => binary(a, op, b),
            None => binary(as_double(a, left), op, as_double(b, right)),
        });
    }
    if is_text(left) && right.is_numeric() {
        return Some(match literal_as(&a, right) {
            Some(a) => binary(a, op, b),
            None => binary(as_double(a, left), op, as_double(b, right)),
        });
    }
    if *left == DataType::Boolean && right.is_numeric() {
        return Some(match truth(&b) {
            Some(truth) => binary(a, op, lit(truth)),
            None => binary(as_number(a, left), op, b),
        });
    }
    if *right == DataType::Boolean && left.is_numeric() {
        return Some(match truth(&a) {
            Some(truth) => binary(lit(truth), op, b),
            None => binary(a, op, as_number(b, right)),
        });
    }
    // A day stays a day if it can, so that statistics can be compared with it.
    if is_text(right) && *left == DataType::Date32 && is_day(&b) {
        return literal_as(&b, left).map(|b| binary(a, op, b));
    }
    if is_text(left) && *right == DataType::Date32 && is_day(&a) {
        return literal_as(&a, right).map(|a| binary(a, op, b));
    }
    // Text that is no moment is NULL, and matches nothing.
    if is_text(right) && left.is_temporal() {
        return Some(binary(as_moment(a, left), op, try_cast(b, DataType::Timestamp(TimeUnit::Microsecond, None))));
    }
    if is_text(left) && right.is_temporal() {
        return Some(binary(try_cast(a, DataType::Timestamp(TimeUnit::Microsecond, None)), op, as_moment(b, right)));
    }
    None
}

/// A text literal as a value of the other side's type, so that statistics can be compared with it.
fn literal_as(expr: &Expr, data_type: &DataType) -> Option<Expr> {
    let Expr::Literal(value, _) = expr else {
        return None;
    };
    let text = value.try_as_str().flatten()?.trim();
    // `1.5` compared with an integer is no integer.
    if data_type.is_integer() && text.parse::<i128>().is_err() {
        return None;
    }
    ScalarValue::try_from_string(text.to_owned(), data_type)
        .ok()
        .filter(|value| !value.is_null())
        .map(|value| Expr::Literal(value, None))
}

/// A text literal that is a day without a time.
fn is_day(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(value, _) if value.try_as_str().flatten().is_some_and(|text| text.trim().len() <= 10))
        && literal_as(expr, &DataType::Date32).is_some()
}

/// A literal 0 or 1.
fn truth(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(0)), _) => Some(false),
        Expr::Literal(ScalarValue::Int64(Some(1)), _) => Some(true),
        _ => None,
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_decimal(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..))
}

fn is_countable(data_type: &DataType) -> bool {
    data_type.is_numeric() || is_text(data_type) || matches!(data_type, DataType::Boolean | DataType::Null)
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

fn try_cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::TryCast(TryCast::new(Box::new(expr), data_type))
}

fn as_double(expr: Expr, from: &DataType) -> Expr {
    match from {
        DataType::Float64 => expr,
        DataType::Boolean => try_cast(try_cast(expr, DataType::Int64), DataType::Float64),
        _ => try_cast(expr, DataType::Float64),
    }
}

fn as_number(expr: Expr, from: &DataType) -> Expr {
    match from {
        DataType::Boolean => try_cast(expr, DataType::Int64),
        from if is_text(from) => try_cast(expr, DataType::Float64),
        _ => expr,
    }
}

fn as_boolean(expr: Expr, from: &DataType) -> Expr {
    if *from == DataType::Boolean || *from == DataType::Null {
        expr
    } else {
        binary(as_double(expr, from), Operator::NotEq, lit(0.0))
    }
}

fn as_moment(expr: Expr, from: &DataType) -> Expr {
    match from {
        DataType::Date32 | DataType::Date64 => try_cast(expr, DataType::Timestamp(TimeUnit::Microsecond, None)),
        _ => expr,
    }
}

/// The divisor, NULL if it is 0.
fn not_zero(divisor: Expr, data_type: &DataType) -> Option<Expr> {
    let zero = match data_type {
        DataType::Null => return Some(divisor),
        known => ScalarValue::new_zero(known).ok()?,
    };
    if let Expr::Literal(value, _) = &divisor
        && !value.is_null()
        && *value != zero
    {
        return Some(divisor);
    }
    Some(datafusion::functions::core::expr_fn::nullif(divisor, Expr::Literal(zero, None)))
}

#[derive(Debug)]
struct StarRocksTypes;

impl TypePlanner for StarRocksTypes {
    fn plan_type(&self, sql_type: &SqlType) -> Result<Option<DataType>> {
        Ok(match sql_type {
            SqlType::Datetime(_) | SqlType::Timestamp(_, _) => Some(DataType::Timestamp(TimeUnit::Microsecond, None)),
            SqlType::Signed | SqlType::SignedInteger => Some(DataType::Int64),
            SqlType::Unsigned | SqlType::UnsignedInteger => Some(DataType::UInt64),
            SqlType::MediumInt(_) => Some(DataType::Int32),
            SqlType::JSON | SqlType::Character(_) | SqlType::Nvarchar(_) | SqlType::CharacterVarying(_) => {
                Some(DataType::Utf8View)
            }
            SqlType::Double(ExactNumberInfo::PrecisionAndScale(..) | ExactNumberInfo::Precision(_)) => {
                Some(DataType::Float64)
            }
            SqlType::Binary(_) | SqlType::Varbinary(_) => Some(DataType::Binary),
            SqlType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("largeint") => {
                Some(DataType::Decimal256(39, 0))
            }
            _ => None,
        })
    }
}
