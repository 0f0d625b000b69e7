//! Smallest and largest value and NULLs of each column.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};

use super::{ColumnStatistics, STATISTICS_TEXT_BYTES, StatisticValue};

type Bounds = Option<(Option<StatisticValue>, Option<StatisticValue>)>;

/// Statistics of every column of `rows`, in order.
pub(super) fn of(rows: &RecordBatch) -> Vec<ColumnStatistics> {
    rows.schema_ref()
        .fields()
        .iter()
        .zip(rows.columns())
        .zip(1..)
        .map(|((field, column), place)| {
            let (min, max) = bounds(column.as_ref()).unwrap_or((None, None));
            ColumnStatistics {
                column_id: id(field).unwrap_or(place),
                nulls: column.null_count() as u64, // usize has at most 64 bits
                min,
                max,
            }
        })
        .collect()
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
