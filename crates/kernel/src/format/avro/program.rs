//! What a job wants, laid over one schema: for each field whether it is read, looked into or passed over.
//!
//! Made once a schema and batch. Each pair of a type and a wanted place is one step however many ways lead there, so a
//! schema that names its types over and over makes no larger program than it is itself.

use std::collections::HashMap;

use super::schema::{AvroSchema, NodeId, Type};
use super::wants::Wants;

/// Steps that read the records of one schema.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    pub(crate) schema: &'a AvroSchema,
    steps: Vec<Step>,
}

/// The place of a step; 0 reads the record itself.
pub(crate) type StepId = usize;

/// How a value is read.
#[derive(Debug)]
pub(crate) struct Step {
    /// Its type.
    pub(crate) node: NodeId,
    /// The wanted place it stands at.
    pub(crate) want: usize,
    /// What is inside.
    pub(crate) inside: Inside,
}

/// What is to be done with the parts of a value.
#[derive(Debug)]
pub(crate) enum Inside {
    /// Nothing: it has none, or none is wanted.
    Whole,
    /// One entry a field that takes bytes or is wanted.
    Record(Vec<FieldStep>),
    /// Items by number; the rest is passed over.
    Array { items: NodeId, wanted: Vec<(u64, StepId)> },
    /// Values by key, and the first one; the rest is passed over.
    Map { values: NodeId, wanted: Vec<(Box<str>, StepId)>, first: Option<StepId> },
    /// One entry a branch.
    Union(Vec<StepId>),
}

/// What is to be done with a field.
#[derive(Debug)]
pub(crate) enum FieldStep {
    /// Pass over it.
    Skip(NodeId),
    /// Its value, which has no parts, goes into a slot.
    Take { node: NodeId, slot: usize },
    /// It is wanted; twice, if it is the first one too.
    Read(Vec<StepId>),
}

/// Steps that a program may have; no real schema needs a hundredth of them.
const MAX_STEPS: usize = 200_000;

impl<'a> Program<'a> {
    /// Lays `wants` over `schema`.
    ///
    /// # Errors
    /// The reason why no record of the schema can be read.
    pub(crate) fn new(schema: &'a AvroSchema, wants: &Wants) -> Result<Self, String> {
        let top = schema.node(schema.root());
        if !matches!(top, Type::Record(_)) {
            return Err(format!("must have a record at the top, found the type {}", top.name()));
        }
        let mut builder = Builder { schema, wants, steps: Vec::new(), known: HashMap::new() };
        builder.step(schema.root(), 0)?;
        Ok(Self { schema, steps: builder.steps })
    }

    /// The step at a place.
    #[inline]
    pub(crate) fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.get(id)
    }
}

struct Builder<'b> {
    schema: &'b AvroSchema,
    wants: &'b Wants,
    steps: Vec<Step>,
    known: HashMap<(NodeId, usize), StepId>,
}

/// Recursion goes one wanted place down with every second call at least, and paths have few places.
impl Builder<'_> {
    fn step(&mut self, node: NodeId, place: usize) -> Result<StepId, String> {
        if let Some(known) = self.known.get(&(node, place)) {
            return Ok(*known);
        }
        let id = self.steps.len();
        if id >= MAX_STEPS {
            return Err(format!("needs more than {MAX_STEPS} steps to read"));
        }
        self.known.insert((node, place), id);
        self.steps.push(Step { node, want: place, inside: Inside::Whole });
        let inside = self.inside(node, place)?;
        if let Some(step) = self.steps.get_mut(id) {
            step.inside = inside;
        }
        Ok(id)
    }

    fn inside(&mut self, node: NodeId, place: usize) -> Result<Inside, String> {
        let (schema, wants) = (self.schema, self.wants);
        let Some(want) = wants.get(place) else {
            return Ok(Inside::Whole);
        };
        Ok(match schema.node(node) {
            Type::Record(fields) if want.wants_members() => {
                let mut steps = Vec::new();
                for (number, field) in fields.iter().enumerate() {
                    let named = want.members.iter().filter(|(key, _)| *key == field.name).map(|(_, place)| *place);
                    let places: Vec<usize> = named.chain(want.first.filter(|_| number == 0)).collect();
                    let step = self.field(field.node, &places)?;
                    steps.extend(step);
                }
                Inside::Record(steps)
            }
            Type::Map(values) if want.wants_members() => {
                let wanted: Result<_, String> =
                    want.members.iter().map(|(key, place)| Ok((key.clone(), self.step(*values, *place)?))).collect();
                let first = want.first.map(|place| self.step(*values, place)).transpose()?;
                Inside::Map { values: *values, wanted: wanted?, first }
            }
            Type::Array(items) if !want.elements.is_empty() => {
                let wanted: Result<_, String> =
                    want.elements.iter().map(|(number, place)| Ok((*number, self.step(*items, *place)?))).collect();
                Inside::Array { items: *items, wanted: wanted? }
            }
            Type::Union(branches) => {
                let steps: Result<_, String> = branches.iter().map(|branch| self.step(*branch, place)).collect();
                Inside::Union(steps?)
            }
            _ => Inside::Whole,
        })
    }

    /// `None` for a field that neither takes bytes nor is wanted.
    fn field(&mut self, node: NodeId, places: &[usize]) -> Result<Option<FieldStep>, String> {
        let want = match places {
            [] => return Ok((!self.schema.is_empty(node)).then_some(FieldStep::Skip(node))),
            [place] => self.wants.get(*place),
            _ => None,
        };
        let plain = !matches!(self.schema.node(node), Type::Record(_) | Type::Array(_) | Type::Map(_) | Type::Union(_));
        if let Some(want) = want
            && let ([slot], true, true) = (want.slots.as_slice(), want.indexed.is_empty(), plain)
        {
            return Ok(Some(FieldStep::Take { node, slot: *slot }));
        }
        let steps: Result<_, String> = places.iter().map(|place| self.step(node, *place)).collect();
        Ok(Some(FieldStep::Read(steps?)))
    }
}
