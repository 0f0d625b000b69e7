//! Rows that are all there into a file, one column after another: what it takes to write a column is there once, however many
//! columns there are.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::field_id;

/// The file of `rows`, of which a row group holds so many, which are not 0.
pub(super) fn write(
    rows: &RecordBatch,
    max_row_group_rows: usize,
    properties: WriterPropertiesPtr,
) -> Result<Bytes, ParquetError> {
    let schema = field_id::parquet_schema(rows.schema_ref())?;
    let mut file = SerializedFileWriter::new(Vec::new(), schema.root_schema_ptr(), Arc::clone(&properties))?;
    for first in (0..rows.num_rows()).step_by(max_row_group_rows) {
        let rows = rows.slice(first, max_row_group_rows.min(rows.num_rows() - first));
        let mut group = file.next_row_group()?;
        let written_as = schema.root_schema().get_fields();
        for ((field, column), written_as) in rows.schema_ref().fields().iter().zip(rows.columns()).zip(written_as) {
            for chunk in chunks(field, column, written_as, &properties)? {
                chunk.append_to_row_group(&mut group)?;
            }
        }
        group.close()?;
    }
    Ok(file.into_inner()?.into())
}

/// What a column's file holds apart: one chunk, or one for each part of a column that has parts.
fn chunks(
    field: &Arc<Field>,
    column: &ArrayRef,
    written_as: &TypePtr,
    properties: &WriterPropertiesPtr,
) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
    // A writer of chunks belongs to a file, and makes those of all its columns at once: this file has one column.
    let alone = Type::group_type_builder("schema").with_fields(vec![Arc::clone(written_as)]).build()?;
    let file = SerializedFileWriter::new(std::io::sink(), Arc::new(alone), Arc::clone(properties))?;
    let schema = Arc::new(Schema::new(vec![Arc::clone(field)]));
    let writers = ArrowRowGroupWriterFactory::new(&file, schema).create_column_writers(0)?;
    let leaves = compute_leaves(field, column)?;
    let close = |(mut writer, leaf): (parquet::arrow::arrow_writer::ArrowColumnWriter, _)| {
        writer.write(&leaf)?;
        writer.close()
    };
    writers.into_iter().zip(leaves).map(close).collect()
}
