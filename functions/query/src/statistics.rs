//! What the catalog knows of a file's columns, as DataFusion takes it.

use std::str::FromStr;

use arrow_buffer::i256;
use arrow_schema::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics as DfColumnStatistics, ScalarValue, Statistics};
use penstock_catalog::commit::DataFile;
use penstock_kernel::encode::StatisticValue;
use penstock_kernel::table::ColumnType;

/// What is known of a file's column. Exact values are values of the column; inexact ones are bounds, below for min and above
/// for max.
pub(crate) fn of_column(file: &DataFile, column_id: u32, column_type: &ColumnType) -> DfColumnStatistics {
    let Some(known) = file.columns.iter().find(|known| known.column_id == column_id) else {
        return DfColumnStatistics::new_unknown();
    };
    DfColumnStatistics {
        null_count: Precision::Exact(usize::try_from(known.nulls).unwrap_or(usize::MAX)),
        min_value: bound(known.min.as_ref(), column_type),
        max_value: bound(known.max.as_ref(), column_type),
        ..DfColumnStatistics::new_unknown()
    }
}

/// Statistics of all files together; `None` of none.
pub(crate) fn sum<'a>(mut files: impl Iterator<Item = &'a Statistics>) -> Option<Statistics> {
    let mut sum = files.next()?.clone();
    for file in files {
        sum.num_rows = sum.num_rows.add(&file.num_rows);
        sum.total_byte_size = sum.total_byte_size.add(&file.total_byte_size);
        for (sum, column) in sum.column_statistics.iter_mut().zip(&file.column_statistics) {
            sum.null_count = sum.null_count.add(&column.null_count);
            sum.min_value = sum.min_value.min(&column.min_value);
            sum.max_value = sum.max_value.max(&column.max_value);
        }
    }
    Some(sum)
}

/// What DataFusion is told of them.
pub(crate) fn told(sum: Option<Statistics>, schema: &SchemaRef) -> Statistics {
    let Some(mut sum) = sum else {
        return Statistics::new_unknown(schema);
    };
    for column in &mut sum.column_statistics {
        forget_whole_range(column);
    }
    sum
}

/// DataFusion counts the values of a range, and the count of all 64-bit integers has no room in 64 bits.
fn forget_whole_range(column: &mut DfColumnStatistics) {
    let min = column.min_value.get_value();
    let max = column.max_value.get_value();
    if let (Some(ScalarValue::Int64(Some(i64::MIN))), Some(ScalarValue::Int64(Some(i64::MAX)))) = (min, max) {
        column.min_value = Precision::Absent;
        column.max_value = Precision::Absent;
    }
}

fn bound(value: Option<&StatisticValue>, column_type: &ColumnType) -> Precision<ScalarValue> {
    match value {
        Some(value @ StatisticValue::TextBound(_)) => {
            scalar(value, column_type).map_or(Precision::Absent, Precision::Inexact)
        }
        Some(value) => scalar(value, column_type).map_or(Precision::Absent, Precision::Exact),
        None => Precision::Absent,
    }
}

/// The value in the column's type; `None` if it is not of that type, which makes it unknown.
fn scalar(value: &StatisticValue, column_type: &ColumnType) -> Option<ScalarValue> {
    Some(match (column_type, value) {
        (ColumnType::Boolean, StatisticValue::Boolean(value)) => ScalarValue::Boolean(Some(*value)),
        (ColumnType::TinyInt, StatisticValue::Integer(value)) => ScalarValue::Int8(Some(i8::try_from(*value).ok()?)),
        (ColumnType::SmallInt, StatisticValue::Integer(value)) => ScalarValue::Int16(Some(i16::try_from(*value).ok()?)),
        (ColumnType::Int, StatisticValue::Integer(value)) => ScalarValue::Int32(Some(i32::try_from(*value).ok()?)),
        (ColumnType::BigInt, StatisticValue::Integer(value)) => ScalarValue::Int64(Some(*value)),
        (ColumnType::Date, StatisticValue::Integer(value)) => ScalarValue::Date32(Some(i32::try_from(*value).ok()?)),
        (ColumnType::DateTime, StatisticValue::Integer(value)) => ScalarValue::TimestampMicrosecond(Some(*value), None),
        (ColumnType::LargeInt, StatisticValue::Unscaled(digits)) => {
            ScalarValue::Decimal256(Some(i256::from_string(digits)?), 39, 0)
        }
        (ColumnType::Decimal { precision, scale }, StatisticValue::Unscaled(digits)) => {
            ScalarValue::Decimal128(Some(i128::from_str(digits).ok()?), *precision, i8::try_from(*scale).ok()?)
        }
        #[expect(clippy::cast_possible_truncation, reason = "the value was a FLOAT before it was written down")]
        (ColumnType::Float, StatisticValue::Float(value)) => ScalarValue::Float32(Some(*value as f32)),
        (ColumnType::Double, StatisticValue::Float(value)) => ScalarValue::Float64(Some(*value)),
        (
            ColumnType::Char(_) | ColumnType::Varchar(_) | ColumnType::Json,
            StatisticValue::Text(text) | StatisticValue::TextBound(text),
        ) => ScalarValue::Utf8View(Some(text.clone())),
        _ => return None,
    })
}
