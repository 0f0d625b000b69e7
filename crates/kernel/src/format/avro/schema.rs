//! An Avro schema as a record's decoder needs it: types by number, names resolved, logical types told apart.
//!
//! Read from the schema's JSON text by ourselves: what decoding needs of a writer's schema (no defaults, no aliases, no
//! resolution against a reader's schema) is less than a tenth of what the Avro crate does, and this one takes whatever
//! a registry took: it is not the place to argue about a symbol's spelling. What no data can follow is refused.

mod logical;
mod parse;
mod sizes;
#[cfg(test)]
mod tests;

pub(crate) use logical::{TimeUnit, Timestamp};

/// A type of a schema, by its place in it.
pub(crate) type NodeId = u32;

/// Levels of records, arrays, maps and unions that a schema without recursion, or data with it, may have.
/// Readers of nested values recurse, on stacks of 2 MiB.
pub(crate) const MAX_DEPTH: usize = 128;

/// A writer's schema. Its top level may be of any type; only a record is any use to a job.
#[derive(Debug, Clone)]
pub struct AvroSchema {
    nodes: Vec<Type>,
    root: NodeId,
    /// One a node: whether a value of it takes no bytes at all. Any other value takes one at least.
    empty: Vec<bool>,
}

/// A type, with what decoding it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    /// So many bytes.
    Fixed(usize),
    /// Its symbols, in order.
    Enum(Vec<Box<str>>),
    /// The type of its items.
    Array(NodeId),
    /// The type of its values.
    Map(NodeId),
    Record(Vec<Field>),
    /// Its branches, in order.
    Union(Vec<NodeId>),
    /// An unscaled number, big-endian, in bytes or in a fixed of `size`.
    Decimal {
        scale: u32,
        size: Option<usize>,
    },
    /// An int: days since 1970-01-01.
    Date,
    /// An int (milliseconds) or a long: time since midnight.
    Time(TimeUnit),
    /// A long.
    Timestamp(Timestamp),
    /// A fixed of 16 bytes. In a string it is a string.
    Uuid,
    /// A fixed of 12 bytes: months, days and milliseconds, little-endian.
    Duration,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: Box<str>,
    pub(crate) node: NodeId,
}

impl AvroSchema {
    /// Reads a schema's JSON text. `references` are the texts of the schemas whose named types it uses, each after
    /// those that it uses itself.
    ///
    /// # Errors
    /// [`SchemaError`]: the text is no JSON or no schema, uses a name that is defined nowhere, or describes what no data
    /// of finite length can follow.
    ///
    /// # References
    /// - <https://avro.apache.org/docs/1.12.0/specification/>
    pub fn parse(text: &str, references: &[&str]) -> Result<Self, SchemaError> {
        parse::parse(text, references)
    }

    /// The type at the top.
    pub(crate) fn root(&self) -> NodeId {
        self.root
    }

    /// The type of that number.
    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> &Type {
        // Every number in a schema was given out with its node.
        self.nodes.get(id as usize).unwrap_or(&Type::Null)
    }

    /// Whether values of the type take no bytes.
    pub(crate) fn is_empty(&self, id: NodeId) -> bool {
        self.empty.get(id as usize).copied().unwrap_or(true)
    }
}

impl Type {
    /// The type's name, for a person.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Fixed(_) => "fixed",
            Self::Enum(_) => "enum",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Record(_) => "record",
            Self::Union(_) => "union",
            Self::Decimal { .. } => "decimal",
            Self::Date => "date",
            Self::Time(_) => "time",
            Self::Timestamp(_) => "timestamp",
            Self::Uuid => "uuid",
            Self::Duration => "duration",
        }
    }
}

/// A text that is no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", place(path))]
pub struct SchemaError {
    /// Names of the types and fields that lead to the trouble, from the top.
    pub path: Vec<String>,
    /// What the trouble is.
    pub problem: SchemaProblem,
}

/// What is wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaProblem {
    /// The text is no JSON.
    #[error("no JSON, line {line} column {column}: {problem}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column of the line, from 1; 0 at its end.
        column: usize,
        /// What the parser says.
        problem: String,
    },
    /// Something else was expected.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A type that is neither Avro's nor defined before.
    #[error("type `{name}` is not defined")]
    UnknownType {
        /// Its name.
        name: String,
    },
    /// A name that is defined twice.
    #[error("`{name}` is defined twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// A union right inside a union.
    #[error("a union cannot hold a union")]
    UnionInUnion,
    /// A record that has itself as a field, and not as a union's branch, an array's item or a map's value.
    #[error("the record contains itself, so no value of it ends")]
    Endless,
    /// Too many levels.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// More types than any real schema has.
    #[error("more than {MAX_NODES} types")]
    TooLarge,
}

/// Types that a schema may have, named or not.
const MAX_NODES: usize = 100_000;

fn place(path: &[String]) -> String {
    if path.is_empty() { "schema".to_owned() } else { format!("schema, `{}`", path.join(".")) }
}
