//! Which types take no bytes: nulls, fixed of no bytes, and records of nothing else.
//!
//! A value of any other type takes one byte at least, so a decoder that does nothing for the former does no more work
//! than a record has bytes.

use super::{MAX_DEPTH, SchemaProblem, Type};

/// One entry a node.
pub(super) fn empty(nodes: &[Type]) -> Result<Vec<bool>, SchemaProblem> {
    let mut sizes = Sizes { nodes, known: vec![None; nodes.len()], open: vec![false; nodes.len()] };
    (0..nodes.len()).map(|place| sizes.is_empty(place, 0)).collect()
}

struct Sizes<'n> {
    nodes: &'n [Type],
    known: Vec<Option<bool>>,
    /// Records that contain, at any level, the one that is looked at.
    open: Vec<bool>,
}

impl Sizes<'_> {
    fn is_empty(&mut self, place: usize, depth: usize) -> Result<bool, SchemaProblem> {
        if let Some(known) = self.known.get(place).copied().flatten() {
            return Ok(known);
        }
        if self.open.get(place).copied().unwrap_or(false) {
            return Err(SchemaProblem::Endless);
        }
        if depth >= MAX_DEPTH {
            return Err(SchemaProblem::TooDeep);
        }
        let empty = match self.nodes.get(place) {
            None | Some(Type::Null | Type::Fixed(0) | Type::Decimal { size: Some(0), .. }) => true,
            Some(Type::Record(fields)) => {
                self.mark(place, true);
                let mut empty = true;
                // All of them, since each may be endless.
                for field in fields {
                    empty &= self.is_empty(field.node as usize, depth + 1)?;
                }
                self.mark(place, false);
                empty
            }
            Some(_) => false,
        };
        if let Some(known) = self.known.get_mut(place) {
            *known = Some(empty);
        }
        Ok(empty)
    }

    fn mark(&mut self, place: usize, open: bool) {
        if let Some(mark) = self.open.get_mut(place) {
            *mark = open;
        }
    }
}
