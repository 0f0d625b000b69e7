//! SQL text, statements and job definitions, and what the functions that run them are asked and answer.
//!
//! Pure: no clock, no I/O. Queries (SELECT) are only recognised here; the query function parses them with DataFusion.

pub mod error;
pub mod request;
pub mod result;
