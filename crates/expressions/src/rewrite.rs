//! MySQL's and StarRocks' forms of expressions as calls of the functions of the table, on the syntax tree.
//!
//! [`expression`] is called for each expression after its parts, so an arm sees arguments that are rewritten already.
//! It is the same for COLUMNS, WHERE and SELECT; aggregates are SELECT's own.

mod call;
mod date;

use sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, CeilFloorKind, DataType, ExactNumberInfo, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, ObjectNamePart, Subscript,
    TrimWhereField, UnaryOperator, Value,
};

/// What only a session or a job knows.
pub trait Session {
    /// The time zone of functions that turn instants into dates.
    fn time_zone(&self) -> &str;

    /// What `now()` and its like mean, called with so many arguments; `None` if the name means nothing to the session.
    fn call(&mut self, name: &str, arguments: usize) -> Option<Expr>;
}

/// A form that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteError {
    /// What is wrong: lowercase, the user's text in backquotes.
    pub message: String,
    /// What the user might do.
    pub hint: Option<String>,
}

/// Rewrites `expr`, whose parts are rewritten already.
///
/// # Errors
/// [`RewriteError`] for a call whose arguments make no sense.
pub fn expression(expr: &mut Expr, session: &mut dyn Session) -> Result<(), RewriteError> {
    match expr {
        Expr::Value(value) => match &mut value.value {
            Value::DoubleQuotedString(text) => value.value = Value::SingleQuotedString(std::mem::take(text)),
            // With an exponent it is a DOUBLE; without one it is exact.
            Value::Number(digits, _) if digits.contains(['e', 'E']) => {
                *expr = try_cast(text(std::mem::take(digits)), DataType::Double(ExactNumberInfo::None));
            }
            // One of the many spellings of text; a character set changes nothing here, all text is UTF-8.
            Value::NationalStringLiteral(text) => value.value = Value::SingleQuotedString(std::mem::take(text)),
            _ => {}
        },
        Expr::Prefixed { value, .. } => *expr = take(value),
        Expr::Collate { expr: inner, .. } => *expr = take(inner),
        Expr::UnaryOp { op: op @ UnaryOperator::BangNot, .. } => *op = UnaryOperator::Not,
        // As a difference, which is NULL where it overflows; a literal is one with its sign.
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner }
            if !matches!(&**inner, Expr::Value(_) | Expr::Interval(_)) =>
        {
            let inner = take(inner);
            *expr = nested(binary(number(0), BinaryOperator::Minus, inner));
        }
        Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: inner } => *expr = call("bitnot", vec![take(inner)]),
        Expr::RLike { negated, expr: text, pattern, .. } => {
            let matches = call("regexp", vec![take(text), take(pattern)]);
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
        Expr::Function(_) => call::rewrite(expr, session)?,
        Expr::BinaryOp { .. } => date::rewrite_interval(expr)?,
        Expr::Substring { expr: whole, substring_from, substring_for, .. } => {
            let mut args = vec![take(whole)];
            args.push(substring_from.take().map_or_else(|| number(1), |from| *from));
            args.extend(substring_for.take().map(|count| *count));
            *expr = call("substr", args);
        }
        Expr::Trim { expr: whole, trim_where, trim_what, trim_characters } => {
            let name = match trim_where {
                Some(TrimWhereField::Leading) => "ltrim",
                Some(TrimWhereField::Trailing) => "rtrim",
                _ => "trim",
            };
            let mut args = vec![take(whole)];
            args.extend(trim_what.take().map(|what| *what));
            args.extend(trim_characters.take().into_iter().flatten());
            *expr = call(name, args);
        }
        Expr::Ceil { expr: inner, field: CeilFloorKind::DateTimeField(_) } => *expr = call("ceil", vec![take(inner)]),
        Expr::Floor { expr: inner, field: CeilFloorKind::DateTimeField(_) } => *expr = call("floor", vec![take(inner)]),
        Expr::Position { expr: part, r#in: whole } => *expr = call("locate", vec![take(part), take(whole)]),
        Expr::Extract { field, expr: moment, .. } => {
            let name = field.to_string().to_lowercase();
            if crate::function::find(&name).is_some() {
                *expr = call(&name, vec![take(moment)]);
            }
        }
        Expr::Array(array) => *expr = call(crate::function::ARRAY, std::mem::take(&mut array.elem)),
        Expr::CompoundFieldAccess { root, access_chain }
            if access_chain.iter().all(|access| matches!(access, AccessExpr::Subscript(Subscript::Index { .. }))) =>
        {
            let mut at = take(root);
            for access in std::mem::take(access_chain) {
                if let AccessExpr::Subscript(Subscript::Index { index }) = access {
                    at = call("element_at", vec![at, index]);
                }
            }
            *expr = at;
        }
        _ => {}
    }
    Ok(())
}

/// `doc -> 'a' = 1` as `(doc -> 'a') = 1`: the parser ranks the arrow below comparisons. Called before the parts are visited.
pub fn bind_arrow(expr: &mut Expr) {
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

/// A chain of AND or OR as a balanced tree: `a AND b AND c ...` is as deep as it is long otherwise. Called before the parts
/// are visited.
pub fn balance(expr: &mut Expr) {
    let chain = match expr {
        Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => op.clone(),
        _ => return,
    };
    let mut length = 1;
    let mut at = &*expr;
    while let Expr::BinaryOp { left, op, .. } = at
        && *op == chain
    {
        length += 1;
        at = left;
    }
    if length < 16 {
        return;
    }
    let mut terms = Vec::with_capacity(length);
    let mut rest = std::mem::replace(expr, placeholder());
    loop {
        match rest {
            Expr::BinaryOp { left, op, right } if op == chain => {
                terms.push(*right);
                rest = *left;
            }
            last => {
                terms.push(last);
                break;
            }
        }
    }
    terms.reverse();
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut queue = terms.into_iter();
        while let Some(left) = queue.next() {
            pairs.push(match queue.next() {
                Some(right) => Expr::BinaryOp { left: Box::new(left), op: chain.clone(), right: Box::new(right) },
                None => left,
            });
        }
        terms = pairs;
    }
    if let Some(root) = terms.pop() {
        *expr = root;
    }
}

/// Stands where an expression was taken out, until another is put there.
pub fn placeholder() -> Expr {
    Expr::value(Value::Null)
}

/// A call with plain arguments.
pub fn call(name: &str, args: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(arguments(args)),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn arguments(args: Vec<Expr>) -> FunctionArgumentList {
    FunctionArgumentList {
        duplicate_treatment: None,
        args: args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect(),
        clauses: Vec::new(),
    }
}

/// A text literal.
pub fn text(value: impl Into<String>) -> Expr {
    Expr::value(Value::SingleQuotedString(value.into()))
}

/// A whole number.
pub fn number(value: i64) -> Expr {
    Expr::value(Value::Number(value.to_string(), false))
}

/// `expr` as a value of the type, NULL if it cannot be.
pub fn try_cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::TryCast, expr: Box::new(expr), data_type, array: false, format: None }
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, placeholder())
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) }
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
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
