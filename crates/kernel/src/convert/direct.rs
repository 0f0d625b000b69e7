//! JSON values and fields of delimited text into columns from where they stand, for the pairs of value and column that most
//! records are made of.
//!
//! Whatever is none of these is read as a [`Value`](crate::format::value::Value) and appended as such; both ways append the
//! same.

use super::{ColumnBuilder, calendar, float, integer};
use crate::format::json::raw::RawCursor;

impl ColumnBuilder {
    /// Appends the value that is next and passes over it. If not, it is still next, and nothing was appended.
    #[inline(always)]
    pub(crate) fn append_next(&mut self, cursor: &mut RawCursor<'_>) -> bool {
        let start = cursor.rest();
        let appended = match (self, cursor.peek()) {
            (Self::BigInt(builder), Some(b'-' | b'0'..=b'9')) => {
                cursor.integer().map(|number| builder.append_value(number))
            }
            (Self::Int(builder), Some(b'-' | b'0'..=b'9')) => {
                let number = cursor.integer().and_then(|number| i32::try_from(number).ok());
                number.map(|number| builder.append_value(number))
            }
            (Self::Text { builder, max_bytes }, Some(b'"')) => {
                let fits = |text: &&[u8]| u32::try_from(text.len()).is_ok_and(|bytes| bytes <= *max_bytes);
                cursor.plain_text().filter(fits).map(|text| builder.append_value(text))
            }
            (Self::Double(builder), Some(b'-' | b'0'..=b'9')) => {
                cursor.short_decimal().and_then(float::nearest).map(|number| builder.append_value(number))
            }
            (Self::DateTime(builder), Some(b'"')) => {
                let moment = cursor.plain_text().and_then(calendar::read_standard);
                moment.map(|moment| builder.append_value(moment.micros()))
            }
            _ => None,
        };
        if appended.is_none() {
            cursor.back_to(start);
        }
        appended.is_some()
    }

    /// Appends a field of delimited text, which is not NULL. If not, nothing was appended.
    #[inline(always)]
    pub(crate) fn append_field(&mut self, field: &[u8]) -> bool {
        let appended = match self {
            Self::BigInt(builder) => integer::read_plain(field).map(|number| builder.append_value(number)),
            Self::Int(builder) => {
                let number = integer::read_plain(field).and_then(|number| i32::try_from(number).ok());
                number.map(|number| builder.append_value(number))
            }
            Self::Text { builder, max_bytes } => {
                let bytes = u32::try_from(field.len()).ok().filter(|bytes| bytes <= max_bytes);
                bytes.map(|_| builder.append_value(field))
            }
            Self::Double(builder) => {
                let mut cursor = RawCursor::new(field);
                let number = cursor.short_decimal().filter(|_| cursor.peek().is_none()).and_then(float::nearest);
                number.map(|number| builder.append_value(number))
            }
            Self::DateTime(builder) => {
                calendar::read_standard(field).map(|moment| builder.append_value(moment.micros()))
            }
            _ => None,
        };
        appended.is_some()
    }
}
