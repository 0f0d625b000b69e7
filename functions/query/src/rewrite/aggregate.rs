//! StarRocks' names for DataFusion's aggregates, and the form of `group_concat`.

use datafusion::sql::sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, ObjectNamePart,
    Value,
};
use penstock_expressions::rewrite::{placeholder, text, try_cast};

/// StarRocks' name, DataFusion's name; equal arguments, equal meaning.
const SYNONYMS: &[(&str, &str)] = &[
    ("any_value", "first_value"),
    ("approx_count_distinct", "approx_distinct"),
    ("ndv", "approx_distinct"),
    ("percentile_approx", "approx_percentile_cont"),
    ("std", "stddev_pop"),
    ("stddev", "stddev_pop"),
    ("variance", "var_pop"),
    ("variance_pop", "var_pop"),
    ("variance_samp", "var_samp"),
    ("group_concat", "string_agg"),
    ("multi_distinct_count", "count"),
];

/// Rewrites a call of an aggregate; its arguments are rewritten already.
pub(super) fn rewrite(expr: &mut Expr) {
    let Expr::Function(function) = expr else {
        return;
    };
    let [ObjectNamePart::Identifier(ident)] = function.name.0.as_mut_slice() else {
        return;
    };
    ident.value = ident.value.to_lowercase();
    ident.quote_style = None;
    if let Some((_, known)) = SYNONYMS.iter().find(|(name, _)| *name == ident.value) {
        ident.value = (*known).to_owned();
    }
    if ident.value == "string_agg" {
        separator(function);
    }
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
            *value = try_cast(std::mem::replace(value, placeholder()), DataType::String(None));
        }
    }
    if list.args.len() == 1 {
        let separator = match given {
            Some(Expr::Value(value)) => match value.value {
                Value::DoubleQuotedString(separator) => text(separator),
                other => Expr::value(other),
            },
            // StarRocks' default has a space, MySQL's has none.
            _ => text(", "),
        };
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(separator)));
    }
}
