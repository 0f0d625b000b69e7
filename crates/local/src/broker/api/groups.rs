//! DescribeGroups, ListGroups and DeleteGroups: looking at groups from outside.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse, GroupId,
        ListGroupsRequest, ListGroupsResponse,
        delete_groups_response::DeletableGroupResult,
        describe_groups_response::{DescribedGroup, DescribedGroupMember},
        list_groups_response::ListedGroup,
    },
};

use super::{code, text};
use crate::broker::{
    groups::{Group, Member, Phase},
    node::Node,
};

/// The one kind of group: clients bring the assignments, the broker passes them on.
const CLASSIC: &str = "classic";
const EMPTY: &str = "Empty";
const DEAD: &str = "Dead";

/// First version that says of an unknown group that it is not found; before, it counts as dead.
const NOT_FOUND_SINCE: i16 = 6;

pub(crate) fn describe(node: &Node, request: DescribeGroupsRequest, version: i16) -> DescribeGroupsResponse {
    let groups = request.groups.into_iter().map(|id| describe_one(node, id, version));
    DescribeGroupsResponse::default().with_groups(groups.collect())
}

fn describe_one(node: &Node, id: GroupId, version: i16) -> DescribedGroup {
    let described = node.groups.look(&id, |group| {
        let members = group.members().map(|member| describe_member(group, member));
        DescribedGroup::default()
            .with_group_state(text(group.phase().name()))
            .with_protocol_type(text(group.protocol_type()))
            .with_protocol_data(text(group.protocol()))
            .with_members(members.collect())
    });
    let described = described.unwrap_or_else(|| {
        let described = DescribedGroup::default();
        if node.group_offsets.has_group(&id) {
            return described.with_group_state(text(EMPTY));
        }
        let described = described.with_group_state(text(DEAD));
        if version < NOT_FOUND_SINCE {
            return described;
        }
        described
            .with_error_code(ResponseError::GroupIdNotFound.code())
            .with_error_message(Some(text(format!("no group `{}`", &*id))))
    });
    described.with_group_id(id)
}

fn describe_member(group: &Group, member: &Member) -> DescribedGroupMember {
    let described = DescribedGroupMember::default()
        .with_member_id(text(&*member.id))
        .with_group_instance_id(member.instance_id.as_deref().map(text))
        .with_client_id(text(&*member.client_id))
        .with_client_host(text(&*member.client_host));
    if group.phase() == Phase::Stable {
        described
            .with_member_metadata(member.metadata(group.protocol()))
            .with_member_assignment(member.assignment.clone())
    } else {
        described.with_member_metadata(Bytes::new()).with_member_assignment(Bytes::new())
    }
}

pub(crate) fn list(node: &Node, request: ListGroupsRequest) -> ListGroupsResponse {
    let mut groups: BTreeMap<String, (String, &'static str)> = BTreeMap::new();
    for id in node.group_offsets.groups() {
        groups.insert(id, (String::new(), EMPTY));
    }
    groups.extend(
        node.groups.look_at_all(|(id, group)| (id.clone(), (group.protocol_type().to_owned(), group.phase().name()))),
    );
    let named = |filter: &[kafka_protocol::protocol::StrBytes], name: &str| {
        filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    let wanted = groups
        .into_iter()
        .filter(|(_, (_, state))| named(&request.states_filter, state) && named(&request.types_filter, CLASSIC));
    let listed = wanted.map(|(id, (protocol_type, state))| {
        ListedGroup::default()
            .with_group_id(GroupId(text(id)))
            .with_protocol_type(text(protocol_type))
            .with_group_state(text(state))
            .with_group_type(text(CLASSIC))
    });
    ListGroupsResponse::default().with_groups(listed.collect())
}

pub(crate) fn delete(node: &Node, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let results = request.groups_names.into_iter().map(|id| {
        let deleted = delete_one(node, &id);
        DeletableGroupResult::default().with_error_code(code(&deleted)).with_group_id(id)
    });
    DeleteGroupsResponse::default().with_results(results.collect())
}

fn delete_one(node: &Node, id: &str) -> Result<(), ResponseError> {
    let had_offsets = node.group_offsets.has_group(id);
    let was_known = node.groups.delete(id)?;
    if !had_offsets && !was_known {
        return Err(ResponseError::GroupIdNotFound);
    }
    node.group_offsets.forget(id, |_| true).map_err(super::storage_error)
}
