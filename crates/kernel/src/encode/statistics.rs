//! Smallest and largest value and NULLs of each column.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use arrow_select::take::take;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

use super::{ColumnStatistics, STATISTICS_TEXT_BYTES, StatisticValue};

type Bounds = Option<(Option<StatisticValue>, Option<StatisticValue>)>;

/// Statistics of every column of `rows`, in order.
pub(super) fn of(rows: &RecordBatch) -> Vec<ColumnStatistics> {
    let ids = ids(rows.schema_ref());
    rows.columns().iter().zip(ids).map(|(column, id)| of_column(column.as_ref(), id)).collect()
}

/// The id of every column, in order.
pub(super) fn ids(schema: &Schema) -> Vec<u32> {
    schema.fields().iter().zip(1..).map(|(field, place)| id(field).unwrap_or(place)).collect()
}

/// Statistics of the column of that id.
pub(super) fn of_column(column: &dyn Array, id: u32) -> ColumnStatistics {
    let (min, max) = bounds(column).unwrap_or((None, None));
    ColumnStatistics { column_id: id, nulls: column.null_count() as u64, min, max } // usize has at most 64 bits
}

/// The same of a column that has no values but those of some of its rows.
pub(super) fn of_rows(column: &dyn Array, id: u32, rows: &[usize]) -> ColumnStatistics {
    let rows: Option<Vec<u32>> = rows.iter().map(|row| u32::try_from(*row).ok()).collect();
    let values = rows.and_then(|rows| take(column, &UInt32Array::from(rows), None).ok());
    let Some(values) = values else {
        return of_column(column, id);
    };
    ColumnStatistics { nulls: column.null_count() as u64, ..of_column(values.as_ref(), id) } // as above
}

/// As the footer of a file has them, for columns of plain numbers, text and bytes.
pub(super) fn of_parquet(column: &dyn Array, found: &ColumnStatistics) -> Option<Statistics> {
    let nulls = Some(found.nulls);
    let integer = |bound: &Option<StatisticValue>| match bound {
        Some(StatisticValue::Integer(value)) => Some(*value),
        _ => None,
    };
    let small = |bound| integer(bound).and_then(|value| i32::try_from(value).ok());
    // Zeros are equal, and which one a bound is says nothing.
    let float = |bound: &Option<StatisticValue>, zero: f64| match bound {
        Some(StatisticValue::Float(value)) if *value == 0.0 => Some(zero),
        Some(StatisticValue::Float(value)) => Some(*value),
        _ => None,
    };
    let text = |bound: &Option<StatisticValue>| match bound {
        Some(StatisticValue::Text(text)) => (Some(ByteArray::from(text.as_str())), true),
        Some(StatisticValue::TextBound(text)) => (Some(ByteArray::from(text.as_str())), false),
        _ => (None, false),
    };
    Some(match column.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Date32 => {
            Statistics::int32(small(&found.min), small(&found.max), None, nulls, false)
        }
        DataType::Int64 | DataType::Timestamp(..) => {
            Statistics::int64(integer(&found.min), integer(&found.max), None, nulls, false)
        }
        DataType::Float32 => {
            let (min, max) = (float(&found.min, -0.0), float(&found.max, 0.0));
            // They were of this type.
            Statistics::float(min.map(|min| min as f32), max.map(|max| max as f32), None, nulls, false)
        }
        DataType::Float64 => Statistics::double(float(&found.min, -0.0), float(&found.max, 0.0), None, nulls, false),
        DataType::Utf8 => {
            let ((min, min_is_exact), (max, max_is_exact)) = (text(&found.min), text(&found.max));
            let bounds = ValueStatistics::new(min, max, None, nulls, false);
            bounds.with_min_is_exact(min_is_exact).with_max_is_exact(max_is_exact).into()
        }
        DataType::Binary => {
            let bytes = |bound: Option<&[u8]>| bound.map(|bytes| ByteArray::from(bytes.to_vec()));
            let ends = ends(column.as_binary::<i32>().iter().flatten());
            let short = ends.filter(|(min, max)| min.len().max(max.len()) <= STATISTICS_TEXT_BYTES);
            Statistics::byte_array(bytes(short.map(|ends| ends.0)), bytes(short.map(|ends| ends.1)), None, nulls, false)
        }
        _ => return None,
    })
}

fn id(field: &Field) -> Option<u32> {
    field.metadata().get("PARQUET:field_id")?.parse().ok()
}

fn bounds(column: &dyn Array) -> Bounds {
    match column.data_type() {
        DataType::Boolean => {
            let (min, max) = ends(column.as_boolean().iter().flatten())?;
            exact(min, max, StatisticValue::Boolean)
        }
        DataType::Int8 => integers::<Int8Type>(column),
        DataType::Int16 => integers::<Int16Type>(column),
        DataType::Int32 => integers::<Int32Type>(column),
        DataType::Int64 => integers::<Int64Type>(column),
        DataType::Date32 => integers::<Date32Type>(column),
        DataType::Timestamp(TimeUnit::Microsecond, None) => integers::<TimestampMicrosecondType>(column),
        DataType::Decimal128(..) => unscaled::<Decimal128Type>(column),
        DataType::Decimal256(..) => unscaled::<Decimal256Type>(column),
        DataType::Float32 => floats(values::<Float32Type>(column).map(f64::from)),
        DataType::Float64 => floats(values::<Float64Type>(column)),
        DataType::Utf8 => {
            let (min, max) = ends(column.as_string::<i32>().iter().flatten())?;
            Some((Some(text_min(min)), text_max(max)))
        }
        _ => None,
    }
}

fn values<T: ArrowPrimitiveType>(column: &dyn Array) -> impl Iterator<Item = T::Native> {
    column.as_primitive::<T>().iter().flatten()
}

fn integers<T: ArrowPrimitiveType>(column: &dyn Array) -> Bounds
where
    T::Native: Ord + Into<i64>,
{
    let (min, max) = ends(values::<T>(column))?;
    exact(min, max, |value| StatisticValue::Integer(value.into()))
}

fn unscaled<T: ArrowPrimitiveType>(column: &dyn Array) -> Bounds
where
    T::Native: Ord + std::fmt::Display,
{
    let (min, max) = ends(values::<T>(column))?;
    exact(min, max, |value| StatisticValue::Unscaled(value.to_string()))
}

/// A NaN has no place in an order, so a column that holds one has no bounds; JSON has no word for an infinity.
fn floats(values: impl Iterator<Item = f64>) -> Bounds {
    let mut bounds: Option<(f64, f64)> = None;
    for value in values {
        if value.is_nan() {
            return None;
        }
        let (min, max) = bounds.get_or_insert((value, value));
        if value.total_cmp(min).is_lt() {
            *min = value;
        }
        if value.total_cmp(max).is_gt() {
            *max = value;
        }
    }
    let (min, max) = bounds?;
    let finite = |value: f64| value.is_finite().then_some(StatisticValue::Float(value));
    Some((finite(min), finite(max)))
}

fn exact<T>(min: T, max: T, wrap: impl Fn(T) -> StatisticValue) -> Bounds {
    Some((Some(wrap(min)), Some(wrap(max))))
}

fn ends<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<(T, T)> {
    values.fold(None, |ends, value| match ends {
        None => Some((value, value)),
        Some((min, max)) => Some((value.min(min), value.max(max))),
    })
}

/// A prefix sorts before whatever it is a prefix of.
fn text_min(text: &str) -> StatisticValue {
    if text.len() <= STATISTICS_TEXT_BYTES {
        StatisticValue::Text(text.to_owned())
    } else {
        StatisticValue::TextBound(cut(text).to_owned())
    }
}

fn text_max(text: &str) -> Option<StatisticValue> {
    if text.len() <= STATISTICS_TEXT_BYTES {
        Some(StatisticValue::Text(text.to_owned()))
    } else {
        round_up(cut(text)).map(StatisticValue::TextBound)
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(STATISTICS_TEXT_BYTES)).unwrap_or("")
}

/// Text no longer than `prefix` that sorts after everything that begins with `prefix`: its last character that can
/// grow without taking more bytes grows by one, what follows falls away. `None` if none can.
fn round_up(prefix: &str) -> Option<String> {
    let mut kept = prefix.to_owned();
    while let Some(last) = kept.pop() {
        if let Some(next) = following(last).filter(|next| next.len_utf8() == last.len_utf8()) {
            kept.push(next);
            return Some(kept);
        }
    }
    None
}

fn following(character: char) -> Option<char> {
    (character..=char::MAX).nth(1)
}
