//! The Runtime API: how a function's process gets invocations and answers them.
//!
//! # References
//! - <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Host;
use super::answer::{Answer, empty, of_bytes, of_json, with_header};
use super::function::Function;
use crate::invoke::InvokeError;

/// Longest answer of a function that does not stream it.
const MAX_RESPONSE: usize = 6_291_556;
/// Longest streamed answer.
const MAX_STREAMED: usize = 200 << 20;

/// Answers a request of the process `slot` of `function`; `path` is what follows the version.
pub(super) async fn answer(
    host: &Arc<Host>,
    function: &str,
    slot: usize,
    path: &[&str],
    request: Request<Incoming>,
) -> Answer {
    let Some(function) = host.function(function) else {
        return refused(StatusCode::NOT_FOUND, "UnknownFunction", "there is no such function");
    };
    match (request.method(), path) {
        (&Method::GET, ["runtime", "invocation", "next"]) => next(&function, slot).await,
        (&Method::POST, ["runtime", "invocation", request_id, "response"]) => {
            let request_id = (*request_id).to_owned();
            response(&function, slot, &request_id, request).await
        }
        (&Method::POST, ["runtime", "invocation", request_id, "error"]) => {
            let request_id = (*request_id).to_owned();
            let error = failure(request).await;
            accepted(function.slot(slot).is_some_and(|slot| slot.answer(&request_id, Err(error))))
        }
        (&Method::POST, ["runtime", "init", "error"]) => {
            let error = failure(request).await;
            tracing::error!(function = function.settings.name, %error, "function cannot initialise");
            function.fail_one(&error.to_string());
            accepted(true)
        }
        _ => refused(StatusCode::NOT_FOUND, "UnknownOperation", "there is no such operation"),
    }
}

async fn next(function: &Arc<Function>, slot: usize) -> Answer {
    let Some(next) = function.next(slot).await else {
        return refused(StatusCode::GONE, "Replaced", "another process has taken this one's place");
    };
    let answer = of_bytes(StatusCode::OK, next.payload);
    let answer = with_header(answer, "content-type", "application/json");
    let answer = with_header(answer, "lambda-runtime-aws-request-id", &next.request_id);
    let answer = with_header(answer, "lambda-runtime-deadline-ms", &next.deadline_ms.to_string());
    with_header(answer, "lambda-runtime-invoked-function-arn", &next.arn)
}

async fn response(function: &Function, slot: usize, request_id: &str, request: Request<Incoming>) -> Answer {
    let streamed = request
        .headers()
        .get("lambda-runtime-function-response-mode")
        .is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"streaming"));
    let limit = if streamed { MAX_STREAMED } else { MAX_RESPONSE };
    let reply = match Limited::new(request.into_body(), limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(InvokeError::Function {
            error_type: "Function.ResponseSizeTooLarge".to_owned(),
            message: format!("response payload size exceeded maximum allowed payload size ({limit} bytes)"),
        }),
        Err(error) => Err(InvokeError::Unanswered { message: error.to_string() }),
    };
    accepted(function.slot(slot).is_some_and(|slot| slot.answer(request_id, reply)))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Diagnostic {
    error_type: String,
    error_message: String,
}

async fn failure(request: Request<Incoming>) -> InvokeError {
    let kind = request
        .headers()
        .get("lambda-runtime-function-error-type")
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("Unhandled")
        .to_owned();
    let body = match Limited::new(request.into_body(), MAX_RESPONSE).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let diagnostic: Diagnostic = serde_json::from_slice(&body).unwrap_or_default();
    InvokeError::Function {
        error_type: if diagnostic.error_type.is_empty() { kind } else { diagnostic.error_type },
        message: diagnostic.error_message,
    }
}

fn accepted(known: bool) -> Answer {
    if known {
        empty(StatusCode::ACCEPTED)
    } else {
        refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "this invocation is not running here")
    }
}

fn refused(status: StatusCode, kind: &str, message: &str) -> Answer {
    of_json(status, &json!({ "errorType": kind, "errorMessage": message }))
}
