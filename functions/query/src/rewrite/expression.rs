//! MySQL's and StarRocks' forms of expressions as forms that DataFusion knows.
//!
//! Called for each expression after its parts, so an arm sees arguments that are rewritten already.

mod call;
mod date;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, ObjectNamePart, UnaryOperator, Value,
};
use penstock_sql::error::SqlError;

use super::{lowercase, placeholder};
use crate::session::Facts;

/// Rewrites `expr`, whose parts are rewritten already.
///
/// # Errors
/// Code 1064 for a call whose arguments make no sense.
pub(super) fn rewrite(expr: &mut Expr, facts: &Facts) -> Result<(), SqlError> {
    match expr {
        Expr::Identifier(ident) if !ident.value.starts_with('@') => lowercase(ident),
        Expr::CompoundIdentifier(parts) => {
            if let Some(column) = parts.last_mut() {
                lowercase(column);
            }
        }
        Expr::Value(value) => match &mut value.value {
            Value::DoubleQuotedString(text) => value.value = Value::SingleQuotedString(std::mem::take(text)),
            // With an exponent it is a DOUBLE; without one it is exact.
            Value::Number(digits, _) if digits.contains(['e', 'E']) => {
                *expr = try_cast(text(std::mem::take(digits)), DataType::Double(ExactNumberInfo::None));
            }
            // Two of the many spellings of text; a character set changes nothing here, all text is UTF-8.
            Value::NationalStringLiteral(text) => value.value = Value::SingleQuotedString(std::mem::take(text)),
            _ => {}
        },
        Expr::Prefixed { value, .. } => *expr = std::mem::replace(value, placeholder()),
        Expr::Collate { expr: inner, .. } => *expr = std::mem::replace(inner, placeholder()),
        Expr::UnaryOp { op: op @ UnaryOperator::BangNot, .. } => *op = UnaryOperator::Not,
        Expr::RLike { negated, expr: text, pattern, .. } => {
            let matches = call("regexp_like", vec![take(text), take(pattern)]);
            *expr = if *negated { not(matches) } else { matches };
        }
        // StarRocks gives NULL for what cannot be converted.
        Expr::Cast { kind, .. } => *kind = CastKind::TryCast,
        Expr::Convert { expr: inner, data_type, .. } => {
            let inner = take(inner);
            *expr = match data_type.take() {
                Some(data_type) => try_cast(inner, data_type),
                // CONVERT(x USING utf8mb4): all text is UTF-8.
                None => inner,
            };
        }
        Expr::Between { expr: tested, negated, low, high } if is_small(tested) => {
            // As two comparisons, so that text and numbers are compared as comparisons do it.
            let tested = take(tested);
            let from = binary(tested.clone(), BinaryOperator::GtEq, take(low));
            let to = binary(tested, BinaryOperator::LtEq, take(high));
            let between = Expr::Nested(Box::new(binary(from, BinaryOperator::And, to)));
            *expr = if *negated { not(between) } else { between };
        }
        Expr::Function(_) => call::rewrite(expr, facts)?,
        Expr::BinaryOp { .. } => date::rewrite_interval(expr)?,
        Expr::Substring { substring_from: Some(from), .. } if is_negative(from) => substring_from_end(expr),
        _ => {}
    }
    Ok(())
}

/// `doc -> 'a' = 1` as `(doc -> 'a') = 1`: the parser ranks the arrow below comparisons. Called before the parts are visited.
pub(super) fn bind_arrow(expr: &mut Expr) {
    while let Expr::BinaryOp { left, op: op @ (BinaryOperator::Arrow | BinaryOperator::LongArrow), right } = expr {
        let Some(first) = first_operand(right) else {
            return;
        };
        let arrow = binary(take(left), op.clone(), take(first));
        *first = arrow;
        *expr = take(right);
    }
}

/// The operand that stands first in an expression that is not in parentheses.
fn first_operand(expr: &mut Expr) -> Option<&mut Expr> {
    let operand = match expr {
        Expr::BinaryOp { left, .. } => left,
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => inner,
        Expr::Like { expr: inner, .. } | Expr::InList { expr: inner, .. } | Expr::Between { expr: inner, .. } => inner,
        _ => return None,
    };
    let mut at = &mut **operand;
    while let Expr::BinaryOp { left, .. } = at {
        at = left;
    }
    Some(at)
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, placeholder())
}

/// Few enough nodes to be said twice: nested in each other, many of them would still stay few.
fn is_small(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => true,
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_small(inner),
        Expr::Function(function) => match &function.args {
            FunctionArguments::List(list) => {
                list.args.len() <= 3
                    && function.over.is_none()
                    && list.args.iter().all(|arg| match arg {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(inner)) => {
                            matches!(inner, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_))
                        }
                        _ => false,
                    })
            }
            _ => true,
        },
        _ => false,
    }
}

fn is_negative(expr: &Expr) -> bool {
    matches!(expr, Expr::UnaryOp { op: UnaryOperator::Minus, expr } if matches!(**expr, Expr::Value(_)))
}

/// `substr(s, -3, 2)`: a negative start counts from the end.
fn substring_from_end(expr: &mut Expr) {
    if let Expr::Substring { expr: text, substring_from: Some(from), substring_for, .. } = expr
        && let Expr::UnaryOp { expr: distance, .. } = &mut **from
    {
        let tail = call("right", vec![take(text), take(distance)]);
        *expr = match substring_for.take() {
            Some(length) => call("left", vec![tail, *length]),
            None => tail,
        };
    }
}

pub(super) fn call(name: &str, args: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

pub(super) fn text(value: impl Into<String>) -> Expr {
    Expr::value(Value::SingleQuotedString(value.into()))
}

pub(super) fn number(value: i64) -> Expr {
    Expr::value(Value::Number(value.to_string(), false))
}

pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

pub(super) fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) }
}

pub(super) fn try_cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::TryCast, expr: Box::new(expr), data_type, array: false, format: None }
}
