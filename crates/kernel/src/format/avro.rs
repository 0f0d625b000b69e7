//! Avro: a record in the Confluent wire format (a byte 0, the writer's schema id in four bytes, Avro's binary encoding)
//! into one row.
//!
//! Each record is read by the schema that wrote it, so schemas may change from record to record; a field that a schema
//! does not have is missing. What a job wants is laid over each schema once a batch ([`program`]), then decoding goes
//! from the bytes straight to the wanted values and over the rest. The whole record is checked before its row is handed
//! out: whether it is rejected depends on its bytes and schema, not on what the job wants of it.

mod cursor;
pub(crate) mod direct;
mod fault;
mod kept;
mod program;
mod render;
mod scalar;
pub(crate) mod schema;
mod wants;
mod zone;

use std::collections::HashMap;
use std::sync::Arc;

use super::Row;
use super::json::path::{NoArray, Path, Step as PathStep};
use super::json::{Selections, steps};
use super::typed::Small;
use super::value::Value;
use crate::batch::Batch;
use crate::facts::{SchemaFact, Schemas};
use crate::ids::SchemaId;
use cursor::Cursor;
use fault::{Fault, FaultKind};
use kept::Keeper;
use program::{FieldStep, Inside, Program, StepId};
use scalar::Skipper;
use wants::Wants;

pub(crate) use kept::Kept;
pub(crate) use render::Nested;
pub(crate) use scalar::{deeper, read as read_scalar};
pub(crate) use schema::{NodeId, TimeUnit, Type};
pub(crate) use zone::Zone;

/// How records are read; compiled once.
#[derive(Debug, Clone)]
pub(crate) struct AvroReader {
    wants: Wants,
    /// Slots that a selection is made from, each with its number.
    selected: Vec<(usize, u32)>,
    selections: Selections,
    zone: Zone,
}

/// What is known of a batch's schemas, and room that is used again for each record.
#[derive(Debug)]
pub(crate) struct AvroScratch<'a> {
    schemas: &'a Schemas,
    keeper: Keeper<'a>,
    /// By schema: its program, or why it has none.
    programs: Vec<Result<Program<'a>, String>>,
    places: HashMap<SchemaId, usize>,
    /// The schema of the record before, which is most often the next one's.
    last: Option<(SchemaId, usize)>,
    slots: Vec<Value<'a>>,
}

/// Bytes before the Avro data.
const HEADER_BYTES: usize = 5;

impl AvroReader {
    /// Slot n takes the field whose name is the n-th one. Instants are told by the clocks of `zone`.
    pub(crate) fn simple(names: &[String], zone: Zone) -> Self {
        let paths: Vec<Vec<PathStep>> = names.iter().map(|name| vec![PathStep::Member(name.clone())]).collect();
        let wants = Wants::new(paths.iter().map(|path| (path.as_slice(), NoArray::Fault)));
        Self { wants, selected: Vec::new(), selections: Selections::default(), zone }
    }

    /// Slot n takes what the n-th path leads to.
    pub(crate) fn matched(paths: &[Path], zone: Zone) -> Self {
        let (mut selected, mut selections) = (Vec::new(), Vec::new());
        for (slot, path) in paths.iter().enumerate() {
            if let Path::Select { selection, .. } = path {
                selected.push((slot, u32::try_from(selections.len()).unwrap_or(u32::MAX)));
                selections.push(Arc::clone(selection));
            }
        }
        Self { wants: Wants::new(paths.iter().map(steps)), selected, selections: selections.into(), zone }
    }

    /// What selects in the text of slots that ask for it.
    pub(crate) fn selections(&self) -> &Selections {
        &self.selections
    }

    /// Hands the row of a record to `take`.
    ///
    /// # Errors
    /// The reason why the record cannot be read; `take` was not called then.
    pub(crate) fn read<'a>(
        &self,
        value: &'a [u8],
        scratch: &mut AvroScratch<'a>,
        mut take: impl FnMut(Row<'_, 'a>),
    ) -> Result<(), String> {
        let id = schema_id(value)?;
        let place = match scratch.last {
            Some((last, place)) if last == id => place,
            _ => scratch.find(id, &self.wants),
        };
        let program = match scratch.programs.get(place) {
            Some(Ok(program)) => program,
            Some(Err(reason)) => return Err(reason.clone()),
            None => return Err(unusable(id, "was not fetched")),
        };
        scratch.slots.clear();
        scratch.slots.resize(self.wants.slots(), Value::Missing);
        let mut pass = Pass {
            wants: &self.wants,
            program,
            zone: self.zone,
            skipper: Skipper::new(program.schema),
            slots: &mut scratch.slots,
            keeper: &mut scratch.keeper,
        };
        let mut cursor = Cursor::new(value, HEADER_BYTES);
        pass.step(0, &mut cursor, 0).map_err(|fault| fault.reason())?;
        if !cursor.rest().is_empty() {
            return Err(cursor.fault(FaultKind::Trailing { bytes: cursor.rest().len() }).reason());
        }
        for (slot, number) in &self.selected {
            if let Some(value) = scratch.slots.get_mut(*slot) {
                *value = match *value {
                    Value::Small(Small::Nested(nested)) => {
                        let selected = Nested { selection: Some(*number), ..*nested };
                        Value::Small(Small::Nested(scratch.keeper.keep(selected)))
                    }
                    _ => Value::Selected("", *number),
                };
            }
        }
        take(Row { index: 0, only: true, raw: value, values: Ok(&scratch.slots) });
        Ok(())
    }
}

/// The schemas of a batch's records, ascending, none twice.
pub(crate) fn schemas_needed(batch: &Batch<'_>) -> Vec<SchemaId> {
    let mut ids: Vec<SchemaId> = Vec::new();
    for record in &batch.records {
        if let Some(Ok(id)) = record.value.map(schema_id)
            && ids.last() != Some(&id)
        {
            ids.push(id);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The schema id that a value begins with.
fn schema_id(value: &[u8]) -> Result<SchemaId, String> {
    match value {
        [0, a, b, c, d, ..] => Ok(SchemaId(u32::from_be_bytes([*a, *b, *c, *d]))),
        _ => Err(unframed(value)),
    }
}

#[cold]
fn unframed(value: &[u8]) -> String {
    let found = match value {
        [0, ..] => format!("{} bytes in all", value.len()),
        [0xc3, 0x01, ..] => "Avro single-object encoding (c3 01), which is not supported".to_owned(),
        [b'O', b'b', b'j', 1, ..] => "an Avro object container file (Obj 01), which is not supported".to_owned(),
        [3, 0 | 5, rest @ ..] if rest.len() >= 16 => {
            "the header of the AWS Glue schema registry (03), which is not supported".to_owned()
        }
        [first @ b'!'..=b'~', ..] => format!("`{}` (byte {first:02x})", char::from(*first)),
        [first, ..] => format!("byte {first:02x}"),
        [] => "nothing".to_owned(),
    };
    format!("parse error. expected a byte 0 and 4 bytes of schema id before the Avro data, found {found}")
}

#[cold]
fn unusable(id: SchemaId, why: &str) -> String {
    format!("parse error. schema id {id} {why}")
}

impl<'a> AvroScratch<'a> {
    /// Room for a batch whose schemas are `schemas`; large values go into `kept`.
    pub(crate) fn new(schemas: &'a Schemas, kept: &'a Kept<'a>) -> Self {
        Self {
            schemas,
            keeper: Keeper::new(kept),
            programs: Vec::new(),
            places: HashMap::new(),
            last: None,
            slots: Vec::new(),
        }
    }

    /// The program of a schema that was met before.
    #[inline]
    fn known(&self, id: SchemaId) -> Option<&Program<'a>> {
        let place = match self.last {
            Some((last, place)) if last == id => place,
            _ => *self.places.get(&id)?,
        };
        self.programs.get(place)?.as_ref().ok()
    }

    #[cold]
    fn find(&mut self, id: SchemaId, wants: &Wants) -> usize {
        let place = match self.places.get(&id) {
            Some(place) => *place,
            None => {
                let program = match self.schemas.get(id) {
                    Some(SchemaFact::Avro(schema)) => Program::new(schema, wants).map_err(|why| unusable(id, &why)),
                    Some(SchemaFact::Unusable(why)) => Err(unusable(id, why)),
                    None => Err(unusable(id, "is not known")),
                };
                let place = self.programs.len();
                self.programs.push(program);
                self.places.insert(id, place);
                place
            }
        };
        self.last = Some((id, place));
        place
    }
}

struct Pass<'p, 'a> {
    wants: &'p Wants,
    program: &'p Program<'a>,
    zone: Zone,
    skipper: Skipper<'a>,
    slots: &'p mut Vec<Value<'a>>,
    keeper: &'p mut Keeper<'a>,
}

/// Recursion follows wanted paths, which are of the definition, and types, which data nests to a limited depth.
impl<'a> Pass<'_, 'a> {
    #[inline]
    fn set(&mut self, slot: usize, value: Value<'a>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }

    fn step(&mut self, id: StepId, cursor: &mut Cursor<'a>, depth: usize) -> Result<(), Fault> {
        let program = self.program;
        let Some(step) = program.step(id) else {
            return Ok(());
        };
        let start = cursor.rest();
        let node = program.schema.node(step.node);
        let value = match &step.inside {
            Inside::Union(branches) => {
                let branch = cursor.choice(branches.len(), "branch of a union")?;
                return branches.get(branch).map_or(Ok(()), |step| self.step(*step, cursor, depth));
            }
            Inside::Record(fields) => {
                self.fields(fields, cursor, deeper(depth, cursor)?)?;
                None
            }
            Inside::Array { items, wanted } => {
                self.elements(*items, wanted, cursor, deeper(depth, cursor)?)?;
                None
            }
            Inside::Map { values, wanted, first } => {
                let depth = deeper(depth, cursor)?;
                self.entries(*values, wanted, *first, cursor, depth)?;
                None
            }
            Inside::Whole => match scalar::read(node, self.zone, cursor)? {
                Value::Missing => {
                    self.skipper.skip(step.node, cursor, depth)?;
                    None
                }
                value => Some(value),
            },
        };
        let wants = self.wants;
        let Some(want) = wants.get(step.want) else {
            return Ok(());
        };
        if value != Some(Value::Null) && !matches!(node, schema::Type::Array(_)) {
            for slot in &want.indexed {
                self.set(*slot, Value::NoArray);
            }
        }
        if want.slots.is_empty() {
            return Ok(());
        }
        let value = match value {
            Some(value) => value,
            None => {
                let bytes = start.get(..start.len() - cursor.rest().len()).unwrap_or_default();
                let (schema, node, zone) = (program.schema, step.node, self.zone);
                Value::Small(Small::Nested(self.keeper.keep(Nested { bytes, schema, node, zone, selection: None })))
            }
        };
        for slot in &want.slots {
            self.set(*slot, value);
        }
        Ok(())
    }

    #[inline]
    fn fields(&mut self, fields: &[FieldStep], cursor: &mut Cursor<'a>, depth: usize) -> Result<(), Fault> {
        for field in fields {
            match field {
                FieldStep::Skip(node) => self.skipper.skip(*node, cursor, depth)?,
                FieldStep::Take { node, slot } => {
                    let value = scalar::read(self.program.schema.node(*node), self.zone, cursor)?;
                    self.set(*slot, value);
                }
                FieldStep::Read(steps) => self.steps(steps, cursor, depth)?,
            }
        }
        Ok(())
    }

    /// Reads the same value once for each step.
    fn steps(&mut self, steps: &[StepId], cursor: &mut Cursor<'a>, depth: usize) -> Result<(), Fault> {
        let start = cursor.clone();
        for step in steps {
            *cursor = start.clone();
            self.step(*step, cursor, depth)?;
        }
        Ok(())
    }

    fn elements(
        &mut self,
        items: schema::NodeId,
        wanted: &[(u64, StepId)],
        cursor: &mut Cursor<'a>,
        depth: usize,
    ) -> Result<(), Fault> {
        let end = wanted.iter().map(|(number, _)| number.saturating_add(1)).max().unwrap_or_default();
        let mut number: u64 = 0;
        loop {
            let count = cursor.block()?;
            if count == 0 {
                return Ok(());
            }
            let mut left = count;
            while left > 0 && number < end {
                match wanted.iter().find(|(wanted, _)| *wanted == number) {
                    Some((_, step)) => {
                        if self.program.schema.is_empty(items) {
                            self.skipper.empty_items(1, cursor)?;
                        }
                        self.step(*step, cursor, depth)?;
                    }
                    None => self.skipper.items(items, 1, cursor, depth)?,
                }
                left -= 1;
                number += 1;
            }
            self.skipper.items(items, left, cursor, depth)?;
        }
    }

    /// Of equal keys the first one counts.
    fn entries(
        &mut self,
        values: schema::NodeId,
        wanted: &[(Box<str>, StepId)],
        first: Option<StepId>,
        cursor: &mut Cursor<'a>,
        depth: usize,
    ) -> Result<(), Fault> {
        let mut missing: Vec<&(Box<str>, StepId)> = wanted.iter().collect();
        let mut first = first;
        loop {
            let count = cursor.block()?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                let key = cursor.text()?;
                let named = missing.iter().position(|(wanted, _)| **wanted == *key);
                let named = named.map(|place| missing.swap_remove(place).1);
                let steps: [Option<StepId>; 2] = [named, first.take()];
                if steps == [None, None] {
                    self.skipper.skip(values, cursor, depth)?;
                    continue;
                }
                let start = cursor.clone();
                for step in steps.into_iter().flatten() {
                    *cursor = start.clone();
                    self.step(step, cursor, depth)?;
                }
            }
        }
    }
}
