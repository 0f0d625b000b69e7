//! Avro's values into columns from where they stand, for the pairs of type and column that most records are made of.
//!
//! Whatever is none of these is read as a [`Value`](crate::format::value::Value), or as JSON text if it has parts, and
//! appended as such; both ways append the same. For that, nothing is taken here inside of ARRAY, MAP and STRUCT whose text
//! would say something else than its bytes: no float, whose text has fewer digits, and no number for a narrower column.

use std::num::NonZeroU64;

use super::nested::{Lists, Maps, Structs};
use super::{ColumnBuilder, Scratch};
use crate::format::avro::direct::Place;
use crate::format::avro::{NodeId, Type, deeper};
use crate::format::typed::MAX_JSON_BYTES;

/// Characters of JSON that a number may have, and those that quotes, commas and brackets add to any value.
const NUMBER_CHARACTERS: usize = 32;
const ADDED_CHARACTERS: usize = 4;
/// Characters of JSON that a byte of text may become.
const CHARACTERS_A_BYTE: usize = 6;

impl ColumnBuilder {
    /// Appends the value without parts that is next, and passes over it. If not, it is still next, and nothing was appended.
    #[inline(always)]
    pub(crate) fn append_avro(&mut self, node: NodeId, place: &mut Place<'_>) -> bool {
        let mut cursor = place.cursor.clone();
        let appended = match (self, place.node(node)) {
            (Self::BigInt(builder), Type::Long | Type::Int) => {
                // An int is a long to a reader, but for its limits.
                let number = match place.node(node) {
                    Type::Int => cursor.int().map(i64::from),
                    _ => cursor.long(),
                };
                number.ok().map(|number| builder.append_value(number))
            }
            (Self::Int(builder), Type::Int) => cursor.int().ok().map(|number| builder.append_value(number)),
            (Self::Int(builder), Type::Long) => {
                let number = cursor.long().ok().and_then(|number| i32::try_from(number).ok());
                number.map(|number| builder.append_value(number))
            }
            (Self::Double(builder), Type::Double) => {
                cursor.array("a double").ok().map(|bytes| builder.append_value(f64::from_le_bytes(*bytes)))
            }
            (Self::Text { builder, max_bytes }, Type::String) => {
                let fits = |text: &&[u8]| u32::try_from(text.len()).is_ok_and(|bytes| bytes <= *max_bytes);
                cursor.utf8().ok().filter(fits).map(|text| builder.append_value(text))
            }
            _ => None,
        };
        if appended.is_some() {
            place.cursor = cursor;
        }
        appended.is_some()
    }

    /// Appends the array, map or record that is next, and passes over it. If not, entries have to be taken back, and the place
    /// with them.
    pub(crate) fn append_avro_nested(
        &mut self,
        node: NodeId,
        place: &mut Place<'_>,
        scratch: &mut Scratch,
    ) -> Option<()> {
        let mut text = TextBound::default();
        nested(self, node, place, scratch, &mut text)?;
        if text.0 > MAX_JSON_BYTES {
            return None;
        }
        scratch.made_bytes = scratch.made_bytes.saturating_add(text.0);
        Some(())
    }
}

/// Characters of JSON that a value has at most: what is too long is for the way through its text to refuse.
#[derive(Debug, Default)]
struct TextBound(usize);

impl TextBound {
    fn add(&mut self, characters: usize) {
        self.0 = self.0.saturating_add(characters).saturating_add(ADDED_CHARACTERS);
    }

    fn add_text(&mut self, bytes: usize) {
        self.add(bytes.saturating_mul(CHARACTERS_A_BYTE));
    }
}

/// Appends an entry. Recursion follows the column's type, and a schema's unions, which hold none themselves.
fn entry(
    column: &mut ColumnBuilder,
    node: NodeId,
    place: &mut Place<'_>,
    scratch: &mut Scratch,
    text: &mut TextBound,
) -> Option<()> {
    match (&mut *column, place.node(node)) {
        (_, Type::Union(branches)) => {
            let branch = place.cursor.choice(branches.len(), "branch of a union").ok()?;
            entry(column, *branches.get(branch)?, place, scratch, text)
        }
        (_, Type::Null) => {
            text.add(NUMBER_CHARACTERS);
            column.append_null();
            Some(())
        }
        (ColumnBuilder::Boolean(builder), Type::Boolean) => {
            text.add(NUMBER_CHARACTERS);
            builder.append_value(place.cursor.boolean().ok()?);
            Some(())
        }
        (ColumnBuilder::Text { .. }, Type::String) => {
            let left = place.cursor.rest().len();
            let appended = column.append_avro(node, place);
            text.add_text(left - place.cursor.rest().len());
            appended.then_some(())
        }
        (ColumnBuilder::Double(builder), Type::Double) => {
            text.add(NUMBER_CHARACTERS);
            let number = f64::from_le_bytes(*place.cursor.array("a double").ok()?);
            number.is_finite().then(|| builder.append_value(number))
        }
        (ColumnBuilder::BigInt(_) | ColumnBuilder::Int(_), Type::Int | Type::Long) => {
            text.add(NUMBER_CHARACTERS);
            column.append_avro(node, place).then_some(())
        }
        _ => nested(column, node, place, scratch, text),
    }
}

fn nested(
    column: &mut ColumnBuilder,
    node: NodeId,
    place: &mut Place<'_>,
    scratch: &mut Scratch,
    text: &mut TextBound,
) -> Option<()> {
    let around = place.depth;
    place.depth = deeper(around, &place.cursor).ok()?;
    match (column, place.node(node)) {
        (ColumnBuilder::Array(lists), Type::Array(items)) => list(lists, *items, place, scratch, text)?,
        (ColumnBuilder::Struct(structs), Type::Record(_)) => record(structs, node, place, scratch, text)?,
        (ColumnBuilder::Map(maps), Type::Map(values)) => map(maps, *values, place, scratch, text)?,
        _ => return None,
    }
    text.add(0);
    place.depth = around;
    Some(())
}

fn list(
    lists: &mut Lists,
    items: NodeId,
    place: &mut Place<'_>,
    scratch: &mut Scratch,
    text: &mut TextBound,
) -> Option<()> {
    let mut entries = 0;
    while let Some(count) = some_items(items, place)? {
        for _ in 0..count {
            entry(&mut lists.entries, items, place, scratch, text)?;
            entries += 1;
        }
    }
    lists.close(entries);
    Some(())
}

fn record(
    structs: &mut Structs,
    node: NodeId,
    place: &mut Place<'_>,
    scratch: &mut Scratch,
    text: &mut TextBound,
) -> Option<()> {
    let Type::Record(fields) = place.node(node) else {
        return None;
    };
    let rows = structs.len();
    for (number, field) in fields.iter().enumerate() {
        text.add_text(field.name.len());
        match structs.place_near(&field.name, number).and_then(|found| structs.columns.get_mut(found)) {
            Some(column) => entry(column, field.node, place, scratch, text)?,
            None => pass_over(field.node, place, text)?,
        }
    }
    structs.close(rows);
    Some(())
}

/// Passes over a value that no column takes, and counts its text. Recursion follows the data, to the depth that it may have.
fn pass_over(node: NodeId, place: &mut Place<'_>, text: &mut TextBound) -> Option<()> {
    let around = place.depth;
    match place.node(node) {
        Type::Union(branches) => {
            let branch = place.cursor.choice(branches.len(), "branch of a union").ok()?;
            return pass_over(*branches.get(branch)?, place, text);
        }
        Type::Record(fields) => {
            place.depth = deeper(around, &place.cursor).ok()?;
            for field in fields {
                text.add_text(field.name.len());
                pass_over(field.node, place, text)?;
            }
        }
        Type::Array(items) => {
            place.depth = deeper(around, &place.cursor).ok()?;
            while let Some(count) = some_items(*items, place)? {
                for _ in 0..count {
                    pass_over(*items, place, text)?;
                }
            }
        }
        Type::Map(values) => {
            place.depth = deeper(around, &place.cursor).ok()?;
            while let Some(count) = NonZeroU64::new(place.cursor.block().ok()?) {
                for _ in 0..count.get() {
                    text.add_text(place.cursor.utf8().ok()?.len());
                    pass_over(*values, place, text)?;
                }
            }
        }
        // Their texts are longer than what a record has of them.
        Type::Enum(_) | Type::Decimal { .. } => return None,
        _ => {
            let left = place.cursor.rest().len();
            place.skip(node)?;
            text.add_text(left - place.cursor.rest().len());
            text.add(NUMBER_CHARACTERS);
        }
    }
    text.add(0);
    place.depth = around;
    Some(())
}

/// How many items come next in an array, if any do; those without bytes are for the skipper to count.
fn some_items(items: NodeId, place: &mut Place<'_>) -> Option<Option<u64>> {
    match place.cursor.block().ok()? {
        0 => Some(None),
        _ if place.skipper.schema().is_empty(items) => None,
        count => Some(Some(count)),
    }
}

fn map(
    maps: &mut Maps,
    values: NodeId,
    place: &mut Place<'_>,
    scratch: &mut Scratch,
    text: &mut TextBound,
) -> Option<()> {
    maps.open();
    let mut entries = 0;
    while let Some(count) = NonZeroU64::new(place.cursor.block().ok()?) {
        for _ in 0..count.get() {
            let key = place.cursor.text().ok()?;
            text.add_text(key.len());
            // A key that is none, or was there before, is left out with its value: the other way does it.
            maps.push_key(key, scratch).ok()?;
            entry(&mut maps.values, values, place, scratch, text)?;
            entries += 1;
        }
    }
    maps.close(entries);
    Some(())
}
