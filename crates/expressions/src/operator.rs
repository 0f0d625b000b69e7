//! Operators where StarRocks' differ from DataFusion's; what is alike is left to DataFusion.
//!
//! | form | meaning |
//! | --- | --- |
//! | `+ - * / DIV %` | [types of the results](crate::reference()); overflow and division by zero give NULL |
//! | text compared with a number | both as numbers; text that is no number matches nothing |
//! | text compared with a date | both as DATETIME |
//! | BOOLEAN compared or reckoned with a number | true is 1, false 0 |
//! | `XOR`, `AND`, `OR` on numbers and text | logical: 0 is false |
//! | `doc -> path` | `json_query(doc, path)` |

use arrow_schema::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::{BinaryExpr, Expr, Operator, TryCast, lit};
use sqlparser::ast::BinaryOperator;

use crate::arithmetic::{self, Arithmetic};
use crate::cast::cast_expr;
use crate::function;
use crate::types::{JSON, MOMENT, column_type, is_nested, is_text, is_textual};

/// The operator applied to operands of these types; `None` leaves it to DataFusion.
pub fn operation(
    op: &BinaryOperator,
    (left, left_type): (&Expr, &DataType),
    (right, right_type): (&Expr, &DataType),
) -> Option<Expr> {
    let (a, b) = (left.clone(), right.clone());
    if let Some(arithmetic) = arithmetic(op) {
        let is_day = |one: &DataType| matches!(one, DataType::Date32 | DataType::Timestamp(..));
        let reckons = |one: &DataType| {
            one.is_numeric() || is_textual(one) || is_day(one) || matches!(one, DataType::Boolean | DataType::Null)
        };
        // Days and moments are the numbers that their digits make.
        let number =
            |one: Expr, from: &DataType| if is_day(from) { cast_expr(one, from, &DataType::Int64) } else { one };
        return (reckons(left_type) && reckons(right_type))
            .then(|| arithmetic::apply(arithmetic, number(a, left_type), number(b, right_type)));
    }
    match op {
        BinaryOperator::Xor => Some(binary(truth(a, left_type), Operator::NotEq, truth(b, right_type))),
        BinaryOperator::And | BinaryOperator::Or if !(is_truth(left_type) && is_truth(right_type)) => {
            let op = if *op == BinaryOperator::And { Operator::And } else { Operator::Or };
            Some(binary(truth(a, left_type), op, truth(b, right_type)))
        }
        BinaryOperator::Arrow => function::call("json_query", vec![a, b]),
        BinaryOperator::LongArrow => function::call("get_json_string", vec![a, b]),
        op => comparison(op).and_then(|op| compare(op, (left, left_type), (right, right_type))),
    }
}

/// The value as a condition.
pub fn truth(expr: Expr, data_type: &DataType) -> Expr {
    if is_truth(data_type) { expr } else { cast_expr(expr, data_type, &DataType::Boolean) }
}

/// The cast by StarRocks' rules where DataFusion's are others; `None` where they agree, which leaves it to be compared
/// with statistics, and for types that are not the library's.
pub fn cast_of_unlike(expr: Expr, from: &DataType, to: &DataType) -> Option<Expr> {
    let is_truth = |one: &DataType| *one == DataType::Boolean;
    let unlike = match (from, to) {
        (from, to) if is_text(from) && is_text(to) => false,
        (from, to) => {
            is_textual(from)
                || *to == JSON
                || is_nested(from)
                || is_nested(to)
                || is_truth(from) && is_text(to)
                || from.is_numeric() && to.is_temporal()
                || from.is_temporal() && to.is_numeric()
        }
    };
    let known = is_textual(to) || column_type(to).is_some();
    (unlike && known && from != to && !from.is_null()).then(|| cast_expr(expr, from, to))
}

fn is_truth(data_type: &DataType) -> bool {
    *data_type == DataType::Boolean
}

pub(crate) fn arithmetic(op: &BinaryOperator) -> Option<Arithmetic> {
    Some(match op {
        BinaryOperator::Plus => Arithmetic::Add,
        BinaryOperator::Minus => Arithmetic::Subtract,
        BinaryOperator::Multiply => Arithmetic::Multiply,
        BinaryOperator::Divide => Arithmetic::Divide,
        BinaryOperator::MyIntegerDivide => Arithmetic::Quotient,
        BinaryOperator::Modulo => Arithmetic::Remainder,
        _ => return None,
    })
}

pub(crate) fn comparison(op: &BinaryOperator) -> Option<Operator> {
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
pub(crate) fn compare(
    op: Operator,
    (left, left_type): (&Expr, &DataType),
    (right, right_type): (&Expr, &DataType),
) -> Option<Expr> {
    let (a, b) = (left.clone(), right.clone());
    if *left_type == JSON && *right_type == JSON {
        return None;
    }
    if *left_type == JSON && is_text(right_type) {
        return Some(binary(cast_expr(a, left_type, &DataType::Utf8), op, b));
    }
    if *right_type == JSON && is_text(left_type) {
        return Some(binary(a, op, cast_expr(b, right_type, &DataType::Utf8)));
    }
    if is_textual(right_type) && left_type.is_numeric() {
        return Some(match literal_as(&b, left_type) {
            Some(b) => binary(a, op, b),
            None => binary(as_double(a, left_type), op, as_double(b, right_type)),
        });
    }
    if is_textual(left_type) && right_type.is_numeric() {
        return Some(match literal_as(&a, right_type) {
            Some(a) => binary(a, op, b),
            None => binary(as_double(a, left_type), op, as_double(b, right_type)),
        });
    }
    if *left_type == DataType::Boolean && right_type.is_numeric() {
        return Some(match literal_truth(&b) {
            Some(truth) => binary(a, op, lit(truth)),
            None => binary(as_number(a, left_type), op, b),
        });
    }
    if *right_type == DataType::Boolean && left_type.is_numeric() {
        return Some(match literal_truth(&a) {
            Some(truth) => binary(lit(truth), op, b),
            None => binary(a, op, as_number(b, right_type)),
        });
    }
    // A day stays a day if it can, so that statistics can be compared with it.
    if is_text(right_type) && *left_type == DataType::Date32 && is_day(&b) {
        return literal_as(&b, left_type).map(|b| binary(a, op, b));
    }
    if is_text(left_type) && *right_type == DataType::Date32 && is_day(&a) {
        return literal_as(&a, right_type).map(|a| binary(a, op, b));
    }
    // Text that is no moment is NULL, and matches nothing.
    if is_textual(right_type) && left_type.is_temporal() {
        return Some(binary(as_moment(a, left_type), op, cast_expr(b, right_type, &MOMENT)));
    }
    if is_textual(left_type) && right_type.is_temporal() {
        return Some(binary(cast_expr(a, left_type, &MOMENT), op, as_moment(b, right_type)));
    }
    // DataFusion compares them as nanoseconds, which end in 2262.
    if let (DataType::Date32, DataType::Timestamp(..)) | (DataType::Timestamp(..), DataType::Date32) =
        (left_type, right_type)
    {
        return Some(binary(as_moment(a, left_type), op, as_moment(b, right_type)));
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
fn literal_truth(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(0)), _) => Some(false),
        Expr::Literal(ScalarValue::Int64(Some(1)), _) => Some(true),
        _ => None,
    }
}

pub(crate) fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

fn try_cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::TryCast(TryCast::new(Box::new(expr), data_type))
}

fn as_double(expr: Expr, from: &DataType) -> Expr {
    // A number's cast is DataFusion's own, which it sees through when it compares with statistics.
    match from {
        DataType::Float64 => expr,
        from if from.is_numeric() => try_cast(expr, DataType::Float64),
        from => cast_expr(expr, from, &DataType::Float64),
    }
}

fn as_number(expr: Expr, from: &DataType) -> Expr {
    if *from == DataType::Boolean { try_cast(expr, DataType::Int64) } else { expr }
}

fn as_moment(expr: Expr, from: &DataType) -> Expr {
    match from {
        DataType::Date32 | DataType::Date64 => try_cast(expr, MOMENT),
        _ => expr,
    }
}
