//! Expressions as jobs use them: text in, columns in, columns out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

/// The format of jobs that name none, for `loading`.
const FORMAT: &str = "json";

mod cases;
mod hostile;
mod jobs;
mod laws;
#[allow(dead_code, reason = "the kernel's own tests use the rest of it")]
#[path = "../../../kernel/tests/json/support.rs"]
mod loading;
mod reference;
mod support;
