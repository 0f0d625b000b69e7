//! What was registered: schemas by id, subjects as lists of versions; kept in one file.
//!
//! An id is given once and means the same schema for ever, whatever is deleted. A schema is registered once, however its
//! text is laid out: two that are the same JSON are the same.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use penstock_kernel::facts::AvroSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::ApiError;
use crate::broker::durable;

/// A schema as it is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Schema {
    /// Its text, as registered first.
    pub(super) schema: String,
    #[serde(rename = "schemaType", default)]
    pub(super) schema_type: SchemaType,
    #[serde(default)]
    pub(super) references: Vec<Reference>,
}

/// Language of a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum SchemaType {
    /// The default.
    #[default]
    Avro,
    Json,
}

/// A schema that another one uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) version: u32,
}

/// A version of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) version: u32,
    pub(super) id: u32,
    /// Deleted, but not for good: hidden unless asked for.
    #[serde(default)]
    pub(super) deleted: bool,
}

/// Which version of a subject is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Number(u32),
    Latest,
}

/// All of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Content {
    /// The id given last.
    last_id: u32,
    schemas: BTreeMap<u32, Schema>,
    subjects: BTreeMap<String, Vec<Version>>,
    /// Compatibility levels by subject; that of all under the empty name.
    levels: BTreeMap<String, String>,
}

/// What was registered, and where it is kept.
#[derive(Debug)]
pub(super) struct Registered {
    file: PathBuf,
    content: Content,
}

impl Registered {
    pub(super) fn open(file: &Path) -> io::Result<Self> {
        let content = match durable::read(file)? {
            None => Content::default(),
            Some(bytes) => serde_json::from_slice(&bytes)?,
        };
        Ok(Self { file: file.to_owned(), content })
    }

    /// Makes a change durable; one that cannot be written is undone.
    fn change<T>(&mut self, change: impl FnOnce(&mut Content) -> T) -> Result<T, ApiError> {
        let mut next = self.content.clone();
        let result = change(&mut next);
        let written = serde_json::to_vec(&next).map_err(io::Error::from);
        written
            .and_then(|bytes| durable::replace(&self.file, &bytes))
            .map_err(|error| ApiError::Store(format!("cannot write `{}`: {error}", self.file.display())))?;
        self.content = next;
        Ok(result)
    }

    /// Registers a schema under a subject; gives its id and version, the old ones if it is there already.
    pub(super) fn register(&mut self, subject: &str, schema: Schema) -> Result<(u32, u32), ApiError> {
        self.check(&schema)?;
        let known = self.id_of(&schema);
        let versions = self.content.subjects.get(subject).map(Vec::as_slice).unwrap_or_default();
        if let Some(version) = versions.iter().find(|version| !version.deleted && Some(version.id) == known) {
            return Ok((version.id, version.version));
        }
        self.change(|content| {
            let id = known.unwrap_or(content.last_id + 1);
            if known.is_none() {
                content.last_id = id;
                content.schemas.insert(id, schema);
            }
            let versions = content.subjects.entry(subject.to_owned()).or_default();
            let version = versions.last().map_or(1, |last| last.version + 1);
            versions.push(Version { version, id, deleted: false });
            (id, version)
        })
    }

    /// The version of a subject that has this schema.
    pub(super) fn lookup(&self, subject: &str, schema: &Schema, deleted: bool) -> Result<Version, ApiError> {
        let versions = self.versions(subject, deleted)?;
        let id = self.id_of(schema);
        let found = versions.into_iter().find(|version| Some(version.id) == id);
        found.ok_or_else(|| ApiError::Schema("Schema not found".to_owned()))
    }

    pub(super) fn schema(&self, id: u32) -> Option<&Schema> {
        self.content.schemas.get(&id)
    }

    /// Subjects that have a version, ascending.
    pub(super) fn subjects(&self, deleted: bool) -> Vec<&str> {
        let shown = |versions: &[Version]| versions.iter().any(|version| deleted || !version.deleted);
        let subjects = self.content.subjects.iter().filter(|(_, versions)| shown(versions));
        subjects.map(|(subject, _)| subject.as_str()).collect()
    }

    /// Where a schema is registered.
    pub(super) fn uses(&self, id: u32) -> Vec<(&str, u32)> {
        let subjects = self.content.subjects.iter();
        let versions = subjects.flat_map(|(subject, versions)| versions.iter().map(move |version| (subject, version)));
        let of_id = versions.filter(|(_, version)| version.id == id && !version.deleted);
        of_id.map(|(subject, version)| (subject.as_str(), version.version)).collect()
    }

    /// Ids of the schemas that use a version of a subject, ascending.
    pub(super) fn used_by(&self, subject: &str, version: u32) -> Vec<u32> {
        let uses =
            |schema: &Schema| schema.references.iter().any(|used| used.subject == subject && used.version == version);
        self.content.schemas.iter().filter(|(_, schema)| uses(schema)).map(|(id, _)| *id).collect()
    }

    /// Versions of a subject, ascending, never empty.
    pub(super) fn versions(&self, subject: &str, deleted: bool) -> Result<Vec<Version>, ApiError> {
        let versions = self.content.subjects.get(subject).map(Vec::as_slice).unwrap_or_default();
        let shown: Vec<Version> = versions.iter().filter(|version| deleted || !version.deleted).cloned().collect();
        if shown.is_empty() { Err(ApiError::Subject(subject.to_owned())) } else { Ok(shown) }
    }

    pub(super) fn version(&self, subject: &str, which: Which, deleted: bool) -> Result<Version, ApiError> {
        let versions = self.versions(subject, deleted)?;
        let found = match which {
            Which::Latest => versions.last(),
            Which::Number(number) => versions.iter().find(|version| version.version == number),
        };
        found.cloned().ok_or_else(|| match which {
            Which::Number(number) => ApiError::Version(number.to_string()),
            Which::Latest => ApiError::Version("latest".to_owned()),
        })
    }

    /// Deletes one version, or all, and gives their numbers. What is deleted for good must have been deleted before.
    pub(super) fn delete(
        &mut self,
        subject: &str,
        which: Option<Which>,
        permanent: bool,
    ) -> Result<Vec<u32>, ApiError> {
        let gone: Vec<Version> = match which {
            None => self.versions(subject, permanent)?,
            Some(which) => vec![self.version(subject, which, permanent)?],
        };
        if permanent && let Some(live) = gone.iter().find(|version| !version.deleted) {
            let message = match which {
                None => format!("Subject '{subject}' was not deleted first before being permanently deleted"),
                Some(_) => format!(
                    "Subject '{subject}' Version {} was not deleted first before being permanently deleted",
                    live.version
                ),
            };
            return Err(ApiError::Deletion(if which.is_none() { 40_405 } else { 40_407 }, message));
        }
        let numbers: Vec<u32> = gone.iter().map(|version| version.version).collect();
        let used = self.content.schemas.values().flat_map(|schema| &schema.references);
        if let Some(used) = used.into_iter().find(|used| used.subject == subject && numbers.contains(&used.version)) {
            let message = format!("One or more references exist to the schema {subject} version {}", used.version);
            return Err(ApiError::Referenced(message));
        }
        self.change(|content| {
            let Some(versions) = content.subjects.get_mut(subject) else { return };
            if permanent {
                versions.retain(|version| !numbers.contains(&version.version));
            } else {
                for version in versions.iter_mut().filter(|version| numbers.contains(&version.version)) {
                    version.deleted = true;
                }
            }
            if versions.is_empty() {
                content.subjects.remove(subject);
            }
        })?;
        Ok(numbers)
    }

    /// The level of a subject, or of all; `None` if nobody told one.
    pub(super) fn level(&self, subject: Option<&str>) -> Option<&str> {
        self.content.levels.get(subject.unwrap_or_default()).map(String::as_str)
    }

    /// Tells a level, or takes it back.
    pub(super) fn set_level(&mut self, subject: Option<&str>, level: Option<&str>) -> Result<(), ApiError> {
        let subject = subject.unwrap_or_default().to_owned();
        self.change(|content| match level {
            Some(level) => {
                content.levels.insert(subject, level.to_owned());
            }
            None => {
                content.levels.remove(&subject);
            }
        })
    }

    fn id_of(&self, schema: &Schema) -> Option<u32> {
        let value = canonical(&schema.schema);
        let same = |known: &Schema| {
            known.schema_type == schema.schema_type
                && known.references == schema.references
                && (known.schema == schema.schema || value.is_some() && canonical(&known.schema) == value)
        };
        self.content.schemas.iter().find(|(_, known)| same(known)).map(|(id, _)| *id)
    }

    /// Whether records can be read with the schema.
    pub(super) fn check(&self, schema: &Schema) -> Result<(), ApiError> {
        match schema.schema_type {
            SchemaType::Json => {
                serde_json::from_str::<Value>(&schema.schema)
                    .map_err(|error| ApiError::InvalidSchema(error.to_string()))?;
            }
            SchemaType::Avro => {
                let mut texts = Vec::new();
                self.gather(schema, &mut texts, &mut Vec::new())?;
                AvroSchema::parse(&schema.schema, &texts)
                    .map_err(|error| ApiError::InvalidSchema(error.to_string()))?;
            }
        }
        Ok(())
    }

    /// Texts of what a schema uses, each after what it uses itself. What is registered exists and uses nothing that came
    /// after it, so this ends.
    fn gather<'s>(
        &'s self,
        schema: &Schema,
        texts: &mut Vec<&'s str>,
        met: &mut Vec<(String, u32)>,
    ) -> Result<(), ApiError> {
        for Reference { subject, version, .. } in &schema.references {
            let place = (subject.clone(), *version);
            if met.contains(&place) {
                continue;
            }
            met.push(place);
            let known = self.version(subject, Which::Number(*version), false).ok();
            let known = known.and_then(|version| self.schema(version.id));
            let Some(known) = known else {
                let message = format!("No schema reference found for subject \"{subject}\" and version {version}");
                return Err(ApiError::InvalidSchema(message));
            };
            self.gather(known, texts, met)?;
            texts.push(&known.schema);
        }
        Ok(())
    }
}

fn canonical(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
