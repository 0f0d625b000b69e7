//! The MySQL client/server protocol: bytes to commands, answers to bytes.
//!
//! Everything but [`packet`] is pure. Nothing here knows a session or a function.

pub(crate) mod auth;
pub(crate) mod binary_row;
pub(crate) mod capability;
pub(crate) mod column;
pub(crate) mod command;
pub(crate) mod greeting;
pub(crate) mod packet;
pub(crate) mod parameter;
pub(crate) mod reply;
pub(crate) mod text_row;
pub(crate) mod wire;
