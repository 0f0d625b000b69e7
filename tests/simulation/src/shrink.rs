//! A failing schedule made small: steps and faults are taken away for as long as the same invariant breaks.

use std::collections::BTreeMap;

use crate::bug::Bug;
use crate::fault::{Fault, Place, Placed};
use crate::net::Faults;
use crate::play::play;
use crate::schedule::{Schedule, Step};
use crate::violation::{Invariant, Violation};

/// A schedule with its faults, and what breaks.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The steps that are left.
    pub schedule: Schedule,
    /// The faults that are left.
    pub faults: Vec<Placed>,
    /// What still breaks.
    pub violation: Violation,
}

/// One thing that may be taken away.
#[derive(Debug, Clone)]
enum Piece {
    Step(Step),
    Fault(Placed),
}

/// Shrinks what broke `violation`. What is left is minimal in that nothing of it can be taken away alone.
pub fn shrink(schedule: &Schedule, faults: &[Placed], bug: Option<Bug>, violation: &Violation) -> Shrunk {
    let faults_first = faults.iter().map(|placed| Piece::Fault(*placed));
    let mut pieces: Vec<Piece> = faults_first.chain(schedule.steps.iter().cloned().map(Piece::Step)).collect();
    let mut found = violation.clone();
    let mut length = pieces.len().div_ceil(2);
    while length > 0 {
        let mut at = 0;
        let mut smaller = false;
        while at < pieces.len() {
            let end = (at + length).min(pieces.len());
            let rest: Vec<Piece> = pieces
                .iter()
                .enumerate()
                .filter(|(place, _)| !(at..end).contains(place))
                .map(|(_, piece)| piece.clone())
                .collect();
            match breaks(schedule, &rest, bug, violation.invariant) {
                Some(still) => {
                    pieces = rest;
                    found = still;
                    smaller = true;
                }
                None => at = end,
            }
        }
        length = if length == 1 && smaller { 1 } else { length / 2 };
    }
    let (schedule, faults) = apart(schedule, &pieces);
    Shrunk { schedule, faults, violation: found }
}

fn breaks(schedule: &Schedule, pieces: &[Piece], bug: Option<Bug>, invariant: Invariant) -> Option<Violation> {
    let (schedule, faults) = apart(schedule, pieces);
    let given: BTreeMap<Place, Fault> = faults.iter().map(|placed| (placed.place, placed.fault)).collect();
    play(&schedule, Faults::Given(given), bug, false).violation.filter(|found| found.invariant == invariant)
}

fn apart(schedule: &Schedule, pieces: &[Piece]) -> (Schedule, Vec<Placed>) {
    let mut steps = Vec::new();
    let mut faults = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Step(step) => steps.push(step.clone()),
            Piece::Fault(placed) => faults.push(*placed),
        }
    }
    (Schedule { steps, ..schedule.clone() }, faults)
}
