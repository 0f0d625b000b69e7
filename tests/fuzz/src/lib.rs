//! What a fuzzer feeds: one function a target, which takes any bytes and panics if a law does not hold.
//!
//! `fuzz/` runs them under a fuzzer, for as long as one likes; the tests of this crate run them for a moment, so that they
//! never rot. Both begin with the files of `fuzz/seeds/<target>/`.

#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a law that does not hold is a panic, which is what a fuzzer finds"
)]

mod laws;
mod records;
mod text;

pub use records::{avro, csv, json};
pub use text::{jsonpaths, sql};

/// A target, and the name that its seeds and its fuzzer have.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 5] = [("json", json), ("csv", csv), ("avro", avro), ("sql", sql), ("jsonpaths", jsonpaths)];
