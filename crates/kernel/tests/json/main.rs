//! JSON records, and what Kafka knows of any record, through [`Plan::load`](penstock_kernel::plan::Plan::load), as a user of the crate sees it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; helpers outside of test functions are tests too"
)]

mod cases;
mod grammar;
mod laws;
mod metadata;
mod partitions;
mod reference;
mod rfc9535;
mod support;

/// What `format` is unless a test says otherwise; also the folder of its cases.
const FORMAT: &str = "json";
/// Cases that are there at least, so that a folder that was not found is no success.
const LEAST_CASES: usize = 100;
