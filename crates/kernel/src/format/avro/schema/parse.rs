//! A schema's JSON text into its types.
//!
//! Recursion follows the JSON text, whose depth `serde_json` limits; names are looked up in what was defined so far, so
//! a type may name itself or an earlier one, and a chain of names is no recursion here.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::logical::annotated;
use super::sizes;
use super::{AvroSchema, Field, MAX_NODES, NodeId, SchemaError, SchemaProblem, Type};

pub(super) fn parse(text: &str, references: &[&str]) -> Result<AvroSchema, SchemaError> {
    let mut parser = Parser::default();
    for reference in references {
        parser.schema(reference)?;
    }
    let root = parser.schema(text)?;
    let empty = sizes::empty(&parser.nodes).map_err(|problem| SchemaError { path: Vec::new(), problem })?;
    Ok(AvroSchema { nodes: parser.nodes, root, empty })
}

#[derive(Default)]
struct Parser {
    nodes: Vec<Type>,
    /// Full names of what was defined so far.
    names: HashMap<String, NodeId>,
    /// Names of the fields that lead to where we are.
    path: Vec<String>,
}

impl Parser {
    fn schema(&mut self, text: &str) -> Result<NodeId, SchemaError> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let words = error.to_string();
            let problem = words.split_once(" at line ").map_or(words.clone(), |(words, _)| words.to_owned());
            self.wrong(SchemaProblem::Json { line: error.line(), column: error.column(), problem })
        })?;
        self.any(&value, "")
    }

    fn any(&mut self, value: &Value, namespace: &str) -> Result<NodeId, SchemaError> {
        match value {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => self.union(branches, namespace),
            Value::Object(definition) => self.definition(definition, namespace),
            other => Err(self.expected("a type", shown(Some(other)))),
        }
    }

    fn named(&mut self, name: &str, namespace: &str) -> Result<NodeId, SchemaError> {
        if let Some(plain) = primitive(name) {
            return self.add(plain);
        }
        let found = self.names.get(&full_name(name, namespace)).or_else(|| self.names.get(name)).copied();
        found.ok_or_else(|| self.wrong(SchemaProblem::UnknownType { name: name.to_owned() }))
    }

    fn union(&mut self, branches: &[Value], namespace: &str) -> Result<NodeId, SchemaError> {
        if branches.is_empty() {
            return Err(self.expected("a union with a branch", "`[]`".to_owned()));
        }
        let id = self.add(Type::Null)?;
        let mut nodes = Vec::with_capacity(branches.len());
        for branch in branches {
            let node = self.any(branch, namespace)?;
            if matches!(self.nodes.get(node as usize), Some(Type::Union(_))) {
                return Err(self.wrong(SchemaProblem::UnionInUnion));
            }
            nodes.push(node);
        }
        self.set(id, Type::Union(nodes));
        Ok(id)
    }

    fn definition(&mut self, definition: &Map<String, Value>, namespace: &str) -> Result<NodeId, SchemaError> {
        let kind = match definition.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            // `{"type": {"type": "string"}}` is the inner type.
            Some(inner @ (Value::Object(_) | Value::Array(_))) => return self.any(inner, namespace),
            other => return Err(self.expected("a `type`", shown(other))),
        };
        match kind {
            "record" | "error" => self.record(definition, namespace),
            "enum" => {
                let (id, _) = self.define(definition, namespace)?;
                let symbols = self.symbols(definition)?;
                self.set(id, Type::Enum(symbols));
                Ok(id)
            }
            "fixed" => {
                let (id, _) = self.define(definition, namespace)?;
                let size = definition.get("size");
                let Some(bytes) = size.and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok()) else {
                    return Err(self.expected("a `size` of 0 or more", shown(size)));
                };
                self.set(id, annotated(Type::Fixed(bytes), definition));
                Ok(id)
            }
            "array" => {
                let id = self.add(Type::Null)?;
                let items = self.inner(definition.get("items"), "`items`", namespace)?;
                self.set(id, Type::Array(items));
                Ok(id)
            }
            "map" => {
                let id = self.add(Type::Null)?;
                let values = self.inner(definition.get("values"), "`values`", namespace)?;
                self.set(id, Type::Map(values));
                Ok(id)
            }
            _ => match primitive(kind) {
                Some(plain) => self.add(annotated(plain, definition)),
                None => self.named(kind, namespace),
            },
        }
    }

    fn inner(&mut self, inner: Option<&Value>, expected: &'static str, namespace: &str) -> Result<NodeId, SchemaError> {
        match inner {
            Some(inner) => self.any(inner, namespace),
            None => Err(self.expected(expected, shown(None))),
        }
    }

    fn record(&mut self, definition: &Map<String, Value>, namespace: &str) -> Result<NodeId, SchemaError> {
        let (id, namespace) = self.define(definition, namespace)?;
        let items = match definition.get("fields") {
            Some(Value::Array(items)) => items,
            other => return Err(self.expected("an array of `fields`", shown(other))),
        };
        let mut fields: Vec<Field> = Vec::with_capacity(items.len());
        let mut known = HashSet::new();
        for item in items {
            let (Some(Value::String(name)), Some(inner)) = (item.get("name"), item.get("type")) else {
                return Err(self.expected("a field with `name` and `type`", shown(Some(item))));
            };
            if !known.insert(name.as_str()) {
                return Err(self.wrong(SchemaProblem::Twice { name: name.clone() }));
            }
            self.path.push(name.clone());
            let node = self.any(inner, &namespace)?;
            self.path.pop();
            fields.push(Field { name: name.as_str().into(), node });
        }
        self.set(id, Type::Record(fields));
        Ok(id)
    }

    fn symbols(&self, definition: &Map<String, Value>) -> Result<Vec<Box<str>>, SchemaError> {
        let items = match definition.get("symbols") {
            Some(Value::Array(items)) => items,
            other => return Err(self.expected("an array of `symbols`", shown(other))),
        };
        let symbol = |item: &Value| {
            item.as_str().map(Box::from).ok_or_else(|| self.expected("a symbol's name", shown(Some(item))))
        };
        items.iter().map(symbol).collect()
    }

    /// Gives the name of a definition a node, to be set, and says in which namespace its parts are.
    fn define(&mut self, definition: &Map<String, Value>, enclosing: &str) -> Result<(NodeId, String), SchemaError> {
        let name = match definition.get("name") {
            Some(Value::String(name)) => name,
            other => return Err(self.expected("a `name`", shown(other))),
        };
        let namespace = match definition.get("namespace") {
            Some(Value::String(namespace)) => namespace.as_str(),
            _ => enclosing,
        };
        let full = full_name(name, namespace);
        let id = self.add(Type::Null)?;
        if self.names.insert(full.clone(), id).is_some() {
            return Err(self.wrong(SchemaProblem::Twice { name: full }));
        }
        let namespace = full.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
        Ok((id, namespace))
    }

    fn add(&mut self, node: Type) -> Result<NodeId, SchemaError> {
        match NodeId::try_from(self.nodes.len()) {
            Ok(id) if self.nodes.len() < MAX_NODES => {
                self.nodes.push(node);
                Ok(id)
            }
            _ => Err(self.wrong(SchemaProblem::TooLarge)),
        }
    }

    fn set(&mut self, id: NodeId, node: Type) {
        if let Some(place) = self.nodes.get_mut(id as usize) {
            *place = node;
        }
    }

    fn expected(&self, expected: &'static str, found: String) -> SchemaError {
        self.wrong(SchemaProblem::Expected { expected, found })
    }

    fn wrong(&self, problem: SchemaProblem) -> SchemaError {
        SchemaError { path: self.path.clone(), problem }
    }
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        "string" => Type::String,
        _ => return None,
    })
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

/// A piece of the text, cut short.
fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "none".to_owned();
    };
    let text = value.to_string();
    let end = text.floor_char_boundary(60);
    match text.get(..end) {
        Some(start) if end < text.len() => format!("`{start}...`"),
        _ => format!("`{text}`"),
    }
}
