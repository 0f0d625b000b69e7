//! Values without parts: decoded, and passed over.

use super::cursor::Cursor;
use super::fault::{Fault, FaultKind, MAX_EMPTY_ITEMS};
use super::schema::{AvroSchema, MAX_DEPTH, NodeId, TimeUnit, Timestamp, Type};
use super::zone::Zone;
use crate::format::typed::Small;
use crate::format::value::Value;

/// The value of a type without parts that is next. A type with parts is none of these and gives [`Value::Missing`].
#[inline]
pub(crate) fn read<'a>(node: &'a Type, zone: Zone, cursor: &mut Cursor<'a>) -> Result<Value<'a>, Fault> {
    Ok(match node {
        Type::Null => Value::Null,
        Type::Boolean => Value::Boolean(cursor.boolean()?),
        Type::Int => Value::Small(Small::Long(i64::from(cursor.int()?))),
        Type::Long => Value::Small(Small::Long(cursor.long()?)),
        Type::Float => Value::Small(Small::Float(f32::from_le_bytes(*cursor.array("a float")?))),
        Type::Double => Value::Small(Small::Double(f64::from_le_bytes(*cursor.array("a double")?))),
        Type::Bytes => Value::Octets(cursor.bytes("bytes")?),
        Type::String => Value::Plain(cursor.text()?),
        Type::Fixed(size) => Value::Octets(cursor.take(*size, "a fixed")?),
        Type::Enum(symbols) => {
            let number = cursor.choice(symbols.len(), "enum symbol")?;
            Value::Plain(symbols.get(number).map_or("", |symbol| symbol))
        }
        Type::Decimal { scale, size: None } => Value::Decimal(cursor.bytes("a decimal")?, *scale),
        Type::Decimal { scale, size: Some(size) } => Value::Decimal(cursor.take(*size, "a decimal")?, *scale),
        Type::Date => Value::Small(Small::Date(cursor.int()?)),
        Type::Time(unit) => {
            let raw = if *unit == TimeUnit::Millis { i64::from(cursor.int()?) } else { cursor.long()? };
            Value::Small(Small::Time { raw, unit: *unit })
        }
        Type::Timestamp(Timestamp { unit, local }) => {
            let raw = cursor.long()?;
            let ahead_s = if *local { 0 } else { zone.ahead_s(unit.micros(raw)) };
            Value::Small(Small::DateTime { raw, unit: *unit, ahead_s })
        }
        Type::Uuid => Value::Small(Small::Uuid(cursor.array("a uuid")?)),
        Type::Duration => Value::Small(Small::Duration(cursor.array("a duration")?)),
        Type::Array(_) | Type::Map(_) | Type::Record(_) | Type::Union(_) => Value::Missing,
    })
}

/// Passes over values, checking them like any other.
#[derive(Debug, Clone)]
pub(crate) struct Skipper<'s> {
    schema: &'s AvroSchema,
    /// Array items without bytes that may still come.
    empty_items: u64,
}

impl<'s> Skipper<'s> {
    pub(crate) fn new(schema: &'s AvroSchema) -> Self {
        Self { schema, empty_items: MAX_EMPTY_ITEMS }
    }

    /// The schema of what is passed over.
    #[inline]
    pub(crate) fn schema(&self) -> &'s AvroSchema {
        self.schema
    }

    /// Passes over a value; `depth` records, arrays and maps are open around it.
    pub(crate) fn skip(&mut self, node: NodeId, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), Fault> {
        match self.schema.node(node) {
            Type::Record(fields) => {
                let depth = deeper(depth, cursor)?;
                for field in fields {
                    if !self.schema.is_empty(field.node) {
                        self.skip(field.node, cursor, depth)?;
                    }
                }
            }
            Type::Union(branches) => {
                let branch = cursor.choice(branches.len(), "branch of a union")?;
                let branch = branches.get(branch).copied().unwrap_or(node);
                self.skip(branch, cursor, depth)?;
            }
            Type::Array(items) => {
                let depth = deeper(depth, cursor)?;
                loop {
                    let count = cursor.block()?;
                    if count == 0 {
                        break;
                    }
                    self.items(*items, count, cursor, depth)?;
                }
            }
            Type::Map(values) => {
                let depth = deeper(depth, cursor)?;
                loop {
                    let count = cursor.block()?;
                    if count == 0 {
                        break;
                    }
                    // A key takes bytes, so the value ends before a claim that is too large does.
                    for _ in 0..count {
                        cursor.utf8()?;
                        self.skip(*values, cursor, depth)?;
                    }
                }
            }
            plain => skip_plain(plain, cursor)?,
        }
        Ok(())
    }

    /// Passes over so many items of an array.
    pub(crate) fn items(
        &mut self,
        items: NodeId,
        count: u64,
        cursor: &mut Cursor<'_>,
        depth: usize,
    ) -> Result<(), Fault> {
        if self.schema.is_empty(items) {
            return self.empty_items(count, cursor);
        }
        for _ in 0..count {
            self.skip(items, cursor, depth)?;
        }
        Ok(())
    }

    /// Counts items that take no bytes.
    pub(crate) fn empty_items(&mut self, count: u64, cursor: &Cursor<'_>) -> Result<(), Fault> {
        match self.empty_items.checked_sub(count) {
            Some(left) => {
                self.empty_items = left;
                Ok(())
            }
            None => Err(cursor.fault(FaultKind::TooManyEmpty)),
        }
    }
}

/// One level down.
#[inline]
pub(crate) fn deeper(depth: usize, cursor: &Cursor<'_>) -> Result<usize, Fault> {
    if depth >= MAX_DEPTH { Err(cursor.fault(FaultKind::TooDeep)) } else { Ok(depth + 1) }
}

/// Passes over a value without parts. Apart, so that what recurses has a small frame.
fn skip_plain(plain: &Type, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    match plain {
        Type::Null => {}
        Type::Int | Type::Date | Type::Time(TimeUnit::Millis) => {
            cursor.int()?;
        }
        Type::Long | Type::Time(_) | Type::Timestamp(_) => {
            cursor.long()?;
        }
        Type::Boolean => {
            cursor.boolean()?;
        }
        Type::Float => {
            cursor.array::<4>("a float")?;
        }
        Type::Double => {
            cursor.array::<8>("a double")?;
        }
        Type::Bytes => {
            cursor.bytes("bytes")?;
        }
        Type::String => {
            cursor.utf8()?;
        }
        Type::Fixed(size) => {
            cursor.take(*size, "a fixed")?;
        }
        Type::Enum(symbols) => {
            cursor.choice(symbols.len(), "enum symbol")?;
        }
        Type::Decimal { size: None, .. } => {
            cursor.bytes("a decimal")?;
        }
        Type::Decimal { size: Some(size), .. } => {
            cursor.take(*size, "a decimal")?;
        }
        Type::Uuid => {
            cursor.array::<16>("a uuid")?;
        }
        Type::Duration => {
            cursor.array::<12>("a duration")?;
        }
        Type::Record(_) | Type::Union(_) | Type::Array(_) | Type::Map(_) => {}
    }
    Ok(())
}
