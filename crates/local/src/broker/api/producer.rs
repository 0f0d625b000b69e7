//! InitProducerId: an id for each idempotent producer.

use kafka_protocol::{
    ResponseError,
    messages::{InitProducerIdRequest, InitProducerIdResponse},
};

use crate::broker::node::Node;

/// Transactions are not served. Of the codes that fit, this is the one that every client takes as final at once.
const NO_TRANSACTIONS: ResponseError = ResponseError::TransactionalIdAuthorizationFailed;

pub(crate) fn init_producer_id(node: &Node, request: InitProducerIdRequest) -> InitProducerIdResponse {
    let id = if request.transactional_id.is_some() {
        Err(NO_TRANSACTIONS)
    } else {
        node.producer_ids.next().map_err(|error| {
            tracing::error!(%error, "producer ids");
            ResponseError::KafkaStorageError
        })
    };
    let response = InitProducerIdResponse::default();
    match id {
        Ok(id) => response.with_producer_id(id.into()).with_producer_epoch(0),
        Err(error) => response.with_error_code(error.code()).with_producer_id((-1).into()).with_producer_epoch(-1),
    }
}
