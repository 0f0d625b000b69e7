//! The database that describes the others: its tables and their columns.
//!
//! The query function serves them; SHOW and DESC list them. It lies in no catalog.

mod shape;

pub use shape::{Kind, SHAPES, Shape};

/// The database's name, in any case.
pub const NAME: &str = "information_schema";

/// Names of its tables, ascending.
pub fn tables() -> Vec<&'static str> {
    let mut names: Vec<&str> = SHAPES.iter().map(|shape| shape.name).collect();
    names.sort_unstable();
    names
}

/// The table of that name, in any case.
pub fn table(name: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.name.eq_ignore_ascii_case(name))
}

/// Databases that StarRocks lists and that are empty here.
pub const EMPTY: [&str; 2] = ["_statistics_", "sys"];

/// Whether this is the name of a database of [`EMPTY`], in any case.
pub fn is_empty(name: &str) -> bool {
    EMPTY.iter().any(|empty| empty.eq_ignore_ascii_case(name))
}

/// Whether this is the database's name, in any case.
pub fn is(name: &str) -> bool {
    name.eq_ignore_ascii_case(NAME)
}
