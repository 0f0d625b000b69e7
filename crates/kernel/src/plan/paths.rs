//! `jsonpaths` and `json_root`: the properties' texts into paths.

use serde_json::Value;

use super::error::DefinitionError;
use crate::format::json::path::{NoArray, Path, parse};
use crate::format::json::select::Results;

/// Paths, and their texts as given.
type Paths = (Vec<Path>, Vec<String>);

/// The paths of `jsonpaths`, and their texts; `None` if there are none, so that keys are matched by name.
pub(super) fn jsonpaths(text: &str) -> Result<Option<Paths>, DefinitionError> {
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let document: Value = serde_json::from_str(text).map_err(|error| DefinitionError::JsonPathsSyntax {
        line: error.line(),
        column: error.column(),
        problem: problem(&error),
    })?;
    let Value::Array(items) = document else {
        return Err(DefinitionError::JsonPathsShape { found: kind(&document).to_owned() });
    };
    let paths: Paths = (1..)
        .zip(items)
        .map(|(number, item)| match item {
            Value::String(path) => match parse(&path) {
                Ok(found) => Ok((found, path)),
                Err(source) => Err(DefinitionError::JsonPath { number, source }),
            },
            other => Err(DefinitionError::JsonPathsShape { found: format!("{} at place {number}", kind(&other)) }),
        })
        .collect::<Result<_, _>>()?;
    Ok((!paths.0.is_empty()).then_some(paths))
}

/// The path of `json_root`; `None` if there is none.
pub(super) fn json_root(text: &str) -> Result<Option<Path>, DefinitionError> {
    if text.is_empty() {
        return Ok(None);
    }
    let path = parse(text).map_err(|source| DefinitionError::JsonRoot { source })?;
    Ok(Some(match path {
        Path::Select { one_place: Some(steps), .. } => Path::Place { steps, no_array: NoArray::Fault },
        Path::Select { selection, .. } if selection.results() == Results::List => {
            return Err(DefinitionError::JsonRootList { path: text.to_owned() });
        }
        path => path,
    }))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The parser's words without the place, which the error has by itself.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.clone(), |(words, _)| words.to_owned())
}
