//! Statements against tables whose files are made by the kernel's encoder: what a client sees.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "query/errors.rs"]
mod errors;
#[path = "query/expressions.rs"]
mod expressions;
#[path = "query/folded.rs"]
mod folded;
#[path = "query/hostile.rs"]
mod hostile;
#[path = "query/information_schema.rs"]
mod information_schema;
#[path = "query/joins.rs"]
mod joins;
#[path = "query/names.rs"]
mod names;
#[path = "query/pruning.rs"]
mod pruning;
#[path = "query/rejected.rs"]
mod rejected;
#[path = "query/routine_load.rs"]
mod routine_load;
#[path = "query/select.rs"]
mod select;
#[path = "query/types.rs"]
mod types;
#[path = "query/world.rs"]
mod world;
