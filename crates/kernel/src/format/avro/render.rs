//! Records, arrays and maps as JSON text: what JSON, text and nested columns take of them.
//!
//! Plain JSON, as a person would write it, not the specification's JSON encoding: a union is its value without the
//! branch's name.

use std::fmt;

use super::cursor::Cursor;
use super::schema::{AvroSchema, NodeId, Type};
use super::zone::Zone;
use super::{Fault, scalar};
use crate::format::typed::{MAX_JSON_BYTES, Unprintable, quote};
use crate::format::value::Value;

/// A record, array or map within a record's value, checked already.
#[derive(Clone, Copy)]
pub(crate) struct Nested<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) schema: &'a AvroSchema,
    pub(crate) node: NodeId,
    pub(crate) zone: Zone,
    /// The selection that is to be made from its text, if one is.
    pub(crate) selection: Option<u32>,
}

impl Nested<'_> {
    /// Appends its JSON text.
    ///
    /// # Errors
    /// [`Unprintable`]: the text would be longer than a JSON column holds, and was left off in its middle; or it holds a
    /// decimal that is none of a usual size.
    pub(crate) fn write_json(&self, into: &mut String) -> Result<(), Unprintable> {
        let mut cursor = Cursor::new(self.bytes, 0);
        let end = into.len().saturating_add(MAX_JSON_BYTES);
        Printer { schema: self.schema, zone: self.zone, into, end }.value(self.node, &mut cursor)
    }
}

/// Two are equal if they are the same bytes under the same schema.
impl PartialEq for Nested<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.node == other.node && std::ptr::eq(self.schema, other.schema)
    }
}

impl fmt::Debug for Nested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let _ = self.write_json(&mut text);
        f.write_str(&text)
    }
}

struct Printer<'p, 'a> {
    schema: &'a AvroSchema,
    zone: Zone,
    into: &'p mut String,
    /// Length that the text must not pass.
    end: usize,
}

/// The bytes were checked, so they are neither too deep nor malformed.
impl From<Fault> for Unprintable {
    fn from(_: Fault) -> Self {
        Self
    }
}

impl<'a> Printer<'_, 'a> {
    fn value(&mut self, node: NodeId, cursor: &mut Cursor<'a>) -> Result<(), Unprintable> {
        if self.into.len() > self.end {
            return Err(Unprintable);
        }
        let schema = self.schema;
        match schema.node(node) {
            Type::Record(fields) => {
                self.into.push('{');
                for (number, field) in fields.iter().enumerate() {
                    if number > 0 {
                        self.into.push(',');
                    }
                    quote(&field.name, self.into);
                    self.into.push(':');
                    self.value(field.node, cursor)?;
                }
                self.into.push('}');
                Ok(())
            }
            Type::Array(items) => self.blocks(['[', ']'], cursor, |printer, cursor| printer.value(*items, cursor)),
            Type::Map(values) => self.blocks(['{', '}'], cursor, |printer, cursor| {
                let key = cursor.text()?;
                quote(key, printer.into);
                printer.into.push(':');
                printer.value(*values, cursor)
            }),
            Type::Union(branches) => {
                let branch = cursor.choice(branches.len(), "branch of a union")?;
                self.value(branches.get(branch).copied().ok_or(Unprintable)?, cursor)
            }
            plain => self.plain(plain, cursor),
        }
    }

    /// Apart, so that what recurses has a small frame.
    #[inline(never)]
    fn plain(&mut self, plain: &'a Type, cursor: &mut Cursor<'a>) -> Result<(), Unprintable> {
        match scalar::read(plain, self.zone, cursor)? {
            Value::Null => {
                self.into.push_str("null");
                Ok(())
            }
            Value::Boolean(flag) => {
                self.into.push_str(if flag { "true" } else { "false" });
                Ok(())
            }
            value => value.typed().ok_or(Unprintable)?.write_json(self.into),
        }
    }

    fn blocks(
        &mut self,
        [open, close]: [char; 2],
        cursor: &mut Cursor<'a>,
        mut item: impl FnMut(&mut Self, &mut Cursor<'a>) -> Result<(), Unprintable>,
    ) -> Result<(), Unprintable> {
        self.into.push(open);
        let mut first = true;
        loop {
            let count = cursor.block()?;
            if count == 0 {
                self.into.push(close);
                return Ok(());
            }
            for _ in 0..count {
                if !std::mem::take(&mut first) {
                    self.into.push(',');
                }
                item(self, cursor)?;
            }
        }
    }
}
