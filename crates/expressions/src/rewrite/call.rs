//! Calls: names in any case, forms that are no functions, and what only the session knows.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectNamePart,
    UnaryOperator, Value, ValueWithSpan,
};

use super::{RewriteError, Session, arguments, binary, call, date, nested, take, text};
use crate::function;

/// Rewrites a call; its arguments are rewritten already.
pub(super) fn rewrite(expr: &mut Expr, session: &mut dyn Session) -> Result<(), RewriteError> {
    let Expr::Function(function) = expr else {
        return Ok(());
    };
    let [ObjectNamePart::Identifier(ident)] = function.name.0.as_mut_slice() else {
        return Ok(());
    };
    ident.value = ident.value.to_lowercase();
    ident.quote_style = None;
    // What has OVER, DISTINCT or clauses of its own is an aggregate or window function.
    if function.over.is_some() {
        return Ok(());
    }
    let known = function::find(&ident.value);
    if let Some(known) = known {
        ident.value = known.name.to_owned();
    }
    let name = ident.value.clone();
    let Some(mut args) = plain_arguments(function) else {
        return Ok(());
    };
    if let Some(meant) = session.call(&name, args.len()) {
        *expr = meant;
    } else if let Some(rewritten) = date::rewrite_call(&name, &mut args)? {
        *expr = rewritten;
    } else if let Some(rewritten) = general(&name, &mut args) {
        *expr = rewritten;
    } else if known.is_some_and(|known| known.zoned) {
        args.insert(0, text(session.time_zone()));
        // In place, so that the name keeps its position.
        function.args = FunctionArguments::List(arguments(args));
    }
    Ok(())
}

/// Forms that have nothing to do with dates. Takes from `args` only if it gives an expression.
fn general(name: &str, args: &mut [Expr]) -> Option<Expr> {
    Some(match (name, args) {
        ("if", [condition, yes, no]) => Expr::Case {
            case_token: AttachedToken::empty(),
            end_token: AttachedToken::empty(),
            operand: None,
            conditions: vec![CaseWhen { condition: take(condition), result: take(yes) }],
            else_result: Some(Box::new(take(no))),
        },
        // Without a time of day in its format, what is read is a DATE.
        ("str_to_date", [whole, format]) if is_day_format(format) => call("str2date", vec![take(whole), take(format)]),
        ("isnull", [value]) => Expr::IsNull(Box::new(take(value))),
        ("isnotnull", [value]) => Expr::IsNotNull(Box::new(take(value))),
        ("mod", [left, right]) => nested(binary(take(left), BinaryOperator::Modulo, take(right))),
        ("negative", [value]) => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(nested(take(value))) },
        _ => return None,
    })
}

/// Whether the format is a text that asks for no part of a day.
fn is_day_format(format: &Expr) -> bool {
    let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(format), .. }) = format else {
        return false;
    };
    let mut letters = format.chars();
    let mut asks = false;
    while let Some(letter) = letters.next() {
        match (letter, if letter == '%' { letters.next() } else { None }) {
            (_, Some('f' | 'H' | 'h' | 'I' | 'i' | 'k' | 'l' | 'p' | 'r' | 'S' | 's' | 'T')) => return false,
            (_, Some(_)) => asks = true,
            _ => {}
        }
    }
    asks
}

/// Copies of the arguments, if they are expressions and nothing else is said in the parentheses.
fn plain_arguments(function: &Function) -> Option<Vec<Expr>> {
    match &function.args {
        FunctionArguments::None => Some(Vec::new()),
        FunctionArguments::Subquery(_) => None,
        FunctionArguments::List(list) if list.duplicate_treatment.is_none() && list.clauses.is_empty() => list
            .args
            .iter()
            .map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
                _ => None,
            })
            .collect(),
        FunctionArguments::List(_) => None,
    }
}

/// The name of an argument that is a word and no value, such as the unit of `timestampdiff`.
pub(super) fn word(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(Ident { value, .. }) => Some(value.to_lowercase()),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.to_lowercase()),
            _ => None,
        },
        // FLOOR and CEIL are functions to the parser.
        Expr::Function(function) => match function.name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => Some(ident.value.to_lowercase()),
            _ => None,
        },
        _ => None,
    }
}
