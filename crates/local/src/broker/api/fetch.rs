//! Fetch: stored bytes, as soon as there are enough of them.
//!
//! There are no fetch sessions: every answer carries session id 0, which tells a client to name all it wants each time.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::FuturesUnordered};
use kafka_protocol::{
    ResponseError,
    messages::{
        FetchRequest, FetchResponse,
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::{FetchableTopicResponse, PartitionData},
    },
};
use tokio::time::Instant;

use super::{find_log, find_topic, log_error};
use crate::broker::{
    log::{Oversized, PartitionLog},
    node::Node,
    topics::Topic,
};

/// Longest wait that a client may ask for.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Answers when `min_bytes` are there, something failed or `max_wait_ms` is over. `None` if a read was abandoned.
pub(crate) async fn fetch(node: &Arc<Node>, request: FetchRequest, version: i16) -> Option<FetchResponse> {
    let session_error = session_error(&request);
    if let Some(error) = session_error {
        return Some(FetchResponse::default().with_error_code(error.code()));
    }
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(MAX_WAIT);
    let deadline = Instant::now() + wait;
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let request = Arc::new(request);
    loop {
        // subscribed before the read, so that what is appended in between is not slept over
        let mut appends: Vec<_> = logs(node, &request).iter().map(|log| log.watch()).collect();
        let read = {
            let (node, request) = (Arc::clone(node), Arc::clone(&request));
            tokio::task::spawn_blocking(move || read(&node, &request, version)).await.ok()?
        };
        if read.bytes >= min_bytes || read.is_failed || Instant::now() >= deadline {
            return Some(read.response);
        }
        let mut changes: FuturesUnordered<_> = appends.iter_mut().map(|log| log.changed()).collect();
        if changes.is_empty() {
            tokio::time::sleep_until(deadline).await;
        } else {
            // either outcome means reading again
            drop(tokio::time::timeout_at(deadline, changes.next()).await);
        }
    }
}

/// A request that continues a session cannot be meant for this node.
fn session_error(request: &FetchRequest) -> Option<ResponseError> {
    (request.session_id != 0).then_some(ResponseError::FetchSessionIdNotFound)
}

fn logs(node: &Node, request: &FetchRequest) -> Vec<Arc<PartitionLog>> {
    let of_topic = |wanted: &FetchTopic| {
        let topic = find_topic(node, &wanted.topic, wanted.topic_id);
        let indexes = wanted.partitions.iter().map(|partition| partition.partition);
        indexes.filter_map(|index| find_log(&topic, index).ok()).collect::<Vec<_>>()
    };
    request.topics.iter().flat_map(of_topic).collect()
}

struct Read {
    response: FetchResponse,
    bytes: usize,
    is_failed: bool,
}

/// Reads what there is. The limits bend for the first batch of the answer, so that a large one does not stop a client.
fn read(node: &Node, request: &FetchRequest, version: i16) -> Read {
    let most = u64::try_from(request.max_bytes).unwrap_or(0).min(node.limits.fetch_bytes);
    let mut budget = Budget { left: most, bytes: 0, is_failed: false, version };
    let responses = request.topics.iter().map(|wanted| {
        let topic = find_topic(node, &wanted.topic, wanted.topic_id);
        let partitions = wanted.partitions.iter().map(|partition| budget.read(&topic, partition));
        FetchableTopicResponse::default()
            .with_partitions(partitions.collect())
            .with_topic(wanted.topic.clone())
            .with_topic_id(wanted.topic_id)
    });
    let responses = responses.collect();
    Read {
        response: FetchResponse::default().with_responses(responses),
        bytes: budget.bytes,
        is_failed: budget.is_failed,
    }
}

/// What one answer may still take.
struct Budget {
    left: u64,
    bytes: usize,
    is_failed: bool,
    version: i16,
}

impl Budget {
    fn read(&mut self, topic: &Result<Arc<Topic>, ResponseError>, wanted: &FetchPartition) -> PartitionData {
        let response = PartitionData::default().with_partition_index(wanted.partition);
        match self.try_read(topic, wanted) {
            Ok((records, bounds)) => response
                .with_high_watermark(bounds.high_watermark)
                .with_last_stable_offset(bounds.high_watermark)
                .with_log_start_offset(bounds.start_offset)
                .with_records(Some(records)),
            Err(error) => {
                self.is_failed = true;
                response
                    .with_error_code(error.code())
                    .with_high_watermark(-1)
                    .with_last_stable_offset(-1)
                    .with_log_start_offset(-1)
                    .with_records(Some(Bytes::new()))
            }
        }
    }

    fn try_read(
        &mut self,
        topic: &Result<Arc<Topic>, ResponseError>,
        wanted: &FetchPartition,
    ) -> Result<(Bytes, crate::broker::log::Bounds), ResponseError> {
        let log = find_log(topic, wanted.partition)?;
        super::check_epoch(wanted.current_leader_epoch)?;
        let most = u64::try_from(wanted.partition_max_bytes).unwrap_or(0).min(self.left);
        let oversized = if self.bytes == 0 { Oversized::Allowed } else { Oversized::Refused };
        let records = log.read(wanted.fetch_offset, most, oversized).map_err(|error| log_error(&error))?;
        if super::needs_newer_fetch(&records, self.version) {
            return Err(ResponseError::UnsupportedCompressionType);
        }
        self.bytes += records.len();
        self.left = self.left.saturating_sub(records.len() as u64);
        Ok((records.into(), log.bounds()))
    }
}
