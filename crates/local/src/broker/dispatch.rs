//! From a frame to the API that answers it, and back to a frame.
//!
//! [`APIS`] is the one list of what is served: it is what ApiVersions tells, and nothing outside of it is decoded. An
//! API or version that is not in it has no error in the protocol (the shape of the answer is not known either), so the
//! connection is closed, as Kafka does; ApiVersions itself is the exception. There are no transactions, so none of
//! their APIs is in the list.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    ResponseError,
    messages::{ApiKey, RequestHeader, ResponseHeader, ResponseKind},
    protocol::{Decodable, Encodable},
};

use super::{
    api,
    node::Node,
    shape::{self, ShapeError},
};

/// The APIs that are served, with the first and last version.
pub(crate) const APIS: &[(ApiKey, i16, i16)] = &[
    (ApiKey::Produce, 3, 13),
    (ApiKey::Fetch, 4, 18),
    (ApiKey::ListOffsets, 1, 10),
    (ApiKey::Metadata, 0, 13),
    (ApiKey::OffsetCommit, 2, 9),
    (ApiKey::OffsetFetch, 1, 9),
    (ApiKey::FindCoordinator, 0, 6),
    (ApiKey::JoinGroup, 0, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::DescribeGroups, 0, 6),
    (ApiKey::ListGroups, 0, 5),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::DeleteTopics, 1, 6),
    (ApiKey::DeleteRecords, 0, 2),
    (ApiKey::InitProducerId, 0, 5),
    (ApiKey::OffsetForLeaderEpoch, 2, 4),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::AlterConfigs, 0, 2),
    (ApiKey::DescribeLogDirs, 1, 4),
    (ApiKey::CreatePartitions, 0, 3),
    (ApiKey::DeleteGroups, 0, 2),
    (ApiKey::IncrementalAlterConfigs, 0, 1),
    (ApiKey::OffsetDelete, 0, 0),
    (ApiKey::DescribeCluster, 0, 2),
];

/// Who sent a request.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// As group descriptions show it: `/127.0.0.1`.
    pub(crate) host: String,
}

/// Why a connection is closed instead of answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("request of {found} bytes has no header")]
    Header { found: usize },
    #[error("unknown api key {key}")]
    Api { key: i16 },
    #[error("{api:?} version {version} is not served")]
    Version { api: ApiKey, version: i16 },
    #[error("request lengths")]
    Shape(#[from] ShapeError),
    #[error("{api:?} version {version} cannot be decoded: {reason}")]
    Decode { api: ApiKey, version: i16, reason: String },
    #[error("answer to {api:?} version {version} cannot be encoded: {reason}")]
    Encode { api: ApiKey, version: i16, reason: String },
    #[error("records that nobody waits for cannot be stored")]
    Unacknowledged,
    #[error("request was abandoned")]
    Abandoned,
}

/// Answers one request; `None` if the protocol has no answer to it.
pub(crate) async fn answer(node: &Arc<Node>, peer: &Peer, frame: Bytes) -> Result<Option<BytesMut>, Refused> {
    let found = frame.len();
    let start: &[u8; 8] = frame.first_chunk().ok_or(Refused::Header { found })?;
    let [key_high, key_low, version_high, version_low, ..] = *start;
    let key = i16::from_be_bytes([key_high, key_low]);
    let version = i16::from_be_bytes([version_high, version_low]);
    let api = ApiKey::try_from(key).map_err(|()| Refused::Api { key })?;
    let served = APIS.iter().any(|(served, first, last)| *served == api && (*first..=*last).contains(&version));
    if !served && api != ApiKey::ApiVersions {
        return Err(Refused::Version { api, version });
    }

    let mut body = frame;
    let header_version = api.request_header_version(version);
    shape::check_header(&body, header_version)?;
    let refuse = |error: &dyn std::fmt::Display| Refused::Decode { api, version, reason: error.to_string() };
    let header = RequestHeader::decode(&mut body, header_version).map_err(|error| refuse(&error))?;
    if !served {
        let fallback = api::versions::api_versions(Some(ResponseError::UnsupportedVersion));
        return encode(api, 0, header.correlation_id, &fallback.into()).map(Some);
    }
    shape::check_body(api, version, &body)?;
    let request = Request { node: Arc::clone(node), peer: peer.clone(), header, api, version, body };
    let correlation_id = request.header.correlation_id;
    let response = request.answer().await?;
    tracing::trace!(?api, version, correlation_id, peer = peer.host, "answered");
    match response {
        Some(response) => encode(api, version, correlation_id, &response).map(Some),
        None => Ok(None),
    }
}

/// A request whose header and lengths were checked.
struct Request {
    node: Arc<Node>,
    peer: Peer,
    header: RequestHeader,
    api: ApiKey,
    version: i16,
    body: Bytes,
}

impl Request {
    async fn answer(self) -> Result<Option<ResponseKind>, Refused> {
        let version = self.version;
        let answered = match self.api {
            ApiKey::Produce => return self.produce().await,
            ApiKey::Fetch => {
                let request = self.decode()?;
                api::fetch::fetch(&self.node, request, version).await.ok_or(Refused::Abandoned)?.into()
            }
            ApiKey::JoinGroup => {
                let request = self.decode()?;
                let client_id = self.header.client_id.as_deref().unwrap_or_default();
                api::membership::join(&self.node, &self.peer.host, client_id, request, version).await.into()
            }
            ApiKey::SyncGroup => api::membership::sync(&self.node, self.decode()?).await.into(),
            ApiKey::Heartbeat => api::membership::heartbeat(&self.node, &self.decode()?).into(),
            ApiKey::LeaveGroup => api::membership::leave(&self.node, self.decode()?, version).into(),
            ApiKey::ApiVersions => api::versions::api_versions(None).into(),
            ApiKey::ListOffsets => {
                self.blocking(move |node, request| api::list_offsets::list_offsets(node, request, version)).await?
            }
            ApiKey::Metadata => {
                self.blocking(move |node, request| api::metadata::metadata(node, request, version)).await?
            }
            ApiKey::OffsetCommit => self.blocking(api::offsets::commit).await?,
            ApiKey::OffsetFetch => {
                self.blocking(move |node, request| api::offsets::fetch(node, request, version)).await?
            }
            ApiKey::OffsetDelete => self.blocking(api::offsets::delete).await?,
            ApiKey::FindCoordinator => {
                self.blocking(move |node, request| api::cluster::find_coordinator(node, request, version)).await?
            }
            ApiKey::DescribeGroups => {
                self.blocking(move |node, request| api::groups::describe(node, request, version)).await?
            }
            ApiKey::ListGroups => self.blocking(api::groups::list).await?,
            ApiKey::DeleteGroups => self.blocking(api::groups::delete).await?,
            ApiKey::CreateTopics => {
                self.blocking(move |node, request| api::topics::create(node, request, version)).await?
            }
            ApiKey::DeleteTopics => self.blocking(api::topics::delete).await?,
            ApiKey::CreatePartitions => self.blocking(api::topics::create_partitions).await?,
            ApiKey::DeleteRecords => self.blocking(api::records::delete).await?,
            ApiKey::DescribeLogDirs => self.blocking(api::records::describe_log_dirs).await?,
            ApiKey::OffsetForLeaderEpoch => self.blocking(api::records::end_of_epoch).await?,
            ApiKey::InitProducerId => self.blocking(api::producer::init_producer_id).await?,
            ApiKey::DescribeConfigs => self.blocking(api::configs::describe).await?,
            ApiKey::AlterConfigs => self.blocking(api::configs::alter).await?,
            ApiKey::IncrementalAlterConfigs => self.blocking(api::configs::alter_incrementally).await?,
            ApiKey::DescribeCluster => self.blocking(api::cluster::describe).await?,
            api => return Err(Refused::Version { api, version }),
        };
        Ok(Some(answered))
    }

    async fn produce(&self) -> Result<Option<ResponseKind>, Refused> {
        let request: kafka_protocol::messages::ProduceRequest = self.decode()?;
        let (version, acks) = (self.version, request.acks);
        let answered = self.run(move |node| api::produce::produce(node, request, version)).await?;
        if acks != 0 {
            return Ok(Some(answered.into()));
        }
        // the client reads no answer; closing is the only way to tell it
        if api::produce::is_failed(&answered) { Err(Refused::Unacknowledged) } else { Ok(None) }
    }

    fn decode<T: Decodable>(&self) -> Result<T, Refused> {
        T::decode(&mut self.body.clone(), self.version).map_err(|error| {
            let (api, version) = (self.api, self.version);
            Refused::Decode { api, version, reason: error.to_string() }
        })
    }

    /// Decodes the request and answers it where files may be waited for.
    async fn blocking<T, R>(&self, answer: impl FnOnce(&Node, T) -> R + Send + 'static) -> Result<ResponseKind, Refused>
    where
        T: Decodable + Send + 'static,
        R: Into<ResponseKind> + Send + 'static,
    {
        let request = self.decode()?;
        self.run(move |node| answer(node, request)).await.map(Into::into)
    }

    async fn run<R: Send + 'static>(&self, work: impl FnOnce(&Node) -> R + Send + 'static) -> Result<R, Refused> {
        let node = Arc::clone(&self.node);
        tokio::task::spawn_blocking(move || work(&node)).await.map_err(|_| Refused::Abandoned)
    }
}

fn encode(api: ApiKey, version: i16, correlation_id: i32, response: &ResponseKind) -> Result<BytesMut, Refused> {
    let refuse = |error: &dyn std::fmt::Display| Refused::Encode { api, version, reason: error.to_string() };
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    let header = ResponseHeader::default().with_correlation_id(correlation_id);
    header.encode(&mut frame, api.response_header_version(version)).map_err(|error| refuse(&error))?;
    response.encode(&mut frame, version).map_err(|error| refuse(&error))?;
    let length = i32::try_from(frame.len() - 4).map_err(|error| refuse(&error))?;
    if let Some(claim) = frame.first_chunk_mut() {
        *claim = length.to_be_bytes();
    }
    Ok(frame)
}
