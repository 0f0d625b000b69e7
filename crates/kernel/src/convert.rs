//! Source values into columns: one file a family of types, each holding what its type accepts.
//!
//! A value that its column's type does not accept is [`Outcome::Invalid`], and NULL is appended in its place; whether
//! that loses the row is decided by whoever appends, since strict mode decides it.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Decimal256Builder, Float32Builder, Float64Builder, Int8Builder,
    Int16Builder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_buffer::i256;

use crate::format::json::text::unescape;
use crate::format::value::Value;
use crate::table::ColumnType;

mod boolean;
mod calendar;
mod decimal;
mod document;
mod float;
mod integer;
mod number;
mod text;

/// The value is none of its column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Invalid;

/// What was appended for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The value.
    Value,
    /// NULL, because the value is missing or null.
    Null,
    /// NULL, because the column's type does not accept the value.
    Invalid,
}

/// A column that grows by one entry a value.
#[derive(Debug)]
pub(crate) enum ColumnBuilder {
    Boolean(BooleanBuilder),
    TinyInt(Int8Builder),
    SmallInt(Int16Builder),
    Int(Int32Builder),
    BigInt(Int64Builder),
    LargeInt(Decimal256Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Decimal { builder: Decimal128Builder, precision: u8, scale: u8 },
    Text { builder: StringBuilder, max_bytes: u32 },
    Date(Date32Builder),
    DateTime(TimestampMicrosecondBuilder),
    Json(StringBuilder),
}

impl ColumnBuilder {
    /// An empty column with room for so many rows.
    pub(crate) fn new(column_type: &ColumnType, rows: usize) -> Self {
        // Text grows as it comes: how long it is, is not known here.
        match *column_type {
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            ColumnType::TinyInt => Self::TinyInt(Int8Builder::with_capacity(rows)),
            ColumnType::SmallInt => Self::SmallInt(Int16Builder::with_capacity(rows)),
            ColumnType::Int => Self::Int(Int32Builder::with_capacity(rows)),
            ColumnType::BigInt => Self::BigInt(Int64Builder::with_capacity(rows)),
            ColumnType::LargeInt => {
                Self::LargeInt(Decimal256Builder::with_capacity(rows).with_data_type(column_type.arrow()))
            }
            ColumnType::Float => Self::Float(Float32Builder::with_capacity(rows)),
            ColumnType::Double => Self::Double(Float64Builder::with_capacity(rows)),
            ColumnType::Decimal { precision, scale } => Self::Decimal {
                builder: Decimal128Builder::with_capacity(rows).with_data_type(column_type.arrow()),
                precision,
                scale,
            },
            ColumnType::Char(max_bytes) | ColumnType::Varchar(max_bytes) => {
                Self::Text { builder: StringBuilder::with_capacity(rows, 0), max_bytes }
            }
            ColumnType::Date => Self::Date(Date32Builder::with_capacity(rows)),
            ColumnType::DateTime => Self::DateTime(TimestampMicrosecondBuilder::with_capacity(rows)),
            ColumnType::Json => Self::Json(StringBuilder::with_capacity(rows, 0)),
        }
    }

    /// Appends one entry. `scratch` is room that is used again.
    #[inline]
    pub(crate) fn append(&mut self, value: &Value<'_>, scratch: &mut Scratch) -> Outcome {
        let unescaped;
        let value = match value {
            Value::Missing | Value::Null => {
                self.append_null();
                return Outcome::Null;
            }
            Value::Escaped(raw) if !matches!(self, Self::Json(_)) => {
                scratch.unescaped.clear();
                if unescape(raw, &mut scratch.unescaped).is_err() {
                    self.append_null();
                    return Outcome::Invalid;
                }
                unescaped = Value::Text(&scratch.unescaped);
                &unescaped
            }
            value => value,
        };
        match self.append_present(value, &mut scratch.document) {
            Ok(()) => Outcome::Value,
            Err(Invalid) => {
                self.append_null();
                Outcome::Invalid
            }
        }
    }

    #[inline]
    fn append_present(&mut self, value: &Value<'_>, scratch: &mut String) -> Result<(), Invalid> {
        match self {
            Self::Boolean(builder) => builder.append_value(boolean::read(value)?),
            Self::TinyInt(builder) => builder.append_value(integer::read(value)?),
            Self::SmallInt(builder) => builder.append_value(integer::read(value)?),
            Self::Int(builder) => builder.append_value(integer::read(value)?),
            Self::BigInt(builder) => builder.append_value(integer::read(value)?),
            Self::LargeInt(builder) => builder.append_value(i256::from_i128(integer::read_large(value)?)),
            Self::Float(builder) => builder.append_value(float::read(value)?),
            Self::Double(builder) => builder.append_value(float::read(value)?),
            Self::Decimal { builder, precision, scale } => {
                builder.append_value(decimal::read(value, *precision, *scale)?);
            }
            Self::Text { builder, max_bytes } => builder.append_value(text::read(value, *max_bytes, scratch)?),
            Self::Date(builder) => builder.append_value(read_moment(value)?.days()),
            Self::DateTime(builder) => builder.append_value(read_moment(value)?.micros()),
            Self::Json(builder) => {
                scratch.clear();
                document::read(value, scratch)?;
                builder.append_value(&*scratch);
            }
        }
        Ok(())
    }

    /// Appends NULL.
    #[inline]
    pub(crate) fn append_null(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::TinyInt(builder) => builder.append_null(),
            Self::SmallInt(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::BigInt(builder) => builder.append_null(),
            Self::LargeInt(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Double(builder) => builder.append_null(),
            Self::Decimal { builder, .. } => builder.append_null(),
            Self::Text { builder, .. } | Self::Json(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::DateTime(builder) => builder.append_null(),
        }
    }

    /// What was appended.
    pub(crate) fn finish(mut self) -> ArrayRef {
        match &mut self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::TinyInt(builder) => Arc::new(builder.finish()),
            Self::SmallInt(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::BigInt(builder) => Arc::new(builder.finish()),
            Self::LargeInt(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Double(builder) => Arc::new(builder.finish()),
            Self::Decimal { builder, .. } => Arc::new(builder.finish()),
            Self::Text { builder, .. } | Self::Json(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::DateTime(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Room that is used again for each value.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    unescaped: String,
    document: String,
}

fn read_moment(value: &Value<'_>) -> Result<calendar::Moment, Invalid> {
    match value {
        Value::Number(text) | Value::Text(text) => calendar::read(text).ok_or(Invalid),
        _ => Err(Invalid),
    }
}

/// One value of a column that a literal's text gives; JSON text is parsed, as it is from any text format.
///
/// `None` if the text is none of the type.
pub(crate) fn literal(column_type: &ColumnType, text: &str) -> Option<ArrayRef> {
    let mut builder = ColumnBuilder::new(column_type, 1);
    let value = match column_type {
        ColumnType::Json => crate::format::json::document(text)?,
        _ => Value::Text(text),
    };
    if builder.append(&value, &mut Scratch::default()) != Outcome::Value {
        return None;
    }
    Some(builder.finish())
}
