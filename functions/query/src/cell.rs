//! Arrow's columns as cells of a result.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use penstock_kernel::table::Column;
use penstock_sql::result::{Cell, CellType};

mod nested;

use nested::Keys;
pub(crate) use nested::described;

/// Key of a field's metadata that says that its text is JSON.
pub(crate) const JSON_FIELD: &str = "penstock:json";

/// What the cells of a column hold.
pub(crate) fn cell_type(field: &Field) -> CellType {
    match field.data_type() {
        DataType::Boolean => CellType::Boolean,
        DataType::Int8 => CellType::TinyInt,
        DataType::Int16 | DataType::UInt8 => CellType::SmallInt,
        DataType::Int32 | DataType::UInt16 => CellType::Int,
        DataType::Int64 | DataType::UInt32 => CellType::BigInt,
        DataType::UInt64 => CellType::UnsignedBigInt,
        DataType::Float16 | DataType::Float32 => CellType::Float,
        DataType::Float64 => CellType::Double,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            CellType::Decimal { precision: *precision, scale: u8::try_from(*scale).unwrap_or(0) }
        }
        DataType::Date32 | DataType::Date64 => CellType::Date,
        DataType::Timestamp(..) => CellType::DateTime,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            CellType::Binary
        }
        DataType::Dictionary(_, values) => cell_type(&Field::new("", values.as_ref().clone(), true)),
        _ if field.metadata().contains_key(JSON_FIELD) => CellType::Json,
        _ => CellType::Varchar,
    }
}

/// The rows of a batch.
///
/// # Errors
/// What Arrow says if a column cannot be converted; that is a bug, never data.
pub fn rows(batch: &RecordBatch) -> Result<Vec<Vec<Cell>>, ArrowError> {
    let mut rows = empty_rows(batch);
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        append(column, field, Keys::Bare, &mut rows)?;
    }
    Ok(rows)
}

/// The rows of a batch of a table's columns, in their order; the text of ARRAY, MAP and STRUCT cells is JSON.
///
/// # Errors
/// As [`rows`].
pub fn json_rows(batch: &RecordBatch, columns: &[Column]) -> Result<Vec<Vec<Cell>>, ArrowError> {
    let mut rows = empty_rows(batch);
    for (described_by, column) in columns.iter().zip(batch.columns()) {
        let field = described(&described_by.name, &described_by.column_type, true);
        append(column, &field, Keys::Quoted, &mut rows)?;
    }
    Ok(rows)
}

fn empty_rows(batch: &RecordBatch) -> Vec<Vec<Cell>> {
    (0..batch.num_rows()).map(|_| Vec::with_capacity(batch.num_columns())).collect()
}

fn append(column: &ArrayRef, field: &Field, keys: Keys, rows: &mut [Vec<Cell>]) -> Result<(), ArrowError> {
    match column.data_type() {
        DataType::Null => fill(rows, (0..column.len()).map(|_| None)),
        DataType::Boolean => {
            fill(rows, column.as_boolean().iter().map(|value| value.map(|value| Cell::Integer(value.into()))))
        }
        DataType::Int8 => primitive::<Int8Type>(column, rows, |value| Cell::Integer(value.into())),
        DataType::Int16 => primitive::<Int16Type>(column, rows, |value| Cell::Integer(value.into())),
        DataType::Int32 => primitive::<Int32Type>(column, rows, |value| Cell::Integer(value.into())),
        DataType::Int64 => primitive::<Int64Type>(column, rows, Cell::Integer),
        DataType::UInt8 => primitive::<UInt8Type>(column, rows, |value| Cell::Integer(value.into())),
        DataType::UInt16 => primitive::<UInt16Type>(column, rows, |value| Cell::Integer(value.into())),
        DataType::UInt32 => primitive::<UInt32Type>(column, rows, |value| Cell::Integer(value.into())),
        DataType::UInt64 => primitive::<UInt64Type>(column, rows, Cell::Unsigned),
        DataType::Float32 => primitive::<Float32Type>(column, rows, |value| Cell::Float(value.into())),
        DataType::Float64 => primitive::<Float64Type>(column, rows, Cell::Float),
        DataType::Decimal128(precision, scale) => {
            use arrow_array::types::DecimalType;
            primitive::<Decimal128Type>(column, rows, |value| {
                Cell::Text(Decimal128Type::format_decimal(value, *precision, *scale))
            });
        }
        DataType::Decimal256(precision, scale) => {
            use arrow_array::types::DecimalType;
            primitive::<Decimal256Type>(column, rows, |value| {
                Cell::Text(Decimal256Type::format_decimal(value, *precision, *scale))
            });
        }
        DataType::Date32 => primitive::<Date32Type>(column, rows, |days| Cell::Text(date_text(days))),
        DataType::Date64 => primitive::<Date64Type>(column, rows, |ms| {
            Cell::Text(date_text(i32::try_from(ms.div_euclid(86_400_000)).unwrap_or(i32::MAX)))
        }),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType>(column, rows, |us| Cell::Text(date_time_text(us)));
        }
        DataType::Timestamp(_, zone) => {
            append(&cast(column, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?, field, keys, rows)?;
        }
        DataType::Utf8 => fill(rows, column.as_string::<i32>().iter().map(text)),
        DataType::LargeUtf8 => fill(rows, column.as_string::<i64>().iter().map(text)),
        DataType::Utf8View => fill(rows, column.as_string_view().iter().map(text)),
        DataType::Binary => fill(rows, column.as_binary::<i32>().iter().map(bytes)),
        DataType::LargeBinary => fill(rows, column.as_binary::<i64>().iter().map(bytes)),
        DataType::BinaryView => fill(rows, column.as_binary_view().iter().map(bytes)),
        DataType::FixedSizeBinary(_) => fill(rows, column.as_fixed_size_binary().iter().map(bytes)),
        DataType::Float16 => append(&cast(column, &DataType::Float32)?, field, keys, rows)?,
        DataType::Dictionary(_, values) => append(&cast(column, values)?, field, keys, rows)?,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            append(&cast(column, &DataType::Decimal128(*precision, *scale))?, field, keys, rows)?;
        }
        data_type if nested::is_nested(data_type) && data_type.equals_datatype(field.data_type()) => {
            for (index, row) in rows.iter_mut().enumerate() {
                row.push(if column.is_null(index) {
                    Cell::Null
                } else {
                    let mut text = String::new();
                    nested::write(&mut text, column, index, field, keys)?;
                    Cell::Text(text)
                });
            }
        }
        _ => {
            let options = FormatOptions::default().with_null("NULL");
            let formatter = ArrayFormatter::try_new(column, &options)?;
            for (index, row) in rows.iter_mut().enumerate() {
                row.push(if column.is_null(index) {
                    Cell::Null
                } else {
                    Cell::Text(formatter.value(index).try_to_string()?)
                });
            }
        }
    }
    Ok(())
}

fn text(value: Option<&str>) -> Option<Cell> {
    value.map(|value| Cell::Text(value.to_owned()))
}

fn bytes(value: Option<&[u8]>) -> Option<Cell> {
    value.map(|value| Cell::Binary(value.to_vec()))
}

fn primitive<T: ArrowPrimitiveType>(column: &ArrayRef, rows: &mut [Vec<Cell>], cell: impl Fn(T::Native) -> Cell) {
    fill(rows, column.as_primitive::<T>().iter().map(|value| value.map(&cell)));
}

fn fill(rows: &mut [Vec<Cell>], cells: impl Iterator<Item = Option<Cell>>) {
    for (row, cell) in rows.iter_mut().zip(cells) {
        row.push(cell.unwrap_or(Cell::Null));
    }
}

/// `yyyy-MM-dd` of days since the epoch.
pub(crate) fn date_text(days: i32) -> String {
    let mut text = String::with_capacity(10);
    put_day(&mut text, i64::from(days));
    text
}

/// `yyyy-MM-dd HH:mm:ss` of microseconds since the epoch, with `.ffffff` if there is a fraction.
pub(crate) fn date_time_text(us: i64) -> String {
    let mut text = String::with_capacity(26);
    put_day(&mut text, us.div_euclid(86_400_000_000));
    let rest = us.rem_euclid(86_400_000_000);
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    for (before, number) in [(' ', seconds / 3600), (':', seconds / 60 % 60), (':', seconds % 60)] {
        text.push(before);
        put_digits(&mut text, number, 2);
    }
    if fraction > 0 {
        text.push('.');
        put_digits(&mut text, fraction, 6);
    }
    text
}

fn put_day(text: &mut String, days: i64) {
    let (year, month, day) = civil(days);
    match year {
        0..10_000 => put_digits(text, year, 4),
        // Beyond the calendar that columns have.
        year => text.push_str(&format!("{year:04}")),
    }
    text.push('-');
    put_digits(text, month, 2);
    text.push('-');
    put_digits(text, day, 2);
}

/// The last `width` digits of a number that is not negative, with zeros before it.
fn put_digits(text: &mut String, number: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        text.push(u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10)).unwrap_or('0'));
    }
}

/// Year, month and day of the proleptic Gregorian calendar.
///
/// # References
/// - <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is a year's last.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_printed_as_starrocks_does() {
        assert_eq!(date_text(0), "1970-01-01");
        assert_eq!(date_text(-719_528), "0000-01-01");
        assert_eq!(date_text(2_932_896), "9999-12-31");
        assert_eq!(date_text(11_016), "2000-02-29");
        assert_eq!(date_time_text(-1), "1969-12-31 23:59:59.999999");
        assert_eq!(date_time_text(1_718_034_793_000_000), "2024-06-10 15:53:13");
        assert_eq!(date_time_text(1_718_034_793_500_000), "2024-06-10 15:53:13.500000");
    }
}
