//! Source values into columns: one file a family of types, each holding what its type accepts.
//!
//! A value that its column's type does not accept is [`Outcome::Invalid`], and NULL is appended in its place; whether
//! that loses the row is decided by whoever appends, since strict mode decides it. What stands inside of an ARRAY, a MAP
//! or a STRUCT never loses more than itself.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_buffer::i256;

use crate::format::json::text::unescape;
use crate::format::json::{Selections, value_of};
use crate::format::value::Value;
use crate::table::ColumnType;

mod avro;
mod boolean;
mod builder;
mod calendar;
mod decimal;
mod direct;
mod document;
mod field;
mod field_text;
mod float;
mod integer;
mod json;
mod moment;
mod nested;
mod number;
mod scalar;
#[cfg(test)]
mod tests;
mod text;
mod typed;

use builder::{Flags, Numbers, Texts};
use nested::{Lists, Maps, Structs};

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
    Boolean(Flags),
    TinyInt(Numbers<Int8Type>),
    SmallInt(Numbers<Int16Type>),
    Int(Numbers<Int32Type>),
    BigInt(Numbers<Int64Type>),
    LargeInt(Numbers<Decimal256Type>),
    Float(Numbers<Float32Type>),
    Double(Numbers<Float64Type>),
    Decimal { builder: Numbers<Decimal128Type>, precision: u8, scale: u8 },
    Text { builder: Texts, max_bytes: u32 },
    Date(Numbers<Date32Type>),
    DateTime(Numbers<TimestampMicrosecondType>),
    Json(Texts),
    Binary { builder: Texts, max_bytes: u32 },
    Array(Box<Lists>),
    Map(Box<Maps>),
    Struct(Box<Structs>),
}

impl ColumnBuilder {
    /// An empty column with room for so many rows.
    pub(crate) fn new(column_type: &ColumnType, rows: usize) -> Self {
        let arrow = column_type.arrow();
        match column_type {
            ColumnType::Boolean => Self::Boolean(Flags::new(rows)),
            ColumnType::TinyInt => Self::TinyInt(Numbers::new(rows, arrow)),
            ColumnType::SmallInt => Self::SmallInt(Numbers::new(rows, arrow)),
            ColumnType::Int => Self::Int(Numbers::new(rows, arrow)),
            ColumnType::BigInt => Self::BigInt(Numbers::new(rows, arrow)),
            ColumnType::LargeInt => Self::LargeInt(Numbers::new(rows, arrow)),
            ColumnType::Float => Self::Float(Numbers::new(rows, arrow)),
            ColumnType::Double => Self::Double(Numbers::new(rows, arrow)),
            ColumnType::Decimal { precision, scale } => {
                Self::Decimal { builder: Numbers::new(rows, arrow), precision: *precision, scale: *scale }
            }
            ColumnType::Char(max_bytes) | ColumnType::Varchar(max_bytes) => {
                Self::Text { builder: Texts::new(rows), max_bytes: *max_bytes }
            }
            ColumnType::Date => Self::Date(Numbers::new(rows, arrow)),
            ColumnType::DateTime => Self::DateTime(Numbers::new(rows, arrow)),
            ColumnType::Json => Self::Json(Texts::new(rows)),
            ColumnType::Varbinary(max_bytes) => Self::Binary { builder: Texts::new(rows), max_bytes: *max_bytes },
            ColumnType::Array(entry) => Self::Array(Box::new(Lists::new(entry, rows))),
            ColumnType::Map(key, value) => Self::Map(Box::new(Maps::new(key, value, rows))),
            ColumnType::Struct(fields) => Self::Struct(Box::new(Structs::new(fields, rows))),
        }
    }

    /// Appends one entry. `scratch` is room that is used again.
    #[inline]
    pub(crate) fn append(&mut self, value: &Value<'_>, scratch: &mut Scratch) -> Outcome {
        // What most values are needs no look at anything else.
        match (&mut *self, value) {
            (Self::BigInt(builder), Value::Number(text) | Value::Field(text)) => {
                if let Some(number) = integer::read_plain(text.as_bytes()) {
                    builder.append_value(number);
                    return Outcome::Value;
                }
            }
            (Self::Int(builder), Value::Number(text) | Value::Field(text)) => {
                if let Some(number) = integer::read_plain(text.as_bytes()).and_then(|number| number.try_into().ok()) {
                    builder.append_value(number);
                    return Outcome::Value;
                }
            }
            (Self::Text { builder, max_bytes }, Value::Text(text) | Value::Field(text) | Value::Plain(text))
                if u32::try_from(text.len()).is_ok_and(|bytes| bytes <= *max_bytes) =>
            {
                builder.append_value(text);
                if matches!(value, Value::Plain(_)) {
                    // The name of an enum's symbol is longer than what the record has of it.
                    scratch.made_bytes = scratch.made_bytes.saturating_add(text.len());
                }
                return Outcome::Value;
            }
            _ => {}
        }
        self.append_any(value, scratch)
    }

    fn append_any(&mut self, value: &Value<'_>, scratch: &mut Scratch) -> Outcome {
        let built;
        let value = match value {
            Value::Missing | Value::Null => {
                self.append_null();
                return Outcome::Null;
            }
            Value::Selected(text, number) => return self.append_selected(text, *number, scratch),
            Value::Field(text) => return field::append_text(self, text, scratch),
            Value::EscapedField(..) | Value::Bytes(_) | Value::Integer(_) | Value::Moment(_) | Value::Headers(_) => {
                return field::append(self, value, scratch);
            }
            Value::Small(_) | Value::Plain(_) | Value::Octets(_) | Value::Decimal(..) => {
                return typed::append(self, value, scratch);
            }
            value if self.is_nested() => return self.append_nested(value, scratch),
            Value::Escaped(raw) if !matches!(self, Self::Json(_)) => {
                scratch.unescaped.clear();
                if unescape(raw, &mut scratch.unescaped).is_err() {
                    self.append_null();
                    return Outcome::Invalid;
                }
                built = Value::Text(&scratch.unescaped);
                &built
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

    /// Appends what a text field says, which is not JSON: `[1,2,"x"]` for an ARRAY, `{"k":1}` for a MAP or a STRUCT, a
    /// document for JSON. One bad entry makes all of it invalid.
    pub(crate) fn append_field_text(&mut self, text: &str, scratch: &mut Scratch) -> Outcome {
        let outcome = match self {
            Self::Json(_) => match crate::format::json::document(text) {
                // The text `null` is a document too, but StarRocks has no column that tells it from NULL.
                Some(value) => return self.append(&value, scratch),
                None => Outcome::Invalid,
            },
            Self::Array(_) | Self::Map(_) | Self::Struct(_) => match field_text::read(self, text) {
                Some(field) => {
                    field_text::append(self, &field, scratch);
                    return Outcome::Value;
                }
                None => Outcome::Invalid,
            },
            _ => return self.append(&Value::Text(text), scratch),
        };
        self.append_null();
        outcome
    }

    /// Appends what a path selects.
    fn append_selected(&mut self, text: &str, number: u32, scratch: &mut Scratch) -> Outcome {
        let mut found = std::mem::take(&mut scratch.selected);
        found.clear();
        let selected =
            scratch.selections.get(number as usize).is_some_and(|selection| selection.select(text, &mut found).is_ok());
        let outcome = if selected {
            // Nothing found is nothing there.
            self.append(&value_of(&found).unwrap_or(Value::Missing), scratch)
        } else {
            self.append_null();
            Outcome::Invalid
        };
        scratch.selected = found;
        outcome
    }

    /// Whether entries hold entries of their own.
    #[inline]
    pub(crate) fn is_nested(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Map(_) | Self::Struct(_))
    }

    fn append_nested(&mut self, value: &Value<'_>, scratch: &mut Scratch) -> Outcome {
        let appended = match self {
            Self::Array(lists) => lists.append(value, scratch),
            Self::Map(maps) => maps.append(value, scratch),
            Self::Struct(structs) => structs.append(value, scratch),
            _ => Err(Invalid),
        };
        match appended {
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
            Self::Binary { builder, max_bytes } => builder.append_value(text::read(value, *max_bytes, scratch)?),
            Self::Array(_) | Self::Map(_) | Self::Struct(_) => return Err(Invalid),
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
            Self::Binary { builder, .. } => builder.append_null(),
            Self::Array(lists) => lists.append_null(),
            Self::Map(maps) => maps.append_null(),
            Self::Struct(structs) => structs.append_null(),
        }
    }

    /// Entries so far.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Boolean(builder) => builder.len(),
            Self::TinyInt(builder) => builder.len(),
            Self::SmallInt(builder) => builder.len(),
            Self::Int(builder) => builder.len(),
            Self::BigInt(builder) => builder.len(),
            Self::LargeInt(builder) => builder.len(),
            Self::Float(builder) => builder.len(),
            Self::Double(builder) => builder.len(),
            Self::Decimal { builder, .. } => builder.len(),
            Self::Text { builder, .. } | Self::Json(builder) | Self::Binary { builder, .. } => builder.len(),
            Self::Date(builder) => builder.len(),
            Self::DateTime(builder) => builder.len(),
            Self::Array(lists) => lists.len(),
            Self::Map(maps) => maps.len(),
            Self::Struct(structs) => structs.len(),
        }
    }

    /// Takes back all entries but the first so many.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Boolean(builder) => builder.truncate(rows),
            Self::TinyInt(builder) => builder.truncate(rows),
            Self::SmallInt(builder) => builder.truncate(rows),
            Self::Int(builder) => builder.truncate(rows),
            Self::BigInt(builder) => builder.truncate(rows),
            Self::LargeInt(builder) => builder.truncate(rows),
            Self::Float(builder) => builder.truncate(rows),
            Self::Double(builder) => builder.truncate(rows),
            Self::Decimal { builder, .. } => builder.truncate(rows),
            Self::Text { builder, .. } | Self::Json(builder) | Self::Binary { builder, .. } => builder.truncate(rows),
            Self::Date(builder) => builder.truncate(rows),
            Self::DateTime(builder) => builder.truncate(rows),
            Self::Array(lists) => lists.truncate(rows),
            Self::Map(maps) => maps.truncate(rows),
            Self::Struct(structs) => structs.truncate(rows),
        }
    }

    /// What was appended.
    pub(crate) fn finish(self) -> ArrayRef {
        match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::TinyInt(builder) => Arc::new(builder.finish()),
            Self::SmallInt(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::BigInt(builder) => Arc::new(builder.finish()),
            Self::LargeInt(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Double(builder) => Arc::new(builder.finish()),
            Self::Decimal { builder, .. } => Arc::new(builder.finish()),
            Self::Text { builder, .. } | Self::Json(builder) => Arc::new(builder.finish_text()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::DateTime(builder) => Arc::new(builder.finish()),
            Self::Binary { builder, .. } => Arc::new(builder.finish_bytes()),
            Self::Array(lists) => lists.finish(),
            Self::Map(maps) => maps.finish(),
            Self::Struct(structs) => structs.finish(),
        }
    }
}

/// Room that is used again for each value.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    unescaped: String,
    built: String,
    document: String,
    selected: String,
    selections: Selections,
    /// Text of a value that its record holds in another form.
    made: String,
    /// Bytes of all such texts that were not counted yet.
    made_bytes: usize,
}

impl Scratch {
    /// Room for values of a reader that makes these selections.
    pub(crate) fn new(selections: Selections) -> Self {
        Self { selections, ..Self::default() }
    }

    /// What a path selects, with its text in `found`, in place of all that it looks through; other values as they are.
    #[cold]
    pub(crate) fn resolve<'f>(&self, value: Value<'f>, found: &'f mut String) -> Value<'f> {
        let Value::Selected(text, number) = value else {
            return value;
        };
        match self.selections.get(number as usize).map(|selection| selection.select(text, found)) {
            Some(Ok(_)) => value_of(found).unwrap_or(Value::Missing),
            _ => value,
        }
    }

    /// Bytes of text that values got since the last call, beyond those that their records have.
    #[inline]
    pub(crate) fn take_made_bytes(&mut self) -> usize {
        std::mem::take(&mut self.made_bytes)
    }
}

fn read_moment(value: &Value<'_>) -> Result<calendar::Moment, Invalid> {
    match value {
        Value::Number(text) | Value::Text(text) => calendar::read(text).ok_or(Invalid),
        _ => Err(Invalid),
    }
}

/// A column of what texts say, one entry each, read as text fields are. NULL for none, and for text that the type does not
/// accept.
pub fn of_texts<'t>(column_type: &ColumnType, texts: impl ExactSizeIterator<Item = Option<&'t str>>) -> ArrayRef {
    let mut builder = ColumnBuilder::new(column_type, texts.len());
    let mut scratch = Scratch::default();
    for text in texts {
        match text {
            Some(text) => {
                builder.append_field_text(text, &mut scratch);
            }
            None => builder.append_null(),
        }
    }
    builder.finish()
}

/// A column of what JSON documents say, one entry each, read as a field of a JSON record is. NULL for none, and for what the
/// type does not accept.
pub fn of_documents<'t>(
    column_type: &ColumnType,
    documents: impl ExactSizeIterator<Item = Option<&'t str>>,
) -> ArrayRef {
    let mut builder = ColumnBuilder::new(column_type, documents.len());
    let mut scratch = Scratch::default();
    for document in documents {
        let value = document.and_then(crate::format::json::document).unwrap_or(Value::Null);
        builder.append(&value, &mut scratch);
    }
    builder.finish()
}

/// One value of a column that a literal's text gives, read as a text field is.
///
/// `None` if the text is none of the type.
pub(crate) fn literal(column_type: &ColumnType, text: &str) -> Option<ArrayRef> {
    let mut builder = ColumnBuilder::new(column_type, 1);
    if builder.append_field_text(text, &mut Scratch::default()) != Outcome::Value {
        return None;
    }
    Some(builder.finish())
}
