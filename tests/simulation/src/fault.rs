//! Faults as values: which operation, at which moment, how likely.

use std::fmt;

use crate::dice::Dice;

/// What a task asks of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// GetItem.
    Get,
    /// Query.
    Query,
    /// PutItem or DeleteItem.
    Write,
    /// TransactWriteItems.
    Transact,
    /// PutObject.
    Put,
    /// GetObject.
    Read,
    /// DeleteObject.
    Delete,
    /// ListObjects.
    List,
    /// A call to the event source mapping service.
    Mapping,
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// Before the operation takes place.
    Before,
    /// After it took place, before the caller knows.
    After,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One try fails, and the client tries again by itself. Before: throttling, TransactionConflict,
    /// TransactionInProgress. After: the reply is lost.
    Retried,
    /// The client gives up. Before: the service does not answer (S3: 503). After: it did its part, and no reply arrives.
    Fails,
    /// The client gives up, and the request takes place so many milliseconds later.
    Late(u64),
    /// The service refuses: a transaction too large (validation), an object that may not be written.
    Refused,
    /// The service refuses for the moment, and says so to the caller: 409, another request of that key is in flight.
    Conflicts,
    /// The first try takes so many milliseconds to arrive, hears nothing, and is overtaken by the second.
    Overtaken(u64),
    /// The request takes so many milliseconds to arrive, whatever the client does meanwhile.
    Slow(u64),
    /// A query reads some items, and the others so many milliseconds later: it is of no one moment.
    Torn(u64),
    /// The process stands still for so many milliseconds.
    Freezes(u64),
    /// The process dies.
    Crashes,
}

/// A fault of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// When.
    pub moment: Moment,
}

/// The n-th operation (from 0) of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The task, by the number of the step that began it.
    pub task: u32,
    /// Its operation.
    pub operation: u32,
}

/// A fault with where it strikes: what a schedule consists of beside its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// Where.
    pub place: Place,
    /// What of.
    pub operation: Operation,
    /// What.
    pub fault: Fault,
}

/// How likely a fault is.
#[derive(Debug, Clone, Copy)]
struct Risk {
    operations: &'static [Operation],
    kind: fn(&mut Dice) -> Kind,
    moment: Moment,
    /// So many times in a million operations, before the seed's own factor.
    per_million: u64,
}

use Moment::{After, Before};
use Operation::{Delete, Get, List, Mapping, Put, Query, Read, Transact, Write};

const ALL: &[Operation] = &[Get, Query, Write, Transact, Put, Read, Delete, List, Mapping];
const CHANGING: &[Operation] = &[Write, Transact, Put, Delete, Mapping];
const STORE: &[Operation] = &[Get, Query, Write, Transact];

const HOUR_MS: u64 = 3_600_000;

const RISKS: &[Risk] = &[
    Risk { operations: STORE, kind: |_| Kind::Retried, moment: Before, per_million: 8_000 },
    Risk { operations: &[Write, Transact], kind: |_| Kind::Retried, moment: After, per_million: 12_000 },
    Risk { operations: ALL, kind: |_| Kind::Fails, moment: Before, per_million: 5_000 },
    Risk { operations: CHANGING, kind: |_| Kind::Fails, moment: After, per_million: 6_000 },
    Risk { operations: CHANGING, kind: |dice| Kind::Late(late(dice)), moment: After, per_million: 6_000 },
    Risk { operations: &[Transact, Put], kind: |_| Kind::Refused, moment: Before, per_million: 1_000 },
    Risk { operations: &[Put, Delete], kind: |_| Kind::Conflicts, moment: Before, per_million: 5_000 },
    Risk {
        operations: &[Write, Transact],
        kind: |dice| Kind::Overtaken(held(dice)),
        moment: After,
        per_million: 5_000,
    },
    Risk { operations: ALL, kind: |dice| Kind::Slow(slow(dice)), moment: Before, per_million: 8_000 },
    Risk { operations: &[Query], kind: |dice| Kind::Torn(dice.between(1, 400)), moment: Before, per_million: 30_000 },
    Risk { operations: ALL, kind: |dice| Kind::Freezes(freeze(dice)), moment: Before, per_million: 4_000 },
    Risk { operations: CHANGING, kind: |dice| Kind::Freezes(freeze(dice)), moment: After, per_million: 3_000 },
    Risk { operations: ALL, kind: |_| Kind::Crashes, moment: Before, per_million: 3_000 },
    Risk { operations: CHANGING, kind: |_| Kind::Crashes, moment: After, per_million: 4_000 },
];

fn late(dice: &mut Dice) -> u64 {
    dice.between(1, 20_000)
}

/// Beyond the ten minutes for which DynamoDB knows a token, too.
fn held(dice: &mut Dice) -> u64 {
    match dice.below(4) {
        0 => dice.between(600_000, HOUR_MS),
        _ => dice.between(1_000, 60_000),
    }
}

fn slow(dice: &mut Dice) -> u64 {
    match dice.below(4) {
        0 => dice.between(10_000, 90_000),
        _ => dice.between(50, 3_000),
    }
}

fn freeze(dice: &mut Dice) -> u64 {
    match dice.below(3) {
        0 => dice.between(HOUR_MS, 6 * HOUR_MS),
        1 => dice.between(5_000, 120_000),
        _ => dice.between(50, 3_000),
    }
}

/// The fault that `dice` give to an operation, every probability times `factor`; at most one.
pub(crate) fn drawn(operation: Operation, dice: &mut Dice, factor: u64) -> Option<Fault> {
    if factor == 0 {
        return None;
    }
    let mut at = dice.below(1_000_000);
    let risk = RISKS.iter().filter(|risk| risk.operations.contains(&operation)).find(|risk| {
        let share = risk.per_million.saturating_mul(factor);
        match at.checked_sub(share) {
            None => true,
            Some(left) => {
                at = left;
                false
            }
        }
    })?;
    Some(Fault { kind: (risk.kind)(dice), moment: risk.moment })
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.moment) {
            (Kind::Retried, Before) => f.write_str("is refused for the moment and tried again"),
            (Kind::Retried, After) => f.write_str("takes place, its reply is lost, and it is tried again"),
            (Kind::Fails, Before) => f.write_str("does not take place, the client gives up"),
            (Kind::Fails, After) => f.write_str("takes place, no reply arrives, the client gives up"),
            (Kind::Late(ms), _) => write!(f, "takes place {ms} ms late, the client gave up"),
            (Kind::Refused, _) => f.write_str("is refused"),
            (Kind::Conflicts, _) => f.write_str("meets another in flight, 409"),
            (Kind::Overtaken(ms), _) => write!(f, "takes {ms} ms to arrive, and is overtaken by its second try"),
            (Kind::Slow(ms), _) => write!(f, "takes {ms} ms to arrive"),
            (Kind::Torn(ms), _) => write!(f, "reads the rest {ms} ms later"),
            (Kind::Freezes(ms), Before) => write!(f, "waits while its process stands still for {ms} ms"),
            (Kind::Freezes(ms), After) => write!(f, "takes place, then its process stands still for {ms} ms"),
            (Kind::Crashes, Before) => f.write_str("never leaves, its process dies"),
            (Kind::Crashes, After) => f.write_str("takes place, its process dies"),
        }
    }
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, operation, fault } = self;
        write!(f, "operation {} of #{}, {operation:?}: {fault}", place.operation, place.task)
    }
}
