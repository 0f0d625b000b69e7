//! ARRAY, MAP and STRUCT: columns whose entries are made of entries of other columns.
//!
//! | column | takes | what is bad inside |
//! | --- | --- | --- |
//! | ARRAY | a JSON array | becomes NULL |
//! | MAP | a JSON object; keys as text into the key's type | a value becomes NULL; an entry whose key is bad is left out |
//! | STRUCT | a JSON object; keys match names exactly, others are passed over | becomes NULL, as a missing key does |
//!
//! Of equal keys the first one counts. Strict mode does not reach inside: a bad entry never costs its neighbours.
//! Recursion follows the type, never the data.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray, MapArray, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{Field, FieldRef, Fields};

use super::{ColumnBuilder, Invalid, Scratch, scalar};
use crate::format::json::entries::{elements, members};
use crate::format::json::text::unescape;
use crate::format::value::Value;
use crate::table::{ColumnType, StructField};

/// Where the entries of each row end, and which rows are there at all.
#[derive(Debug)]
struct Spans {
    ends: Vec<i32>,
    present: NullBufferBuilder,
}

impl Spans {
    fn new(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { ends, present: NullBufferBuilder::new(rows) }
    }

    /// Ends a row that has so many entries.
    fn close(&mut self, entries: i32) {
        let start = self.ends.last().copied().unwrap_or_default();
        // Rows of one column come from less text than 2 GiB, and no entry is written in less than two bytes.
        self.ends.push(start.saturating_add(entries));
        self.present.append_non_null();
    }

    fn close_null(&mut self) {
        self.ends.push(self.ends.last().copied().unwrap_or_default());
        self.present.append_null();
    }

    fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// Takes back all rows but the first so many; how many entries those have.
    fn truncate(&mut self, rows: usize) -> usize {
        self.ends.truncate(rows.saturating_add(1));
        self.present.truncate(rows);
        self.ends.last().and_then(|end| usize::try_from(*end).ok()).unwrap_or_default()
    }

    fn finish(mut self) -> (OffsetBuffer<i32>, Option<arrow_buffer::NullBuffer>) {
        (OffsetBuffer::new(ScalarBuffer::from(self.ends)), self.present.finish())
    }
}

/// An ARRAY column.
#[derive(Debug)]
pub(crate) struct Lists {
    spans: Spans,
    field: FieldRef,
    pub(super) entries: ColumnBuilder,
}

impl Lists {
    pub(super) fn new(entry: &ColumnType, rows: usize) -> Self {
        Self {
            spans: Spans::new(rows),
            field: Arc::new(Field::new("element", entry.arrow(), true)),
            entries: ColumnBuilder::new(entry, rows),
        }
    }

    pub(super) fn append(&mut self, value: &Value<'_>, scratch: &mut Scratch) -> Result<(), Invalid> {
        let Value::Container(text) = value else {
            return Err(Invalid);
        };
        if !text.starts_with('[') {
            return Err(Invalid);
        }
        self.append_each(elements(text), |entries, value| {
            entries.append(&value, scratch);
        });
        Ok(())
    }

    /// Appends a row whose entries `append` puts, one an item.
    pub(super) fn append_each<T>(
        &mut self,
        items: impl Iterator<Item = T>,
        mut append: impl FnMut(&mut ColumnBuilder, T),
    ) {
        let mut count = 0;
        for item in items {
            append(&mut self.entries, item);
            count += 1;
        }
        self.spans.close(count);
    }

    /// Ends a row of so many entries, which were appended.
    pub(super) fn close(&mut self, entries: i32) {
        self.spans.close(entries);
    }

    pub(super) fn append_null(&mut self) {
        self.spans.close_null();
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.entries.truncate(self.spans.truncate(rows));
    }

    pub(super) fn finish(self) -> ArrayRef {
        let (ends, present) = self.spans.finish();
        Arc::new(ListArray::new(self.field, ends, self.entries.finish(), present))
    }
}

/// A MAP column.
#[derive(Debug)]
pub(crate) struct Maps {
    spans: Spans,
    fields: Fields,
    pub(super) keys: ColumnBuilder,
    pub(super) values: ColumnBuilder,
    seen: HashSet<scalar::Scalar>,
}

impl Maps {
    pub(super) fn new(key: &ColumnType, value: &ColumnType, rows: usize) -> Self {
        let fields = vec![Field::new("key", key.arrow(), false), Field::new("value", value.arrow(), true)];
        Self {
            spans: Spans::new(rows),
            fields: fields.into(),
            keys: ColumnBuilder::new(key, rows),
            values: ColumnBuilder::new(value, rows),
            seen: HashSet::new(),
        }
    }

    pub(super) fn append(&mut self, value: &Value<'_>, scratch: &mut Scratch) -> Result<(), Invalid> {
        let text = object(value)?;
        let mut unescaped = String::new();
        self.append_each(members(text), |maps, (key, value)| {
            let key = match key.escaped {
                false => key.raw,
                true => {
                    unescaped.clear();
                    unescape(key.raw, &mut unescaped).map_err(|_| Invalid)?;
                    &unescaped
                }
            };
            maps.push_key(key, scratch)?;
            maps.values.append(&value, scratch);
            Ok(())
        });
        Ok(())
    }

    /// Appends a row of entries; `append` puts key and value of an item, or neither with an error.
    pub(super) fn append_each<T>(
        &mut self,
        items: impl Iterator<Item = T>,
        mut append: impl FnMut(&mut Self, T) -> Result<(), Invalid>,
    ) {
        self.open();
        let mut count = 0;
        for item in items {
            count += i32::from(append(self, item).is_ok());
        }
        self.close(count);
    }

    /// Begins a row.
    pub(super) fn open(&mut self) {
        self.seen.clear();
    }

    /// Ends a row of so many entries, which were appended.
    pub(super) fn close(&mut self, entries: i32) {
        self.spans.close(entries);
    }

    /// Appends a key, unless it is none of its type or was there before.
    pub(super) fn push_key(&mut self, key: &str, scratch: &mut Scratch) -> Result<(), Invalid> {
        let key = Value::Text(key);
        if !self.seen.insert(scalar::read(&self.keys, &key)?) {
            return Err(Invalid);
        }
        self.keys.append(&key, scratch);
        Ok(())
    }

    pub(super) fn append_null(&mut self) {
        self.spans.close_null();
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        let entries = self.spans.truncate(rows);
        self.keys.truncate(entries);
        self.values.truncate(entries);
    }

    pub(super) fn finish(self) -> ArrayRef {
        let (ends, present) = self.spans.finish();
        let entries = StructArray::new(self.fields.clone(), vec![self.keys.finish(), self.values.finish()], None);
        let field = Field::new("key_value", arrow_schema::DataType::Struct(self.fields), false);
        Arc::new(MapArray::new(Arc::new(field), ends, entries, present, false))
    }
}

/// A STRUCT column.
#[derive(Debug)]
pub(crate) struct Structs {
    present: NullBufferBuilder,
    fields: Fields,
    places: HashMap<Box<str>, usize>,
    pub(super) columns: Vec<ColumnBuilder>,
}

impl Structs {
    pub(super) fn new(fields: &[StructField], rows: usize) -> Self {
        Self {
            present: NullBufferBuilder::new(rows),
            fields: fields.iter().map(|field| Field::new(&field.name, field.column_type.arrow(), true)).collect(),
            places: fields.iter().map(|field| field.name.as_str().into()).zip(0..).collect(),
            columns: fields.iter().map(|field| ColumnBuilder::new(&field.column_type, rows)).collect(),
        }
    }

    /// The place of a field of exactly this name.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The same, if it is probably the one that is so far from the first.
    pub(super) fn place_near(&self, name: &str, place: usize) -> Option<usize> {
        match self.fields.get(place) {
            Some(field) if field.name() == name => Some(place),
            _ => self.place(name),
        }
    }

    /// Ends a row of which some fields were appended to columns of `rows`, and the others are NULL.
    pub(super) fn close(&mut self, rows: usize) {
        self.columns.iter_mut().filter(|column| column.len() == rows).for_each(ColumnBuilder::append_null);
        self.present.append_non_null();
    }

    pub(super) fn append(&mut self, value: &Value<'_>, scratch: &mut Scratch) -> Result<(), Invalid> {
        let text = object(value)?;
        let mut unescaped = String::new();
        let mut found = vec![None; self.columns.len()];
        for (key, value) in members(text) {
            let key = match key.escaped {
                false => key.raw,
                true => {
                    unescaped.clear();
                    if unescape(key.raw, &mut unescaped).is_err() {
                        continue;
                    }
                    &unescaped
                }
            };
            if let Some(place) = self.place(key).and_then(|place| found.get_mut(place)) {
                place.get_or_insert(value);
            }
        }
        self.append_each(found.into_iter(), |column, value| {
            column.append(&value.unwrap_or(Value::Missing), scratch);
        });
        Ok(())
    }

    /// Appends a row whose fields `append` puts, one an item, an item for every field.
    pub(super) fn append_each<T>(
        &mut self,
        items: impl Iterator<Item = T>,
        mut append: impl FnMut(&mut ColumnBuilder, T),
    ) {
        for (column, item) in self.columns.iter_mut().zip(items) {
            append(column, item);
        }
        self.present.append_non_null();
    }

    pub(super) fn append_null(&mut self) {
        self.columns.iter_mut().for_each(ColumnBuilder::append_null);
        self.present.append_null();
    }

    pub(super) fn len(&self) -> usize {
        self.present.len()
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.present.truncate(rows);
    }

    pub(super) fn finish(mut self) -> ArrayRef {
        let columns = self.columns.into_iter().map(ColumnBuilder::finish).collect();
        Arc::new(StructArray::new(self.fields, columns, self.present.finish()))
    }
}

fn object<'a>(value: &Value<'a>) -> Result<&'a str, Invalid> {
    match value {
        Value::Container(text) | Value::Row(text) if text.starts_with('{') => Ok(text),
        _ => Err(Invalid),
    }
}
