//! How members come into a group, and how a round begins and ends.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use kafka_protocol::ResponseError;
use tokio::sync::oneshot;

use super::{
    super::{JoinRequest, Joined, JoinedMember, NotJoined, member::Member},
    Group, Phase,
};

/// Members of one group. Above that somebody is not closing consumers.
const MAX_MEMBERS: usize = 1_000;

type Reply = oneshot::Sender<Result<Joined, NotJoined>>;

impl Group {
    /// Takes a member in, or in again; `reply` is answered when the round is complete.
    pub(crate) fn join(&mut self, request: JoinRequest, now: Instant, reply: Reply) {
        let member_id = match self.admit(&request, now) {
            Ok(member_id) => member_id,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let known = self.members.get(&member_id);
        let changed = known.is_none_or(|member| member.protocols != request.protocols);
        let is_leader = self.leader.as_ref() == Some(&member_id);
        let assignment = known.map(|member| member.assignment.clone()).unwrap_or_default();
        self.protocol_type.clone_from(&request.protocol_type);
        let mut member = Member {
            id: member_id.clone(),
            instance_id: request.instance_id,
            client_id: request.client_id,
            client_host: request.client_host,
            session_timeout: request.session_timeout,
            rebalance_timeout: request.rebalance_timeout,
            protocols: request.protocols,
            assignment,
            expires: now + request.session_timeout,
            joining: Some(reply),
            syncing: None,
        };
        let (waits, again) = match self.phase {
            Phase::Empty => (true, true),
            Phase::Joining { .. } => (true, false),
            Phase::Syncing { .. } => (changed, changed),
            Phase::Stable => (changed || is_leader, changed || is_leader),
        };
        if !waits {
            // the answer to an earlier join got lost, or a follower asks without need
            member.answer_join(Ok(self.joined(&member)));
        }
        self.members.insert(member_id, member);
        if again {
            self.start_round(now);
        } else {
            self.finish_joining_if_complete(now);
        }
    }

    /// The id under which a client may join.
    fn admit(&mut self, request: &JoinRequest, now: Instant) -> Result<String, NotJoined> {
        let refused = |error| NotJoined { error, member_id: request.member_id.clone() };
        if !self.members.is_empty() && !self.is_compatible(request) {
            return Err(refused(ResponseError::InconsistentGroupProtocol));
        }
        let named = request.instance_id.as_deref().and_then(|instance| self.member_of(instance));
        if let Some(current) = named {
            if request.member_id.is_empty() {
                return Ok(self.replace_instance(&current, request.new_member_id(), now));
            }
            return if request.member_id == current {
                Ok(current)
            } else {
                Err(refused(ResponseError::FencedInstanceId))
            };
        }
        if self.members.contains_key(&request.member_id) {
            return Ok(request.member_id.clone());
        }
        if self.members.len() + self.pending.len() >= MAX_MEMBERS {
            return Err(refused(ResponseError::GroupMaxSizeReached));
        }
        if self.pending.remove(&request.member_id).is_some() {
            return Ok(request.member_id.clone());
        }
        if !request.member_id.is_empty() {
            return Err(refused(ResponseError::UnknownMemberId));
        }
        let member_id = request.new_member_id();
        if request.must_know_its_id && request.instance_id.is_none() {
            self.pending.insert(member_id.clone(), now + request.session_timeout);
            return Err(NotJoined { error: ResponseError::MemberIdRequired, member_id });
        }
        Ok(member_id)
    }

    fn is_compatible(&self, request: &JoinRequest) -> bool {
        let spoken = |name: &str| {
            let others = self.members.values().filter(|member| member.id != request.member_id);
            others.into_iter().all(|member| member.speaks(name))
        };
        request.protocol_type == self.protocol_type && request.protocols.iter().any(|(name, _)| spoken(name))
    }

    /// A static member came back under a new id: the old one is fenced, what it was assigned goes over.
    fn replace_instance(&mut self, current: &str, new_id: String, now: Instant) -> String {
        if let Some(mut member) = self.members.remove(current) {
            let error = ResponseError::FencedInstanceId;
            member.answer_join(Err(NotJoined { error, member_id: current.to_owned() }));
            member.answer_sync(now, Err(error));
            member.id.clone_from(&new_id);
            self.members.insert(new_id.clone(), member);
        }
        if self.leader.as_deref() == Some(current) {
            self.leader = Some(new_id.clone());
        }
        new_id
    }

    pub(super) fn start_round(&mut self, now: Instant) {
        for member in self.members.values_mut() {
            member.answer_sync(now, Err(ResponseError::RebalanceInProgress));
        }
        self.phase = Phase::Joining { deadline: now + self.longest_rebalance() };
        self.finish_joining_if_complete(now);
    }

    pub(super) fn finish_joining_if_complete(&mut self, now: Instant) {
        let complete = self.pending.is_empty() && self.members.values().all(|member| member.joining.is_some());
        if matches!(self.phase, Phase::Joining { .. }) && (complete || self.members.is_empty()) {
            self.finish_joining(now);
        }
    }

    pub(super) fn finish_joining(&mut self, now: Instant) {
        self.members.retain(|_, member| member.joining.is_some());
        self.generation = self.generation.wrapping_add(1).max(1);
        let leader = self.leader.take().filter(|leader| self.members.contains_key(leader));
        self.leader = leader.or_else(|| self.members.keys().next().cloned());
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            self.protocol = None;
            return;
        }
        self.protocol = self.elect_protocol();
        self.phase = Phase::Syncing { deadline: now + self.longest_rebalance() };
        let answers: Vec<_> = self.members.values().map(|member| self.joined(member)).collect();
        for (member, answer) in self.members.values_mut().zip(answers) {
            member.touch(now);
            member.answer_join(Ok(answer));
        }
    }

    /// The protocol that everyone speaks and most prefer.
    fn elect_protocol(&self) -> Option<String> {
        let spoken = |name: &str| self.members.values().all(|member| member.speaks(name));
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            if let Some((name, _)) = member.protocols.iter().find(|(name, _)| spoken(name)) {
                *votes.entry(name).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(_, votes)| *votes).map(|(name, _)| name.to_owned())
    }

    /// What a member is told about the current generation; only the leader learns of the others.
    fn joined(&self, member: &Member) -> Joined {
        let protocol = self.protocol.clone().unwrap_or_default();
        let leader = self.leader.clone().unwrap_or_default();
        let describe = |other: &Member| JoinedMember {
            member_id: other.id.clone(),
            instance_id: other.instance_id.clone(),
            metadata: other.metadata(&protocol),
        };
        let members = if leader == member.id { self.members.values().map(describe).collect() } else { Vec::new() };
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol,
            leader,
            member_id: member.id.clone(),
            members,
        }
    }

    fn longest_rebalance(&self) -> Duration {
        self.members.values().map(|member| member.rebalance_timeout).max().unwrap_or_default()
    }
}
