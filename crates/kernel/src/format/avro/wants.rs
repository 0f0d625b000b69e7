//! What a job wants of records, whatever their schema: paths merged into one tree, one slot a path.

use crate::format::json::path::{NoArray, Step};

/// Wanted places; the first is the record itself.
#[derive(Debug, Clone)]
pub(crate) struct Wants {
    nodes: Vec<Want>,
    slots: usize,
}

/// A place that paths lead to or through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Want {
    /// Slots that take the value here.
    pub(crate) slots: Vec<usize>,
    /// Slots that are at fault if there is no array here.
    pub(crate) indexed: Vec<usize>,
    /// Wanted fields of a record, or keys of a map, each with its place.
    pub(crate) members: Vec<(Box<str>, usize)>,
    /// The place of the first field or entry, if it is wanted.
    pub(crate) first: Option<usize>,
    /// Wanted items of an array, each with its place.
    pub(crate) elements: Vec<(u64, usize)>,
}

impl Wants {
    /// Slot n takes what the n-th path leads to.
    pub(crate) fn new<'p>(paths: impl IntoIterator<Item = (&'p [Step], NoArray)>) -> Self {
        let mut wants = Self { nodes: vec![Want::default()], slots: 0 };
        for (path, no_array) in paths {
            wants.add(wants.slots, path, no_array);
            wants.slots += 1;
        }
        wants
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Want> {
        self.nodes.get(place)
    }

    fn add(&mut self, slot: usize, path: &[Step], no_array: NoArray) {
        let mut at = 0;
        for step in path {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            let next = match step {
                Step::Member(key) => match node.members.iter().find(|(wanted, _)| **wanted == **key) {
                    Some((_, next)) => *next,
                    None => {
                        node.members.push((key.as_str().into(), fresh));
                        fresh
                    }
                },
                Step::First => *node.first.get_or_insert(fresh),
                Step::Element(number) => {
                    if no_array == NoArray::Fault {
                        node.indexed.push(slot);
                    }
                    match node.elements.iter().find(|(wanted, _)| wanted == number) {
                        Some((_, next)) => *next,
                        None => {
                            node.elements.push((*number, fresh));
                            fresh
                        }
                    }
                }
            };
            if next == fresh {
                self.nodes.push(Want::default());
            }
            at = next;
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.slots.push(slot);
        }
    }
}

impl Want {
    /// Whether a record or a map is to be looked into.
    pub(crate) fn wants_members(&self) -> bool {
        !self.members.is_empty() || self.first.is_some()
    }
}
