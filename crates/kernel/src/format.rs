//! Message formats: bytes of one Kafka record into rows of source columns. One file a format.
//!
//! A format delivers values, slices of the record whose type is not decided yet, and says nothing about
//! columns: what a value becomes in a column is `convert`'s.

pub(crate) mod json;
pub(crate) mod value;
