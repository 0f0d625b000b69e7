//! Text of an expression into one that can be evaluated.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_schema::{Field, Schema};
use datafusion_common::DFSchema;
use datafusion_expr::Expr;
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_physical_expr::create_physical_expr;
use penstock_kernel::expression::{Expression, ExpressionError, Expressions, Input};
use penstock_kernel::table::ColumnType;
use sqlparser::ast::{BinaryOperator, DataType as SqlType, Expr as Ast, Ident, VisitMut, VisitorMut};

use crate::compiled::Compiled;
use crate::function::{LOCAL, RANDOM, UUID, UUID_NUMBER};
use crate::lower::{HIDDEN, Lowering, MAX_DEPTH, Problem, column_name, too_deep};
use crate::rewrite::{self, RewriteError, Session, call, number, text};
use crate::syntax;
use crate::types::of_column;

/// StarRocks' expressions, as COLUMNS and WHERE have them.
#[derive(Debug, Clone, Copy, Default)]
pub struct StarRocks;

/// Parser and planner are recursive, and where they are called from may have little stack left.
const STACK_BYTES: usize = 32 << 20;

impl Expressions for StarRocks {
    fn compile(
        &self,
        text: &str,
        inputs: &[Input],
        output: &ColumnType,
        time_zone: &str,
    ) -> Result<Arc<dyn Expression>, ExpressionError> {
        with_stack(|| compile(text, inputs, Wanted::Value(output), time_zone))
    }

    fn compile_condition(
        &self,
        text: &str,
        inputs: &[Input],
        time_zone: &str,
    ) -> Result<Arc<dyn Expression>, ExpressionError> {
        with_stack(|| compile(text, inputs, Wanted::Condition, time_zone))
    }
}

/// What an expression is to give.
#[derive(Clone, Copy)]
enum Wanted<'t> {
    /// A value, cast to the type.
    Value(&'t ColumnType),
    /// Truth, which nothing is cast to.
    Condition,
}

fn with_stack(
    work: impl FnOnce() -> Result<Arc<Compiled>, ExpressionError> + Send,
) -> Result<Arc<dyn Expression>, ExpressionError> {
    let compiled = std::thread::scope(|scope| {
        match std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work) {
            Ok(thread) => thread.join().ok(),
            Err(_) => None,
        }
    });
    compiled.unwrap_or_else(|| Err(failure("the expression cannot be compiled"))).map(|compiled| compiled as _)
}

fn failure(message: impl Into<String>) -> ExpressionError {
    ExpressionError { message: message.into(), unknown_column: None, at: None, hint: None }
}

fn compile(
    text: &str,
    inputs: &[Input],
    wanted: Wanted<'_>,
    time_zone: &str,
) -> Result<Arc<Compiled>, ExpressionError> {
    let mut ast = syntax::expression(text).map_err(|error| ExpressionError {
        at: error.place.map(|place| character(text, place)),
        ..failure(error.message.replace("the end of the statement", "the end of the expression"))
    })?;
    let mut rewriter = Rewriter { session: Job { time_zone, calls: 0 }, depth: 0 };
    if let ControlFlow::Break(error) = VisitMut::visit(&mut ast, &mut rewriter) {
        return Err(ExpressionError { hint: error.hint, ..failure(error.message) });
    }
    let problem = |problem: Problem| ExpressionError {
        message: problem.message,
        unknown_column: problem.unknown_column,
        at: problem.place.map(|place| character(text, (place.line, place.column))),
        hint: problem.hint,
    };
    let mut lowering = Lowering::new(inputs);
    let (expr, output) = match wanted {
        Wanted::Value(output) => (lowering.value_as(&ast, &of_column(output)).map_err(problem)?, output),
        Wanted::Condition => (lowering.boolean(&ast).map_err(problem)?, &ColumnType::Boolean),
    };
    physical(&expr, inputs, output)
        .map_err(|error| failure(format!("the expression cannot be evaluated: {}", error.strip_backtrace())))
}

fn physical(expr: &Expr, inputs: &[Input], output: &ColumnType) -> datafusion_common::Result<Arc<Compiled>> {
    let named = expr.column_refs();
    let is_named = |name: &str| named.iter().any(|column| column.name == name);
    let reads: Vec<usize> = (0..inputs.len()).filter(|place| is_named(&column_name(*place))).collect();
    let hidden: Vec<bool> = HIDDEN.iter().map(|(name, _)| is_named(name)).collect();
    let columns = reads.iter().filter_map(|place| {
        let input = inputs.get(*place)?;
        Some(Field::new(column_name(*place), of_column(&input.column_type), true))
    });
    let carried = HIDDEN.iter().zip(&hidden).filter(|(_, named)| **named);
    let carried = carried.map(|((name, data_type), _)| Field::new(*name, data_type.clone(), true));
    let schema = Arc::new(Schema::new(columns.chain(carried).collect::<Vec<_>>()));
    let by_name = DFSchema::try_from(Arc::clone(&schema))?;
    let physical = create_physical_expr(expr, &by_name, &ExecutionProps::new())?;
    Ok(Arc::new(Compiled { physical, schema, reads, hidden, output: output.arrow() }))
}

/// The character, from 1, at a line and column.
fn character(text: &str, (line, column): (u64, u64)) -> usize {
    let skipped = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let before: usize = text.split_inclusive('\n').take(skipped).map(|line| line.chars().count()).sum();
    before + usize::try_from(column).unwrap_or_default()
}

struct Rewriter<'z> {
    session: Job<'z>,
    depth: usize,
}

impl VisitorMut for Rewriter<'_> {
    type Break = RewriteError;

    fn pre_visit_expr(&mut self, expr: &mut Ast) -> ControlFlow<RewriteError> {
        rewrite::bind_arrow(expr);
        rewrite::balance(expr);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let Problem { message, hint, .. } = too_deep();
            return ControlFlow::Break(RewriteError { message, hint });
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Ast) -> ControlFlow<RewriteError> {
        self.depth -= 1;
        match rewrite::expression(expr, &mut self.session) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// A job's answers: its zone, and the moment through columns that are there at every evaluation.
struct Job<'z> {
    time_zone: &'z str,
    /// Calls that are to differ within a row.
    calls: i64,
}

impl Session for Job<'_> {
    fn time_zone(&self) -> &str {
        self.time_zone
    }

    fn call(&mut self, name: &str, arguments: usize) -> Option<Ast> {
        let hidden = |name: &str| Ast::Identifier(Ident::new(name));
        let seconds = || Ast::Nested(Box::new(binary(hidden("\0now"), BinaryOperator::MyIntegerDivide, 1_000_000)));
        let whole = || Ast::Nested(Box::new(binary(seconds(), BinaryOperator::Multiply, 1_000_000)));
        // now(6) asks for a fraction.
        let us = || if arguments == 0 { whole() } else { hidden("\0now") };
        let local = |zone: &str| call(LOCAL, vec![us(), text(zone)]);
        let clock = |zone: &str| call("date_format", vec![local(zone), text("%T")]);
        let day = |zone: &str| rewrite::try_cast(local(zone), SqlType::Date);
        let mut seeded = |name: &str| {
            self.calls += 1;
            call(name, vec![hidden("\0seed"), hidden("\0row"), number(self.calls)])
        };
        Some(match (name, arguments) {
            ("now", 0 | 1) => local(self.time_zone),
            ("utc_timestamp", 0 | 1) => local("UTC"),
            ("curdate", 0) => day(self.time_zone),
            ("utc_date", 0) => day("UTC"),
            ("curtime", 0) => clock(self.time_zone),
            ("utc_time", 0) => clock("UTC"),
            ("unix_timestamp", 0) => seconds(),
            ("uuid", 0) => seeded(UUID),
            ("uuid_numeric", 0) => seeded(UUID_NUMBER),
            ("rand", 0) => seeded(RANDOM),
            _ => return None,
        })
    }
}

fn binary(left: Ast, op: BinaryOperator, right: i64) -> Ast {
    Ast::BinaryOp { left: Box::new(left), op, right: Box::new(number(right)) }
}
