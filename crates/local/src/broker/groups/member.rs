//! One member of a consumer group.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::sync::oneshot;

use super::{Joined, NotJoined, Synced};

/// A member, and the request of it that waits for the others.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    /// Names and metadata, the member's favourite first.
    pub(crate) protocols: Vec<(String, Bytes)>,
    pub(crate) assignment: Bytes,
    pub(super) expires: Instant,
    pub(super) joining: Option<oneshot::Sender<Result<Joined, NotJoined>>>,
    pub(super) syncing: Option<oneshot::Sender<Result<Synced, ResponseError>>>,
}

impl Member {
    /// The metadata for one protocol; empty if the member does not speak it.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols.iter().find(|(name, _)| name == protocol).map(|(_, data)| data.clone()).unwrap_or_default()
    }

    pub(super) fn speaks(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }

    /// Notes a sign of life.
    pub(super) fn touch(&mut self, now: Instant) {
        self.expires = now + self.session_timeout;
    }

    /// Whether the member was silent for too long. One whose request is waiting here cannot speak.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.joining.is_none() && self.syncing.is_none() && now >= self.expires
    }

    /// Answers a waiting join; a client that hung up does not matter.
    pub(super) fn answer_join(&mut self, answer: Result<Joined, NotJoined>) {
        if let Some(joining) = self.joining.take() {
            drop(joining.send(answer));
        }
    }

    /// Answers a waiting sync. The member could not speak while it waited, so its silence counts from now.
    pub(super) fn answer_sync(&mut self, now: Instant, answer: Result<Synced, ResponseError>) {
        if let Some(syncing) = self.syncing.take() {
            self.touch(now);
            drop(syncing.send(answer));
        }
    }
}
