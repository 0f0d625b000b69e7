//! SELECT over what was committed.
//!
//! A query reads one list of commits a table, prunes its files by their statistics, and lets DataFusion scan the rest
//! through the volumes' object stores; nothing lists S3. This is not a store and not a MySQL server: it is asked one
//! statement with the session it is said in, and answers rows.

mod adapter;
mod average;
pub mod cell;
mod conditions;
pub mod config;
mod days;
mod engine;
mod explain;
mod failure;
mod in_turn;
mod information_schema;
mod known;
mod mesh;
mod names;
mod parse;
mod part;
mod planner;
mod prune;
mod query;
mod rejected;
mod report;
mod resolve;
mod rewrite;
mod running;
mod semi;
mod session;
mod shared;
mod sieve;
mod source;
mod statistics;
mod table;
mod title;

pub use config::{QuerySettings, Settings};
pub use query::{Query, QueryRows, SetupError};
