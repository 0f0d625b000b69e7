//! Keeping tables in order: merging small files, folding commits, deleting what nobody needs any more, checking files.
//!
//! Nothing here is needed for a row to be loaded or read: a table that nobody maintains is right, and slow. Every step is
//! safe to repeat, to run twice at once and to stop anywhere, since what it does becomes visible by one conditional write
//! of the catalog, and files are deleted only when no reader can need them. Which files those are, the catalog decides.

pub mod check;
pub mod config;
mod dropped;
pub mod error;
mod invocation;
pub mod maintainer;
mod merge;
mod orphans;
pub mod plan;

pub use invocation::{Answer, Invocation};
