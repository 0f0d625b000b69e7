//! Answers of both APIs, and their errors as AWS's clients expect them.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

pub(super) type Answer = Response<Full<Bytes>>;

/// Errors of the Lambda API; each is a type that its clients know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// 404 `ResourceNotFoundException`.
    NotFound(String),
    /// 409 `ResourceConflictException`.
    Conflict(String),
    /// 400 `InvalidParameterValueException`.
    InvalidParameter(String),
    /// 413 `RequestTooLargeException`.
    TooLarge(String),
    /// 500 `ServiceException`.
    Service(String),
}

impl ApiError {
    pub(super) fn answer(self) -> Answer {
        let (status, kind, message) = match self {
            Self::NotFound(message) => (StatusCode::NOT_FOUND, "ResourceNotFoundException", message),
            Self::Conflict(message) => (StatusCode::CONFLICT, "ResourceConflictException", message),
            Self::InvalidParameter(message) => (StatusCode::BAD_REQUEST, "InvalidParameterValueException", message),
            Self::TooLarge(message) => (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message),
            Self::Service(message) => (StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", message),
        };
        let side = if status.is_server_error() { "Service" } else { "User" };
        let mut answer = of_json(status, &json!({ "__type": kind, "Type": side, "Message": message }));
        answer.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
        answer
    }
}

pub(super) fn of_json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = of_bytes(status, Bytes::from(body.to_string()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

pub(super) fn of_bytes(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer
}

pub(super) fn empty(status: StatusCode) -> Answer {
    of_bytes(status, Bytes::new())
}

/// Adds a header; a value that no header may hold is left out.
pub(super) fn with_header(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
    answer
}
