//! The loader over a catalog in memory and objects in memory, with faults and interleavings as values.

mod alter;
mod costs;
mod deliveries;
mod limits;
mod log;
mod partitions;
mod replays;
mod rules;
mod simulation;
mod upgrades;
mod world;
