//! What stands in for AWS and for a Kafka cluster on a laptop: embedded services, the event source mapping emulated,
//! and a Runtime API for built functions.
//!
//! Every part speaks its real protocol on a loopback port, so each can be replaced by the real thing alone. Nothing here
//! is meant for a network that is not trusted, or for data that a single disk may not lose.

pub mod broker;
pub mod data_dir;
pub mod dynamodb;
pub mod error;
pub mod esm;
mod http;
pub mod invoke;
pub mod lambda;
pub mod registry;
pub mod s3;
pub mod sampler;
pub mod timer;
