//! A rewritten syntax tree, resolved and typed: each value is cast explicitly to what its place wants, so that nothing is
//! left for an evaluation to fail at.

use std::sync::Arc;

use arrow_schema::{DataType, Field};
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::expr::{Case, InList};
use datafusion_expr::{Expr, Operator, ReturnFieldArgs};
use penstock_kernel::expression::Input;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr as Ast, Function as Call, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectNamePart, Spanned, TypedString, UnaryOperator, Value,
};
use sqlparser::tokenizer::Location;

use crate::arithmetic::{self, Arithmetic};
use crate::cast::cast_expr;
use crate::function::{self, LIKE};
use crate::name::nearest;
use crate::operator::{self, binary, compare, comparison, operation, truth};
use crate::types::{self, LARGE, compared, either, is_nested, is_textual, list_of, of_column, widest};

/// Levels of a tree; its evaluation is recursive.
pub(crate) const MAX_DEPTH: usize = 250;

/// An expression that means nothing.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) unknown_column: Option<String>,
    pub(crate) place: Option<Location>,
    pub(crate) hint: Option<String>,
}

pub(crate) type Lowered = Result<(Expr, DataType), Problem>;

fn refuse<T>(message: impl Into<String>, at: &Ast) -> Result<T, Problem> {
    Err(Problem { message: message.into(), unknown_column: None, place: place(at), hint: None })
}

fn place(at: &Ast) -> Option<Location> {
    let start = at.span().start;
    (start.line > 0).then_some(start)
}

/// Names of the columns that carry the moment instead of a row's values.
pub(crate) const HIDDEN: &[(&str, DataType)] =
    &[("\0now", DataType::Int64), ("\0seed", DataType::Utf8), ("\0row", DataType::Int64)];

pub(crate) struct Lowering<'a> {
    inputs: &'a [Input],
    depth: usize,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(inputs: &'a [Input]) -> Self {
        Self { inputs, depth: 0 }
    }

    /// The value as one of the type.
    pub(crate) fn value_as(&mut self, ast: &Ast, to: &DataType) -> Result<Expr, Problem> {
        let (expr, from) = self.value(ast)?;
        Ok(cast_expr(expr, &from, to))
    }

    /// The value, which is to be a condition already: StarRocks casts nothing to one in WHERE of a job.
    pub(crate) fn boolean(&mut self, ast: &Ast) -> Result<Expr, Problem> {
        let (expr, from) = self.value(ast)?;
        if !matches!(from, DataType::Boolean | DataType::Null) {
            return Err(Problem {
                message: format!(
                    "where statement is not a valid statement return bool: expected a condition, found {}",
                    types::name(&from)
                ),
                unknown_column: None,
                place: place(ast),
                hint: Some("compare it with something, as in `a <> 0`".to_owned()),
            });
        }
        Ok(truth(expr, &from))
    }

    /// The value as a condition.
    pub(crate) fn condition(&mut self, ast: &Ast) -> Result<Expr, Problem> {
        let (expr, from) = self.value(ast)?;
        Ok(truth(expr, &from))
    }

    fn value(&mut self, ast: &Ast) -> Lowered {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let lowered = self.node(ast);
        self.depth -= 1;
        lowered
    }

    fn node(&mut self, ast: &Ast) -> Lowered {
        match ast {
            Ast::Nested(inner) => self.value(inner),
            Ast::Identifier(ident) => self.column(ident, ast),
            Ast::CompoundIdentifier(parts) => {
                let name = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
                self.unknown(&name, ast)
            }
            Ast::Value(value) => literal(&value.value, ast),
            Ast::TypedString(TypedString { data_type, value, .. }) => {
                match (types::sql_type(data_type), &value.value) {
                    (Some(to), Value::SingleQuotedString(text) | Value::DoubleQuotedString(text)) => {
                        Ok((cast_expr(text_literal(text), &DataType::Utf8, &to), to))
                    }
                    _ => refuse(format!("`{ast}` is no literal"), ast),
                }
            }
            Ast::BinaryOp { left, op, right } => self.binary(left, op, right, ast),
            Ast::UnaryOp { op, expr } => self.unary(op, expr, ast),
            Ast::IsNull(inner) => Ok((Expr::IsNull(Box::new(self.value(inner)?.0)), DataType::Boolean)),
            Ast::IsNotNull(inner) => Ok((Expr::IsNotNull(Box::new(self.value(inner)?.0)), DataType::Boolean)),
            Ast::IsTrue(inner) => Ok((Expr::IsTrue(Box::new(self.condition(inner)?)), DataType::Boolean)),
            Ast::IsNotTrue(inner) => Ok((Expr::IsNotTrue(Box::new(self.condition(inner)?)), DataType::Boolean)),
            Ast::IsFalse(inner) => Ok((Expr::IsFalse(Box::new(self.condition(inner)?)), DataType::Boolean)),
            Ast::IsNotFalse(inner) => Ok((Expr::IsNotFalse(Box::new(self.condition(inner)?)), DataType::Boolean)),
            Ast::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Ast::Between { expr, negated, low, high } => {
                let values = [self.value(expr)?, self.value(low)?, self.value(high)?];
                let between = self.call_of(function::BETWEEN, values.into(), ast)?.0;
                Ok((if *negated { Expr::Not(Box::new(between)) } else { between }, DataType::Boolean))
            }
            Ast::Like { negated, any: false, expr, pattern, escape_char: None } => {
                let args = vec![self.value(expr)?, self.value(pattern)?];
                let like = self.call_of(LIKE, args, ast)?.0;
                Ok((if *negated { Expr::Not(Box::new(like)) } else { like }, DataType::Boolean))
            }
            Ast::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Ast::Cast { expr, data_type, format: None, .. } => {
                let Some(to) = types::sql_type(data_type) else {
                    return refuse(format!("type `{data_type}` is not known in CAST"), ast);
                };
                let (expr, from) = self.value(expr)?;
                Ok((cast_expr(expr, &from, &to), to))
            }
            Ast::Function(call) => self.function(call, ast),
            Ast::Subquery(_) | Ast::Exists { .. } | Ast::InSubquery { .. } => {
                refuse("a subquery is not allowed here", ast)
            }
            Ast::Interval(interval) => refuse(format!("`{interval}` is only allowed beside a date"), ast),
            other => refuse(format!("`{other}` is not supported here"), ast),
        }
    }

    fn column(&mut self, ident: &Ident, ast: &Ast) -> Lowered {
        if let Some((name, data_type)) = HIDDEN.iter().find(|(name, _)| *name == ident.value) {
            return Ok((Expr::Column(Column::new_unqualified(*name)), data_type.clone()));
        }
        match self.inputs.iter().position(|input| input.name.eq_ignore_ascii_case(&ident.value)) {
            Some(place) => {
                let data_type = self.inputs.get(place).map_or(DataType::Null, |input| of_column(&input.column_type));
                Ok((Expr::Column(Column::new_unqualified(column_name(place))), data_type))
            }
            None => self.unknown(&ident.value, ast),
        }
    }

    fn unknown(&self, name: &str, ast: &Ast) -> Lowered {
        let near = nearest(name, self.inputs.iter().map(|input| input.name.as_str()));
        Err(Problem {
            message: format!("unknown column `{name}`"),
            unknown_column: Some(name.to_owned()),
            place: place(ast),
            hint: Some(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let known: Vec<&str> = self.inputs.iter().take(20).map(|input| input.name.as_str()).collect();
                    format!("known are {}", known.join(", "))
                }
            }),
        })
    }

    fn binary(&mut self, left: &Ast, op: &BinaryOperator, right: &Ast, ast: &Ast) -> Lowered {
        let (a, left_type) = self.value(left)?;
        let (b, right_type) = self.value(right)?;
        if let Some(arithmetic) = operator::arithmetic(op) {
            if is_nested(&left_type) || is_nested(&right_type) {
                return refuse(format!("`{op}` cannot reckon with arrays, maps and structs"), ast);
            }
            let result = arithmetic::result(arithmetic, &left_type, &right_type);
            return Ok((arithmetic::apply(arithmetic, a, b), result));
        }
        if let Some(op) = comparison(op) {
            return Ok((comparing(op, (a, left_type), (b, right_type)), DataType::Boolean));
        }
        let result = match op {
            BinaryOperator::Arrow => types::JSON,
            BinaryOperator::LongArrow => DataType::Utf8,
            _ => DataType::Boolean,
        };
        match operation(op, (&a, &left_type), (&b, &right_type)) {
            Some(expr) => Ok((expr, result)),
            None if *op == BinaryOperator::And => Ok((binary(a, Operator::And, b), result)),
            None if *op == BinaryOperator::Or => Ok((binary(a, Operator::Or, b), result)),
            None => match op {
                BinaryOperator::BitwiseAnd => self.call_of("bitand", vec![(a, left_type), (b, right_type)], ast),
                BinaryOperator::BitwiseOr => self.call_of("bitor", vec![(a, left_type), (b, right_type)], ast),
                BinaryOperator::BitwiseXor => self.call_of("bitxor", vec![(a, left_type), (b, right_type)], ast),
                _ => refuse(format!("operator `{op}` is not supported here"), ast),
            },
        }
    }

    fn unary(&mut self, op: &UnaryOperator, inner: &Ast, ast: &Ast) -> Lowered {
        match op {
            UnaryOperator::Not | UnaryOperator::BangNot => {
                Ok((Expr::Not(Box::new(self.condition(inner)?)), DataType::Boolean))
            }
            UnaryOperator::Plus => self.value(inner),
            UnaryOperator::Minus => {
                // The lowest number of a type has no positive counterpart.
                if let Ast::Value(value) = inner
                    && let Value::Number(digits, _) = &value.value
                {
                    return number_literal(&format!("-{digits}"), ast);
                }
                let (value, data_type) = self.value(inner)?;
                let result = arithmetic::result(Arithmetic::Subtract, &DataType::Int64, &data_type);
                let zero = Expr::Literal(ScalarValue::Int64(Some(0)), None);
                Ok((arithmetic::apply(Arithmetic::Subtract, zero, value), result))
            }
            UnaryOperator::BitwiseNot => {
                let value = self.value(inner)?;
                self.call_of("bitnot", vec![value], ast)
            }
            _ => refuse(format!("operator `{op}` is not supported here"), ast),
        }
    }

    fn in_list(&mut self, tested: &Ast, list: &[Ast], negated: bool) -> Lowered {
        let (tested, tested_type) = self.value(tested)?;
        let mut values = Vec::with_capacity(list.len());
        for one in list {
            values.push(self.value(one)?);
        }
        let common = values.iter().fold(widest(&tested_type), |common, (_, other)| compared(&common, other));
        let list = values.into_iter().map(|(value, from)| cast_expr(value, &from, &common)).collect();
        let expr = Box::new(cast_expr(tested, &tested_type, &common));
        Ok((Expr::InList(InList { expr, list, negated }), DataType::Boolean))
    }

    fn case(&mut self, operand: Option<&Ast>, conditions: &[CaseWhen], otherwise: Option<&Ast>) -> Lowered {
        let operand = operand.map(|operand| self.value(operand)).transpose()?;
        let mut whens = Vec::with_capacity(conditions.len());
        let mut thens = Vec::with_capacity(conditions.len());
        for CaseWhen { condition, result } in conditions {
            whens.push(self.value(condition)?);
            thens.push(self.value(result)?);
        }
        let otherwise = otherwise.map(|otherwise| self.value(otherwise)).transpose()?;
        let expr = match operand {
            None => {
                whens = whens.into_iter().map(|(when, from)| (truth(when, &from), DataType::Boolean)).collect();
                None
            }
            Some((operand, from)) => {
                let common = whens.iter().fold(widest(&from), |common, (_, other)| compared(&common, other));
                whens =
                    whens.into_iter().map(|(when, from)| (cast_expr(when, &from, &common), common.clone())).collect();
                Some(Box::new(cast_expr(operand, &from, &common)))
            }
        };
        Ok(chosen(expr, whens, thens, otherwise))
    }

    fn function(&mut self, call: &Call, ast: &Ast) -> Lowered {
        let name = call.name.to_string();
        let [ObjectNamePart::Identifier(ident)] = call.name.0.as_slice() else {
            return refuse(format!("unknown function `{name}`"), ast);
        };
        let name = ident.value.as_str();
        if call.over.is_some() {
            return refuse(format!("`{name}` with OVER needs several rows, an expression has one"), ast);
        }
        if let Some(refusal) = function::refusal(name).filter(|_| function::find(name).is_none()) {
            return refuse(refusal, ast);
        }
        let mut args = Vec::new();
        if let FunctionArguments::List(list) = &call.args {
            if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
                return refuse(format!("`{ast}` is not supported here"), ast);
            }
            for arg in &list.args {
                let FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) = arg else {
                    return refuse(format!("`{arg}` is no argument for `{name}`"), ast);
                };
                args.push(self.value(arg)?);
            }
        }
        match name {
            "coalesce" if !args.is_empty() => {
                let last = args.pop();
                let whens =
                    args.iter().map(|(arg, _)| (Expr::IsNotNull(Box::new(arg.clone())), DataType::Boolean)).collect();
                Ok(chosen(None, whens, args, last))
            }
            "nullif" => match <[_; 2]>::try_from(args) {
                Ok([a, b]) => {
                    let equal = comparing(Operator::Eq, a.clone(), b);
                    let null = (Expr::Literal(ScalarValue::Null, None), DataType::Null);
                    Ok(chosen(None, vec![(equal, DataType::Boolean)], vec![null], Some(a)))
                }
                Err(args) => refuse(format!("`nullif` takes 2 arguments, found {}", args.len()), ast),
            },
            _ => self.call_of(name, args, ast),
        }
    }

    fn call_of(&mut self, name: &str, args: Vec<(Expr, DataType)>, ast: &Ast) -> Lowered {
        let Some(found) = function::find(name) else {
            let near = nearest(name, function::names());
            return Err(Problem {
                message: format!("unknown function `{name}`"),
                unknown_column: None,
                place: place(ast),
                hint: near.map(|near| format!("did you mean `{near}`?")),
            });
        };
        if !found.is_callable() || !found.takes(args.len()) {
            return Err(Problem {
                message: if found.is_callable() {
                    function::wrong_count(found, args.len())
                } else {
                    format!("`{}` does not take {} arguments", found.name, args.len())
                },
                unknown_column: None,
                place: place(ast),
                hint: Some(format!("it is {}", found.signature())),
            });
        }
        let fields: Vec<_> =
            args.iter().map(|(_, data_type)| Arc::new(Field::new("", data_type.clone(), true))).collect();
        let literals: Vec<_> = args
            .iter()
            .map(|(arg, _)| if let Expr::Literal(value, _) = arg { Some(value.clone()) } else { None })
            .collect();
        let literals: Vec<Option<&ScalarValue>> = literals.iter().map(Option::as_ref).collect();
        let Some(udf) = function::udf(name) else {
            return refuse(format!("unknown function `{name}`"), ast);
        };
        match udf.return_field_from_args(ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &literals }) {
            Ok(field) => Ok((udf.call(args.into_iter().map(|(arg, _)| arg).collect()), field.data_type().clone())),
            Err(error) => refuse(error.strip_backtrace().trim_start_matches("Error during planning: "), ast),
        }
    }
}

/// Says that a tree has too many levels.
pub(crate) fn too_deep() -> Problem {
    Problem {
        message: format!("the expression has more than {MAX_DEPTH} levels"),
        unknown_column: None,
        place: None,
        hint: Some("write long chains of OR as IN (...), and long CASEs with one CASE of many WHENs".to_owned()),
    }
}

/// The name of the input at that place in the evaluation's schema.
pub(crate) fn column_name(place: usize) -> String {
    format!("input {place}")
}

/// Comparison of any two types.
fn comparing(op: Operator, left: (Expr, DataType), right: (Expr, DataType)) -> Expr {
    let typed = |one: &(Expr, DataType)| (one.0.clone(), one.1.clone());
    let ((a, left_type), (b, right_type)) = (typed(&left), typed(&right));
    if is_textual(&left_type) != is_textual(&right_type)
        && let Some(expr) = compare(op, (&a, &left_type), (&b, &right_type))
        && left_type.is_temporal() | right_type.is_temporal()
    {
        // The other side may be a day still, where it is a moment now.
        return expr;
    }
    let common = if left_type == right_type && !is_nested(&left_type) {
        left_type.clone()
    } else {
        compared(&left_type, &right_type)
    };
    binary(cast_expr(a, &left_type, &common), op, cast_expr(b, &right_type, &common))
}

/// A CASE whose results have one type.
fn chosen(
    expr: Option<Box<Expr>>,
    whens: Vec<(Expr, DataType)>,
    thens: Vec<(Expr, DataType)>,
    otherwise: Option<(Expr, DataType)>,
) -> (Expr, DataType) {
    let first = otherwise.as_ref().map_or(DataType::Null, |(_, data_type)| data_type.clone());
    let result = thens.iter().fold(first, |common, (_, other)| either(&common, other));
    if thens.is_empty() {
        return otherwise.unwrap_or((Expr::Literal(ScalarValue::Null, None), DataType::Null));
    }
    let results = thens.into_iter().map(|(then, from)| cast_expr(then, &from, &result));
    let when_then_expr = whens.into_iter().map(|(when, _)| Box::new(when)).zip(results.map(Box::new)).collect();
    let else_expr = otherwise.map(|(otherwise, from)| Box::new(cast_expr(otherwise, &from, &result)));
    (Expr::Case(Case { expr, when_then_expr, else_expr }), result)
}

fn text_literal(text: &str) -> Expr {
    Expr::Literal(ScalarValue::Utf8(Some(text.to_owned())), None)
}

fn literal(value: &Value, ast: &Ast) -> Lowered {
    match value {
        Value::Number(digits, _) => number_literal(digits, ast),
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Ok((text_literal(text), DataType::Utf8)),
        Value::Boolean(flag) => Ok((Expr::Literal(ScalarValue::Boolean(Some(*flag)), None), DataType::Boolean)),
        Value::Null => Ok((Expr::Literal(ScalarValue::Null, None), DataType::Null)),
        other => refuse(format!("`{other}` is not supported here"), ast),
    }
}

/// A BIGINT, LARGEINT, DECIMAL or DOUBLE, whichever is the first that holds it.
fn number_literal(digits: &str, ast: &Ast) -> Lowered {
    let (value, data_type) = if let Ok(number) = digits.parse::<i64>() {
        (ScalarValue::Int64(Some(number)), DataType::Int64)
    } else if let Ok(number) = digits.parse::<i128>() {
        (ScalarValue::Decimal256(Some(arrow_buffer::i256::from_i128(number)), 39, 0), LARGE)
    } else {
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let length = whole.trim_start_matches('-').trim_start_matches('0').len() + fraction.len();
        let unscaled = format!("{whole}{fraction}").parse::<i128>();
        match (unscaled, u8::try_from(length.max(1)), i8::try_from(fraction.len())) {
            (Ok(unscaled), Ok(precision @ ..=38), Ok(scale)) => {
                let precision = precision.max(scale.unsigned_abs());
                (ScalarValue::Decimal128(Some(unscaled), precision, scale), DataType::Decimal128(precision, scale))
            }
            _ => match digits.parse::<f64>() {
                Ok(double) => (ScalarValue::Float64(Some(double)), DataType::Float64),
                Err(_) => return refuse(format!("`{digits}` is no number"), ast),
            },
        }
    };
    Ok((Expr::Literal(value, None), data_type))
}

/// A list of values of one type.
pub(crate) fn list_type(types: &[DataType]) -> DataType {
    list_of(types.iter().fold(DataType::Null, |common, other| either(&common, other)))
}
