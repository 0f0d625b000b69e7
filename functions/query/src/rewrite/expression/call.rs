//! Calls: names in any case, StarRocks' names for DataFusion's functions, and what only the session knows.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Ident, ObjectNamePart, Value,
};
use penstock_sql::error::SqlError;

use super::{binary, call, date, number, text, try_cast};
use crate::rewrite::placeholder;
use crate::session::Facts;

/// StarRocks' name, DataFusion's name; equal arguments, equal meaning.
const SYNONYMS: &[(&str, &str)] = &[
    ("adddate", "date_add"),
    ("any_value", "first_value"),
    ("approx_count_distinct", "approx_distinct"),
    ("ndv", "approx_distinct"),
    ("percentile_approx", "approx_percentile_cont"),
    ("bit_length", "bit_length"),
    ("ceiling", "ceil"),
    ("dceil", "ceil"),
    ("dfloor", "floor"),
    ("dround", "round"),
    ("fmod", "mod"),
    ("lcase", "lower"),
    ("ucase", "upper"),
    ("length", "octet_length"),
    ("mid", "substr"),
    ("rand", "random"),
    ("regexp", "regexp_like"),
    ("sign", "signum"),
    ("std", "stddev_pop"),
    ("stddev", "stddev_pop"),
    ("variance", "var_pop"),
    ("variance_pop", "var_pop"),
    ("variance_samp", "var_samp"),
    ("truncate", "trunc"),
    ("dlog1", "ln"),
    ("dlog10", "log10"),
    ("dexp", "exp"),
    ("dsqrt", "sqrt"),
    ("dpow", "power"),
    ("fpow", "power"),
    ("subdate", "date_sub"),
    ("group_concat", "string_agg"),
    ("multi_distinct_count", "count"),
    ("json_extract", "json_query"),
    ("get_json_object", "get_json_string"),
];

/// Rewrites a call; its arguments are rewritten already.
pub(super) fn rewrite(expr: &mut Expr, facts: &Facts) -> Result<(), SqlError> {
    let Expr::Function(function) = expr else {
        return Ok(());
    };
    let [ObjectNamePart::Identifier(ident)] = function.name.0.as_mut_slice() else {
        return Ok(());
    };
    ident.value = ident.value.to_lowercase();
    ident.quote_style = None;
    if let Some((_, known)) = SYNONYMS.iter().find(|(name, _)| *name == ident.value) {
        ident.value = (*known).to_owned();
    }
    let name = ident.value.clone();
    if name == "string_agg" {
        separator(function);
        return Ok(());
    }
    // What has OVER, DISTINCT or clauses of its own is an aggregate or window function, and means what DataFusion means.
    if function.over.is_some() {
        return Ok(());
    }
    let Some(mut args) = plain_arguments(function) else {
        return Ok(());
    };
    if let Some(known) = facts.call(&name, args.len()) {
        *expr = known;
        return Ok(());
    }
    if let Some(rewritten) = date::rewrite_call(&name, &mut args, &facts.time_zone)? {
        *expr = rewritten;
        return Ok(());
    }
    if let Some(rewritten) = general(&name, &mut args) {
        *expr = rewritten;
    }
    Ok(())
}

/// Forms that have nothing to do with dates. Takes `args` only if it gives an expression.
fn general(name: &str, args: &mut Vec<Expr>) -> Option<Expr> {
    Some(match (name, args.as_mut_slice()) {
        ("if", [condition, yes, no]) => Expr::Case {
            case_token: AttachedToken::empty(),
            end_token: AttachedToken::empty(),
            operand: None,
            conditions: vec![CaseWhen { condition: own(condition), result: own(yes) }],
            else_result: Some(Box::new(own(no))),
        },
        ("isnull", [value]) => Expr::IsNull(Box::new(own(value))),
        ("mod", [left, right]) => nested(binary(own(left), BinaryOperator::Modulo, own(right))),
        ("log", [value]) => call("ln", vec![own(value)]),
        ("locate", [part, whole]) => call("strpos", vec![own(whole), own(part)]),
        ("lpad" | "rpad", [whole, length]) => call(name, vec![own(whole), own(length), text(" ")]),
        ("space", [count]) => call("repeat", vec![text(" "), own(count)]),
        // NULL if any part is: DataFusion's own leaves NULL out.
        ("concat", [_, ..]) => {
            let parts = std::mem::take(args).into_iter().map(|part| match part {
                Expr::Value(ref value) if matches!(value.value, Value::SingleQuotedString(_)) => part,
                other => try_cast(other, DataType::String(None)),
            });
            nested(parts.reduce(|left, right| binary(left, BinaryOperator::StringConcat, right))?)
        }
        ("regexp_replace", [_, _, _]) => {
            let mut all = std::mem::take(args);
            all.push(text("g"));
            call("regexp_replace", all)
        }
        ("truncate" | "trunc", [value]) => call("trunc", vec![own(value), number(0)]),
        _ => return None,
    })
}

/// `group_concat(x ORDER BY y SEPARATOR ', ')` as `string_agg(x, ', ' ORDER BY y)`.
fn separator(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else {
        return;
    };
    let mut given = None;
    list.clauses.retain(|clause| match clause {
        FunctionArgumentClause::Separator(value) => {
            given = Some(Expr::value(value.clone()));
            false
        }
        _ => true,
    });
    for arg in &mut list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = arg {
            *value = try_cast(own(value), DataType::String(None));
        }
    }
    if list.args.len() == 1 {
        let separator = match given {
            Some(Expr::Value(value)) => match value.value {
                Value::DoubleQuotedString(text) => super::text(text),
                other => Expr::value(other),
            },
            // StarRocks' default has a space, MySQL's has none.
            _ => text(", "),
        };
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(separator)));
    }
}

fn own(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, placeholder())
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
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
        _ => None,
    }
}
