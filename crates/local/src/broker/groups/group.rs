//! The state machine of one consumer group (the classic protocol).
//!
//! Members join; when all known members have asked to join, or the time for that is over, a generation begins: one
//! member, the leader, gets everybody's metadata and sends assignments, which the broker passes on without looking at
//! them. A member that comes, goes or falls silent starts the next round. Time is passed in, answers go out through
//! channels, so the whole machine is a value.
//!
//! | phase | on join | on sync | on heartbeat | on commit |
//! |---|---|---|---|---|
//! | empty | new round | unknown member | unknown member | only outside of the group |
//! | joining | waits | rebalance in progress | rebalance in progress | stored |
//! | syncing | new round, if anything changed | waits for the leader | fine | rebalance in progress |
//! | stable | new round, if anything changed or by the leader | the assignment | fine | stored |

mod joining;

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use kafka_protocol::ResponseError;
use tokio::sync::oneshot;

use super::{MemberKey, NotJoined, SyncRequest, Synced, member::Member};

/// One group with its members.
#[derive(Debug)]
pub(crate) struct Group {
    phase: Phase,
    generation: i32,
    protocol_type: String,
    protocol: Option<String>,
    leader: Option<String>,
    members: BTreeMap<String, Member>,
    /// Ids given out to clients that have not joined with them yet, and when they are forgotten.
    pending: HashMap<String, Instant>,
}

/// Where a group is in a round. The deadline is when those who did not answer are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Empty,
    Joining { deadline: Instant },
    Syncing { deadline: Instant },
    Stable,
}

impl Phase {
    /// The name that clients know.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Empty => "Empty",
            Phase::Joining { .. } => "PreparingRebalance",
            Phase::Syncing { .. } => "CompletingRebalance",
            Phase::Stable => "Stable",
        }
    }
}

impl Group {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            pending: HashMap::new(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn protocol_type(&self) -> &str {
        &self.protocol_type
    }

    /// The assignment strategy of this generation; empty between generations.
    pub(crate) fn protocol(&self) -> &str {
        self.protocol.as_deref().unwrap_or_default()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Whether nothing is lost if the group is forgotten.
    pub(crate) fn is_idle(&self) -> bool {
        self.members.is_empty() && self.pending.is_empty()
    }

    fn member_of(&self, instance_id: &str) -> Option<String> {
        let named = |member: &&Member| member.instance_id.as_deref() == Some(instance_id);
        self.members.values().find(named).map(|member| member.id.clone())
    }

    /// Passes assignments on; `reply` is answered when the leader has sent them.
    pub(crate) fn sync(
        &mut self,
        request: SyncRequest,
        now: Instant,
        reply: oneshot::Sender<Result<Synced, ResponseError>>,
    ) {
        let member_id = match self.check_sync(&request) {
            Ok(member_id) => member_id,
            Err(error) => return drop(reply.send(Err(error))),
        };
        if let Some(member) = self.members.get_mut(&member_id) {
            member.touch(now);
            member.syncing = Some(reply);
        }
        if matches!(self.phase, Phase::Syncing { .. }) {
            if self.leader.as_ref() != Some(&member_id) {
                return;
            }
            for member in self.members.values_mut() {
                let sent = request.assignments.iter().find(|(id, _)| *id == member.id);
                member.assignment = sent.map(|(_, assignment)| assignment.clone()).unwrap_or_default();
            }
            self.phase = Phase::Stable;
        }
        for member in self.members.values_mut() {
            let synced = Synced {
                protocol_type: self.protocol_type.clone(),
                protocol: self.protocol.clone().unwrap_or_default(),
                assignment: member.assignment.clone(),
            };
            member.answer_sync(now, Ok(synced));
        }
    }

    fn check_sync(&self, request: &SyncRequest) -> Result<String, ResponseError> {
        let member_id = self.check_member(&request.member)?;
        if request.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        let differs = |sent: &Option<String>, own: &str| sent.as_deref().is_some_and(|sent| sent != own);
        if differs(&request.protocol_type, &self.protocol_type) || differs(&request.protocol, self.protocol()) {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        match self.phase {
            Phase::Empty => Err(ResponseError::UnknownMemberId),
            Phase::Joining { .. } => Err(ResponseError::RebalanceInProgress),
            Phase::Syncing { .. } | Phase::Stable => Ok(member_id),
        }
    }

    /// A sign of life; the error tells the member what to do.
    pub(crate) fn heartbeat(&mut self, key: &MemberKey, generation: i32, now: Instant) -> Result<(), ResponseError> {
        let member_id = self.check_member(key)?;
        if generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        if let Some(member) = self.members.get_mut(&member_id) {
            member.touch(now);
        }
        if matches!(self.phase, Phase::Joining { .. }) { Err(ResponseError::RebalanceInProgress) } else { Ok(()) }
    }

    /// Whether a commit may be stored. One with a negative generation comes from outside of the group, and is welcome
    /// while nobody is in it.
    pub(crate) fn check_commit(&mut self, key: &MemberKey, generation: i32, now: Instant) -> Result<(), ResponseError> {
        if generation < 0 && self.members.is_empty() {
            return Ok(());
        }
        let member_id = self.check_member(key)?;
        if generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        if matches!(self.phase, Phase::Syncing { .. }) {
            return Err(ResponseError::RebalanceInProgress);
        }
        if let Some(member) = self.members.get_mut(&member_id) {
            member.touch(now);
        }
        Ok(())
    }

    /// Takes a member out at its own wish.
    pub(crate) fn leave(&mut self, key: &MemberKey, now: Instant) -> Result<(), ResponseError> {
        if self.pending.remove(&key.member_id).is_some() {
            self.finish_joining_if_complete(now);
            return Ok(());
        }
        let by_instance = key.instance_id.as_deref().filter(|_| key.member_id.is_empty());
        let member_id = match by_instance {
            Some(instance_id) => self.member_of(instance_id).ok_or(ResponseError::UnknownMemberId)?,
            None => self.check_member(key)?,
        };
        self.remove(&[member_id], now);
        Ok(())
    }

    /// Drops whoever was silent for too long, and ends rounds whose time is over.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.pending.retain(|_, forgotten| now < *forgotten);
        let expired = self.members.values().filter(|member| member.is_expired(now));
        let expired: Vec<_> = expired.map(|member| member.id.clone()).collect();
        self.remove(&expired, now);
        match self.phase {
            Phase::Joining { deadline } if now >= deadline => self.finish_joining(now),
            Phase::Joining { .. } => self.finish_joining_if_complete(now),
            Phase::Syncing { deadline } if now >= deadline => {
                let silent = self.members.values().filter(|member| member.syncing.is_none());
                let silent: Vec<_> = silent.map(|member| member.id.clone()).collect();
                self.remove(&silent, now);
            }
            Phase::Syncing { .. } | Phase::Stable | Phase::Empty => {}
        }
    }

    fn check_member(&self, key: &MemberKey) -> Result<String, ResponseError> {
        if let Some(instance_id) = &key.instance_id {
            let current = self.member_of(instance_id).ok_or(ResponseError::UnknownMemberId)?;
            if current != key.member_id {
                return Err(ResponseError::FencedInstanceId);
            }
        }
        if !self.members.contains_key(&key.member_id) {
            return Err(ResponseError::UnknownMemberId);
        }
        Ok(key.member_id.clone())
    }

    fn remove(&mut self, member_ids: &[String], now: Instant) {
        let mut removed = false;
        for member_id in member_ids {
            let Some(mut member) = self.members.remove(member_id) else {
                continue;
            };
            removed = true;
            let error = ResponseError::UnknownMemberId;
            member.answer_join(Err(NotJoined { error, member_id: member.id.clone() }));
            member.answer_sync(now, Err(error));
            if self.leader.as_ref() == Some(member_id) {
                self.leader = None;
            }
        }
        match self.phase {
            _ if !removed => {}
            Phase::Empty => {}
            Phase::Joining { .. } => self.finish_joining_if_complete(now),
            Phase::Syncing { .. } | Phase::Stable => self.start_round(now),
        }
    }
}
