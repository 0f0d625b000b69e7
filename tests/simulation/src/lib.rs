//! The deterministic simulation: the real handlers against services that misbehave, under one seed and a virtual clock.
//!
//! What is real: the handlers of load and admin, the catalog's commit protocol, the files, and the list of commits from
//! which queries take their files. What is simulated: the network, DynamoDB and S3 (in memory, behind it), the topic, and the
//! event source mappings. Everything runs on one thread; the seed alone decides what happens when, so the same seed gives the
//! same trace, byte for byte.
//!
//! What is played today: loading, statements about jobs and tables ([`schedule::Said`]), source reports, readers that list
//! a table's files and read them, and everything that a topic can do to them ([`schedule::Action`]). Not played, since there
//! is no such handler yet: compaction and garbage collection, REPLAY of rejected rows, coverage statements. Each will be one
//! more [`schedule::Action`] with its task in `world`, one more [`violation::Invariant`], and its own [`bug::Bug`]s.
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
mod kafka;
mod mapping;
mod model;
mod net;
pub mod play;
mod rest;
pub mod schedule;
pub mod search;
pub mod shrink;
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
