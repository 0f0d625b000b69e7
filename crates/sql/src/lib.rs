//! SQL text, statements and job definitions, and what the functions that run them are asked and answer.
//!
//! Pure: no clock, no I/O. Queries (SELECT) are only recognised here; the query function parses them with DataFusion.

pub mod check;
pub mod classify;
pub mod definition;
pub mod describe;
pub mod error;
pub mod filter;
pub mod information_schema;
pub mod lexer;
pub mod like;
pub mod parser;
pub mod position;
pub mod predicate;
mod print;
pub mod render;
pub mod replay;
pub mod request;
pub mod result;
pub mod similar;
pub mod split;
pub mod statement;

pub use penstock_kernel::property::time_zone;
