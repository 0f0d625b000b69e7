//! The Lambda API: routes, invocations and aliases.
//!
//! # References
//! - <https://docs.aws.amazon.com/lambda/latest/api/>

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::answer::{Answer, ApiError, empty, of_bytes, of_json, with_header};
use super::{Host, mapping_api, runtime_api};
use crate::esm::batch::MAX_EVENT_BYTES;
use crate::invoke::InvokeError;

/// A function as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FunctionName {
    pub(super) name: String,
    pub(super) alias: Option<String>,
}

/// Answers any request.
pub(super) async fn answer(host: &Arc<Host>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let decoded: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    if let ["runtime", function, slot, "2018-06-01", rest @ ..] = parts.as_slice()
        && let Ok(slot) = slot.parse()
    {
        return runtime_api::answer(host, function, slot, rest, request).await;
    }
    match route(host, &parts, request).await {
        Ok(answer) => answer,
        Err(error) => error.answer(),
    }
}

async fn route(host: &Arc<Host>, path: &[&str], request: Request<Incoming>) -> Result<Answer, ApiError> {
    let method = request.method().clone();
    let query = parameters(request.uri().query().unwrap_or(""));
    match (&method, path) {
        (&Method::POST, ["2015-03-31", "functions", function, "invocations"]) => {
            let mut function = function_name(function);
            if let Some(qualifier) = query.get("Qualifier") {
                function.alias = Some(qualifier.clone());
            }
            invoke(host, function, request).await
        }
        (&Method::POST, ["2015-03-31", "functions", function, "aliases"]) => {
            let function = existing(host, function_name(function))?;
            let alias: NewAlias = body(request).await?;
            if !host.aliases.put(&alias.name, &alias.description) {
                return Err(ApiError::Conflict(format!(
                    "Alias already exists: {}",
                    arn(host, &function.name, &alias.name)
                )));
            }
            Ok(of_json(StatusCode::CREATED, &alias_shape(host, &function.name, &alias.name, &alias.description)))
        }
        (&Method::GET, ["2015-03-31", "functions", function, "aliases", alias]) => {
            let function = existing(host, function_name(function))?;
            let missing = || ApiError::NotFound(format!("Cannot find alias arn: {}", arn(host, &function.name, alias)));
            let description = host.aliases.get(alias).ok_or_else(missing)?;
            Ok(of_json(StatusCode::OK, &alias_shape(host, &function.name, alias, &description)))
        }
        (&Method::DELETE, ["2015-03-31", "functions", function, "aliases", alias]) => {
            existing(host, function_name(function))?;
            host.aliases.remove(alias);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        (method, ["2015-03-31", "event-source-mappings", rest @ ..]) => {
            mapping_api::route(host, method, rest, &query, request).await
        }
        _ => Err(ApiError::NotFound(format!("{method} {} is not emulated", request.uri().path()))),
    }
}

async fn invoke(host: &Arc<Host>, function: FunctionName, request: Request<Incoming>) -> Result<Answer, ApiError> {
    let function = existing(host, function)?;
    if let Some(alias) = &function.alias
        && alias != "$LATEST"
        && host.aliases.get(alias).is_none()
    {
        return Err(ApiError::NotFound(format!("Function not found: {}", arn(host, &function.name, alias))));
    }
    let kind = request
        .headers()
        .get("x-amz-invocation-type")
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("RequestResponse")
        .to_owned();
    let payload = bytes(request).await?;
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    match kind.as_str() {
        "DryRun" => return Ok(empty(StatusCode::NO_CONTENT)),
        "Event" => {
            let host = Arc::clone(host);
            tokio::spawn(async move {
                if let Err(error) = host.invoke(&function.name, function.alias.as_deref(), payload).await {
                    tracing::warn!(function = function.name, %error, "asynchronous invocation failed");
                }
            });
            return Ok(empty(StatusCode::ACCEPTED));
        }
        "RequestResponse" => {}
        other => {
            return Err(ApiError::InvalidParameter(format!(
                "invocation type: expected RequestResponse, Event or DryRun, found `{other}`"
            )));
        }
    }
    let failed = |kind: &str, message: String| {
        let body = json!({ "errorType": kind, "errorMessage": message });
        with_header(of_json(StatusCode::OK, &body), "x-amz-function-error", "Unhandled")
    };
    let answer = match host.invoke(&function.name, function.alias.as_deref(), payload).await {
        Ok(answer) => of_bytes(StatusCode::OK, answer),
        Err(InvokeError::Function { error_type, message }) => failed(&error_type, message),
        Err(InvokeError::TimedOut { seconds }) => {
            failed("Sandbox.Timedout", format!("Error: Task timed out after {seconds}.00 seconds"))
        }
        Err(InvokeError::Unanswered { message }) => failed("Runtime.ExitError", message),
    };
    Ok(with_header(answer, "x-amz-executed-version", "$LATEST"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewAlias {
    name: String,
    #[serde(default)]
    description: String,
}

fn alias_shape(host: &Host, function: &str, alias: &str, description: &str) -> serde_json::Value {
    json!({
        "AliasArn": arn(host, function, alias),
        "Name": alias,
        "FunctionVersion": "$LATEST",
        "Description": description,
        "RevisionId": "00000000-0000-0000-0000-000000000000",
    })
}

fn arn(host: &Host, function: &str, alias: &str) -> String {
    host.arn(function, Some(alias))
}

/// Refuses a function that is not run here.
pub(super) fn existing(host: &Host, function: FunctionName) -> Result<FunctionName, ApiError> {
    if host.function(&function.name).is_none() {
        return Err(ApiError::NotFound(format!("Function not found: {}", host.arn(&function.name, None))));
    }
    Ok(function)
}

/// Takes a function's name from `name`, `name:alias`, an ARN or a part of one.
pub(super) fn function_name(text: &str) -> FunctionName {
    let after = text.rsplit_once("function:").map_or(text, |(_, name)| name);
    match after.split_once(':') {
        Some((name, alias)) => FunctionName { name: name.to_owned(), alias: Some(alias.to_owned()) },
        None => FunctionName { name: after.to_owned(), alias: None },
    }
}

/// The body of a request, as a value.
pub(super) async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, ApiError> {
    let bytes = bytes(request).await?;
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    serde_json::from_slice(text)
        .map_err(|error| ApiError::InvalidParameter(format!("Could not parse request body into json: {error}")))
}

async fn bytes(request: Request<Incoming>) -> Result<Bytes, ApiError> {
    match Limited::new(request.into_body(), MAX_EVENT_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::TooLarge(format!(
            "Request must be smaller than {MAX_EVENT_BYTES} bytes for the InvokeFunction operation"
        ))),
        Err(error) => Err(ApiError::InvalidParameter(error.to_string())),
    }
}

fn parameters(query: &str) -> BTreeMap<String, String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// Undoes percent encoding; what is none stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_is_named_in_every_way_of_the_api() {
        let name = |text: &str| {
            let found = function_name(text);
            (found.name, found.alias)
        };
        let load = "load".to_owned();
        assert_eq!(name("load"), (load.clone(), None));
        assert_eq!(name("load:job-1"), (load.clone(), Some("job-1".to_owned())));
        assert_eq!(name("123456789012:function:load"), (load.clone(), None));
        let arn = decode("arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aload%3Ajob-1");
        assert_eq!(name(&arn), (load, Some("job-1".to_owned())));
    }

    #[test]
    fn stray_percent_signs_stay() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%41"), "%zzA");
    }
}
