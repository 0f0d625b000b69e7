//! A function of the table as DataFusion calls it.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal256Builder, Float64Builder, Int64Builder, LargeStringBuilder, ListBuilder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, FieldRef};
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::{Answer, Arg, Body, Function, Kind, MAX_TEXT_BYTES, Row};
use crate::cast::{MAX_COLUMN_BYTES, cast, values};
use crate::document::MAX_DOCUMENT_BYTES;
use crate::types::LARGE;

pub(super) fn of(function: &'static Function) -> ScalarUDF {
    ScalarUDF::from(Udf { function, signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug)]
struct Udf {
    function: &'static Function,
    signature: Signature,
}

impl PartialEq for Udf {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Udf {}

impl Hash for Udf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl Udf {
    fn result(&self, types: &[DataType], literals: &[Option<i64>]) -> Result<DataType> {
        match self.function.body {
            Body::Columns(result, _) => {
                result(types, literals).map_err(|why| DataFusionError::Plan(format!("`{}` {why}", self.function.name)))
            }
            _ => Ok(self.function.answer.arrow()),
        }
    }
}

impl ScalarUDFImpl for Udf {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        self.function.name
    }

    fn aliases(&self) -> &[String] {
        &[]
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.result(arguments, &vec![None; arguments.len()])
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let literal = |value: &Option<&ScalarValue>| match value {
            Some(ScalarValue::Int64(number)) => *number,
            _ => None,
        };
        let literals: Vec<Option<i64>> = args.scalar_arguments.iter().map(literal).collect();
        Ok(Arc::new(Field::new(self.name(), self.result(&types, &literals)?, true)))
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        if self.function.takes(arguments.len()) {
            // Cast where the function is called, so that what does not fit becomes NULL.
            return Ok(arguments.to_vec());
        }
        Err(DataFusionError::Plan(wrong_count(self.function, arguments.len())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let result = match self.function.body {
            Body::Row(row) => by_rows(self.function, row, args.args, rows)?,
            Body::Columns(_, columns) => {
                let arrays = args.args.into_iter().map(|arg| arg.into_array(rows)).collect::<Result<Vec<_>>>()?;
                columns(&arrays, args.return_field.data_type())?
            }
            Body::Form => return Err(DataFusionError::Plan(format!("`{}` is no function", self.name()))),
        };
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
        } else {
            ColumnarValue::Array(result)
        })
    }
}

/// Says how many arguments the function takes.
pub(crate) fn wrong_count(function: &Function, found: usize) -> String {
    let hidden = usize::from(function.zoned);
    let (least, most) = (function.required - hidden, function.arguments.len() - hidden);
    let count = match (function.repeats, least == most) {
        (true, _) => format!("at least {least}"),
        (false, true) => least.to_string(),
        (false, false) => format!("{least} to {most}"),
    };
    let plural = if count == "1" || count == "at least 1" { "argument" } else { "arguments" };
    format!("`{}` takes {count} {plural}, found {}", function.name, found.saturating_sub(hidden))
}

/// A column of arguments; a constant is one entry for all rows.
struct Argument {
    column: ArrayRef,
    kind: Kind,
    constant: bool,
}

fn by_rows(function: &Function, row: Row, args: Vec<ColumnarValue>, rows: usize) -> Result<ArrayRef> {
    let mut columns = Vec::with_capacity(args.len());
    for (place, arg) in args.into_iter().enumerate() {
        let kind = function.arguments.get(place).or(function.arguments.last()).map_or(Kind::Text, |(_, kind)| *kind);
        let constant = matches!(arg, ColumnarValue::Scalar(_));
        let column = arg.into_array(if constant { 1 } else { rows })?;
        let column = if kind == Kind::Value { Arc::new(values(&column)?) } else { cast(&column, &kind.arrow())? };
        columns.push(Argument { column, kind, constant });
    }
    let mut arguments = Vec::with_capacity(columns.len());
    let answers = (0..rows).map(|at| {
        arguments.clear();
        for column in &columns {
            match column.at(at) {
                Arg::Null if !function.sees_null => return None,
                argument => arguments.push(argument),
            }
        }
        row(&arguments)
    });
    collect(function.answer, answers)
}

impl Argument {
    fn at(&self, row: usize) -> Arg<'_> {
        let (column, row) = (&self.column, if self.constant { 0 } else { row });
        if column.is_null(row) {
            return Arg::Null;
        }
        match self.kind {
            Kind::Integer => Arg::Integer(column.as_primitive::<Int64Type>().value(row)),
            Kind::Double => Arg::Double(column.as_primitive::<Float64Type>().value(row)),
            Kind::Text => Arg::Text(column.as_string::<i32>().value(row)),
            Kind::Json | Kind::Value => Arg::Json(column.as_string::<i64>().value(row)),
            Kind::Moment => Arg::Moment(column.as_primitive::<TimestampMicrosecondType>().value(row)),
            // No function takes these.
            Kind::Boolean | Kind::Large | Kind::Day => Arg::Null,
            Kind::Texts => {
                let list = column.as_list::<i32>();
                let values = list.values().as_string::<i32>();
                let offsets = list.value_offsets();
                let bound = |at: usize| offsets.get(at).and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
                let places = bound(row)..bound(row + 1);
                Arg::Texts(places.map(|at| values.is_valid(at).then(|| values.value(at))).collect())
            }
        }
    }
}

macro_rules! built {
    ($builder:expr, $answers:expr, $variant:ident) => {{
        let mut builder = $builder;
        for answer in $answers {
            builder.append_option(if let Some(Answer::$variant(value)) = answer { Some(value) } else { None });
        }
        Arc::new(builder.finish())
    }};
}

fn collect(kind: Kind, answers: impl Iterator<Item = Option<Answer>>) -> Result<ArrayRef> {
    let too_much = || DataFusionError::ResourcesExhausted("text of one column".to_owned());
    Ok(match kind {
        Kind::Boolean => built!(BooleanBuilder::new(), answers, Boolean),
        Kind::Integer => built!(Int64Builder::new(), answers, Integer),
        Kind::Double => built!(Float64Builder::new(), answers, Double),
        Kind::Moment => built!(TimestampMicrosecondBuilder::new(), answers, Moment),
        Kind::Day => built!(Date32Builder::new(), answers, Day),
        Kind::Large => {
            let mut builder = Decimal256Builder::new().with_data_type(LARGE);
            for answer in answers {
                let value = if let Some(Answer::Large(value)) = answer { Some(value) } else { None };
                builder.append_option(value.map(i256::from_i128));
            }
            Arc::new(builder.finish())
        }
        Kind::Text => {
            let mut builder = StringBuilder::new();
            for answer in answers {
                match answer {
                    Some(Answer::Text(text)) if text.len() <= MAX_TEXT_BYTES => {
                        if builder.values_slice().len() + text.len() > MAX_COLUMN_BYTES {
                            return Err(too_much());
                        }
                        builder.append_value(text);
                    }
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        Kind::Json | Kind::Value => {
            let mut builder = LargeStringBuilder::new();
            for answer in answers {
                match answer {
                    Some(Answer::Json(text)) if text.len() <= MAX_DOCUMENT_BYTES => builder.append_value(text),
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        Kind::Texts => {
            let element = Field::new("element", DataType::Utf8, true);
            let mut builder = ListBuilder::new(StringBuilder::new()).with_field(element);
            for answer in answers {
                let Some(Answer::Texts(texts)) = answer else {
                    builder.append_null();
                    continue;
                };
                let bytes: usize = texts.iter().flatten().map(String::len).sum();
                if builder.values().values_slice().len() + bytes > MAX_COLUMN_BYTES {
                    return Err(too_much());
                }
                texts.into_iter().for_each(|text| builder.values().append_option(text));
                builder.append(true);
            }
            Arc::new(builder.finish())
        }
    })
}
