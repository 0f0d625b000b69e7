//! Types within expressions, as Arrow has them, and under which names SQL has them.

use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};
use penstock_kernel::table::{ColumnType, MAX_VARBINARY_BYTES, StructField};
use sqlparser::ast::{DataType as SqlType, ExactNumberInfo, ObjectNamePart};

use crate::nested_type;

/// A moment without a zone.
pub(crate) const MOMENT: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);
/// LARGEINT.
pub(crate) const LARGE: DataType = DataType::Decimal256(39, 0);
/// JSON.
pub(crate) const JSON: DataType = DataType::LargeUtf8;

/// The type of a column's values within expressions.
pub(crate) fn of_column(column_type: &ColumnType) -> DataType {
    match column_type {
        ColumnType::Json => JSON,
        ColumnType::Array(element) => list_of(of_column(element)),
        other => other.arrow(),
    }
}

/// The column type whose rules a type has; `None` for what no column holds.
pub(crate) fn column_type(data_type: &DataType) -> Option<ColumnType> {
    Some(match data_type {
        DataType::Boolean => ColumnType::Boolean,
        DataType::Int8 => ColumnType::TinyInt,
        DataType::Int16 => ColumnType::SmallInt,
        DataType::Int32 => ColumnType::Int,
        DataType::Int64 => ColumnType::BigInt,
        DataType::Decimal256(39, 0) => ColumnType::LargeInt,
        DataType::Float32 => ColumnType::Float,
        DataType::Float64 => ColumnType::Double,
        DataType::Decimal128(precision, scale) => {
            ColumnType::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? }
        }
        DataType::Date32 => ColumnType::Date,
        DataType::Timestamp(TimeUnit::Microsecond, None) => ColumnType::DateTime,
        DataType::Utf8 => ColumnType::Varchar(u32::MAX),
        DataType::LargeUtf8 => ColumnType::Json,
        DataType::Binary => ColumnType::Varbinary(MAX_VARBINARY_BYTES),
        DataType::List(element) => ColumnType::Array(Box::new(column_type(element.data_type())?)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => match fields.iter().as_slice() {
                [key, value] => {
                    ColumnType::Map(Box::new(column_type(key.data_type())?), Box::new(column_type(value.data_type())?))
                }
                _ => return None,
            },
            _ => return None,
        },
        DataType::Struct(fields) => {
            let field = |field: &Arc<Field>| {
                Some(StructField { name: field.name().clone(), column_type: column_type(field.data_type())? })
            };
            ColumnType::Struct(fields.iter().map(field).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// A list of that type.
pub(crate) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("element", element, true)))
}

/// The type's name in SQL, for messages.
pub(crate) fn name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "NULL".to_owned(),
        DataType::LargeUtf8 => "JSON".to_owned(),
        DataType::Utf8 | DataType::Utf8View => "VARCHAR".to_owned(),
        DataType::List(field) => format!("ARRAY<{}>", name(field.data_type())),
        other => match column_type(other) {
            Some(known) => known.to_string().to_uppercase(),
            None => other.to_string(),
        },
    }
}

/// Whether it is text that is no JSON.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Utf8View)
}

/// Whether it is text or JSON.
pub(crate) fn is_textual(data_type: &DataType) -> bool {
    is_text(data_type) || *data_type == JSON
}

/// Whether values hold values of their own.
pub(crate) fn is_nested(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::Map(..) | DataType::Struct(_))
}

/// The type of `CAST(x AS type)`; `None` if there is no such type here.
pub fn sql_type(sql_type: &SqlType) -> Option<DataType> {
    let decimal = |info: &ExactNumberInfo| {
        let (precision, scale) = match info {
            ExactNumberInfo::None => (10, 0),
            ExactNumberInfo::Precision(precision) => (*precision, 0),
            ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
        };
        let (precision, scale) = (u8::try_from(precision).ok()?, i8::try_from(scale).ok()?);
        let fits = (1..=38).contains(&precision) && scale >= 0 && u8::try_from(scale).ok()? <= precision;
        fits.then_some(DataType::Decimal128(precision, scale))
    };
    Some(match sql_type {
        SqlType::Boolean | SqlType::Bool => DataType::Boolean,
        SqlType::TinyInt(_) => DataType::Int8,
        SqlType::SmallInt(_) => DataType::Int16,
        SqlType::Int(_) | SqlType::Integer(_) | SqlType::MediumInt(_) => DataType::Int32,
        SqlType::BigInt(_) | SqlType::Signed | SqlType::SignedInteger => DataType::Int64,
        SqlType::Unsigned | SqlType::UnsignedInteger => LARGE,
        SqlType::Float(_) | SqlType::Real | SqlType::Float4 => DataType::Float32,
        SqlType::Double(_) | SqlType::DoublePrecision | SqlType::Float8 | SqlType::Float64 => DataType::Float64,
        SqlType::Decimal(info) | SqlType::Numeric(info) | SqlType::Dec(info) => decimal(info)?,
        SqlType::Char(_)
        | SqlType::Character(_)
        | SqlType::Varchar(_)
        | SqlType::CharVarying(_)
        | SqlType::CharacterVarying(_)
        | SqlType::Nvarchar(_)
        | SqlType::Text
        | SqlType::String(_) => DataType::Utf8,
        SqlType::Date => DataType::Date32,
        SqlType::Datetime(_) | SqlType::Timestamp(..) => MOMENT,
        SqlType::JSON | SqlType::JSONB => JSON,
        SqlType::Varbinary(_) | SqlType::Binary(_) => DataType::Binary,
        SqlType::Custom(name, arguments) => {
            let number = |place: usize| arguments.get(place).and_then(|text| text.trim().parse::<u64>().ok());
            match name.to_string().to_lowercase().as_str() {
                "largeint" => LARGE,
                "decimal32" | "decimal64" | "decimal128" | "decimalv3" | "decimalv2" => {
                    let scale = i64::try_from(number(1).unwrap_or(0)).ok()?;
                    decimal(&ExactNumberInfo::PrecisionAndScale(number(0).unwrap_or(10), scale))?
                }
                _ => match name.0.as_slice() {
                    [ObjectNamePart::Identifier(name)] if name.value.contains('<') => nested_type::parse(&name.value)?,
                    _ => return None,
                },
            }
        }
        _ => return None,
    })
}

/// The type that values of both are compared as; `None` if only their texts can be.
pub(crate) fn compared(one: &DataType, other: &DataType) -> DataType {
    let (one, other) = (widest(one), widest(other));
    match (&one, &other) {
        (a, b) if is_nested(a) || is_nested(b) => JSON,
        (a, b) if a == b => one,
        (DataType::Null, _) => other,
        (_, DataType::Null) => one,
        (a, b) if is_textual(a) && is_textual(b) => DataType::Utf8,
        (a, b) if a.is_temporal() && (b.is_temporal() || is_textual(b)) => MOMENT,
        (a, b) if is_textual(a) && b.is_temporal() => MOMENT,
        (a, b) if is_textual(a) || is_textual(b) => DataType::Float64,
        _ => number(&one, &other),
    }
}

/// The type of a value that is one or the other: of CASE, `coalesce` and their like.
pub(crate) fn either(one: &DataType, other: &DataType) -> DataType {
    match (one, other) {
        (a, b) if a == b => one.clone(),
        (DataType::Null, _) => other.clone(),
        (_, DataType::Null) => one.clone(),
        (DataType::List(a), DataType::List(b)) => list_of(either(a.data_type(), b.data_type())),
        (a, b) if *a == JSON || *b == JSON || is_nested(a) || is_nested(b) => JSON,
        (a, b) if is_text(a) || is_text(b) => DataType::Utf8,
        (a, b) if a.is_temporal() && b.is_temporal() => MOMENT,
        (a, b) if a.is_temporal() || b.is_temporal() => DataType::Utf8,
        _ => number(&widest(one), &widest(other)),
    }
}

/// Integers as BIGINT, FLOAT as DOUBLE: what differs in width only is one.
pub(crate) fn widest(data_type: &DataType) -> DataType {
    match data_type {
        DataType::UInt64 => LARGE,
        known if known.is_integer() => DataType::Int64,
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::Date64 => DataType::Date32,
        DataType::Utf8View => DataType::Utf8,
        DataType::Timestamp(..) => MOMENT,
        DataType::Dictionary(_, values) => widest(values),
        other => other.clone(),
    }
}

fn number(one: &DataType, other: &DataType) -> DataType {
    let digits = |data_type: &DataType| match data_type {
        DataType::Decimal128(precision, scale) => Some((i16::from(*precision), i16::from(*scale))),
        DataType::Int64 => Some((19, 0)),
        DataType::Boolean => Some((1, 0)),
        DataType::Decimal256(..) => Some((39, 0)),
        _ => None,
    };
    let (Some((p1, s1)), Some((p2, s2))) = (digits(one), digits(other)) else {
        return DataType::Float64;
    };
    let scale = s1.max(s2);
    let precision = (p1 - s1).max(p2 - s2) + scale;
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(..=19), Ok(0))
            if !matches!((one, other), (DataType::Decimal128(..), _) | (_, DataType::Decimal128(..))) =>
        {
            DataType::Int64
        }
        (Ok(39), Ok(0)) => LARGE,
        (Ok(precision @ ..=38), Ok(scale)) => DataType::Decimal128(precision, scale),
        _ => DataType::Float64,
    }
}
