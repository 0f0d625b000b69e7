//! Stages 1 to 4 in one: records that look like those before, from their bytes into columns without a stop between.
//!
//! A value goes into its column where it is found. As soon as anything is not as usual (a value that its column does not
//! accept, NULL where the table takes none, a key nobody expected) the row is taken back, and the record goes through the
//! stages one by one, which alone decide what becomes of it. So a row that stays here is one that the stages would have
//! made, and nothing here rejects.

use super::mapping::Slot;
use super::rows::{Feed, Reading};
use crate::batch::Record;
use crate::convert::{ColumnBuilder, Outcome, Scratch};
use crate::format::avro::direct::{Place, Take as TakeAvro};
use crate::format::avro::{NodeId, read_scalar};
use crate::format::csv::direct::TakeField;
use crate::format::json::JsonReader;
use crate::format::json::direct::{Program, Take};
use crate::format::json::raw::RawCursor;
use crate::format::typed::Small;
use crate::format::value::Value;
use crate::format::{Reader, ReaderScratch};

/// Where each value goes; compiled once.
#[derive(Debug, Clone)]
pub(super) struct Direct {
    way: Way,
    /// Feeds that records' fields fill.
    fields: usize,
    /// Feeds that Kafka fills, each with what it is of a record.
    metadata: Vec<(Target, Slot)>,
}

/// How fields are found, and which goes where.
#[derive(Debug, Clone)]
enum Way {
    Json(Program<Target>),
    /// One entry a field.
    Csv(Vec<Option<Target>>),
    /// One entry a slot.
    Avro(Vec<Option<Target>>),
}

/// A feed, by its number, and what has to be known of it.
#[derive(Debug, Clone, Copy)]
struct Target {
    feed: usize,
    nullable: bool,
    reading: Reading,
}

impl Direct {
    /// How records of `reader` go into `feeds`; `None` where they cannot go directly.
    pub(super) fn new(reader: &Reader, feeds: &[Feed]) -> Option<Self> {
        let mut by_slot: Vec<Option<Target>> = Vec::new();
        let mut metadata = Vec::new();
        for (number, feed) in feeds.iter().enumerate() {
            let target = Target { feed: number, nullable: feed.nullable, reading: feed.reading };
            match feed.slot {
                Slot::Metadata(_) => metadata.push((target, feed.slot)),
                Slot::Field(slot) => {
                    if by_slot.len() <= slot {
                        by_slot.resize(slot + 1, None);
                    }
                    // What several feeds take is read by the stages.
                    if by_slot.get_mut(slot)?.replace(target).is_some() {
                        return None;
                    }
                }
            }
        }
        let way = match reader {
            Reader::Json(reader) => Way::Json(reader.direct(&by_slot)?),
            Reader::Csv(reader) if reader.is_direct() => Way::Csv(by_slot),
            Reader::Avro(reader) if reader.is_direct() => Way::Avro(by_slot),
            Reader::Csv(_) | Reader::Avro(_) => return None,
        };
        Some(Self { way, fields: feeds.len() - metadata.len(), metadata })
    }

    /// Appends the row of a record to columns that have `rows` of them; `None` if the columns have to be cut to that again.
    #[inline]
    pub(super) fn append<'a>(
        &self,
        (reader, feeds): (&Reader, &[Feed]),
        (topic, record, value): (&'a str, &Record<'a>, &'a [u8]),
        (columns, rows): (&mut [ColumnBuilder], usize),
        reader_scratch: &ReaderScratch<'a>,
        scratch: &mut Scratch,
    ) -> Option<()> {
        let mut row = Row { columns, scratch, taken: 0 };
        match (&self.way, reader) {
            (Way::Json(program), _) => JsonReader::read_directly(program, value, &reader_scratch.json, &mut row)?,
            (Way::Csv(targets), Reader::Csv(reader)) => reader.read_directly(targets, value, &mut row)?,
            (Way::Avro(targets), Reader::Avro(reader)) => {
                reader.read_directly(targets, value, &reader_scratch.avro, &mut row)?;
            }
            (Way::Csv(_) | Way::Avro(_), _) => return None,
        }
        let taken = row.taken;
        for (target, slot) in &self.metadata {
            row.append(*target, &slot.value(&[], topic, record))?;
        }
        if taken == self.fields {
            return Some(());
        }
        for (feed, column) in feeds.iter().zip(columns) {
            if column.len() == rows {
                if !feed.nullable {
                    return None;
                }
                column.append_null();
            }
        }
        Some(())
    }
}

/// A row on its way.
struct Row<'r> {
    columns: &'r mut [ColumnBuilder],
    scratch: &'r mut Scratch,
    /// Feeds that have their value.
    taken: usize,
}

impl Row<'_> {
    #[inline(never)]
    fn append(&mut self, target: Target, value: &Value<'_>) -> Option<()> {
        let value = match (target.reading, value) {
            (Reading::ThroughText, Value::Boolean(true)) => &Value::Text("1"),
            (Reading::ThroughText, Value::Boolean(false)) => &Value::Text("0"),
            _ => value,
        };
        self.taken += 1;
        match self.columns.get_mut(target.feed)?.append(value, self.scratch) {
            Outcome::Value => Some(()),
            Outcome::Null => target.nullable.then_some(()),
            Outcome::Invalid => None,
        }
    }
}

impl<'a> Take<'a, Target> for Row<'_> {
    #[inline(always)]
    fn take(&mut self, target: &Target, cursor: &mut RawCursor<'a>, depth: usize) -> Option<()> {
        if self.columns.get_mut(target.feed)?.append_next(cursor) {
            self.taken += 1;
            return Some(());
        }
        if let Some(after) = self.take_nested(*target, *cursor, depth) {
            *cursor = after;
            return Some(());
        }
        let value = cursor.value(depth)?;
        self.append(*target, &value)
    }
}

impl Row<'_> {
    /// Takes an array or object into a column that has entries of its own; if not, the column is as it was.
    #[inline(never)]
    fn take_nested<'a>(&mut self, target: Target, mut cursor: RawCursor<'a>, depth: usize) -> Option<RawCursor<'a>> {
        let column = self.columns.get_mut(target.feed).filter(|column| column.is_nested())?;
        let rows = column.len();
        if column.append_json_nested(&mut cursor, depth, self.scratch).is_none() {
            column.truncate(rows);
            return None;
        }
        self.taken += 1;
        Some(cursor)
    }
}

impl<'a> TakeAvro<'a, Target> for Row<'_> {
    #[inline(always)]
    fn take(&mut self, target: Target, node: NodeId, place: &mut Place<'a>) -> Option<()> {
        if self.columns.get_mut(target.feed)?.append_avro(node, place) {
            self.taken += 1;
            return Some(());
        }
        self.take_any(target, node, place)
    }
}

impl Row<'_> {
    #[inline(never)]
    fn take_any(&mut self, target: Target, node: NodeId, place: &mut Place<'_>) -> Option<()> {
        let value = read_scalar(place.node(node), place.zone, &mut place.cursor).ok()?;
        if value != Value::Missing {
            return self.append(target, &value);
        }
        let column = self.columns.get_mut(target.feed)?;
        if column.is_nested() {
            let (rows, before) = (column.len(), place.clone());
            if column.append_avro_nested(node, place, self.scratch).is_some() {
                self.taken += 1;
                return Some(());
            }
            column.truncate(rows);
            *place = before;
        }
        let nested = place.nested(node)?;
        self.append(target, &Value::Small(Small::Nested(&nested)))
    }
}

impl TakeField<Target> for Row<'_> {
    #[inline(always)]
    fn take_field(&mut self, target: Target, field: Option<&[u8]>) -> Option<()> {
        let Some(field) = field else {
            return self.append(target, &Value::Null);
        };
        if self.columns.get_mut(target.feed)?.append_field(field) {
            self.taken += 1;
            return Some(());
        }
        self.append(target, &Value::Field(std::str::from_utf8(field).ok()?))
    }
}
