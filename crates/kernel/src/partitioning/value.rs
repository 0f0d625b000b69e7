//! Values that tables are divided by: how they compare, and the one spelling each has as text.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal256Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::calendar;
use crate::convert::literal;
use crate::table::ColumnType;

/// A value of one column. NULL is the lowest; text compares byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PartitionValue {
    /// NULL.
    Null,
    /// An integer or a boolean; a DATE as days, a DATETIME as microseconds since 1970.
    Integer(i128),
    /// CHAR or VARCHAR.
    Text(String),
}

/// An entry of a range's bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoundKey {
    /// A value.
    Value(PartitionValue),
    /// MAXVALUE: above all values.
    Max,
}

/// Whether a table can be divided by a column of this type.
pub fn can_divide(column_type: &ColumnType) -> bool {
    matches!(
        column_type,
        ColumnType::Boolean
            | ColumnType::TinyInt
            | ColumnType::SmallInt
            | ColumnType::Int
            | ColumnType::BigInt
            | ColumnType::LargeInt
            | ColumnType::Date
            | ColumnType::DateTime
            | ColumnType::Char(_)
            | ColumnType::Varchar(_)
    )
}

impl PartitionValue {
    /// The value that a literal's text gives, converted as a field's text would be; `None` if it is none of the type, or
    /// the type divides no table.
    pub fn parse(column_type: &ColumnType, text: &str) -> Option<Self> {
        if !can_divide(column_type) {
            return None;
        }
        Some(Self::of(&literal(column_type, text)?, 0))
    }

    /// The value in its one spelling: `1`, `2024-01-31`, `2024-01-31 10:00:00`, with a fraction if there is one. `None`
    /// for NULL.
    pub fn text(&self, column_type: &ColumnType) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            Self::Integer(value) => {
                let small = i64::try_from(*value).unwrap_or_default();
                Some(match column_type {
                    ColumnType::Date => date(small),
                    ColumnType::DateTime => date_time(small),
                    _ => value.to_string(),
                })
            }
        }
    }

    /// The entry of a column of the table.
    pub(crate) fn of(column: &ArrayRef, row: usize) -> Self {
        if column.is_null(row) {
            return Self::Null;
        }
        let integer = |value: i64| Self::Integer(value.into());
        match column.data_type() {
            DataType::Boolean => integer(column.as_boolean().value(row).into()),
            DataType::Int8 => integer(column.as_primitive::<Int8Type>().value(row).into()),
            DataType::Int16 => integer(column.as_primitive::<Int16Type>().value(row).into()),
            DataType::Int32 => integer(column.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int64 => integer(column.as_primitive::<Int64Type>().value(row)),
            DataType::Date32 => integer(column.as_primitive::<Date32Type>().value(row).into()),
            DataType::Timestamp(..) => integer(column.as_primitive::<TimestampMicrosecondType>().value(row)),
            DataType::Decimal256(..) => {
                // LARGEINT holds 128 bits.
                Self::Integer(column.as_primitive::<Decimal256Type>().value(row).to_i128().unwrap_or_default())
            }
            DataType::Utf8 => Self::Text(column.as_string::<i32>().value(row).to_owned()),
            // Types that divide no table are refused when a job is compiled.
            _ => Self::Null,
        }
    }
}

/// `yyyy-MM-dd`
pub(super) fn date(days: i64) -> String {
    let (year, month, day) = calendar::civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `yyyy-MM-dd HH:mm:ss`, with `.ffffff` if there is a fraction
fn date_time(micros: i64) -> String {
    let (days, in_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let (second, fraction) = (in_day / 1_000_000, in_day % 1_000_000);
    let clock = format!("{} {:02}:{:02}:{:02}", date(days), second / 3600, second / 60 % 60, second % 60);
    if fraction == 0 { clock } else { format!("{clock}.{fraction:06}") }
}
