//! Schema registries: the schemas that a batch's records name, fetched over HTTP and kept.
//!
//! What an id means never changes, so a schema is fetched once a process. Three kinds of trouble are apart: a registry
//! that does not answer, or not as one, fails the batch, which comes again; an id that the registry does not know, or a
//! schema that no record can be read with, is a fact about data and makes rejected rows; neither is kept for ever.
//!
//! # References
//! - <https://docs.confluent.io/platform/current/schema-registry/develop/api.html>

mod cache;
mod http;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use penstock_kernel::error_chain::one_line;
use penstock_kernel::facts::{AvroSchema, SchemaFact, Schemas};
use penstock_kernel::ids::SchemaId;
use penstock_kernel::registry::SchemaRegistry;
use serde::Deserialize;

use cache::Cache;
use http::{Answer, Http};

pub use http::RegistryError;

/// How registries are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrySettings {
    /// Tries to get one answer before the batch fails, at least 1.
    pub attempts: u32,
    /// Time to connect. Too short and a far registry is never reached; too long and a dead one holds the batch up.
    pub connect_timeout: Duration,
    /// Time for one try, the answer's last byte included.
    pub timeout: Duration,
    /// Pause before the second try; each further one is twice as long.
    pub pause: Duration,
    /// Bytes of an answer; a longer one is no schema.
    pub max_answer_bytes: usize,
    /// Schemas kept in memory. Fewer than a topic has in use makes each batch fetch them again.
    pub max_kept: usize,
    /// How long an id that makes rejected rows is not asked for again.
    pub keep_unusable: Duration,
    /// Schemas fetched for one batch. Records name their schema themselves, and bytes that are no Avro may name any:
    /// those beyond are rejected, so that a batch ends.
    pub max_fetched: usize,
}

impl Default for RegistrySettings {
    fn default() -> Self {
        Self {
            attempts: 4,
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(10),
            pause: Duration::from_millis(200),
            max_answer_bytes: 8 << 20,
            max_kept: 1_000,
            keep_unusable: Duration::from_secs(30),
            max_fetched: 500,
        }
    }
}

/// Requests to one registry at the same time.
const AT_ONCE: usize = 8;

/// Schemas that one schema may use, directly or not.
const MAX_REFERENCES: usize = 200;

/// Asks registries, and keeps what they say. One is enough for a process.
#[derive(Debug)]
pub struct Registry {
    settings: RegistrySettings,
    http: Http,
    cache: Cache,
}

/// What a registry says of a schema.
#[derive(Debug, Deserialize)]
struct Found {
    schema: String,
    #[serde(rename = "schemaType", default)]
    schema_type: Option<String>,
    #[serde(default)]
    references: Option<Vec<Reference>>,
}

/// A schema that another one uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Reference {
    subject: String,
    version: i64,
}

impl Found {
    /// Last to first.
    fn references(&self) -> impl Iterator<Item = Reference> {
        self.references.iter().flatten().rev().cloned()
    }
}

/// A step through the schemas that a schema uses.
enum Visit {
    Enter(Reference),
    Leave(String),
}

/// Why no record can be read with a schema, or why nobody knows.
enum Trouble {
    Schema(String),
    Registry(RegistryError),
}

impl From<RegistryError> for Trouble {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl Registry {
    /// Has asked nobody yet.
    pub fn new(settings: RegistrySettings) -> Self {
        Self { http: Http::new(&settings), cache: Cache::new(&settings), settings }
    }

    /// What is known of the schemas `ids`, from memory or from `registry`.
    ///
    /// # Errors
    /// [`RegistryError`]: the registry does not answer, or not as one.
    pub async fn schemas(&self, registry: &SchemaRegistry, ids: &[SchemaId]) -> Result<Schemas, RegistryError> {
        let mut schemas = Schemas::default();
        let mut missing = Vec::new();
        for id in ids {
            match self.cache.get(&registry.url, *id) {
                Some(fact) => schemas.insert(*id, fact),
                None => missing.push(*id),
            }
        }
        let beyond = missing.split_off(missing.len().min(self.settings.max_fetched));
        for ids in missing.chunks(AT_ONCE) {
            let mut asked = Vec::with_capacity(ids.len());
            for id in ids {
                asked.push(self.fetch(registry, *id));
            }
            for (id, fact) in ids.iter().zip(try_join_all(asked).await?) {
                self.cache.put(&registry.url, *id, fact.clone());
                schemas.insert(*id, fact);
            }
        }
        for id in beyond {
            let why = format!("is one of more than {} unknown ones in a batch", self.settings.max_fetched);
            schemas.insert(id, SchemaFact::Unusable(why.into()));
        }
        Ok(schemas)
    }

    async fn fetch(&self, registry: &SchemaRegistry, id: SchemaId) -> Result<SchemaFact, RegistryError> {
        match self.avro(registry, id).await {
            Ok(schema) => Ok(SchemaFact::Avro(Arc::new(schema))),
            Err(Trouble::Schema(why)) => Ok(SchemaFact::Unusable(why.into())),
            Err(Trouble::Registry(error)) => Err(error),
        }
    }

    async fn avro(&self, registry: &SchemaRegistry, id: SchemaId) -> Result<AvroSchema, Trouble> {
        let found = self.get(registry, &format!("/schemas/ids/{id}")).await?;
        let found = found.ok_or_else(|| Trouble::Schema("does not exist in the registry".to_owned()))?;
        match found.schema_type.as_deref() {
            None | Some("AVRO") => {}
            Some(other) => return Err(Trouble::Schema(format!("is a schema of type {other}, expected AVRO"))),
        }
        let references = self.references(registry, &found).await?;
        let texts: Vec<&str> = references.iter().map(String::as_str).collect();
        // Parsing is a matter of bytes from outside: a big schema takes milliseconds.
        AvroSchema::parse(&found.schema, &texts).map_err(|error| {
            Trouble::Schema(format!("is no schema that records can be read with: {}", one_line(&error)))
        })
    }

    /// The texts of the schemas that `found` uses, each after those that it uses itself, none twice.
    async fn references(&self, registry: &SchemaRegistry, found: &Found) -> Result<Vec<String>, Trouble> {
        let mut texts = Vec::new();
        let mut met: BTreeSet<Reference> = BTreeSet::new();
        // Depth first. What is left of a reference once all that it uses is done, is its text.
        let mut open: Vec<Visit> = found.references().map(Visit::Enter).collect();
        let mut path: Vec<Reference> = Vec::new();
        while let Some(visit) = open.pop() {
            let reference = match visit {
                Visit::Leave(text) => {
                    path.pop();
                    texts.push(text);
                    continue;
                }
                Visit::Enter(reference) => reference,
            };
            let Reference { subject, version } = &reference;
            if path.contains(&reference) {
                return Err(Trouble::Schema(format!(
                    "uses version {version} of the subject `{subject}`, which uses itself"
                )));
            }
            if !met.insert(reference.clone()) {
                continue;
            }
            if met.len() > MAX_REFERENCES {
                return Err(Trouble::Schema(format!("uses more than {MAX_REFERENCES} other schemas")));
            }
            let asked = format!("/subjects/{}/versions/{version}", http::encoded(subject));
            let inner = self.get(registry, &asked).await?.ok_or_else(|| {
                Trouble::Schema(format!("uses version {version} of the subject `{subject}`, which does not exist"))
            })?;
            let uses: Vec<Visit> = inner.references().map(Visit::Enter).collect();
            path.push(reference);
            open.push(Visit::Leave(inner.schema));
            open.extend(uses);
        }
        Ok(texts)
    }

    /// What `path` says; `None` if the registry knows no such thing.
    async fn get(&self, registry: &SchemaRegistry, path: &str) -> Result<Option<Found>, RegistryError> {
        match self.http.get(registry, path, &self.settings).await? {
            Answer::Unknown => Ok(None),
            Answer::Found(body) => serde_json::from_slice(&body)
                .map(Some)
                .map_err(|source| RegistryError::Answer { url: format!("{}{path}", registry.url), source }),
        }
    }
}
