//! Avro records through [`Plan::load`](penstock_kernel::plan::Plan::load), as a user of the crate sees it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; helpers outside of test functions are tests too"
)]

mod alike;
mod cases;
mod encode;
mod laws;
#[path = "../json/support.rs"]
mod support;

/// Format of jobs that say none.
const FORMAT: &str = "avro";
