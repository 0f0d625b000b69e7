//! Answers, and errors with the numbers that clients of registries know.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

pub(super) type Answer = Response<Full<Bytes>>;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// 404: no such path.
    NotFound,
    /// 40401
    Subject(String),
    /// 40402
    Version(String),
    /// 40403
    Schema(String),
    /// 40404, 40405: a deletion that has an order.
    Deletion(u32, String),
    /// 42201
    InvalidSchema(String),
    /// 42202
    InvalidVersion(String),
    /// 42203
    InvalidLevel(String),
    /// 42206: the schema is used by others.
    Referenced(String),
    /// 400: a body that is none.
    Request(String),
    /// 413
    TooLarge,
    /// 405: what is not served here.
    NotServed(String),
    /// 50001: the file cannot be written.
    Store(String),
}

impl ApiError {
    pub(super) fn answer(self) -> Answer {
        let (status, code, message) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, 404, "HTTP 404 Not Found".to_owned()),
            Self::Subject(subject) => (StatusCode::NOT_FOUND, 40_401, format!("Subject '{subject}' not found.")),
            Self::Version(version) => (StatusCode::NOT_FOUND, 40_402, format!("Version {version} not found.")),
            Self::Schema(message) => (StatusCode::NOT_FOUND, 40_403, message),
            Self::Deletion(code, message) => (StatusCode::NOT_FOUND, code, message),
            Self::InvalidSchema(message) => {
                (StatusCode::UNPROCESSABLE_ENTITY, 42_201, format!("Invalid schema: {message}"))
            }
            Self::InvalidVersion(version) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                42_202,
                format!(
                    "The specified version '{version}' is not a valid version id. Allowed values are between [1, \
                     2^31-1] and the string \"latest\""
                ),
            ),
            Self::InvalidLevel(level) => {
                (StatusCode::UNPROCESSABLE_ENTITY, 42_203, format!("Invalid compatibility level: {level}"))
            }
            Self::Referenced(message) => (StatusCode::UNPROCESSABLE_ENTITY, 42_206, message),
            Self::Request(message) => (StatusCode::BAD_REQUEST, 400, message),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 413, "the request is too large".to_owned()),
            Self::NotServed(message) => (StatusCode::METHOD_NOT_ALLOWED, 405, message),
            Self::Store(message) => (StatusCode::INTERNAL_SERVER_ERROR, 50_001, message),
        };
        of_json(status, &json!({ "error_code": code, "message": message }))
    }
}

pub(super) fn of_json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("application/vnd.schemaregistry.v1+json");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
