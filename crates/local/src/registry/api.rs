//! Requests: paths, parameters, bodies.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::answer::{Answer, ApiError, of_json};
use super::state::{Reference, Registered, Schema, SchemaType, Version, Which};

/// Bytes of a request's body.
const MAX_BODY_BYTES: usize = 8 << 20;

const LEVELS: [&str; 7] =
    ["NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"];

/// Answers any request.
pub(super) async fn answer(registered: &Mutex<Registered>, request: Request<Incoming>) -> Answer {
    match route(registered, request).await {
        Ok(body) => of_json(StatusCode::OK, &body),
        Err(error) => error.answer(),
    }
}

/// The shape in which schemas are sent.
#[derive(Debug, Deserialize)]
struct SentSchema {
    schema: String,
    #[serde(rename = "schemaType", default)]
    schema_type: Option<String>,
    #[serde(default)]
    references: Option<Vec<Reference>>,
}

#[derive(Debug, Deserialize)]
struct SentLevel {
    compatibility: String,
}

async fn route(registered: &Mutex<Registered>, request: Request<Incoming>) -> Result<Value, ApiError> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let decoded: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let deleted = flag(&query, "deleted");
    match (&method, parts.as_slice()) {
        (&Method::POST, ["subjects", subject]) => {
            let schema = sent_schema(request).await?;
            let registered = registered.lock().await;
            let version = registered.lookup(subject, &schema, deleted)?;
            Ok(shown(&registered, subject, &version))
        }
        (&Method::POST, ["subjects", subject, "versions"]) => {
            let schema = sent_schema(request).await?;
            let mut registered = registered.lock().await;
            let (id, version) = registered.register(subject, schema)?;
            let version = Version { version, id, deleted: false };
            Ok(shown(&registered, subject, &version))
        }
        (&Method::POST, ["compatibility", "subjects", subject, "versions", rest @ ..]) => {
            let schema = sent_schema(request).await?;
            let registered = registered.lock().await;
            registered.check(&schema)?;
            if let [which] = rest {
                registered.version(subject, self::which(which)?, false)?;
            }
            Ok(json!({ "is_compatible": true }))
        }
        (&Method::PUT, ["config", subject @ ..]) if subject.len() < 2 => {
            let level: SentLevel = body(request).await?;
            let known = level.compatibility.to_ascii_uppercase();
            if !LEVELS.contains(&known.as_str()) {
                return Err(ApiError::InvalidLevel(level.compatibility));
            }
            registered.lock().await.set_level(subject.first().copied(), Some(&known))?;
            Ok(json!({ "compatibility": known }))
        }
        (&Method::DELETE, ["config", subject @ ..]) if subject.len() < 2 => {
            let mut registered = registered.lock().await;
            let level = level(&registered, subject.first().copied()).to_owned();
            registered.set_level(subject.first().copied(), None)?;
            Ok(json!({ "compatibility": level }))
        }
        (&Method::DELETE, ["subjects", subject]) => {
            let numbers = registered.lock().await.delete(subject, None, flag(&query, "permanent"))?;
            Ok(json!(numbers))
        }
        (&Method::DELETE, ["subjects", subject, "versions", which]) => {
            let which = self::which(which)?;
            let numbers = registered.lock().await.delete(subject, Some(which), flag(&query, "permanent"))?;
            Ok(json!(numbers.first()))
        }
        (&Method::GET, parts) => read(&*registered.lock().await, parts, &query),
        (&Method::PUT, ["mode", ..]) => {
            Err(ApiError::NotServed("the mode is READWRITE and cannot be changed here".to_owned()))
        }
        _ => Err(ApiError::NotServed(format!("{method} {path} is not served here"))),
    }
}

fn read(registered: &Registered, parts: &[&str], query: &str) -> Result<Value, ApiError> {
    let deleted = flag(query, "deleted");
    Ok(match parts {
        [] => json!({}),
        ["schemas", "types"] => json!(["JSON", "AVRO"]),
        ["schemas", "ids", id, rest @ ..] => {
            let unknown = || ApiError::Schema(format!("Schema {id} not found"));
            let id: u32 = id.parse().map_err(|_| unknown())?;
            let schema = registered.schema(id).ok_or_else(unknown)?;
            match rest {
                [] => fields(schema),
                ["schema"] => serde_json::from_str(&schema.schema).unwrap_or(Value::Null),
                ["subjects"] => json!(registered.uses(id).iter().map(|(subject, _)| subject).collect::<Vec<_>>()),
                ["versions"] => registered
                    .uses(id)
                    .iter()
                    .map(|(subject, version)| json!({ "subject": subject, "version": version }))
                    .collect(),
                _ => return Err(ApiError::NotFound),
            }
        }
        ["subjects"] => {
            let prefix = parameter(query, "subjectPrefix").unwrap_or_default();
            let subjects = registered.subjects(deleted).into_iter();
            json!(subjects.filter(|subject| subject.starts_with(&prefix)).collect::<Vec<_>>())
        }
        ["subjects", subject, "versions"] => {
            let versions = registered.versions(subject, deleted)?;
            json!(versions.iter().map(|version| version.version).collect::<Vec<_>>())
        }
        ["subjects", subject, "versions", which] => {
            let version = registered.version(subject, self::which(which)?, deleted)?;
            shown(registered, subject, &version)
        }
        ["subjects", subject, "versions", which, "schema"] => {
            let version = registered.version(subject, self::which(which)?, deleted)?;
            let schema = registered.schema(version.id).and_then(|schema| serde_json::from_str(&schema.schema).ok());
            schema.unwrap_or(Value::Null)
        }
        ["subjects", subject, "versions", which, "referencedby"] => {
            let version = registered.version(subject, self::which(which)?, deleted)?;
            json!(registered.used_by(subject, version.version))
        }
        ["config"] => json!({ "compatibilityLevel": level(registered, None) }),
        ["config", subject] => match registered.level(Some(subject)) {
            Some(level) => json!({ "compatibilityLevel": level }),
            None if flag(query, "defaultToGlobal") => json!({ "compatibilityLevel": level(registered, None) }),
            None => {
                let message = format!("Subject '{subject}' does not have subject-level compatibility configured");
                return Err(ApiError::Deletion(40_408, message));
            }
        },
        ["mode"] | ["mode", _] => json!({ "mode": "READWRITE" }),
        ["contexts"] => json!(["."]),
        _ => return Err(ApiError::NotFound),
    })
}

fn level<'r>(registered: &'r Registered, subject: Option<&str>) -> &'r str {
    registered.level(subject).or_else(|| registered.level(None)).unwrap_or("NONE")
}

/// A schema's own members; the type is left out where it is the default, as clients expect.
fn fields(schema: &Schema) -> Value {
    let mut value = json!({ "schema": schema.schema });
    if let Value::Object(members) = &mut value {
        if schema.schema_type != SchemaType::Avro {
            members.insert("schemaType".to_owned(), json!(schema.schema_type));
        }
        if !schema.references.is_empty() {
            members.insert("references".to_owned(), json!(schema.references));
        }
    }
    value
}

/// A version of a subject with its schema.
fn shown(registered: &Registered, subject: &str, version: &Version) -> Value {
    let mut value = registered.schema(version.id).map_or_else(|| json!({}), fields);
    if let Value::Object(members) = &mut value {
        members.insert("subject".to_owned(), json!(subject));
        members.insert("version".to_owned(), json!(version.version));
        members.insert("id".to_owned(), json!(version.id));
    }
    value
}

fn which(text: &str) -> Result<Which, ApiError> {
    match text {
        "latest" | "-1" => Ok(Which::Latest),
        number => match number.parse::<u32>() {
            Ok(number) if number > 0 && i32::try_from(number).is_ok() => Ok(Which::Number(number)),
            _ => Err(ApiError::InvalidVersion(text.to_owned())),
        },
    }
}

async fn sent_schema(request: Request<Incoming>) -> Result<Schema, ApiError> {
    let sent: SentSchema = body(request).await?;
    let schema_type = match sent.schema_type.as_deref() {
        None | Some("" | "AVRO") => SchemaType::Avro,
        Some("JSON") => SchemaType::Json,
        Some(other) => {
            return Err(ApiError::InvalidSchema(format!("expected the type AVRO or JSON, found `{other}`")));
        }
    };
    Ok(Schema { schema: sent.schema, schema_type, references: sent.references.unwrap_or_default() })
}

async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, ApiError> {
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { ApiError::TooLarge } else { ApiError::Request(error.to_string()) }
    })?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| ApiError::Request(error.to_string()))
}

fn flag(query: &str, name: &str) -> bool {
    parameter(query, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn parameter(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decoded(value))
}

/// A part of a path or query with its percent signs resolved; bytes that are no text are replaced.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let digits = after.first_chunk::<2>().map(|digits| digits.map(|digit| char::from(digit).to_digit(16)));
        match (byte, digits) {
            (b'%', Some([Some(high), Some(low)])) => {
                bytes.extend(u8::try_from(high << 4 | low));
                rest = after.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
