//! Field ids of what lies inside of columns.
//!
//! Readers that follow ids, as Iceberg's do, need one for every field, nested ones too. They are derived from the
//! column's id and the place inside, so that no definition has to keep them: a column's type never changes.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::errors::ParquetError;
use parquet::schema::types::SchemaDescriptor;

/// Metadata of a field that becomes its id in Parquet.
const FIELD_ID: &str = "PARQUET:field_id";

/// Ids that each column has for what lies inside; more than a table has columns.
const IDS_A_COLUMN: u32 = 100_000;

/// The schema of a file of these columns, every field with an id if its column has one.
pub(super) fn parquet_schema(schema: &Schema) -> Result<SchemaDescriptor, ParquetError> {
    let fields: Vec<FieldRef> = schema
        .fields()
        .iter()
        .map(|field| match field.metadata().get(FIELD_ID).and_then(|id| id.parse::<u32>().ok()) {
            Some(id) => {
                let mut next = id.saturating_mul(IDS_A_COLUMN);
                Arc::new(field.as_ref().clone().with_data_type(numbered(field.data_type(), &mut next)))
            }
            None => Arc::clone(field),
        })
        .collect();
    ArrowSchemaConverter::new().convert(&Schema::new(fields))
}

/// The type with ids in it, parents before what they hold; `last` is the last id given.
fn numbered(data_type: &DataType, last: &mut u32) -> DataType {
    let mut inner = |field: &FieldRef| {
        *last = last.saturating_add(1);
        let metadata = [(FIELD_ID.to_owned(), last.to_string())].into();
        let field_type = numbered(field.data_type(), last);
        Arc::new(Field::new(field.name(), field_type, field.is_nullable()).with_metadata(metadata))
    };
    match data_type {
        DataType::List(entry) => DataType::List(inner(entry)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        // Its entries are a layer of Parquet's, no field of their own.
        DataType::Map(entries, sorted) => {
            let DataType::Struct(pair) = entries.data_type() else {
                return data_type.clone();
            };
            let pair = DataType::Struct(pair.iter().map(inner).collect());
            DataType::Map(Arc::new(entries.as_ref().clone().with_data_type(pair)), *sorted)
        }
        other => other.clone(),
    }
}
