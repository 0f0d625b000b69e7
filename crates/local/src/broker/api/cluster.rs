//! FindCoordinator and DescribeCluster: the answer is always this node.

use kafka_protocol::{
    ResponseError,
    messages::{
        DescribeClusterRequest, DescribeClusterResponse, FindCoordinatorRequest, FindCoordinatorResponse,
        describe_cluster_response::DescribeClusterBroker, find_coordinator_response::Coordinator,
    },
};

use super::{NONE, text};
use crate::broker::node::{NODE_ID, Node};

/// Keys that have a coordinator: groups, and transactional ids (so that the refusal comes from InitProducerId, whose
/// code all clients take as final).
const GROUP_AND_TRANSACTION: [i8; 2] = [0, 1];

pub(crate) fn find_coordinator(node: &Node, request: FindCoordinatorRequest, version: i16) -> FindCoordinatorResponse {
    let error =
        if !GROUP_AND_TRANSACTION.contains(&request.key_type) { ResponseError::InvalidRequest.code() } else { NONE };
    let host = text(&*node.host);
    if version < 4 {
        return FindCoordinatorResponse::default()
            .with_error_code(error)
            .with_node_id(NODE_ID.into())
            .with_host(host)
            .with_port(node.port);
    }
    let coordinators = request.coordinator_keys.into_iter().map(|key| {
        Coordinator::default()
            .with_key(key)
            .with_error_code(error)
            .with_node_id(NODE_ID.into())
            .with_host(host.clone())
            .with_port(node.port)
    });
    FindCoordinatorResponse::default().with_coordinators(coordinators.collect())
}

pub(crate) fn describe(node: &Node, request: DescribeClusterRequest) -> DescribeClusterResponse {
    const BROKERS: i8 = 1;
    let response = DescribeClusterResponse::default().with_endpoint_type(BROKERS);
    if request.endpoint_type != BROKERS {
        return response
            .with_error_code(ResponseError::MismatchedEndpointType.code())
            .with_error_message(Some(text("this is a broker endpoint")));
    }
    let broker = DescribeClusterBroker::default()
        .with_broker_id(NODE_ID.into())
        .with_host(text(&*node.host))
        .with_port(node.port);
    response.with_cluster_id(text(&*node.cluster_id)).with_controller_id(NODE_ID.into()).with_brokers(vec![broker])
}
