//! What can be seen of a job, and of a table's partitions: the cells of SHOW statements, which `information_schema` shows too.
//!
//! Two functions show them, and both are to say the same; neither may depend on the other.

pub mod cost;
pub mod job;
pub mod json;
pub mod partition;
pub mod progress;
pub mod properties;
