//! StarRocks' casts: any column to any type. What cannot be cast is NULL, never an error.
//!
//! | from | to | result |
//! | --- | --- | --- |
//! | text | number, DATE, DATETIME, BOOLEAN | as a field's text becomes a column of the type |
//! | number | integer | without its fraction; NULL beyond the range |
//! | number | DECIMAL | rounded half away from zero |
//! | DATE, DATETIME | number | its digits: 20240102, 20240102030405 |
//! | BOOLEAN | text, number | `1` and `0` |
//! | JSON | any | a string by its text, `true` and `false` as 1 and 0 |
//! | text | JSON | an object or an array if it looks like one, else a string |
//! | text, JSON | ARRAY | of a JSON array, element by element |
//! | text, JSON | MAP, STRUCT | of a JSON object, entry by entry |

mod text;

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::builder::LargeStringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Int64Array, LargeStringArray, ListArray, new_null_array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use penstock_kernel::convert::{of_documents, of_texts};
use penstock_kernel::table::ColumnType;

use crate::document::{self, Document};
use crate::types::{self, JSON, widest};

use text::plain_texts;
pub(crate) use text::{MAX_COLUMN_BYTES, json_text, texts};

const DAY_US: i64 = 86_400_000_000;

/// The column as one of type `to`.
///
/// # Errors
/// Only if the result would not fit memory.
pub(crate) fn cast(column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if column.data_type() == to {
        return Ok(Arc::clone(column));
    }
    if let DataType::Dictionary(_, values) = column.data_type() {
        return cast(&arrow_cast::cast(column, values)?, to);
    }
    let from = widest(column.data_type());
    let column = if from == *column.data_type() { Arc::clone(column) } else { arrow_cast::cast(column, &from)? };
    if from == *to {
        return Ok(column);
    }
    let rows = column.len();
    Ok(match (&from, to) {
        (DataType::Null, _) => new_null_array(to, rows),
        (_, DataType::Utf8) => Arc::new(texts(&column)?),
        (_, DataType::Map(..) | DataType::Struct(_)) => {
            let json = cast(&column, &JSON)?;
            of_column_type(to, |column_type| of_documents(column_type, json.as_string::<i64>().iter()), rows)?
        }
        (_, DataType::Utf8View | DataType::Dictionary(..) | DataType::Binary | DataType::LargeBinary) => {
            arrow_cast::cast(&texts(&column)?, to)?
        }
        (_, DataType::LargeUtf8) => Arc::new(documents(&column)?),
        (DataType::List(_), DataType::List(element)) => {
            let (list, element) = (column.as_list::<i32>(), Arc::clone(element));
            let values = cast(list.values(), element.data_type())?;
            Arc::new(ListArray::try_new(element, list.offsets().clone(), values, list.nulls().cloned())?)
        }
        (_, DataType::List(element)) => list_of_json(&column, element)?,
        (DataType::Boolean | DataType::Int64, DataType::Float32 | DataType::Float64)
        | (
            DataType::Int64,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Decimal128(..) | DataType::Decimal256(..),
        )
        | (DataType::Boolean, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
        | (DataType::Decimal128(..) | DataType::Decimal256(..), DataType::Float64)
        | (DataType::Date32, DataType::Timestamp(..)) => arrow_cast::cast(&column, to)?,
        (DataType::Timestamp(..), DataType::Date32) => {
            let days = column.as_primitive::<TimestampMicrosecondType>().iter();
            Arc::new(
                days.map(|us| us.and_then(|us| i32::try_from(us.div_euclid(DAY_US)).ok())).collect::<Date32Array>(),
            )
        }
        (DataType::Date32 | DataType::Timestamp(..), _) => cast(&digits(&column)?, to)?,
        (DataType::Float64, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
            if says_the_same(&column) =>
        {
            arrow_cast::cast(&column, to)?
        }
        (DataType::Int64, DataType::Boolean) => {
            let values = column.as_primitive::<Int64Type>().iter();
            Arc::new(values.map(|value| value.map(|value| value != 0)).collect::<BooleanArray>())
        }
        (DataType::Float64 | DataType::Decimal128(..) | DataType::Decimal256(..), DataType::Boolean) => {
            let doubles = arrow_cast::cast(&column, &DataType::Float64)?;
            let values = doubles.as_primitive::<Float64Type>().iter();
            Arc::new(values.map(|value| value.map(|value| value != 0.0)).collect::<BooleanArray>())
        }
        // The rest goes through its text, by the rules of a field's text.
        _ => match types::column_type(to) {
            Some(column_type) if from == JSON => of_texts(&column_type, plain_texts(&column).iter()),
            Some(column_type) => of_texts(&column_type, texts(&column)?.iter()),
            None => arrow_cast::cast(&texts(&column)?, to).unwrap_or_else(|_| new_null_array(to, rows)),
        },
    })
}

/// Whether the shortest texts of these numbers have the whole parts that the numbers have: so it is below 2^53, where every
/// whole number is a number of its own.
fn says_the_same(doubles: &ArrayRef) -> bool {
    const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64; // exactly that
    doubles.as_primitive::<Float64Type>().iter().flatten().all(|number| number.abs() < EXACT)
}

/// What `read` makes of the column type, as a column of type `to`: JSON within is held otherwise here.
fn of_column_type(to: &DataType, read: impl FnOnce(&ColumnType) -> ArrayRef, rows: usize) -> Result<ArrayRef> {
    let Some(column_type) = types::column_type(to) else {
        return Ok(new_null_array(to, rows));
    };
    let column = read(&column_type);
    Ok(if column.data_type() == to { column } else { arrow_cast::cast(&column, to)? })
}

/// Days and moments as the number that their digits make.
fn digits(column: &ArrayRef) -> Result<ArrayRef> {
    let texts = texts(column)?;
    let number = |text: &str| {
        let whole = text.split('.').next().unwrap_or(text);
        whole.chars().filter(char::is_ascii_digit).collect::<String>().parse::<i64>().ok()
    };
    Ok(Arc::new(texts.iter().map(|text| text.and_then(number)).collect::<Int64Array>()))
}

/// Every value as JSON.
fn documents(column: &ArrayRef) -> Result<LargeStringArray> {
    let mut builder = LargeStringBuilder::new();
    if let Some(texts) = column.as_string_opt::<i32>() {
        texts.iter().for_each(|text| builder.append_option(text.and_then(document::parse_or_quote)));
    } else {
        (0..column.len()).for_each(|row| builder.append_option(json_text(column, row)));
    }
    Ok(builder.finish())
}

/// The values of type JSON that are no SQL text: `json_object` and its like take text as a JSON string.
pub(crate) fn values(column: &ArrayRef) -> Result<LargeStringArray> {
    let column = if types::is_text(column.data_type()) { cast(column, &DataType::Utf8)? } else { Arc::clone(column) };
    let from = widest(column.data_type());
    let column = if types::is_text(&from) || from == JSON { column } else { arrow_cast::cast(&column, &from)? };
    Ok((0..column.len()).map(|row| Some(json_text(&column, row).unwrap_or_else(|| "null".to_owned()))).collect())
}

fn list_of_json(column: &ArrayRef, element: &Arc<Field>) -> Result<ArrayRef> {
    let json = cast(column, &JSON)?;
    let json = json.as_string::<i64>();
    let mut values = LargeStringBuilder::new();
    let mut lengths = Vec::with_capacity(json.len());
    let mut valid = Vec::with_capacity(json.len());
    for text in json.iter() {
        let elements = match text.and_then(document::look) {
            Some(Document::Array(array)) => document::elements(array),
            _ => None,
        };
        valid.push(elements.is_some());
        lengths.push(elements.as_ref().map_or(0, Vec::len));
        elements.into_iter().flatten().for_each(|one| values.append_value(one));
    }
    let values: ArrayRef = Arc::new(values.finish());
    let values = cast(&values, element.data_type())?;
    let list =
        ListArray::try_new(Arc::clone(element), OffsetBuffer::from_lengths(lengths), values, Some(valid.into()))?;
    Ok(Arc::new(list))
}

/// JSON as text: strings without their quotes.
pub(crate) fn unquoted(json: &str) -> Option<String> {
    match document::look(json)? {
        Document::Null => None,
        Document::Boolean(flag) => Some(if flag { "true" } else { "false" }.to_owned()),
        Document::Text(text) => Some(text),
        Document::Number(text) | Document::Array(text) | Document::Object(text) => Some(text.to_owned()),
    }
}

/// JSON as the text that numbers, dates and BOOLEAN are read from.
fn plain(json: &str) -> Option<String> {
    match document::look(json)? {
        Document::Boolean(flag) => Some(u8::from(flag).to_string()),
        Document::Number(text) => Some(text.to_owned()),
        Document::Text(text) => Some(text),
        Document::Null | Document::Array(_) | Document::Object(_) => None,
    }
}

/// `expr` as a value of type `to`; itself if it is one already.
pub(crate) fn cast_expr(expr: Expr, from: &DataType, to: &DataType) -> Expr {
    if from == to {
        return expr;
    }
    if let Expr::Literal(value, _) = &expr
        && let Ok(folded) =
            value.to_array().and_then(|one| cast(&one, to)).and_then(|one| ScalarValue::try_from_array(&one, 0))
    {
        return Expr::Literal(folded, None);
    }
    ScalarUDF::from(Cast { to: to.clone(), signature: Signature::user_defined(Volatility::Immutable) }).call(vec![expr])
}

/// The cast as a function of one argument.
#[derive(Debug)]
struct Cast {
    to: DataType,
    signature: Signature,
}

impl PartialEq for Cast {
    fn eq(&self, other: &Self) -> bool {
        self.to == other.to
    }
}

impl Eq for Cast {}

impl Hash for Cast {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to.hash(state);
    }
}

impl ScalarUDFImpl for Cast {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &'static str {
        "cast"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arguments.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Array(column)] => Ok(ColumnarValue::Array(cast(column, &self.to)?)),
            [ColumnarValue::Scalar(value)] => {
                let one = cast(&value.to_array()?, &self.to)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&one, 0)?))
            }
            _ => Err(DataFusionError::Plan("a cast has one argument".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
