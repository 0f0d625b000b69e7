//! The pure heart of Penstock: a job definition and Kafka records in; columns, rejected rows, statistics and decisions out.
//!
//! Nothing here knows a clock, an environment, a network, a file, randomness or an async runtime, so every rule can be
//! tested with values alone and holds the same in Lambda, on a laptop and offline. It is not a SQL parser and not a
//! store: text becomes definitions in `penstock-sql`, and what was decided is made durable by `penstock-catalog`.

pub mod batch;
pub mod block;
pub mod convert;
pub mod digits;
pub mod encode;
pub mod error_chain;
pub mod expression;
pub mod facts;
pub mod format;
pub mod ids;
pub mod job;
pub mod loaded;
pub mod metadata;
pub mod moment;
pub mod partitioning;
pub mod plan;
pub mod progress;
pub mod property;
pub mod registry;
pub mod rejected;
pub mod security;
pub mod separator;
pub mod source_property;
pub mod state;
pub mod table;
pub mod tolerance;
pub mod usage;
