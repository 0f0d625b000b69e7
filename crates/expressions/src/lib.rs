//! StarRocks' expressions: one library of functions, operators and casts for COLUMNS, WHERE and SELECT.
//!
//! [`StarRocks`] is the expression language that jobs are compiled with. Queries are planned by DataFusion itself, and take
//! the same [functions](function), the same [rewriting](rewrite) of the syntax tree and the same [operators](operator) from here.
//!
//! Nothing that a row holds makes an evaluation fail: overflow, a division by zero, text that is no number, a pattern that
//! is none, a length beyond all bounds give NULL. This is no SQL engine: no subquery, aggregate or window function.
//!
//! Within expressions, JSON is Arrow's `LargeUtf8` and text is `Utf8`, so that their types tell them apart.

mod arithmetic;
mod cast;
mod compile;
mod compiled;
mod document;
pub mod function;
mod lower;
pub mod name;
mod nested_type;
pub mod operator;
mod reference;
pub mod rewrite;
pub mod syntax;
mod types;

pub use compile::StarRocks;
pub use reference::reference;
pub use types::sql_type;
