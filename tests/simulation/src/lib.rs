//! The deterministic simulation: the real handlers against services that misbehave, under one seed and a virtual clock.
//!
//! What is real: the handlers of load, admin and maintain, the catalog's commit protocol, layouts and coverage, the files,
//! and the planning by which queries take theirs. What is simulated: the network, DynamoDB and S3 (in memory, behind it), the
//! topic, and the event source mappings. Everything runs on one thread; the seed alone decides what happens when, so the
//! same seed gives the same trace, byte for byte.
//!
//! What is played: loading, statements about jobs and tables ([`schedule::Said`]), source reports, maintenance, queries, and
//! everything that a topic can do to them ([`schedule::Action`]).
//!
//! A play is a [`Schedule`] and its faults, all values. A failing one is made small by [`shrink`](shrink::shrink).

mod bucket;
pub mod bug;
mod check;
mod client;
mod clock;
mod database;
mod dice;
pub mod fault;
mod files;
pub mod growth;
mod kafka;
mod mapping;
mod model;
mod net;
pub mod play;
mod rest;
pub mod schedule;
pub mod search;
pub mod shrink;
mod tables;
mod tasks;
mod verdict;
pub mod violation;
mod world;

pub use bug::Bug;
pub use net::Faults;
pub use play::{Played, play, play_seed};
pub use schedule::Schedule;
pub use search::{all_cores, first_broken};
pub use shrink::{Shrunk, shrink};
pub use violation::{Invariant, Violation};

/// What a future gives that never has to wait; `None` if it has to.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    futures::FutureExt::now_or_never(future)
}
