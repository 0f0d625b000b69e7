//! Records whose values are handed on where they stand, to whoever puts them into columns.
//!
//! It follows the same [`Program`] as the way through slots, and checks the same. Whatever is not as usual (a schema that was
//! not met before, items of arrays or maps that are wanted one by one, bytes at fault) ends this with `None`: then nothing is
//! decided, the taker takes back what it has, and the record is read once more by the way that is right about everything.

use super::cursor::Cursor;
use super::program::{FieldStep, Inside, Program, StepId};
use super::scalar::{Skipper, deeper};
use super::schema::{NodeId, Type};
use super::{AvroReader, AvroScratch, HEADER_BYTES, Nested, Zone, schema_id, wants::Wants};

/// Takes the values of wanted fields.
pub(crate) trait Take<'a, T> {
    /// Takes the value that is next, of this type, and passes over it.
    fn take(&mut self, target: T, node: NodeId, place: &mut Place<'a>) -> Option<()>;
}

/// Where a value stands.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    pub(crate) cursor: Cursor<'a>,
    pub(crate) skipper: Skipper<'a>,
    pub(crate) zone: Zone,
    /// Records, arrays and maps that are open around it.
    pub(crate) depth: usize,
}

impl<'a> Place<'a> {
    /// The type of that number.
    #[inline]
    pub(crate) fn node(&self, node: NodeId) -> &'a Type {
        self.skipper.schema().node(node)
    }

    /// Passes over a value with parts, for somebody who looks into it later.
    pub(crate) fn nested(&mut self, node: NodeId) -> Option<Nested<'a>> {
        let start = self.cursor.rest();
        self.skip(node)?;
        let bytes = start.get(..start.len() - self.cursor.rest().len())?;
        Some(Nested { bytes, schema: self.skipper.schema(), node, zone: self.zone, selection: None })
    }

    /// Passes over a value, checking it.
    pub(crate) fn skip(&mut self, node: NodeId) -> Option<()> {
        self.skipper.skip(node, &mut self.cursor, self.depth).ok()
    }
}

impl AvroReader {
    /// Whether records may be read [directly](Self::read_directly).
    pub(crate) fn is_direct(&self) -> bool {
        self.selected.is_empty()
    }

    /// Hands the wanted values of a record to `to`, those of slot n to the n-th target; `None` if [`read`](Self::read) has
    /// to do it.
    #[inline]
    pub(crate) fn read_directly<'a, T: Copy>(
        &self,
        targets: &[Option<T>],
        value: &'a [u8],
        scratch: &AvroScratch<'a>,
        to: &mut impl Take<'a, T>,
    ) -> Option<()> {
        let program = scratch.known(schema_id(value).ok()?)?;
        let (cursor, skipper) = (Cursor::new(value, HEADER_BYTES), Skipper::new(program.schema));
        let mut place = Place { cursor, skipper, zone: self.zone, depth: 0 };
        Walk { wants: &self.wants, program, targets, to }.step(0, &mut place)?;
        place.cursor.rest().is_empty().then_some(())
    }
}

struct Walk<'w, 'a, T, To> {
    wants: &'w Wants,
    program: &'w Program<'a>,
    targets: &'w [Option<T>],
    to: &'w mut To,
}

/// Recursion follows wanted paths, which are of the definition.
impl<'a, T: Copy, To: Take<'a, T>> Walk<'_, 'a, T, To> {
    fn step(&mut self, id: StepId, place: &mut Place<'a>) -> Option<()> {
        let step = self.program.step(id)?;
        match &step.inside {
            Inside::Union(branches) => {
                let branch = place.cursor.choice(branches.len(), "branch of a union").ok()?;
                return self.step(*branches.get(branch)?, place);
            }
            Inside::Array { .. } | Inside::Map { .. } => return None,
            Inside::Record(_) | Inside::Whole => {}
        }
        let want = self.wants.get(step.want)?;
        if !want.indexed.is_empty() {
            return None;
        }
        match (&step.inside, want.slots.as_slice()) {
            (Inside::Record(fields), []) => {
                let around = place.depth;
                place.depth = deeper(around, &place.cursor).ok()?;
                self.fields(fields, place)?;
                place.depth = around;
                Some(())
            }
            // What is inside of another branch is not in this one.
            (Inside::Whole, []) => place.skip(step.node),
            (Inside::Whole, [slot]) => self.take(*slot, step.node, place),
            _ => None,
        }
    }

    #[inline]
    fn fields(&mut self, fields: &[FieldStep], place: &mut Place<'a>) -> Option<()> {
        for field in fields {
            match field {
                FieldStep::Skip(node) => place.skip(*node)?,
                FieldStep::Take { node, slot } => self.take(*slot, *node, place)?,
                FieldStep::Read(steps) => match steps.as_slice() {
                    [step] => self.step(*step, place)?,
                    _ => return None,
                },
            }
        }
        Some(())
    }

    #[inline(always)]
    fn take(&mut self, slot: usize, node: NodeId, place: &mut Place<'a>) -> Option<()> {
        let target = self.targets.get(slot).copied().flatten()?;
        self.to.take(target, node, place)
    }
}
