//! PREVIEW ROUTINE LOAD: what would become of the newest records of a topic. Nothing is committed, no group is joined.
//!
//! Each record goes through the very plan that the job loads with, by itself, so that rows can be told by their record.

use std::collections::BTreeSet;

use arrow_json::writer::{LineDelimited, WriterBuilder};
use penstock_expressions::StarRocks;
use penstock_kernel::batch::{Batch, Headers, Record};
use penstock_kernel::facts::{Facts, Schemas};
use penstock_kernel::ids::SchemaId;
use penstock_kernel::loaded::{LoadStatistics, Loaded};
use penstock_kernel::plan::Plan;
use penstock_kernel::table::{ColumnType, TableDefinition};
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::ResultSet;
use penstock_sql::statement::PreviewRoutineLoad;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::Admin;
use crate::error::of_definition;
use crate::sampler::{SampleError, SampledRecord};

/// The last row has the outcome `total`, and the counts in the place of a reason.
const TITLES: [&str; 7] = ["source_partition", "offset", "index", "outcome", "reason", "row", "raw"];

/// Records of each source partition without LIMIT, and at most.
const RECORDS: u64 = 10;
const MOST_RECORDS: u64 = 1_000;

/// Characters of a record's value that are shown.
const RAW_CHARACTERS: usize = 4_096;

impl Admin {
    pub(crate) async fn preview_job(
        &self,
        statement: PreviewRoutineLoad,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (definition, table) = self.job_or_definition(&statement.of, session).await?;
        let plan = Plan::compile(&definition, &table, &StarRocks).map_err(|error| of_definition(&error))?;
        let records = statement.records.unwrap_or(RECORDS);
        if records > MOST_RECORDS {
            let message =
                format!("LIMIT: expected at most {MOST_RECORDS} records of a source partition, found {records}");
            return Err(SqlError::analysis(&message));
        }
        let Some(sampler) = &self.sampler else {
            let message = "PREVIEW needs a Kafka client, which this deployment does not have";
            return Err(SqlError::analysis(message)
                .with_hint("`penstock up` has one; `penstock preview` takes records from files"));
        };
        let sample = sampler.sample(&definition.source, records).await.map_err(|error| of_sample(&error))?;
        if sample.latest.is_empty() {
            let message =
                format!("topic `{}` does not exist, or has none of the job's partitions", definition.source.topic);
            return Err(SqlError::analysis(&message));
        }
        let batches: Vec<Batch<'_>> =
            sample.records.iter().map(|record| batch(&definition.source.topic, record)).collect();
        let ids: BTreeSet<SchemaId> = batches.iter().flat_map(|batch| plan.schemas_needed(batch)).collect();
        let schemas = match &definition.source.registry {
            Some(registry) if !ids.is_empty() => {
                let ids: Vec<SchemaId> = ids.into_iter().collect();
                sampler.schemas(registry, &ids).await.map_err(|error| of_sample(&error))?
            }
            _ => Schemas::default(),
        };
        let facts = Facts::at(self.catalog.clock().now_ms()).with_schemas(schemas);
        let mut sum = LoadStatistics::default();
        let mut rows = Vec::new();
        for (record, batch) in sample.records.iter().zip(&batches) {
            let loaded = plan.load(batch, &facts);
            sum += loaded.statistics;
            rows.extend(outcomes(record, &loaded, &table)?);
        }
        rows.push(total(&sum));
        Ok(SqlResponse::Rows(ResultSet::text(&TITLES, rows)))
    }
}

fn of_sample(error: &SampleError) -> SqlError {
    match error {
        SampleError::Unavailable { .. } => SqlError::new(code::UNAVAILABLE, error.to_string()).with_hint("try again"),
        SampleError::Refused { .. } => SqlError::analysis(&error.to_string()),
    }
}

fn batch<'a>(topic: &str, record: &'a SampledRecord) -> Batch<'a> {
    let record = Record {
        source_partition: record.source_partition,
        offset: record.offset,
        timestamp_ms: record.timestamp_ms,
        key: record.key.as_deref(),
        value: record.value.as_deref(),
        headers: Headers::over(&record.headers),
    };
    Batch { topic: topic.to_owned(), records: vec![record] }
}

/// The rows of one record: loaded ones, rejected ones, unselected ones. A record without any is a row too.
///
/// The plan does not say at which place of the record a loaded row stood; with nothing left out by WHERE, it is the places
/// that no rejected row has.
fn outcomes(
    record: &SampledRecord,
    loaded: &Loaded,
    table: &TableDefinition,
) -> Result<Vec<Vec<Option<String>>>, SqlError> {
    let raw = record.value.as_deref().map(shown);
    let row =
        |index: Option<String>, outcome: &str, reason: Option<String>, row: Option<String>, raw: Option<String>| {
            let place = [record.source_partition.to_string(), record.offset.to_string()].map(Some);
            place.into_iter().chain([index, Some(outcome.to_owned()), reason, row, raw]).collect::<Vec<_>>()
        };
    let statistics = &loaded.statistics;
    let mut free = (0..).filter(|index| loaded.rejected.iter().all(|rejected| rejected.index != Some(*index)));
    let mut rows = Vec::new();
    for (_, columns) in &loaded.tables {
        let mut text = Vec::new();
        let mut writer = WriterBuilder::new()
            .with_explicit_nulls(true)
            .with_timestamp_format("%Y-%m-%d %H:%M:%S%.f".to_owned())
            .build::<_, LineDelimited>(&mut text);
        writer.write(columns).and_then(|()| writer.finish()).map_err(unprintable)?;
        drop(writer);
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let index = if statistics.unselected == 0 { free.next() } else { None };
            let json = in_order(line, table).map_err(unprintable)?;
            rows.push(row(index.map(|index: u32| index.to_string()), "row", None, Some(json), raw.clone()));
        }
    }
    for rejected in loaded.rejected.iter() {
        let reason = match &rejected.column {
            Some(column) if !rejected.reason.contains(column.as_str()) => format!("{}: {}", column, rejected.reason),
            _ => rejected.reason.clone(),
        };
        let index = rejected.index.map(|index| index.to_string());
        rows.push(row(index, "rejected", Some(reason), None, Some(shown(&rejected.raw))));
    }
    for _ in 0..statistics.unselected {
        let reason = Some("WHERE is false or NULL".to_owned());
        rows.push(row(None, "unselected", reason, None, raw.clone()));
    }
    if rows.is_empty() {
        rows.push(row(None, "empty", Some("the record holds no row".to_owned()), None, raw));
    }
    Ok(rows)
}

fn total(sum: &LoadStatistics) -> Vec<Option<String>> {
    let counts = format!(
        "records {}, rows {}: loaded {}, rejected {}, unselected {}",
        sum.records, sum.total, sum.loaded, sum.rejected, sum.unselected
    );
    vec![None, None, None, Some("total".to_owned()), Some(counts), None, None]
}

/// A row's object with the table's columns in their order; JSON columns hold documents, not texts of documents.
fn in_order(line: &[u8], table: &TableDefinition) -> Result<String, serde_json::Error> {
    let mut object: Map<String, Value> = serde_json::from_slice(line)?;
    let mut text = String::from("{");
    for (number, column) in table.columns.iter().enumerate() {
        if number > 0 {
            text += ",";
        }
        text += &serde_json::to_string(&column.name)?;
        text += ":";
        let value = object.remove(&column.name).unwrap_or(Value::Null);
        text += &match (&column.column_type, &value) {
            // The kernel lets only valid JSON into such a column.
            (ColumnType::Json, Value::String(document)) => match serde_json::from_str::<&RawValue>(document) {
                Ok(document) => document.get().to_owned(),
                Err(_) => value.to_string(),
            },
            _ => value.to_string(),
        };
    }
    Ok(text + "}")
}

/// A value as text; bytes that are no text in base64.
fn shown(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => match text.char_indices().nth(RAW_CHARACTERS) {
            None => text.to_owned(),
            Some((end, _)) => format!("{}... ({} bytes)", text.get(..end).unwrap_or_default(), value.len()),
        },
        Err(_) => {
            let head = value.get(..RAW_CHARACTERS.min(value.len())).unwrap_or(value);
            format!("base64:{}", base64_simd::STANDARD.encode_to_string(head))
        }
    }
}

fn unprintable(error: impl std::fmt::Display) -> SqlError {
    SqlError::new(code::INTERNAL, format!("a loaded row cannot be printed: {error}"))
}
