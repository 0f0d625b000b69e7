//! Message formats: bytes of one Kafka record into rows of source columns. One file a format.
//!
//! A format delivers values, slices of the record whose type is not decided yet, and says nothing about
//! columns: what a value becomes in a column is `convert`'s.

pub(crate) mod avro;
pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod typed;
pub(crate) mod value;

use avro::{AvroReader, AvroScratch, Kept};
use csv::{CsvReader, CsvScratch};
use json::{JsonReader, JsonScratch, Selections};
use value::Value;

use crate::batch::Batch;
use crate::facts::Facts;
use crate::ids::SchemaId;

/// How records are read; compiled once. One variant a format.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    Json(JsonReader),
    Csv(Box<CsvReader>),
    Avro(AvroReader),
}

/// Room that is used again for each record.
#[derive(Debug)]
pub(crate) struct ReaderScratch<'a> {
    pub(crate) json: JsonScratch<'a>,
    csv: CsvScratch<'a>,
    pub(crate) avro: AvroScratch<'a>,
}

impl<'a> ReaderScratch<'a> {
    /// Room for a batch whose facts are `facts`; values that need more room than others have it in `kept`.
    pub(crate) fn new(facts: &'a Facts, kept: &'a Kept<'a>) -> Self {
        Self { json: JsonScratch::default(), csv: CsvScratch::default(), avro: AvroScratch::new(&facts.schemas, kept) }
    }
}

/// A row of a record.
#[derive(Debug)]
pub(crate) struct Row<'r, 'a> {
    /// Place in the record, from 0.
    pub(crate) index: u32,
    /// Whether the record has no other row.
    pub(crate) only: bool,
    /// Its bytes within the record.
    pub(crate) raw: &'a [u8],
    /// One entry a source field, in the order of the plain names; fields beyond the last are missing. Or the reason why
    /// this row cannot be read, though the record can.
    pub(crate) values: Result<&'r [Value<'a>], String>,
}

impl Reader {
    /// What values that are [`Value::Selected`] are made by.
    pub(crate) fn selections(&self) -> Selections {
        match self {
            Self::Json(reader) => Selections::clone(reader.selections()),
            Self::Csv(_) => Selections::default(),
            Self::Avro(reader) => Selections::clone(reader.selections()),
        }
    }

    /// The same for what was kept of a row whose record held several: the row's own part, taken out of whatever held
    /// it.
    pub(crate) fn of_parts(&self) -> Self {
        match self {
            Self::Json(reader) => Self::Json(reader.of_parts()),
            // A line by itself is a text of one line.
            Self::Csv(reader) => Self::Csv(reader.clone()),
            // A record holds one row.
            Self::Avro(reader) => Self::Avro(reader.clone()),
        }
    }

    /// Hands each row of a record to `take`, in order. `value` is never empty.
    ///
    /// # Errors
    /// The reason why the record cannot be read; `take` was not called then.
    #[inline]
    pub(crate) fn read<'a>(
        &self,
        value: &'a [u8],
        scratch: &mut ReaderScratch<'a>,
        take: impl FnMut(Row<'_, 'a>),
    ) -> Result<(), String> {
        match self {
            Self::Json(reader) => reader.read(value, &mut scratch.json, take),
            Self::Csv(reader) => {
                reader.read(value, &mut scratch.csv, take);
                Ok(())
            }
            Self::Avro(reader) => reader.read(value, &mut scratch.avro, take),
        }
    }

    /// The schemas that records name and reading them takes; ascending, none twice.
    pub(crate) fn schemas_needed(&self, batch: &Batch<'_>) -> Vec<SchemaId> {
        match self {
            Self::Avro(_) => avro::schemas_needed(batch),
            _ => Vec::new(),
        }
    }
}
