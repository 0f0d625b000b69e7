//! JSON values into columns from where they stand, for the pairs of value and column that most records are made of.
//!
//! Whatever is none of these is read as a [`Value`](crate::format::value::Value) and appended as such; both ways append the
//! same.

use super::{ColumnBuilder, calendar, float};
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
}
