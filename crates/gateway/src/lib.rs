//! The MySQL protocol in front of the functions.
//!
//! Any MySQL client connects here; statements become typed requests to the admin and query functions, wherever they
//! run. This is not a SQL engine: it knows sessions, packets and what clients say when they connect, no table.

pub mod functions;
