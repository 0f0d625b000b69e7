//! The statements that define, steer and show jobs, tables and volumes.

pub mod mapping;
