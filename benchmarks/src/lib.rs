//! Records to measure with: made from a seed, in every format, with the tables and jobs that load them.
//!
//! The same records go to everyone: to Penstock as one Kafka event of 6 MiB, to its peers as a file. Everything is a pure
//! function of shape, format and seed, so a result can be had again, and with data that nobody has tuned for.

pub mod data;
pub mod job;
pub mod node;
pub mod random;
pub mod shape;
pub mod worker;

pub use data::{Data, EVENT_BYTES};
pub use shape::{Format, Shape};
