//! A Kafka event becomes rows: the function that an event source mapping invokes, batch by batch.
//!
//! An invocation reads the job, drops what it has seen, converts the rest with the kernel, puts Parquet files, and
//! commits files and offsets together. Success tells the platform that it may forget the records, so it is said only
//! once the commit is durable; every error makes the whole batch come again. What is not here: polling Kafka (the
//! platform's part), what a record means (the kernel's), and how a commit is made atomic (the catalog's).

pub mod config;
pub mod error;
pub mod invocation;
pub mod loader;
pub mod log;
pub mod registry;
