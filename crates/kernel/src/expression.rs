//! The seam for computed columns and WHERE: what the kernel asks of an expression language.
//!
//! The language itself lives outside, since it stands on a query engine's crates, which are far heavier than all of the
//! kernel. It is handed in where a job is compiled; once compiled, an expression is a pure function of columns.

use std::fmt;
use std::sync::Arc;

use arrow_array::ArrayRef;

use crate::table::ColumnType;

/// A column that an expression may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name; SQL matches it without regard to case.
    pub name: String,
    /// Its type; every input takes NULL.
    pub column_type: ColumnType,
}

/// An expression language.
pub trait Expressions: fmt::Debug + Send + Sync {
    /// Compiles the text of one expression over `inputs`; its results have the type `output`, and NULL where a result
    /// cannot be cast to it. `time_zone` is the zone of functions that turn instants into dates: an IANA name or
    /// `±HH:MM`.
    ///
    /// # Errors
    /// [`ExpressionError`] says what is wrong with the text, and where.
    fn compile(
        &self,
        text: &str,
        inputs: &[Input],
        output: &ColumnType,
        time_zone: &str,
    ) -> Result<Arc<dyn Expression>, ExpressionError>;

    /// Compiles a condition: as above with results of type BOOLEAN, but a text of another type is refused rather than
    /// cast.
    ///
    /// # Errors
    /// [`ExpressionError`] says what is wrong with the text, and where.
    fn compile_condition(
        &self,
        text: &str,
        inputs: &[Input],
        time_zone: &str,
    ) -> Result<Arc<dyn Expression>, ExpressionError>;
}

/// A compiled expression.
pub trait Expression: fmt::Debug + Send + Sync {
    /// Places, among the inputs it was compiled over, of the columns it reads; ascending, none twice.
    fn reads(&self) -> &[usize];

    /// Its results over `rows` rows, one entry each, in the Arrow type of the output. `columns` are those of
    /// [`reads`](Self::reads), in that order, in the Arrow types of their [`Input`]s.
    ///
    /// # Errors
    /// Only where no row could give a result, never because of what a single row holds.
    fn evaluate(&self, columns: &[ArrayRef], rows: usize, moment: &Moment) -> Result<ArrayRef, String>;
}

/// What functions without arguments answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since the epoch: what `now()` gives.
    pub now_ms: i64,
    /// What `uuid()` and its like are made from, together with the row's number.
    pub seed: u128,
    /// Number of the first of the rows within the batch, from 0.
    pub first_row: u64,
}

/// A text that is no expression over its inputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .at.map(|at| format!(" at character {at}")).unwrap_or_default())]
pub struct ExpressionError {
    /// What is wrong: lowercase, the user's text in backquotes.
    pub message: String,
    /// The column that is unknown, if it is about one.
    pub unknown_column: Option<String>,
    /// Character of the expression's text that it is about, from 1, if it is about one.
    pub at: Option<usize>,
    /// What the user might do, if there is something to say.
    pub hint: Option<String>,
}

/// The language without expressions: for jobs that have none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoExpressions;

impl Expressions for NoExpressions {
    fn compile(&self, _: &str, _: &[Input], _: &ColumnType, _: &str) -> Result<Arc<dyn Expression>, ExpressionError> {
        Err(ExpressionError {
            message: "expressions are not available here".to_owned(),
            unknown_column: None,
            at: None,
            hint: None,
        })
    }

    fn compile_condition(&self, text: &str, _: &[Input], _: &str) -> Result<Arc<dyn Expression>, ExpressionError> {
        self.compile(text, &[], &ColumnType::Boolean, "")
    }
}
