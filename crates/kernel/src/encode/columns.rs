//! Rows that are all there into a file, one column after another: what it takes to write a column is there once, however many
//! columns there are.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterPropertiesBuilder, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};
use zstd::bulk::Compressor;

use super::{ColumnStatistics, dictionary, field_id, page, statistics};

/// The file of `rows`, of which a row group holds so many, which are not 0, and the statistics of its columns. Columns that are
/// `small` have one page if they can.
pub(super) fn write(
    rows: &RecordBatch,
    max_row_group_rows: usize,
    small: bool,
    properties: WriterPropertiesBuilder,
    level: ZstdLevel,
) -> Result<(Bytes, Vec<ColumnStatistics>), ParquetError> {
    let schema = field_id::parquet_schema(rows.schema_ref())?;
    let file_properties = Arc::new(properties.clone().build());
    let mut file = SerializedFileWriter::new(Vec::new(), schema.root_schema_ptr(), file_properties)?;
    let mut compressor = Compressor::new(level.compression_level())?;
    let ids = statistics::ids(rows.schema_ref());
    let has_one_group = rows.num_rows() <= max_row_group_rows;
    let mut known = Vec::new();
    for first in (0..rows.num_rows()).step_by(max_row_group_rows) {
        let rows = rows.slice(first, max_row_group_rows.min(rows.num_rows() - first));
        let mut group = file.next_row_group()?;
        let written_as = schema.root_schema().get_fields();
        let mut leaves = schema.columns().iter();
        let fields = rows.schema_ref().fields().iter().zip(written_as).zip(&ids);
        for (column, ((field, written_as), id)) in rows.columns().iter().zip(fields) {
            if written_as.is_primitive()
                && let Some(leaf) = leaves.next()
                && has_one_group
                && small
            {
                let repeats = dictionary::repeats(column.as_ref());
                let codec = (Compression::ZSTD(level), &mut compressor);
                if let Some(page::Chunk { bytes, close, statistics }) = page::write(column, *id, repeats, leaf, codec)?
                {
                    group.append_column(&bytes, close)?;
                    known.push(statistics);
                    continue;
                }
            }
            let mut properties = properties.clone();
            for path in dictionary::without(field, column.as_ref()) {
                properties = properties.set_column_dictionary_enabled(path, false);
            }
            let chunks = chunks(field, column, written_as, &Arc::new(properties.build()))?;
            if !written_as.is_primitive() {
                leaves.nth(chunks.len().saturating_sub(1));
            }
            for chunk in chunks {
                chunk.append_to_row_group(&mut group)?;
            }
            if has_one_group {
                known.push(statistics::of_column(column.as_ref(), *id));
            }
        }
        group.close()?;
    }
    if known.len() != rows.num_columns() {
        known = statistics::of(rows);
    }
    Ok((file.into_inner()?.into(), known))
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
