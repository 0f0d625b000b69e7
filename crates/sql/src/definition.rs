//! Statements into the definitions that the kernel compiles: CREATE TABLE and CREATE ROUTINE LOAD.
//!
//! All that the text alone can show to be wrong is refused here, with its place. What depends on other objects (does the
//! table exist?) is for the caller; whether a job fits its table is for `Plan::compile`.

mod default;
mod job;
mod kafka;
mod partition_by;
pub(crate) mod registry;
mod table;

#[cfg(test)]
mod tests;

pub use job::{JobContext, altered_definition, altered_starts, job_definition};
pub use partition_by::{types_of, unknown_partition, with_partition, without_partitions};
pub use table::{TableContext, check_database_name, table_definition};
