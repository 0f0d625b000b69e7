//! StarRocks' scalar functions that DataFusion has not, one row at a time.
//!
//! Each is an entry of a table: name, kinds of its arguments, kind of its answer, and a plain function of one row. Arguments
//! are converted as StarRocks does it, so that what does not fit is NULL; a NULL argument gives NULL.

mod date;
mod json;
mod text;

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow_array::builder::{Date32Builder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// What an argument or an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Text,
    Integer,
    Double,
    /// Microseconds since the epoch.
    Moment,
    /// Days since the epoch.
    Day,
}

impl Kind {
    fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Moment => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Day => DataType::Date32,
        }
    }
}

/// An argument of one row.
#[derive(Debug, Clone, Copy)]
enum Arg<'a> {
    Text(&'a str),
    Integer(i64),
    Moment(i64),
}

impl<'a> Arg<'a> {
    fn text(self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(value) | Self::Moment(value) => Some(value),
            Self::Text(_) => None,
        }
    }
}

/// The answer for one row.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Text(String),
    Integer(i64),
    Double(f64),
    Moment(i64),
    Day(i32),
}

/// A function as the table of its module names it.
#[derive(Debug)]
struct Definition {
    name: &'static str,
    arguments: &'static [Kind],
    answer: Kind,
    /// `None` is NULL. It gets as many arguments as `arguments` has.
    row: for<'a> fn(&[Arg<'a>]) -> Option<Answer>,
}

/// Adds all functions to the state.
pub(crate) fn register(state: &mut SessionState) -> Result<()> {
    for definition in [date::FUNCTIONS, json::FUNCTIONS, text::FUNCTIONS].into_iter().flatten() {
        state.register_udf(Arc::new(ScalarUDF::from(RowFunction::new(definition))))?;
    }
    Ok(())
}

/// `json_query`, which is what `->` means.
pub(crate) fn json_query() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> =
        LazyLock::new(|| Arc::new(ScalarUDF::from(RowFunction::new(&json::QUERY))));
    Arc::clone(&FUNCTION)
}

#[derive(Debug)]
struct RowFunction {
    definition: &'static Definition,
    signature: Signature,
}

impl RowFunction {
    fn new(definition: &'static Definition) -> Self {
        Self { definition, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl PartialEq for RowFunction {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
    }
}

impl Eq for RowFunction {}

impl Hash for RowFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
    }
}

impl ScalarUDFImpl for RowFunction {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.definition.answer.arrow())
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let expected = self.definition.arguments.len();
        if arguments.len() == expected {
            // Converted in `invoke_with_args`, where what does not fit becomes NULL.
            Ok(arguments.to_vec())
        } else {
            let name = self.definition.name;
            Err(DataFusionError::Plan(format!("`{name}` takes {expected} arguments, found {}", arguments.len())))
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let mut columns = Vec::with_capacity(args.args.len());
        for (arg, kind) in args.args.into_iter().zip(self.definition.arguments) {
            columns.push(cast(&arg.into_array(rows)?, &kind.arrow())?);
        }
        let answers = (0..rows).map(|row| {
            let mut values = Vec::with_capacity(columns.len());
            for (column, kind) in columns.iter().zip(self.definition.arguments) {
                values.push(argument(column, *kind, row)?);
            }
            (self.definition.row)(&values)
        });
        let column = collect(self.definition.answer, answers)?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&column, 0)?)
        } else {
            ColumnarValue::Array(column)
        })
    }
}

fn argument(column: &ArrayRef, kind: Kind, row: usize) -> Option<Arg<'_>> {
    if column.is_null(row) {
        return None;
    }
    Some(match kind {
        Kind::Text => Arg::Text(column.as_string_opt::<i32>()?.value(row)),
        Kind::Integer => Arg::Integer(column.as_primitive_opt::<Int64Type>()?.value(row)),
        Kind::Moment => Arg::Moment(column.as_primitive_opt::<TimestampMicrosecondType>()?.value(row)),
        // No function takes these.
        Kind::Double | Kind::Day => return None,
    })
}

/// Bytes of text that one batch of rows may grow to: Arrow's offsets end at 2 GB, and memory sooner.
const MAX_BATCH_BYTES: usize = 256 << 20;

fn collect(kind: Kind, answers: impl Iterator<Item = Option<Answer>>) -> Result<ArrayRef> {
    Ok(match kind {
        Kind::Text => {
            let mut builder = StringBuilder::new();
            for answer in answers {
                match answer {
                    Some(Answer::Text(text)) => {
                        if builder.values_slice().len() + text.len() > MAX_BATCH_BYTES {
                            return Err(DataFusionError::ResourcesExhausted("text of one batch".to_owned()));
                        }
                        builder.append_value(text);
                    }
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        Kind::Integer => {
            let mut builder = Int64Builder::new();
            for answer in answers {
                builder.append_option(if let Some(Answer::Integer(value)) = answer { Some(value) } else { None });
            }
            Arc::new(builder.finish())
        }
        Kind::Double => {
            let mut builder = Float64Builder::new();
            for answer in answers {
                builder.append_option(if let Some(Answer::Double(value)) = answer { Some(value) } else { None });
            }
            Arc::new(builder.finish())
        }
        Kind::Moment => {
            let mut builder = TimestampMicrosecondBuilder::new();
            for answer in answers {
                builder.append_option(if let Some(Answer::Moment(value)) = answer { Some(value) } else { None });
            }
            Arc::new(builder.finish())
        }
        Kind::Day => {
            let mut builder = Date32Builder::new();
            for answer in answers {
                builder.append_option(if let Some(Answer::Day(value)) = answer { Some(value) } else { None });
            }
            Arc::new(builder.finish())
        }
    })
}
