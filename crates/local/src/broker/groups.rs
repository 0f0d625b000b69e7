//! Consumer groups: who is in which, and who gets which source partitions.
//!
//! Groups live in memory only. After a restart clients find their member id unknown and join again; what they
//! committed is in [`super::group_offsets`]. There is one lock for all groups, since nothing is done under it but
//! thinking.

mod group;
mod member;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::sync::oneshot;
use uuid::Uuid;

pub(crate) use self::{
    group::{Group, Phase},
    member::Member,
};

/// How often silent members and overdue rounds are looked for.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// Groups in memory. More than that is a client inventing names.
const MAX_GROUPS: usize = 10_000;

/// All groups that have members, or had some.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: Mutex<BTreeMap<String, Group>>,
}

/// Names a member in requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemberKey {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
}

/// A wish to be in a group.
#[derive(Debug, Clone)]
pub(crate) struct JoinRequest {
    /// Empty for a client that has none yet.
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocol_type: String,
    pub(crate) protocols: Vec<(String, Bytes)>,
    /// Whether the client is to come back with the id that it is given, so that none is left over if it does not.
    pub(crate) must_know_its_id: bool,
}

impl JoinRequest {
    fn new_member_id(&self) -> String {
        let name = self.instance_id.as_ref().unwrap_or(&self.client_id);
        format!("{name}-{}", Uuid::from_bytes(rand::random()))
    }
}

/// A generation, as one member sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) generation: i32,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) leader: String,
    pub(crate) member_id: String,
    /// All members, for the leader; empty for the others.
    pub(crate) members: Vec<JoinedMember>,
}

/// What the leader learns of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinedMember {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) metadata: Bytes,
}

/// Why a client is not in the group, and the id that it has or is to come back with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotJoined {
    pub(crate) error: ResponseError,
    pub(crate) member_id: String,
}

/// A member's question for its assignment; the leader brings everybody's.
#[derive(Debug, Clone, Default)]
pub(crate) struct SyncRequest {
    pub(crate) member: MemberKey,
    pub(crate) generation: i32,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) assignments: Vec<(String, Bytes)>,
}

/// A member's assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Synced {
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) assignment: Bytes,
}

impl Groups {
    /// Joins a group, which is created if need be; resolves when the round is complete.
    pub(crate) async fn join(&self, group_id: &str, request: JoinRequest) -> Result<Joined, NotJoined> {
        let member_id = request.member_id.clone();
        let gone = |error| NotJoined { error, member_id: member_id.clone() };
        let (reply, answer) = oneshot::channel();
        {
            let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
            if groups.len() >= MAX_GROUPS && !groups.contains_key(group_id) {
                return Err(gone(ResponseError::GroupMaxSizeReached));
            }
            groups.entry(group_id.to_owned()).or_insert_with(Group::new).join(request, Instant::now(), reply);
        }
        // a later join of the same member takes this one's place
        answer.await.unwrap_or_else(|_| Err(gone(ResponseError::UnknownMemberId)))
    }

    /// Asks for an assignment; resolves when the leader has sent it.
    pub(crate) async fn sync(&self, group_id: &str, request: SyncRequest) -> Result<Synced, ResponseError> {
        let (reply, answer) = oneshot::channel();
        self.change(group_id, |group| {
            group.sync(request, Instant::now(), reply);
            Ok(())
        })?;
        answer.await.unwrap_or(Err(ResponseError::RebalanceInProgress))
    }

    pub(crate) fn heartbeat(&self, group_id: &str, key: &MemberKey, generation: i32) -> Result<(), ResponseError> {
        self.change(group_id, |group| group.heartbeat(key, generation, Instant::now()))
    }

    pub(crate) fn leave(&self, group_id: &str, key: &MemberKey) -> Result<(), ResponseError> {
        self.change(group_id, |group| group.leave(key, Instant::now()))
    }

    /// Whether a commit may be stored; a group that is not known has no members.
    pub(crate) fn check_commit(&self, group_id: &str, key: &MemberKey, generation: i32) -> Result<(), ResponseError> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        match groups.get_mut(group_id) {
            Some(group) => group.check_commit(key, generation, Instant::now()),
            None if generation < 0 => Ok(()),
            None => Err(ResponseError::UnknownMemberId),
        }
    }

    /// Forgets a group without members; says whether it was known.
    pub(crate) fn delete(&self, group_id: &str) -> Result<bool, ResponseError> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        match groups.get(group_id) {
            Some(group) if !group.is_idle() => Err(ResponseError::NonEmptyGroup),
            Some(_) => Ok(groups.remove(group_id).is_some()),
            None => Ok(false),
        }
    }

    /// Looks at one group, if it is known.
    pub(crate) fn look<T>(&self, group_id: &str, look: impl FnOnce(&Group) -> T) -> Option<T> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).get(group_id).map(look)
    }

    /// Looks at all groups, in order of id.
    pub(crate) fn look_at_all<T>(&self, look: impl FnMut((&String, &Group)) -> T) -> Vec<T> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).iter().map(look).collect()
    }

    /// Lets time pass. A group that is left without members is forgotten, unless `is_kept`.
    pub(crate) fn tick(&self, now: Instant, is_kept: impl Fn(&str) -> bool) {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.retain(|group_id, group| {
            group.tick(now);
            !group.is_idle() || is_kept(group_id)
        });
    }

    fn change<T>(
        &self,
        group_id: &str,
        change: impl FnOnce(&mut Group) -> Result<T, ResponseError>,
    ) -> Result<T, ResponseError> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.get_mut(group_id).map_or(Err(ResponseError::UnknownMemberId), change)
    }
}
