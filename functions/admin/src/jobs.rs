//! Statements about routine load jobs.

mod alter;
mod columns;
mod create;
mod explain;
mod preview;
mod progress;
mod properties;
mod restore;
mod show;
mod source_mapping;
mod steer;
mod tasks;
mod versions;
