//! What can be seen of a job: the cells of SHOW ROUTINE LOAD, which `information_schema.routine_load_jobs` shows too.
//!
//! Two functions show jobs, and both are to say the same of them; neither may depend on the other.

pub mod job;
pub mod json;
pub mod progress;
pub mod properties;
