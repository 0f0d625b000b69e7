//! What loading a batch needs to know beyond its bytes; whoever calls the kernel fetches it.

use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::format::avro::schema::{AvroSchema, SchemaError};
use crate::ids::SchemaId;

/// Facts for one batch.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Milliseconds since the epoch: what `DEFAULT CURRENT_TIMESTAMP` and `now()` give, in whole seconds.
    pub now_ms: i64,
    /// A number that no other batch has: `uuid()` and its like are made from it.
    pub seed: u128,
    /// The schemas that [`Plan::schemas_needed`](crate::plan::Plan::schemas_needed) asks for.
    pub schemas: Schemas,
}

impl Facts {
    /// Only the moment: enough for formats that carry their own shape.
    pub fn at(now_ms: i64) -> Self {
        Self { now_ms, ..Self::default() }
    }

    /// The same with this seed.
    pub fn with_seed(mut self, seed: u128) -> Self {
        self.seed = seed;
        self
    }

    /// The same with these schemas.
    pub fn with_schemas(mut self, schemas: Schemas) -> Self {
        self.schemas = schemas;
        self
    }
}

/// Schemas by their ids. A record whose schema is not among them, or cannot be used, is a rejected row.
#[derive(Debug, Clone, Default)]
pub struct Schemas(BTreeMap<SchemaId, SchemaFact>);

/// What is known of a schema.
#[derive(Debug, Clone)]
pub enum SchemaFact {
    /// An Avro schema, ready to read records with.
    Avro(Arc<AvroSchema>),
    /// No record can be read with it; the reason, for a person: `does not exist in the registry`.
    Unusable(Arc<str>),
}

impl Schemas {
    /// Says what is known of a schema, in place of what was known before.
    pub fn insert(&mut self, id: SchemaId, fact: SchemaFact) {
        self.0.insert(id, fact);
    }

    /// What is known of a schema.
    pub fn get(&self, id: SchemaId) -> Option<&SchemaFact> {
        self.0.get(&id)
    }
}
