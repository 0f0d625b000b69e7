//! The MySQL protocol in front of the functions.
//!
//! Any MySQL client connects here; statements become typed requests to the admin and query functions, wherever they
//! run. This is not a SQL engine: it knows sessions, packets and what clients say when they connect, no table.
//!
//! The wire protocol is written here rather than taken from a crate: a real handshake with a fresh salt, rows that
//! stream with back-pressure, bounded packets and every command that clients send are the point of this crate, and no
//! server-side crate has them all.
//!
//! # References
//! - <https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>

mod compat;
mod connection;
pub mod functions;
mod prepared;
mod protocol;
mod registry;
mod server;
mod session;
mod settings;
pub mod text;

pub use server::Gateway;
pub use settings::{GatewaySettings, Limits, Secret};
