//! Statements about routine load jobs.

mod alter;
mod cost;
mod coverage;
mod create;
mod explain;
mod preview;
mod replay;
mod restore;
mod show;
mod source_mapping;
mod steer;
mod tasks;
mod versions;
