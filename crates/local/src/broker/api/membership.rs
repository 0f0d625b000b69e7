//! JoinGroup, SyncGroup, Heartbeat and LeaveGroup: being in a group.

use std::time::Duration;

use kafka_protocol::{
    ResponseError,
    messages::{
        HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
        LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse, join_group_response::JoinGroupResponseMember,
        leave_group_response::MemberResponse,
    },
    protocol::StrBytes,
};

use super::{code, text};
use crate::broker::{
    groups::{JoinRequest, MemberKey, SyncRequest},
    node::Node,
};

/// First JoinGroup version whose clients come back with the id that they are given.
const KNOWN_ID_SINCE: i16 = 4;

/// First JoinGroup version that may tell that there is no protocol.
const OPTIONAL_PROTOCOL_SINCE: i16 = 7;

/// Session timeouts that make sense: below, a busy laptop drops members; above, a dead one holds a group up.
const SESSION_TIMEOUT_MS: std::ops::RangeInclusive<i32> = 100..=1_800_000;

pub(crate) async fn join(
    node: &Node,
    client_host: &str,
    client_id: &str,
    request: JoinGroupRequest,
    version: i16,
) -> JoinGroupResponse {
    let refused = |error: ResponseError, member_id: StrBytes| {
        JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_generation_id(-1)
            .with_protocol_name((version < OPTIONAL_PROTOCOL_SINCE).then(Default::default))
            .with_member_id(member_id)
    };
    if request.group_id.is_empty() {
        return refused(ResponseError::InvalidGroupId, request.member_id);
    }
    if !SESSION_TIMEOUT_MS.contains(&request.session_timeout_ms) {
        return refused(ResponseError::InvalidSessionTimeout, request.member_id);
    }
    if request.protocols.is_empty() || request.protocol_type.is_empty() {
        return refused(ResponseError::InconsistentGroupProtocol, request.member_id);
    }
    let session_timeout = milliseconds(request.session_timeout_ms);
    let rebalance_timeout = match request.rebalance_timeout_ms {
        // version 0 has one timeout for both
        -1 => session_timeout,
        timeout_ms => milliseconds(timeout_ms),
    };
    let protocols = request.protocols.into_iter().map(|protocol| (protocol.name.to_string(), protocol.metadata));
    let wish = JoinRequest {
        member_id: request.member_id.to_string(),
        instance_id: request.group_instance_id.map(|id| id.to_string()),
        client_id: client_id.to_owned(),
        client_host: client_host.to_owned(),
        session_timeout,
        rebalance_timeout,
        protocol_type: request.protocol_type.to_string(),
        protocols: protocols.collect(),
        must_know_its_id: version >= KNOWN_ID_SINCE,
    };
    match node.groups.join(&request.group_id, wish).await {
        Ok(joined) => {
            let members = joined.members.into_iter().map(|member| {
                JoinGroupResponseMember::default()
                    .with_member_id(text(member.member_id))
                    .with_group_instance_id(member.instance_id.map(text))
                    .with_metadata(member.metadata)
            });
            JoinGroupResponse::default()
                .with_generation_id(joined.generation)
                .with_protocol_type(Some(text(joined.protocol_type)))
                .with_protocol_name(Some(text(joined.protocol)))
                .with_leader(text(joined.leader))
                .with_member_id(text(joined.member_id))
                .with_members(members.collect())
        }
        Err(not_joined) => refused(not_joined.error, text(not_joined.member_id)),
    }
}

pub(crate) async fn sync(node: &Node, request: SyncGroupRequest) -> SyncGroupResponse {
    let assignments = request.assignments.into_iter().map(|sent| (sent.member_id.to_string(), sent.assignment));
    let question = SyncRequest {
        member: key(&request.member_id, request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type: request.protocol_type.map(|name| name.to_string()),
        protocol: request.protocol_name.map(|name| name.to_string()),
        assignments: assignments.collect(),
    };
    match node.groups.sync(&request.group_id, question).await {
        Ok(synced) => SyncGroupResponse::default()
            .with_protocol_type(Some(text(synced.protocol_type)))
            .with_protocol_name(Some(text(synced.protocol)))
            .with_assignment(synced.assignment),
        Err(error) => SyncGroupResponse::default().with_error_code(error.code()),
    }
}

pub(crate) fn heartbeat(node: &Node, request: &HeartbeatRequest) -> HeartbeatResponse {
    let key = key(&request.member_id, request.group_instance_id.as_ref());
    let alive = node.groups.heartbeat(&request.group_id, &key, request.generation_id);
    HeartbeatResponse::default().with_error_code(code(&alive))
}

pub(crate) fn leave(node: &Node, request: LeaveGroupRequest, version: i16) -> LeaveGroupResponse {
    if version < 3 {
        let left = node.groups.leave(&request.group_id, &key(&request.member_id, None));
        return LeaveGroupResponse::default().with_error_code(code(&left));
    }
    let members = request.members.into_iter().map(|member| {
        let key = key(&member.member_id, member.group_instance_id.as_ref());
        let left = node.groups.leave(&request.group_id, &key);
        MemberResponse::default()
            .with_error_code(code(&left))
            .with_member_id(member.member_id)
            .with_group_instance_id(member.group_instance_id)
    });
    LeaveGroupResponse::default().with_members(members.collect())
}

pub(super) fn key(member_id: &StrBytes, instance_id: Option<&StrBytes>) -> MemberKey {
    MemberKey { member_id: member_id.to_string(), instance_id: instance_id.map(|id| id.to_string()) }
}

fn milliseconds(count: i32) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or(0))
}
