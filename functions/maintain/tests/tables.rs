//! Claims on maintenance, over a catalog and object stores in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a claim that does not hold panics")]

#[path = "tables/checks.rs"]
mod checks;
#[path = "tables/costs.rs"]
mod costs;
#[path = "tables/hour.rs"]
mod hour;
#[path = "tables/merges.rs"]
mod merges;
#[path = "tables/sweeps.rs"]
mod sweeps;
#[path = "tables/world.rs"]
mod world;
